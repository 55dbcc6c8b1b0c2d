//! Spelled-out numbers as digits, with signs, currencies, percent and ordinals.
//!
//! Words are read one by one with a look at the neighbours on either side. A number grows in
//! `value` until a word ends it; a sign or currency waits in `prefix` for what is written next.

use super::character::is_decimal;
use super::number_text::{combine_currencies, separate_digits};
use super::number_words::NumberWord;
use super::numeral::{Numeral, multiply_fraction, parse_whole};
use super::passes::words;

/// Returns the text with its numbers standardized and its white space collapsed.
pub(super) fn standardize(text: &str) -> String {
    let text = separate_digits(text);
    let mut reader = Reader::default();
    let mut rest = words(&text).map(Token::of).peekable();
    let mut previous = Kind::Plain;
    while let Some(token) = rest.next() {
        let next = rest.peek().copied().unwrap_or(Token::NONE);
        if reader.read(token, previous, next) == Step::SkipNext {
            rest.next();
            previous = next.kind;
        } else {
            previous = token.kind;
        }
    }
    reader.finish_value();
    combine_currencies(reader.output)
}

#[derive(Debug, Clone, Copy)]
struct Token<'text> {
    word: &'text str,
    kind: Kind,
}

impl<'text> Token<'text> {
    const NONE: Self = Token {
        word: "",
        kind: Kind::Plain,
    };

