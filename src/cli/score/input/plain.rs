//! Plain text: an utterance is a line, and a blank one is an utterance without a word.

use super::{Role, Utterance, utterance};

pub(super) fn read(text: &str, role: Role) -> Vec<Utterance<'_>> {
    (1..)
        .zip(text.lines())
        .map(|(number, line)| utterance(number, None, line, role))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_ends_a_line_and_begins_none() {
        let lines = |text| -> Vec<String> {
            let read = read(text, Role::References);
            read.into_iter()
                .map(|one| one.reference.into_owned())
                .collect()
        };
        assert_eq!(lines("a\r\n\r\nb c"), ["a", "", "b c"]);
        assert_eq!(lines("a\n\n"), ["a", ""]);
        // Other ends of lines that Unicode knows stand within texts.
        assert_eq!(lines("a\u{2028}b\u{85}c\u{b}d\n").len(), 1);
        assert!(lines("").is_empty());
    }
}
