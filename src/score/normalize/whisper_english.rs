//! Whisper's normalizer for English: the order of its steps.
//!
//! The order matters and is kept even where it gives odd results ("1.50" becomes "one.50"),
//! because published error rates were computed with exactly these steps.

use super::character::{Class, class, is_decimal, is_space};
use super::passes::{collapse_spaces, remove_bracketed, remove_parenthesized, replace_whole_words};
use super::unicode::{decompose, lower};
use super::{contractions, numbers, spelling};

/// Symbols that the number step still needs when all others are removed.
const NUMBER_SYMBOLS: [char; 6] = ['.', '%', '$', '¢', '€', '£'];

/// Returns the text as Whisper's `EnglishTextNormalizer` gives it.
pub(super) fn normalize(text: &str) -> String {
    let text = remove_parenthesized(remove_bracketed(lower(text)));
    let text = replace_whole_words(text, |word| is_filler(word).then_some(""));
    let text = attach_apostrophes(text);
    let text = contractions::expand(text);
    let text = remove_digit_commas(text);
    let text = separate_full_stops(&text);
    let text = remove_symbols_and_diacritics(text);
    let text = numbers::standardize(&text);
    let text = spelling::americanize(&text);
    let text = remove_stray_prefixes(&text);
    let text = remove_stray_percent_signs(text);
    collapse_spaces(&text)
}

fn is_filler(word: &str) -> bool {
    matches!(word, "hmm" | "mm" | "mhm" | "mmm" | "uh" | "um")
}

/// Removes white space before an apostrophe.
fn attach_apostrophes(text: String) -> String {
    if !text.contains('\'') {
        return text;
    }
    let mut output = String::with_capacity(text.len());
    let mut pieces = text.split('\'').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_some() {
            output.push_str(piece.trim_end_matches(is_space));
            output.push('\'');
        } else {
            output.push_str(piece);
        }
    }
    output
}

/// Removes commas between two digits. A digit serves one comma only: "1,2,3" keeps its second.
fn remove_digit_commas(text: String) -> String {
    if !text.contains(',') {
        return text;
    }
    let mut output = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        output.push(character);
        if is_decimal(character) {
            let mut ahead = rest.clone();
            if ahead.next() == Some(',')
                && let Some(digit) = ahead.next()
                && is_decimal(digit)
            {
                output.push(digit);
                rest = ahead;
            }
        }
    }
    output
}

/// Puts a space in place of each full stop that no ASCII digit follows. The character after it is
/// passed over, so of two full stops in a row the second stays.
fn separate_full_stops(text: &str) -> String {
    replace_pairs(text, |first, second| {
        (first == '.' && !second.is_some_and(|next| next.is_ascii_digit()))
            .then_some((Some(' '), second))
    })
}

/// Removes nonspacing marks and puts a space in place of other marks, symbols and punctuation.
fn remove_symbols_and_diacritics(text: String) -> String {
    let decomposed = decompose(text);
    let mut output = String::with_capacity(decomposed.len());
    for character in decomposed.chars() {
        if NUMBER_SYMBOLS.contains(&character) {
            output.push(character);
        } else if let Some(letters) = undecomposed_letter(character) {
            output.push_str(letters);
        } else {
            match class(character) {
                Class::Nonspacing => {}
                Class::Symbol => output.push(' '),
                _ => output.push(character),
            }
        }
    }
    output
}

/// Returns the plain letters for Latin letters that have no decomposition in Unicode. Capitals
/// occur even in lower-case text, where decomposition brings them in.
fn undecomposed_letter(character: char) -> Option<&'static str> {
    Some(match character {
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'æ' => "ae",
        'Æ' => "AE",
        'ß' => "ss",
        'ẞ' => "SS",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' | 'Þ' => "th",
        'ł' => "l",
        'Ł' => "L",
        _ => return None,
    })
}

/// Puts a space in place of currency signs and full stops that no ASCII digit follows, except at
/// the very end.
fn remove_stray_prefixes(text: &str) -> String {
    replace_pairs(text, |first, second| match second {
        Some(next) if matches!(first, '.' | '$' | '¢' | '€' | '£') && !next.is_ascii_digit() => {
            Some((Some(' '), second))
        }
        _ => None,
    })
}

/// Puts a space in place of percent signs that no ASCII digit precedes, except at the very start.
fn remove_stray_percent_signs(text: String) -> String {
    if !text.contains('%') {
        return text;
    }
    replace_pairs(&text, |first, second| {
        (!first.is_ascii_digit() && second == Some('%')).then_some((Some(first), Some(' ')))
    })
}

/// Walks over the text and lets `replacement` rewrite a character together with the next one.
/// Where it does, both are passed over; this is how a regular expression of two characters is
/// substituted from the left.
fn replace_pairs(
    text: &str,
    replacement: impl Fn(char, Option<char>) -> Option<(Option<char>, Option<char>)>,
) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(first) = rest.next() {
        let mut ahead = rest.clone();
        match replacement(first, ahead.next()) {
            Some((one, other)) => {
                output.extend(one);
                output.extend(other);
                rest = ahead;
            }
            None => output.push(first),
        }
    }
    output
}

#[cfg(test)]
#[path = "whisper_english_tests.rs"]
mod tests;