    fn of(word: &'text str) -> Self {
        Self {
            word,
            kind: Kind::of(word),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Digits, perhaps with a fraction, behind at most one sign or currency.
    Arabic { prefix: Option<char> },
    /// A word of the number vocabulary.
    Spelled(NumberWord),
    /// Anything else; also stands for "no word" at either end.
    Plain,
}

impl Kind {
    fn of(word: &str) -> Self {
        let first = word.chars().next();
        let prefix = first.filter(|first| matches!(first, '-' | '+' | '$' | '¢' | '€' | '£'));
        if is_number(prefix.map_or(word, |prefix| &word[prefix.len_utf8()..])) {
            return Self::Arabic { prefix };
        }
        NumberWord::of(word).map_or(Self::Plain, Self::Spelled)
    }

    fn is_bare_number(self) -> bool {
        self == Self::Arabic { prefix: None }
    }

    /// Whether a sign or "and" before it may belong to a number.
    fn may_continue(self) -> bool {
        self.is_bare_number() || matches!(self, Self::Spelled(_))
    }
}

/// Returns whether a word is decimal digits with at most one full stop between them.
fn is_number(word: &str) -> bool {
    let all_digits = |part: &str| !part.is_empty() && part.chars().all(is_decimal);
    match word.split_once('.') {
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => all_digits(word),
    }
}

#[derive(PartialEq, Eq)]
enum Step {
    Continue,
    SkipNext,
}

#[derive(Default)]
struct Reader {
    prefix: Option<char>,
    value: Option<Numeral>,
    output: String,
}

impl Reader {
    fn read(&mut self, token: Token<'_>, previous: Kind, next: Token<'_>) -> Step {
        let word = token.word;
        match token.kind {
            Kind::Arabic { prefix } => self.arabic(word, prefix),
            Kind::Plain => {
                self.finish_value();
                self.write(word);
            }
            Kind::Spelled(NumberWord::Zero) => self.append_digits("0"),
            Kind::Spelled(NumberWord::Unit(unit)) => {
                let value = self.with_unit(unit, previous);
                self.value = Some(value);
            }
            Kind::Spelled(NumberWord::UnitSuffixed(unit, suffix)) => {
                let value = self.with_unit(unit, previous);
                self.write_suffixed(value, suffix);
            }
            Kind::Spelled(NumberWord::Ten(ten)) => {
                let value = self.with_ten(ten);
                self.value = Some(value);
            }
            Kind::Spelled(NumberWord::TenSuffixed(ten, suffix)) => {
                let value = self.with_ten(ten);
                self.write_suffixed(value, suffix);
            }
            Kind::Spelled(NumberWord::Scale(exponent)) => {
                let value = self.scaled(exponent);
                self.value = Some(value);
            }
            Kind::Spelled(NumberWord::ScaleSuffixed(exponent, suffix)) => {
                let value = self.scaled(exponent);
                self.write_suffixed(value, suffix);
            }
            Kind::Spelled(NumberWord::Sign(sign)) => {
                self.finish_value();
                if next.kind.may_continue() {
                    self.prefix = Some(sign);
                } else {
                    self.write(word);
                }
            }
            Kind::Spelled(NumberWord::Currency(currency)) => {
                if self.value.is_some() {
                    self.prefix = Some(currency);
                    self.finish_value();
                } else {
                    self.write(word);
                }
            }
            Kind::Spelled(NumberWord::Percent) => match self.value.take() {
                Some(value) => self.write_suffixed(value, "%"),
                None => self.write(word),
            },
            Kind::Spelled(NumberWord::Per) => return self.per(word, next.word),
            Kind::Spelled(special) => return self.special(word, special, previous, next.kind),
        }
        Step::Continue
    }

    fn arabic(&mut self, word: &str, prefix: Option<char>) {
        if let Some(Numeral::Text(text)) = &mut self.value
            && text.ends_with('.')
        {
            // Parts of a decimal number or of a network address.
            text.push_str(word);
            return;
        }
        self.finish_value();
        self.prefix = prefix.or(self.prefix);
        let digits = prefix.map_or(word, |prefix| &word[prefix.len_utf8()..]);
        let whole = if digits.contains('.') {
            multiply_fraction(digits, 0)
        } else {
            parse_whole(digits)
        };
        self.value = Some(whole.map_or_else(|| Numeral::Text(digits.to_owned()), Numeral::Whole));
    }

    /// Takes the value and returns it with a unit below twenty joined to it.
    fn with_unit(&mut self, unit: u8, previous: Kind) -> Numeral {
        let Some(value) = self.value.take() else {
            return Numeral::small(unit);
        };
        let is_text = matches!(value, Numeral::Text(_));
        match previous {
            Kind::Spelled(NumberWord::Ten(_)) if is_text && unit < 10 => {
                value.replace_last_zero(unit)
            }
            Kind::Spelled(NumberWord::Unit(_)) => value.append(unit),
            _ => value.fill_or_append(unit),
        }
    }

    fn with_ten(&mut self, ten: u8) -> Numeral {
        match self.value.take() {
            None => Numeral::small(ten),
            Some(value) => value.fill_or_append(ten),
        }
    }

    /// Takes the value and returns it multiplied; if that is not possible, writes it and returns
    /// the power of ten alone.
    fn scaled(&mut self, exponent: u8) -> Numeral {
        match self.value.take().map(|value| value.scale(exponent)) {
            None => Numeral::power_of_ten(exponent),
            Some(Ok(product)) => product,
            Some(Err(value)) => {
                self.write(&value.into_text());
                Numeral::power_of_ten(exponent)
            }
        }
    }

    fn per(&mut self, word: &str, next: &str) -> Step {
        match self.value.take() {
            Some(value) if next == "cent" => {
                self.write_suffixed(value, "%");
                return Step::SkipNext;
            }
            Some(value) => self.write(&value.into_text()),
            None => {}
        }
        self.write(word);
        Step::Continue
    }

    fn special(&mut self, word: &str, special: NumberWord, previous: Kind, next: Kind) -> Step {
        if !next.may_continue() {
            self.finish_value();
            self.write(word);
            return Step::Continue;
        }
        match special {
            NumberWord::And => {
                // Silent after a scale: "two hundred and five".
                if !matches!(previous, Kind::Spelled(NumberWord::Scale(_))) {
                    self.finish_value();
                    self.write(word);
                }
            }
            NumberWord::Repeat(times) => {
                let digits = match next {
                    Kind::Spelled(NumberWord::Unit(unit)) => unit.to_string(),
                    Kind::Spelled(NumberWord::Zero) => "0".to_owned(),
                    _ => {
                        self.finish_value();
                        self.write(word);
                        return Step::Continue;
                    }
                };
                self.append_digits(&digits.repeat(usize::from(times)));
                return Step::SkipNext;
            }
            // "point" vanishes before words that cannot be a fraction, such as "million".
            _ if next.is_bare_number() => self.append_digits("."),
            _ => {
                if let Kind::Spelled(word) = next
                    && word.is_decimal()
                {
                    self.append_digits(".");
                }
            }
        }
        Step::Continue
    }

    /// Strings digits on to the value. A value of zero counts as none, as `value or ""` does in
    /// Python.
    fn append_digits(&mut self, digits: &str) {
        let mut text = match self.value.take() {
            None => String::new(),
            Some(Numeral::Whole(whole)) if whole == "0" => String::new(),
            Some(value) => value.into_text(),
        };
        text.push_str(digits);
        self.value = Some(Numeral::Text(text));
    }

    fn finish_value(&mut self) {
        if let Some(value) = self.value.take() {
            self.write(&value.into_text());
        }
    }

    fn write_suffixed(&mut self, value: Numeral, suffix: &str) {
        self.write(&(value.into_text() + suffix));
    }

    /// Writes one word with the prefix that is waiting, if any.
    fn write(&mut self, word: &str) {
        if !self.output.is_empty() {
            self.output.push(' ');
        }
        self.output.extend(self.prefix.take());
        self.output.push_str(word);
    }
}
