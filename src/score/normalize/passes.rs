//! Small rewriting passes that more than one normalizer needs.
//!
//! Passes that seldom find anything to do take the text and hand the same text back then.

use super::character::{is_space, is_word};

/// Removes what stands between `<` or `[` and the next `>` or `]`, whichever kind they are. An
/// opening mark without a closing one stays.
pub(super) fn remove_bracketed(text: String) -> String {
    if !text.contains(['<', '[']) {
        return text;
    }
    let mut output = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find(['<', '[']) {
        let Some(length) = rest[open..].find(['>', ']']) else {
            break;
        };
        output.push_str(&rest[..open]);
        rest = &rest[open + length + 1..];
    }
    output.push_str(rest);
    output
}

/// Removes what stands between `(` and the next `)`, unless that is nothing at all: `()` stays.
pub(super) fn remove_parenthesized(text: String) -> String {
    if !text.contains('(') {
        return text;
    }
    let mut output = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('(') {
        let inside = &rest[open + 1..];
        match inside.find(')') {
            None => break,
            Some(0) => {
                output.push_str(&rest[..=open]);
                rest = inside;
            }
            Some(length) => {
                output.push_str(&rest[..open]);
                rest = &inside[length + 1..];
            }
        }
    }
    output.push_str(rest);
    output
}

/// Replaces each stretch of white space by one space.
pub(super) fn collapse_spaces(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut after_space = false;
    for character in text.chars() {
        if !is_space(character) {
            output.push(character);
        } else if !after_space {
            output.push(' ');
        }
        after_space = is_space(character);
    }
    output
}

/// Returns the words of a text, split as Python's `str.split` does.
pub(in crate::score) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Replaces whole words: `replacement` is asked for each longest run of word characters, which is
/// what a literal between two `\b` can match.
pub(super) fn replace_whole_words(
    text: String,
    replacement: impl Fn(&str) -> Option<&'static str>,
) -> String {
    let mut output = String::new();
    let mut copied = 0;
    let mut replace = |start: usize, end: usize| {
        if let Some(substitute) = replacement(&text[start..end]) {
            output.push_str(&text[copied..start]);
            output.push_str(substitute);
            copied = end;
        }
    };
    let mut word_start = None;
    for (position, character) in text.char_indices() {
        match (is_word(character), word_start) {
            (true, None) => word_start = Some(position),
            (false, Some(start)) => {
                replace(start, position);
                word_start = None;
            }
            _ => {}
        }
    }
    if let Some(start) = word_start {
        replace(start, text.len());
    }
    if copied == 0 {
        return text;
    }
    output.push_str(&text[copied..]);
    output
}

/// Returns whether the text begins with a word character.
pub(super) fn begins_with_word_character(text: &str) -> bool {
    text.chars().next().is_some_and(is_word)
}

/// Returns whether the text ends with a word character.
pub(super) fn ends_with_word_character(text: &str) -> bool {
    text.chars().next_back().is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_close_whatever_opened() {
        assert_eq!(remove_bracketed("a [b> c <d".into()), "a  c <d");
        assert_eq!(remove_bracketed("[[x]] y".into()), "] y");
    }

    #[test]
    fn empty_parentheses_stay() {
        assert_eq!(remove_parenthesized("a () (b) (c".into()), "a ()  (c");
        assert_eq!(remove_parenthesized("((a)b)".into()), "b)");
    }

    #[test]
    fn whole_words_only() {
        let replace = |word: &str| (word == "st").then_some("saint ");
        assert_eq!(
            replace_whole_words("st. best st".into(), replace),
            "saint . best saint "
        );
        assert_eq!(replace_whole_words("été st_".into(), replace), "été st_");
    }

    #[test]
    fn spaces_of_every_kind_become_one() {
        assert_eq!(collapse_spaces("a\u{1c}\t b\u{3000}"), "a b ");
    }
}
