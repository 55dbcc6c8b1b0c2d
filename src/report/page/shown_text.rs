//! Text of others as it is shown: nothing in it acts on the page or on the order of its letters.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns a text in which what cannot be seen, but acts, can be seen: control characters stand as
/// their pictures, and what turns the direction of the text around it as its number. Marks that only
/// say in which direction a letter goes stay, because right-to-left writing needs them.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\u{0}'..='\u{1f}' if acts(letter) => {
                shown.push(char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => shown.push('\u{2421}'),
            letter if acts(letter) => {
                // Writing into a string cannot fail.
                let _ = write!(shown, "[U+{:04X}]", u32::from(letter));
            }
            letter => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// Whether a character acts without being seen.
fn acts(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        // C0 and C1 controls.
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Embeddings, overrides and isolates of direction.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Separators of lines, which end lines in scripts; interlinear marks.
        '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_seen_and_what_is_written_stays() {
        assert_eq!(shown("a\u{0}b\u{1b}[31m\r"), "a␀b␛[31m␍");
        assert_eq!(shown("\u{202e}gnp.exe"), "[U+202E]gnp.exe");
        assert_eq!(shown("\u{85}\u{7f}"), "[U+0085]␡");
        for plain in [
            "two\nlines\twide",
            "שלום\u{200f}",
            "می\u{200c}خواهم",
            "👩\u{200d}🔬",
        ] {
            assert!(matches!(shown(plain), Cow::Borrowed(_)), "{plain}");
        }
    }
}
