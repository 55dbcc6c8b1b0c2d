//! The words that the number step understands.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// What a word means to the number step. Scales are powers of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberWord {
    /// "o", "oh", "zero".
    Zero,
    /// "one" to "nineteen".
    Unit(u8),
    /// "ones", "first", …: a value below twenty with the suffix to write behind it.
    UnitSuffixed(u8, &'static str),
    /// "twenty" to "ninety".
    Ten(u8),
    /// "twenties", "twentieth", ….
    TenSuffixed(u8, &'static str),
    /// "hundred" to "decillion", by exponent.
    Scale(u8),
    /// "hundreds", "hundredth", ….
    ScaleSuffixed(u8, &'static str),
    /// "minus", "plus", …: a sign before a number.
    Sign(char),
    /// "dollars", "cents", …: a currency after a number.
    Currency(char),
    /// "percent".
    Percent,
    /// "per", which with "cent" means percent.
    Per,
    /// "and".
    And,
    /// "double" and "triple", by the number of times.
    Repeat(u8),
    /// "point".
    Point,
}

impl NumberWord {
    /// Returns what a word in lower case means, or `None` for words that are no part of numbers.
    pub(super) fn of(word: &str) -> Option<Self> {
        WORDS.get(word).copied()
    }

    /// Returns whether the word can be a digit after "point": zero, units and tens.
    pub(super) fn is_decimal(self) -> bool {
        matches!(self, Self::Zero | Self::Unit(_) | Self::Ten(_))
    }
}

const UNITS: [&str; 19] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [(&str, u8); 8] = [
    ("twent", 20),
    ("thirt", 30),
    ("fort", 40),
    ("fift", 50),
    ("sixt", 60),
    ("sevent", 70),
    ("eight", 80),
    ("ninet", 90),
];

const SCALES: [(&str, u8); 12] = [
    ("hundred", 2),
    ("thousand", 3),
    ("million", 6),
    ("billion", 9),
    ("trillion", 12),
    ("quadrillion", 15),
    ("quintillion", 18),
    ("sextillion", 21),
    ("septillion", 24),
    ("octillion", 27),
    ("nonillion", 30),
    ("decillion", 33),
];

const IRREGULAR: [(&str, NumberWord); 26] = [
    ("o", NumberWord::Zero),
    ("oh", NumberWord::Zero),
    ("zero", NumberWord::Zero),
    ("zeroth", NumberWord::UnitSuffixed(0, "th")),
    ("minus", NumberWord::Sign('-')),
    ("negative", NumberWord::Sign('-')),
    ("plus", NumberWord::Sign('+')),
    ("positive", NumberWord::Sign('+')),
    ("pound", NumberWord::Currency('£')),
    ("pounds", NumberWord::Currency('£')),
    ("euro", NumberWord::Currency('€')),
    ("euros", NumberWord::Currency('€')),
    ("dollar", NumberWord::Currency('$')),
    ("dollars", NumberWord::Currency('$')),
    ("cent", NumberWord::Currency('¢')),
    ("cents", NumberWord::Currency('¢')),
    ("per", NumberWord::Per),
    ("percent", NumberWord::Percent),
    ("and", NumberWord::And),
    ("double", NumberWord::Repeat(2)),
    ("triple", NumberWord::Repeat(3)),
    ("point", NumberWord::Point),
    ("first", NumberWord::UnitSuffixed(1, "st")),
    ("second", NumberWord::UnitSuffixed(2, "nd")),
    ("third", NumberWord::UnitSuffixed(3, "rd")),
    ("fifth", NumberWord::UnitSuffixed(5, "th")),
];

static WORDS: LazyLock<FxHashMap<String, NumberWord>> = LazyLock::new(|| {
    let mut words = FxHashMap::default();
    for (name, value) in UNITS.into_iter().zip(1_u8..) {
        let plural = if name == "six" {
            "sixes".to_owned()
        } else {
            format!("{name}s")
        };
        words.insert(name.to_owned(), NumberWord::Unit(value));
        words.insert(plural, NumberWord::UnitSuffixed(value, "s"));
        // The reference writes "nineth", and so does not know "ninth".
        let ordinal = match name {
            "twelve" => "twelfth".to_owned(),
            _ if name.ends_with('t') => format!("{name}h"),
            _ => format!("{name}th"),
        };
        if value > 3 && value != 5 {
            words.insert(ordinal, NumberWord::UnitSuffixed(value, "th"));
        }
    }
    for (stem, value) in TENS {
        words.insert(format!("{stem}y"), NumberWord::Ten(value));
        words.insert(format!("{stem}ies"), NumberWord::TenSuffixed(value, "s"));
        words.insert(format!("{stem}ieth"), NumberWord::TenSuffixed(value, "th"));
    }
    for (name, exponent) in SCALES {
        words.insert(name.to_owned(), NumberWord::Scale(exponent));
        words.insert(format!("{name}s"), NumberWord::ScaleSuffixed(exponent, "s"));
        words.insert(
            format!("{name}th"),
            NumberWord::ScaleSuffixed(exponent, "th"),
        );
    }
    words.extend(IRREGULAR.map(|(word, meaning)| (word.to_owned(), meaning)));
    words
});
