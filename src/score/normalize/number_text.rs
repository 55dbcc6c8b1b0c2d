//! What is done to the text around the reading of numbers: "and a half", spaces between digits
//! and letters before it, cents joined to their currency after it.

use super::character::is_space;
use super::number_words::NumberWord;
use super::passes::{
    begins_with_word_character, ends_with_word_character, replace_whole_words, words,
};

/// Returns the text with "and a half" after a number written as "point five", and with a space
/// between letters and digits, except before endings such as "th".
pub(super) fn separate_digits(text: &str) -> String {
    attach_suffixes(space_letters_from_digits(spell_halves(text)))
}

/// Writes "point five" for "and a half" after a number word. Stretches that hold only white space
/// are dropped together with the "and a half" that follows them.
fn spell_halves(text: &str) -> String {
    let Some(mut half) = find_half(text, 0) else {
        // A text of white space only has no stretch to keep.
        return if words(text).next().is_none() {
            String::new()
        } else {
            text.to_owned()
        };
    };
    let mut stretches = Vec::new();
    let mut copied = 0;
    loop {
        let stretch = &text[copied..half.0];
        if let Some(last) = words(stretch).last() {
            stretches.push(stretch);
            let after_number = NumberWord::of(last)
                .is_some_and(|word| word.is_decimal() || matches!(word, NumberWord::Scale(_)));
            stretches.push(if after_number {
                "point five"
            } else {
                "and a half"
            });
        }
        copied = half.1;
        match find_half(text, copied) {
            Some(next) => half = next,
            None => break,
        }
    }
    let stretch = &text[copied..];
    if words(stretch).next().is_some() {
        stretches.push(stretch);
    }
    stretches.join(" ")
}

/// Returns where the next "and a half" begins and ends, looking from `from` on.
fn find_half(text: &str, from: usize) -> Option<(usize, usize)> {
    text[from..].match_indices("and").find_map(|(offset, and)| {
        let start = from + offset;
        if ends_with_word_character(&text[..start]) {
            return None;
        }
        let rest = after_space(&text[start + and.len()..])?.strip_prefix('a')?;
        let rest = after_space(rest)?.strip_prefix("half")?;
        (!begins_with_word_character(rest)).then_some((start, text.len() - rest.len()))
    })
}

/// Returns what follows the white space at the start of the text; `None` if it starts otherwise.
fn after_space(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(is_space);
    (rest.len() < text.len()).then_some(rest)
}

fn space_letters_from_digits(text: String) -> String {
    let touches = |pair: &[u8]| match pair {
        [one, other] => {
            one.is_ascii_lowercase() && other.is_ascii_digit()
                || one.is_ascii_digit() && other.is_ascii_lowercase()
        }
        _ => false,
    };
    if !text.as_bytes().windows(2).any(touches) {
        return text;
    }
    let mut output = String::with_capacity(text.len() + 8);
    let mut copied = 0;
    for (position, pair) in text.as_bytes().windows(2).enumerate() {
        if touches(pair) {
            output.push_str(&text[copied..=position]);
            output.push(' ');
            copied = position + 1;
        }
    }
    output.push_str(&text[copied..]);
    output
}

/// Removes white space between an ASCII digit and an ending that may belong to it.
fn attach_suffixes(text: String) -> String {
    let mut output = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(offset) = text[from..].find(|character: char| character.is_ascii_digit()) {
        let after_digit = from + offset + 1;
        from = after_digit;
        let Some(rest) = after_space(&text[after_digit..]) else {
            continue;
        };
        let suffix = ["st", "nd", "rd", "th", "s"].into_iter().find(|suffix| {
            rest.strip_prefix(suffix)
                .is_some_and(|after| !begins_with_word_character(after))
        });
        if let Some(suffix) = suffix {
            output.push_str(&text[copied..after_digit]);
            output.push_str(suffix);
            copied = text.len() - rest.len() + suffix.len();
            from = copied;
        }
    }
    if copied == 0 {
        return text;
    }
    output.push_str(&text[copied..]);
    output
}

