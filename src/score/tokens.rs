//! Words as numbers that can be compared at once.

use super::normalize::{is_ascii_space, is_space};

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// Equal for equal words. Of words up to seven bytes it is the word itself, so that different
    /// words differ; longer ones may share a key.
    pub(super) key: u64,
    /// Where the word begins.
    start: usize,
    /// Where it ends.
    end: usize,
}

/// Bytes up to which a key is the word itself; the eighth byte holds the length.
const EXACT: usize = 7;

/// An odd number whose bits look random: the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl Token {
    fn new(text: &str, start: usize, end: usize) -> Self {
        Self {
            key: key(text.as_bytes(), start, end),
            start,
            end,
        }
    }

    /// Returns the word. `text` is the one that it was found in.
    pub(super) fn word(self, text: &str) -> &str {
        &text[self.start..self.end]
    }

    /// Returns where the word begins.
    pub(super) fn start(self) -> usize {
        self.start
    }

    /// Returns whether its key is the word itself.
    pub(super) fn is_exact(self) -> bool {
        self.end - self.start <= EXACT
    }
}

/// Writes the words of a text into a list that is used again.
pub(super) fn tokenize(text: &str, tokens: &mut Vec<Token>) {
    tokens.clear();
    for_each_word(text, |start, end| tokens.push(Token::new(text, start, end)));
}

/// Tells where each word of a text begins and ends.
fn for_each_word(text: &str, mut tell: impl FnMut(usize, usize)) {
    let mut start = 0;
    let mut end_at = |position: usize, width: usize| {
        if position > start {
            tell(start, position);
        }
        start = position + width;
    };
    if text.is_ascii() {
        for_each_space(text.as_bytes(), |position| end_at(position, 1));
    } else {
        for (position, character) in text.char_indices() {
            if is_space(character) {
                end_at(position, character.len_utf8());
            }
        }
    }
    end_at(text.len(), 0);
}

/// Tells the positions of white space in a text of ASCII, eight bytes at a time.
pub(super) fn for_each_space(text: &[u8], mut tell: impl FnMut(usize)) {
    const ONES: u64 = u64::MAX / 0xff;
    let (blocks, rest) = text.as_chunks::<8>();
    for (number, block) in blocks.iter().enumerate() {
        let bytes = u64::from_le_bytes(*block);
        // The high bit of every byte that is less than 0x21, and perhaps of some behind those.
        let mut low = bytes.wrapping_sub(0x21 * ONES) & !bytes & (0x80 * ONES);
        while low != 0 {
            let position = number * 8 + low.trailing_zeros() as usize / 8;
            if is_ascii_space(text[position]) {
                tell(position);
            }
            low &= low - 1;
        }
    }
    for (position, byte) in rest.iter().enumerate() {
        if is_ascii_space(*byte) {
            tell(blocks.len() * 8 + position);
        }
    }
}

fn key(text: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    if length > EXACT {
        let mut hash = length as u64;
        let (blocks, rest) = text[start..end].as_chunks::<8>();
        for block in blocks {
            hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*block)).wrapping_mul(MIX);
        }
        hash = (hash.rotate_left(23) ^ load(rest, 0, rest.len())).wrapping_mul(MIX);
        // No length of a short word is 255.
        return hash | 0xff << 56;
    }
    load(text, start, length) | (length as u64) << 56
}

/// Returns up to seven bytes as a number.
fn load(text: &[u8], start: usize, length: usize) -> u64 {
    if let Some(block) = text[start..].first_chunk::<8>() {
        return u64::from_le_bytes(*block) & ((1 << (length * 8)) - 1);
    }
    let bytes = text[start..start + length].iter().rev();
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::super::normalize::words;
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        tokenize(text, &mut tokens);
        tokens
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_plain_way(text in "[ab\0é \t\u{1c}\u{3000}]{0,40}") {
            let found: Vec<&str> = tokens(&text).iter().map(|token| token.word(&text)).collect();
            prop_assert_eq!(found, words(&text).collect::<Vec<_>>());
        }

        #[test]
        fn keys_tell_short_words_apart(one in "[ab\0é]{1,9}", other in "[ab\0é]{1,9}", after in "[ b]{0,9}") {
            // What follows a word must not be seen.
            let (first, second) = (tokens(&one)[0], tokens(&format!("{other} {after}"))[0]);
            if one == other {
                prop_assert_eq!(first.key, second.key);
            } else if first.is_exact() || second.is_exact() {
                prop_assert_ne!(first.key, second.key);
            }
        }
    }
}
