//! Lower case and normalization forms as Python 3.11 gives them.
//!
//! Code points that Unicode 14 does not know stay untouched and separate what stands on either
//! side of them, because to Python 3.11 they have no case, no decomposition and combining class 0.

use unicode_normalization::UnicodeNormalization;

use super::character::{Class, class};

/// Returns the text in lower case, as Python's `str.lower`.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    by_assigned_stretch(text, lower_stretch)
}

/// Characters that the rule for the final sigma sees differently since Unicode 14, each with one
/// that it has always seen as Unicode 14 sees the first: U+0295 was a small letter, and U+1171E
/// was a mark to look past. The second ones have no use in running text (a mathematical digamma
/// and a deprecated tag), so no text is expected to hold both of a pair.
const STAND_INS: [(char, char); 2] = [('\u{295}', '\u{1d7cb}'), ('\u{1171e}', '\u{e0001}')];

fn lower_stretch(stretch: &str, output: &mut String) {
    if !stretch.contains(STAND_INS.map(|(original, _)| original)) {
        output.push_str(&stretch.to_lowercase());
        return;
    }
    let replaced: String = stretch
        .chars()
        .map(|found| swap(found, |(original, stand_in)| (original, stand_in)))
        .collect();
    let lowered = replaced.to_lowercase();
    output.extend(
        lowered
            .chars()
            .map(|found| swap(found, |(original, stand_in)| (stand_in, original))),
    );
}

/// Returns the partner of a character, or the character if it has none.
fn swap(found: char, direction: impl Fn((char, char)) -> (char, char)) -> char {
    let mut pairs = STAND_INS.into_iter().map(direction);
    pairs
        .find(|(from, _)| *from == found)
        .map_or(found, |(_, to)| to)
}

/// Returns the compatibility decomposition of the text (NFKD).
pub(super) fn decompose(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    by_assigned_stretch(&text, |stretch, output| output.extend(stretch.nfkd()))
}

/// Returns the compatibility composition of the text (NFKC).
pub(super) fn compose(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    by_assigned_stretch(&text, |stretch, output| output.extend(stretch.nfkc()))
}

fn by_assigned_stretch(text: &str, mut convert: impl FnMut(&str, &mut String)) -> String {
    let mut output = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some((position, separator)) = rest
        .char_indices()
        .find(|(_, character)| class(*character) == Class::Unassigned)
    {
        convert(&rest[..position], &mut output);
        output.push(separator);
        rest = &rest[position + separator.len_utf8()..];
    }
    convert(rest, &mut output);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_sigma_is_seen_within_a_stretch_only() {
        assert_eq!(lower("ΟΔΟΣ"), "οδος");
        assert_eq!(lower("ΟΔ\u{1fadf}Σ"), "οδ\u{1fadf}σ");
        assert_eq!(lower("Ο\u{1171e}Σ"), "ο\u{1171e}ς");
        assert_eq!(lower("\u{295}Σ ΑΣ\u{295}"), "\u{295}ς ασ\u{295}");
    }

    #[test]
    fn later_letters_keep_their_case() {
        // U+A7CB, a capital letter of Unicode 16.
        assert_eq!(lower("A\u{a7cb}B"), "a\u{a7cb}b");
    }
}