/// Returns the text with cents joined to the sum before them ("$2 and ¢7" becomes "$2.07"), with
/// sums below one in cents, and with the lone number 1 as a word.
pub(super) fn combine_currencies(text: String) -> String {
    let text = if text.contains('¢') {
        join_cents(&text)
    } else {
        text
    };
    let text = extract_cents(text);
    if !text.contains('1') {
        return text;
    }
    replace_whole_words(text, |word| match word {
        "1" => Some("one"),
        "1s" => Some("ones"),
        _ => None,
    })
}

/// Returns the text behind a currency sign that has a larger unit.
fn after_currency(text: &str) -> Option<&str> {
    text.strip_prefix(['€', '£', '$'])
}

/// Splits off the ASCII digits at the start.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Splits off one or two ASCII digits that no word character follows.
fn split_cents(text: &str) -> Option<(&str, &str)> {
    let (digits, rest) = split_digits(text);
    (matches!(digits.len(), 1 | 2) && !begins_with_word_character(rest)).then_some((digits, rest))
}

fn join_cents(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['€', '£', '$']) {
        let (before, from_sign) = rest.split_at(start);
        output.push_str(before);
        if let Some((sum, cents, after)) = sum_and_cents(from_sign) {
            output.push_str(sum);
            output.push('.');
            if cents.len() < 2 {
                output.push('0');
            }
            output.push_str(cents);
            rest = after;
        } else {
            let behind = after_currency(from_sign).unwrap_or_default();
            output.push_str(&from_sign[..from_sign.len() - behind.len()]);
            rest = behind;
        }
    }
    output.push_str(rest);
    output
}

/// Returns sign and whole units, the cents, and what follows.
fn sum_and_cents(text: &str) -> Option<(&str, &str, &str)> {
    let (units, rest) = split_digits(after_currency(text)?);
    if units.is_empty() {
        return None;
    }
    let sum = &text[..text.len() - rest.len()];
    let rest = rest.strip_prefix(' ')?;
    let rest = rest.strip_prefix("and ").unwrap_or(rest);
    let (cents, after) = split_cents(rest.strip_prefix('¢')?)?;
    Some((sum, cents, after))
}

/// Writes sums below one unit in cents. The reference's pattern has an unescaped full stop, so
/// whatever character stands between the zero and the cents is taken for one.
fn extract_cents(text: String) -> String {
    if !text.contains(['€', '£', '$']) {
        return text;
    }
    let mut output = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(['€', '£', '$']) {
        let (before, from_sign) = rest.split_at(start);
        output.push_str(before);
        if let Some((cents, after)) = cents_below_one(from_sign) {
            output.push('¢');
            output.push_str(match cents {
                "00" => "0",
                _ => cents
                    .strip_prefix('0')
                    .filter(|digit| !digit.is_empty())
                    .unwrap_or(cents),
            });
            rest = after;
        } else {
            let behind = after_currency(from_sign).unwrap_or_default();
            output.push_str(&from_sign[..from_sign.len() - behind.len()]);
            rest = behind;
        }
    }
    output.push_str(rest);
    output
}

fn cents_below_one(text: &str) -> Option<(&str, &str)> {
    let mut rest = after_currency(text)?.strip_prefix('0')?.chars();
    rest.next().filter(|separator| *separator != '\n')?;
    split_cents(rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_follow_numbers_only() {
        assert_eq!(
            spell_halves("three and a half million"),
            "three  point five  million"
        );
        assert_eq!(spell_halves("day and a half"), "day  and a half");
        assert_eq!(spell_halves("and a half"), "");
        assert_eq!(spell_halves("sand and a halfling"), "sand and a halfling");
    }

    #[test]
    fn endings_go_back_to_their_digits() {
        assert_eq!(
            separate_digits("10th b747 1960s 5 th 5 than"),
            "10th b 747 1960s 5th 5 than"
        );
    }

    #[test]
    fn cents_join_their_currency() {
        assert_eq!(combine_currencies("$2 and ¢7".into()), "$2.07");
        assert_eq!(combine_currencies("$20 ¢70 ¢5".into()), "$20.70 ¢5");
        assert_eq!(combine_currencies("$0.36 €0x05".into()), "¢36 ¢5");
        assert_eq!(
            combine_currencies("$2 ¢705 1 1s 1.5".into()),
            "$2 ¢705 one ones one.5"
        );
    }
}
