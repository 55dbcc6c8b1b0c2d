//! What two texts have in common at their beginnings and ends.
//!
//! A transcript that is nearly right differs from its reference in a few places, so most of both
//! need only be compared byte by byte.

use super::normalize::{is_ascii_space, is_space};
use super::tokens::for_each_space;

/// Two texts cut into a beginning and an end that are the same in both, and what lies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut<'text> {
    /// The beginning.
    pub(super) head: &'text str,
    /// What the first text has between.
    pub(super) one: &'text str,
    /// What the second text has between.
    pub(super) other: &'text str,
    /// The end.
    pub(super) tail: &'text str,
}

/// Cuts at characters: as much as possible is head, and of the rest as much as possible is tail.
pub(super) fn cut_characters<'text>(one: &'text str, other: &'text str) -> Cut<'text> {
    let mut head = common_start(one.as_bytes(), other.as_bytes());
    // Bytes that are the same may end within characters that are not.
    while !(one.is_char_boundary(head) && other.is_char_boundary(head)) {
        head -= 1;
    }
    let (one_rest, other_rest) = (&one[head..], &other[head..]);
    let mut tail = common_end(one_rest.as_bytes(), other_rest.as_bytes());
    while !one_rest.is_char_boundary(one_rest.len() - tail) {
        tail -= 1;
    }
    Cut {
        head: &one[..head],
        one: &one_rest[..one_rest.len() - tail],
        other: &other_rest[..other_rest.len() - tail],
        tail: &one_rest[one_rest.len() - tail..],
    }
}

/// Moves the cuts of [`cut_characters`] outwards to spaces, so that no word lies across one. `one`
/// and `other` are the texts that were cut.
pub(super) fn widen_to_words<'text>(
    cut: Cut<'text>,
    one: &'text str,
    other: &'text str,
) -> Cut<'text> {
    let begins_with_space = |text: &str| text.bytes().next().is_none_or(is_ascii_space);
    let (one_rest, other_rest) = (&one[cut.head.len()..], &other[cut.head.len()..]);
    let head = if begins_with_space(one_rest) && begins_with_space(other_rest) {
        cut.head.len()
    } else {
        let space = cut.head.bytes().rposition(is_ascii_space);
        space.map_or(0, |position| position + 1)
    };
    // The end of the head that words were moved out of belongs to what lies between.
    let ends_with_space = |text: &str| text.bytes().next_back().is_none_or(is_ascii_space);
    let (one_most, other_most) = (
        &one[head..one.len() - cut.tail.len()],
        &other[head..other.len() - cut.tail.len()],
    );
    let tail = if ends_with_space(one_most) && ends_with_space(other_most) {
        cut.tail.len()
    } else {
        let space = cut.tail.bytes().position(is_ascii_space);
        space.map_or(0, |position| cut.tail.len() - position)
    };
    Cut {
        head: &one[..head],
        one: &one[head..one.len() - tail],
        other: &other[head..other.len() - tail],
        tail: &one[one.len() - tail..],
    }
}

/// Returns how many words a text has.
pub(super) fn word_count(text: &str) -> u64 {
    let mut count = 0;
    if text.is_ascii() {
        let mut start = 0;
        for_each_space(text.as_bytes(), |position| {
            count += u64::from(position > start);
            start = position + 1;
        });
        return count + u64::from(text.len() > start);
    }
    let mut after_space = true;
    for character in text.chars() {
        let space = is_space(character);
        count += u64::from(after_space && !space);
        after_space = space;
    }
    count
}

/// Returns how many characters a text has.
pub(super) fn character_count(text: &str) -> u64 {
    if text.is_ascii() {
        text.len() as u64
    } else {
        text.chars().count() as u64
    }
}

/// Returns how many bytes two texts have in common at their beginnings.
pub(super) fn common_start(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    let mut length = 0;
    for (one, other) in blocks {
        let differences = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differences != 0 {
            return length + differences.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = one[length..].iter().zip(&other[length..]);
    length + rest.take_while(|(one, other)| one == other).count()
}

/// Returns how many bytes two texts have in common at their ends.
pub(super) fn common_end(one: &[u8], other: &[u8]) -> usize {
    let (one_blocks, other_blocks) = (one.as_rchunks::<8>().1, other.as_rchunks::<8>().1);
    let mut length = 0;
    for (one, other) in one_blocks.iter().rev().zip(other_blocks.iter().rev()) {
        let differences = u64::from_be_bytes(*one) ^ u64::from_be_bytes(*other);
        if differences != 0 {
            return length + differences.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let (one, other) = (&one[..one.len() - length], &other[..other.len() - length]);
    let rest = one.iter().rev().zip(other.iter().rev());
    length + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut<'text>(one: &'text str, other: &'text str) -> (Cut<'text>, Cut<'text>) {
        let characters = cut_characters(one, other);
        (characters, widen_to_words(characters, one, other))
    }

    #[test]
    fn characters_and_words_are_not_cut() {
        let (characters, words) = cut("the cat sat down", "the cut sat down");
        assert_eq!((characters.one, characters.other), ("a", "u"));
        assert_eq!((words.one, words.other), ("cat", "cut"));
        assert_eq!((words.head, words.tail), ("the ", " sat down"));
        // Both letters begin with the same byte.
        let (characters, _) = cut("aé", "aè");
        assert_eq!((characters.head, characters.one), ("a", "é"));
        // Both end with the same byte: U+00E9 and U+0129.
        let (characters, _) = cut("\u{e9}", "\u{129}");
        assert_eq!((characters.one, characters.other), ("\u{e9}", "\u{129}"));
    }

    #[test]
    fn a_text_that_goes_on_is_cut_where_the_other_ends() {
        let (_, words) = cut("so it is", "so it is not");
        assert_eq!((words.one, words.other), ("", " not"));
        let (_, words) = cut("so it is", "so it isnt");
        assert_eq!((words.one, words.other), ("is", "isnt"));
        let (_, words) = cut("a a", "a a a");
        assert_eq!((words.head, words.one, words.other), ("a a", "", " a"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(one in "[ab é\u{3000}\u{1c}か]{0,20}", other in "[ab é\u{3000}\u{1c}か]{0,20}") {
            for cut in [cut(&one, &other).0, cut(&one, &other).1] {
                prop_assert_eq!([cut.head, cut.one, cut.tail].concat(), one.as_str());
                prop_assert_eq!([cut.head, cut.other, cut.tail].concat(), other.as_str());
            }
            let cut = cut(&one, &other).1;
            for (whole, between) in [(&one, cut.one), (&other, cut.other)] {
                let parts = [cut.head, between, cut.tail].map(word_count).iter().sum::<u64>();
                prop_assert_eq!(parts, word_count(whole));
            }
        }

        #[test]
        fn starts_and_ends_are_found(
            one in prop::collection::vec(0_u8..3, 0..30),
            other in prop::collection::vec(0_u8..3, 0..30),
            shared in prop::collection::vec(0_u8..3, 0..30),
        ) {
            let plain = |one: &[u8], other: &[u8]| {
                one.iter().zip(other).take_while(|(one, other)| one == other).count()
            };
            let (before, after) = ([&shared[..], &one].concat(), [&shared[..], &other].concat());
            prop_assert_eq!(common_start(&before, &after), plain(&before, &after));
            let (before, after) = ([&one[..], &shared].concat(), [&other[..], &shared].concat());
            let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
            prop_assert_eq!(
                common_end(&before, &after),
                plain(&reversed(&before), &reversed(&after))
            );
        }
    }
}
