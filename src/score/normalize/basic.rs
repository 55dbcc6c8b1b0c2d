//! Whisper's normalizer for any language.

use super::character::{Class, class};
use super::passes::{collapse_spaces, remove_bracketed, remove_parenthesized};
use super::unicode::{compose, lower};

/// Returns the text in lower case, without what stands in brackets, and with one space in place
/// of marks, symbols, punctuation and white space.
pub(super) fn normalize(text: &str) -> String {
    let text = remove_parenthesized(remove_bracketed(lower(text)));
    let text: String = compose(text).chars().map(symbol_to_space).collect();
    // Composition can bring capitals back, as from U+2102 to "C".
    collapse_spaces(&lower(&text))
}

fn symbol_to_space(character: char) -> char {
    match class(character) {
        Class::Nonspacing | Class::Symbol => ' ',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_becomes_space_and_brackets_go() {
        assert_eq!(normalize("Hello, (cough) WORLD! [noise]"), "hello world ");
    }

    #[test]
    fn marks_that_do_not_compose_become_spaces() {
        assert_eq!(normalize("Cafe\u{301} कि"), "café क ");
    }
}
