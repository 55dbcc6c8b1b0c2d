//! The number that is being read: exact decimal arithmetic without a limit on digits.

use super::character::ascii_digit;

/// A number in the making. The reference keeps a Python `int` or a `str`, and decides by which of
/// the two it has; so must this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Numeral {
    /// A whole number: ASCII digits without leading zeros, "0" for zero.
    Whole(String),
    /// Digits and full stops as they were strung together.
    Text(String),
}

impl Numeral {
    /// Returns a small whole number.
    pub(super) fn small(value: u8) -> Self {
        Self::Whole(value.to_string())
    }

    /// Returns ten to the power of `exponent`.
    pub(super) fn power_of_ten(exponent: u8) -> Self {
        Self::Whole(format!("1{}", zeros(exponent)))
    }

    /// Returns the number as it is written out.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Whole(text) | Self::Text(text) => text,
        }
    }

    /// Returns whether a whole number is divisible by ten to the power of `exponent`. Text is not.
    pub(super) fn ends_in_zeros(&self, exponent: usize) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Whole(digits) => {
                digits == "0"
                    || digits.len() > exponent
                        && digits
                            .bytes()
                            .rev()
                            .take(exponent)
                            .all(|digit| digit == b'0')
            }
        }
    }

    /// Returns the sum with a number that fits into the zeros at the end: to 300 one may add 42.
    /// Anything else is strung on as text.
    pub(super) fn fill_or_append(self, value: u8) -> Self {
        let digits = value.to_string();
        let places = if value < 10 { 1 } else { 2 };
        if !self.ends_in_zeros(places) {
            return self.append(value);
        }
        let mut text = self.into_text();
        text.truncate(text.len().saturating_sub(digits.len()));
        Self::Whole(text + &digits)
    }

    /// Returns the text of this number with another number strung on.
    pub(super) fn append(self, value: u8) -> Self {
        Self::Text(self.into_text() + &value.to_string())
    }

    /// Returns the number with its last digit, a zero, replaced by `digit`.
    pub(super) fn replace_last_zero(self, digit: u8) -> Self {
        let mut text = self.into_text();
        text.pop();
        Self::Text(text + &digit.to_string())
    }

    /// Multiplies by ten to the power of `exponent`.
    ///
    /// Of a whole number only the last three digits are multiplied, and the rest is added: "two
    /// thousand three" times a hundred is 2,300. Text is multiplied as a decimal fraction; if it
    /// is none, or the product is not whole, it comes back as an error.
    pub(super) fn scale(self, exponent: u8) -> Result<Self, Self> {
        match self {
            Self::Whole(digits) => {
                let (before, residual) = digits.split_at(digits.len().saturating_sub(3));
                let before = format!("{before}000");
                let product = format!("{residual}{}", zeros(exponent));
                Ok(Self::Whole(add(trim_zeros(&before), trim_zeros(&product))))
            }
            Self::Text(text) => match multiply_fraction(&text, exponent) {
                Some(product) => Ok(Self::Whole(product)),
                None => Err(Self::Text(text)),
            },
        }
    }
}

/// Returns a text of decimal digits, of whatever script, as a whole number: "007" is 7.
pub(super) fn parse_whole(digits: &str) -> Option<String> {
    let ascii: Option<String> = digits.chars().map(ascii_digit).collect();
    ascii
        .filter(|digits| !digits.is_empty())
        .map(|digits| trim_zeros(&digits).to_owned())
}

/// Returns the product of a decimal fraction ("2.5", "2.", ".5") and a power of ten, if the text
/// is one and the product is whole.
pub(super) fn multiply_fraction(text: &str, exponent: u8) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut digits: String = whole.chars().map(ascii_digit).collect::<Option<_>>()?;
    let fraction: String = fraction.chars().map(ascii_digit).collect::<Option<_>>()?;
    let fraction = fraction.trim_end_matches('0');
    let missing = usize::from(exponent).checked_sub(fraction.len())?;
    digits.push_str(fraction);
    digits.extend(std::iter::repeat_n('0', missing));
    Some(trim_zeros(&digits).to_owned())
}

fn zeros(count: u8) -> String {
    "0".repeat(usize::from(count))
}

fn trim_zeros(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    }
}

fn add(one: &str, other: &str) -> String {
    let mut one = one.bytes().rev();
    let mut other = other.bytes().rev();
    let mut carry = 0;
    let mut sum = Vec::new();
    loop {
        let digits = (one.next(), other.next());
        if digits == (None, None) {
            break;
        }
        let value = |digit: Option<u8>| digit.map_or(0, |digit| digit - b'0');
        let total = value(digits.0) + value(digits.1) + carry;
        carry = total / 10;
        sum.push(char::from(b'0' + total % 10));
    }
    if carry > 0 {
        sum.push('1');
    }
    sum.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(digits: &str) -> Numeral {
        Numeral::Whole(digits.into())
    }

    #[test]
    fn only_the_last_three_digits_are_multiplied() {
        assert_eq!(whole("33003").scale(2), Ok(whole("33300")));
        assert_eq!(
            whole("5").scale(33),
            Ok(whole("5000000000000000000000000000000000"))
        );
        assert_eq!(whole("999999").scale(3), Ok(whole("1998000")));
        assert_eq!(whole("0").scale(6), Ok(whole("0")));
    }

    #[test]
    fn fractions_must_come_out_whole() {
        let text = |text: &str| Numeral::Text(text.into());
        assert_eq!(text("2.5").scale(6), Ok(whole("2500000")));
        assert_eq!(text("2.").scale(2), Ok(whole("200")));
        assert_eq!(text(".125").scale(2), Err(text(".125")));
        assert_eq!(text("1.2.3").scale(6), Err(text("1.2.3")));
    }

    #[test]
    fn small_numbers_fill_zeros() {
        assert_eq!(whole("300").fill_or_append(42), whole("342"));
        assert_eq!(whole("0").fill_or_append(11), whole("11"));
        assert_eq!(whole("10").fill_or_append(11), Numeral::Text("1011".into()));
        assert_eq!(whole("23").fill_or_append(4), Numeral::Text("234".into()));
    }
}
