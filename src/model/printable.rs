//! Text of others, made harmless on a line of its own.

/// Returns text with control characters shown and not obeyed, on one line.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' | '\t' | '\r' => ' ',
            // C0 and C1 controls, and the marks that turn the direction of text around.
            c if c.is_control()
                || matches!(
                    c,
                    '\u{200e}'
                        | '\u{200f}'
                        | '\u{61c}'
                        | '\u{202a}'..='\u{202e}'
                        | '\u{2066}'..='\u{2069}'
                ) =>
            {
                '\u{fffd}'
            }
            c => c,
        })
        .collect()
}
