//! The choice of normalizer, with its id and version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{basic, whisper_english};

/// How text is prepared before it is scored.
///
/// `basic` and `whisper-en` give, character for character, what Whisper's `BasicTextNormalizer` and
/// `EnglishTextNormalizer` give (release 20250625 of `openai-whisper`) under Python 3.11, whose
/// character data is Unicode 14. A code point that Unicode assigned later is treated as Python
/// 3.11 treats it: neither letter nor symbol, without lower case or decomposition, and kept as it
/// is. The table of characters is part of this crate; lower case and decomposition come from the
/// standard library and `unicode-normalization`, and were compared with Python on every code point.
///
/// Two known differences remain. Python refuses to turn a number of more than 4,300 digits into
/// text and raises an error; here the number is written out. Lone surrogates cannot occur in a
/// Rust string. Releases 0.1.2 to 0.1.15 of the package `whisper-normalizer` have four rules that
/// Whisper does not have (`cause`, `kinda`, `sorta`, `dunno`); they are not applied here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Normalizer {
    /// The text as it is. Words are what stands between white space.
    #[serde(rename = "none")]
    None,
    /// Whisper's normalizer for any language, with its default arguments: lower case, text in
    /// brackets dropped, marks, symbols and punctuation turned into spaces.
    #[serde(rename = "basic")]
    Basic,
    /// Whisper's normalizer for English: numbers as digits, contractions written out, American
    /// spelling.
    #[serde(rename = "whisper-en")]
    WhisperEnglish,
}

impl Normalizer {
    /// Every normalizer, in the order in which help texts list them.
    pub const ALL: [Self; 3] = [Self::None, Self::Basic, Self::WhisperEnglish];

    /// Returns the name that matrices, the command line and records use.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::WhisperEnglish => "whisper-en",
        }
    }

    /// Returns a text that changes whenever the output for some input could have changed. Scores
    /// with different versions are not compared.
    ///
    /// The parts are the release that is reproduced, its character data, and the revision of this
    /// implementation.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::None => "1",
            Self::Basic | Self::WhisperEnglish => "openai-whisper-20250625/unicode-14.0/1",
        }
    }

    /// Returns the normalized text. Words in it are separated by white space; ends are not
    /// trimmed, as Whisper's normalizers do not trim them either.
    #[must_use]
    pub fn normalize(self, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Basic => basic::normalize(text),
            Self::WhisperEnglish => whisper_english::normalize(text),
        }
    }
}

impl fmt::Display for Normalizer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}

/// A name that is not the id of any normalizer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown normalizer `{name}`: write one of {}", ids())]
pub struct UnknownNormalizer {
    /// The name as it was written.
    pub name: String,
}

impl UnknownNormalizer {
    /// Returns the ids that would have been understood, for a "did you mean".
    pub fn known() -> impl Iterator<Item = &'static str> {
        Normalizer::ALL.into_iter().map(Normalizer::id)
    }
}

fn ids() -> String {
    let quoted: Vec<String> = UnknownNormalizer::known()
        .map(|id| format!("`{id}`"))
        .collect();
    quoted.join(", ")
}

impl FromStr for Normalizer {
    type Err = UnknownNormalizer;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|normalizer| normalizer.id() == name)
            .ok_or_else(|| UnknownNormalizer {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_written_by_serde() {
        for normalizer in Normalizer::ALL {
            assert_eq!(normalizer.id().parse(), Ok(normalizer));
            let json = serde_json::to_string(&normalizer).unwrap();
            assert_eq!(json, format!("\"{}\"", normalizer.id()));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "whisper_en".parse::<Normalizer>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown normalizer `whisper_en`: write one of `none`, `basic`, `whisper-en`"
        );
    }

    #[test]
    fn none_leaves_text_alone() {
        assert_eq!(Normalizer::None.normalize(" Ça  va? "), " Ça  va? ");
    }
}
