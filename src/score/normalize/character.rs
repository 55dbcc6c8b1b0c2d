//! What kind a character is, by the Unicode data of Python 3.11 (Unicode 14).
//!
//! The table is pinned, because the normalizers promise the output of one reference program, and
//! the standard library's own data moves with the compiler.

use std::sync::LazyLock;

/// Ranges of code points in ascending order, one a line: first and last in hexadecimal, then the
/// class. Derived from Python's `unicodedata`; `tests/oracle/score_oracle.py` prints it.
const TABLE: &str = include_str!("character_classes.tsv");

/// The classes that the normalizers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter or a number that is no decimal digit.
    Alphanumeric,
    /// A decimal digit (category Nd).
    Decimal,
    /// A nonspacing mark (category Mn).
    Nonspacing,
    /// Any other mark, a symbol or a punctuation character (categories M, S and P).
    Symbol,
    /// A code point without a character in Unicode 14.
    Unassigned,
    /// Everything else: separators, controls, format characters, private use.
    Other,
}

struct Range {
    first: u32,
    last: u32,
    class: Class,
}

static RANGES: LazyLock<Vec<Range>> = LazyLock::new(|| TABLE.lines().map(parse).collect());

static ASCII: LazyLock<[Class; 128]> = LazyLock::new(|| {
    let mut classes = [Class::Other; 128];
    for (class, code_point) in classes.iter_mut().zip(0..) {
        *class = find(code_point).0;
    }
    classes
});

fn parse(line: &str) -> Range {
    let mut fields = line.split('\t');
    let mut next = || {
        fields
            .next()
            .expect("the table is part of the crate: three fields a line")
    };
    let [first, last] = [next(), next()].map(|field| {
        u32::from_str_radix(field, 16).expect("the table is part of the crate: hexadecimal")
    });
    let class = match next() {
        "alphanumeric" => Class::Alphanumeric,
        "decimal" => Class::Decimal,
        "nonspacing" => Class::Nonspacing,
        "symbol" => Class::Symbol,
        "unassigned" => Class::Unassigned,
        _ => Class::Other,
    };
    Range { first, last, class }
}

/// Returns the class of a code point and how far it is from the start of its range.
fn find(code_point: u32) -> (Class, u32) {
    let after = RANGES.partition_point(|range| range.first <= code_point);
    match after
        .checked_sub(1)
        .and_then(|position| RANGES.get(position))
    {
        Some(range) if code_point <= range.last => (range.class, code_point - range.first),
        _ => (Class::Other, 0),
    }
}

/// Returns the class of a character.
pub(super) fn class(character: char) -> Class {
    let code_point = u32::from(character);
    ASCII
        .get(code_point as usize)
        .copied()
        .unwrap_or_else(|| find(code_point).0)
}

/// Returns whether a character is matched by `\w` in Python: letters, numbers and the underscore.
pub(super) fn is_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    matches!(class(character), Class::Alphanumeric | Class::Decimal)
}

/// Returns whether a character is matched by `\d` in Python.
pub(super) fn is_decimal(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_digit();
    }
    class(character) == Class::Decimal
}

/// Returns the ASCII digit with the value of a decimal digit of any script.
pub(super) fn ascii_digit(character: char) -> Option<char> {
    if character.is_ascii_digit() {
        return Some(character);
    }
    // Every range of decimal digits in the table begins with a zero and holds whole sets of ten.
    match find(u32::from(character)) {
        (Class::Decimal, offset) => char::from_digit(offset % 10, 10),
        _ => None,
    }
}

/// Returns whether a character is white space for Python's `\s` and `str.split`. The four
/// separators from U+001C to U+001F count there and do not count in Rust.
pub(in crate::score) fn is_space(character: char) -> bool {
    matches!(character, '\u{1c}'..='\u{1f}') || character.is_whitespace()
}

/// Returns whether a byte is white space of ASCII by [`is_space`].
pub(in crate::score) const fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_apart() {
        assert!(RANGES.windows(2).all(|pair| pair[0].last < pair[1].first));
        assert!(RANGES.iter().all(|range| range.first <= range.last));
    }

    #[test]
    fn classes_follow_unicode_14() {
        assert_eq!(class('é'), Class::Alphanumeric);
        assert_eq!(class('\u{301}'), Class::Nonspacing);
        assert_eq!(class('€'), Class::Symbol);
        assert_eq!(class('½'), Class::Alphanumeric);
        assert_eq!(
            class('\u{1fadf}'),
            Class::Unassigned,
            "an emoji of Unicode 16"
        );
        assert_eq!(class('\u{200d}'), Class::Other);
    }

    #[test]
    fn bytes_are_white_space_as_characters_are() {
        assert!((0..128).all(|byte| is_ascii_space(byte) == is_space(char::from(byte))));
        assert!(!(128..=255).any(is_ascii_space));
    }

    #[test]
    fn digits_of_other_scripts_have_their_value() {
        assert_eq!(ascii_digit('٣'), Some('3'));
        assert_eq!(ascii_digit('९'), Some('9'));
        assert_eq!(ascii_digit('²'), None);
    }
}
