//! The score of one utterance.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::align::{byte_distance, count_edits, distance};
use super::error_rate::{CharacterErrors, EditCounts, ErrorRates};
use super::language::scored_on_characters;
use super::normalize::{Normalizer, is_space, words};

/// What counts as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoringUnit {
    /// What stands between white space.
    Words,
    /// Every code point that is not white space, for languages that are written without spaces.
    Characters,
}

impl ScoringUnit {
    /// Returns the unit in which a language is scored; see [`scored_on_characters`].
    #[must_use]
    pub fn of_language(language: &str) -> Self {
        if scored_on_characters(language) {
            Self::Characters
        } else {
            Self::Words
        }
    }

    /// Splits a normalized text into what counts as its words.
    #[must_use]
    pub fn split(self, text: &str) -> Vec<&str> {
        // Four letters and a space is less than most words take, so the list rarely grows.
        let mut split = Vec::with_capacity(text.len() / 5 + 1);
        match self {
            Self::Words => split.extend(words(text)),
            Self::Characters => split.extend(
                text.char_indices()
                    .filter(|(_, character)| !is_space(*character))
                    .map(|(start, character)| &text[start..start + character.len_utf8()]),
            ),
        }
        split
    }
}

/// The score of one utterance under one normalizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UtteranceScore {
    /// What was counted as a word.
    pub unit: ScoringUnit,
    /// Whether the normalized reference has no word. Its word error rate is then the number of
    /// words in the hypothesis.
    pub empty_reference: bool,
    /// Words of the reference: H + S + D.
    pub reference_words: u64,
    /// Words of the hypothesis: H + S + I.
    pub hypothesis_words: u64,
    /// Counts of the alignment by [`ALIGNMENT_RULE`](super::ALIGNMENT_RULE).
    #[serde(flatten)]
    pub words: EditCounts,
    /// Counts of code points.
    #[serde(flatten)]
    pub characters: CharacterErrors,
    /// The rates that follow from the counts.
    #[serde(flatten)]
    pub rates: ErrorRates,
}

impl UtteranceScore {
    /// Returns whether not a single word is wrong.
    #[must_use]
    pub const fn is_correct(&self) -> bool {
        self.words.errors() == 0
    }
}

/// A reference and what was heard, before normalizing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextPair<'text> {
    /// What was said.
    pub reference: &'text str,
    /// What a recognizer wrote.
    pub hypothesis: &'text str,
    /// The language tag of the reference, such as `en`; decides whether words or characters are
    /// compared.
    pub language: &'text str,
}

/// Returns the score of a hypothesis against its reference.
///
/// Both texts are normalized first. `language` is a language tag; see [`scored_on_characters`].
#[must_use]
pub fn score_utterance(
    reference: &str,
    hypothesis: &str,
    normalizer: Normalizer,
    language: &str,
) -> UtteranceScore {
    let reference = normalized(reference, normalizer);
    let hypothesis = normalized(hypothesis, normalizer);
    let unit = ScoringUnit::of_language(language);
    let words = count_edits(&unit.split(&reference), &unit.split(&hypothesis));
    let characters = character_errors(&reference, &hypothesis);
    UtteranceScore {
        unit,
        empty_reference: words.reference_words() == 0,
        reference_words: words.reference_words(),
        hypothesis_words: words.hypothesis_words(),
        words,
        characters,
        rates: ErrorRates::from_counts(words, characters),
    }
}

/// Returns the score of each pair, in the order of the pairs. Works on all threads of the current
/// rayon pool.
#[must_use]
pub fn score_all(pairs: &[TextPair<'_>], normalizer: Normalizer) -> Vec<UtteranceScore> {
    let score = |pair: &TextPair<'_>| {
        score_utterance(pair.reference, pair.hypothesis, normalizer, pair.language)
    };
    pairs.par_iter().map(score).collect()
}

/// Returns the normalized text without white space at its ends.
fn normalized(text: &str, normalizer: Normalizer) -> Cow<'_, str> {
    match normalizer {
        Normalizer::None => Cow::Borrowed(text.trim_matches(is_space)),
        _ => Cow::Owned(normalizer.normalize(text).trim_matches(is_space).to_owned()),
    }
}

fn character_errors(reference: &str, hypothesis: &str) -> CharacterErrors {
    let (errors, lengths) = if reference.is_ascii() && hypothesis.is_ascii() {
        let errors = byte_distance(reference.as_bytes(), hypothesis.as_bytes());
        (errors, [reference.len(), hypothesis.len()])
    } else {
        let texts = [reference, hypothesis].map(|text| text.chars().collect::<Vec<_>>());
        (
            distance(&texts[0], &texts[1]),
            [texts[0].len(), texts[1].len()],
        )
    };
    CharacterErrors {
        character_errors: errors as u64,
        reference_characters: lengths[0] as u64,
        hypothesis_characters: lengths[1] as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_characters_are_counted() {
        let score = score_utterance(" the cat sat ", "the bat sat down", Normalizer::None, "en");
        assert_eq!(score.unit, ScoringUnit::Words);
        assert_eq!(
            score.words,
            EditCounts {
                hits: 2,
                substitutions: 1,
                deletions: 0,
                insertions: 1
            }
        );
        assert_eq!((score.reference_words, score.hypothesis_words), (3, 4));
        assert_eq!(score.characters.reference_characters, 11);
        assert_eq!(score.characters.character_errors, 6);
    }

    #[test]
    fn japanese_ignores_where_spaces_are() {
        let score = score_utterance("今日は 晴れ", "今日 は晴れだ", Normalizer::Basic, "ja");
        assert_eq!(score.unit, ScoringUnit::Characters);
        assert_eq!(score.reference_words, 5);
        assert_eq!(score.words.errors(), 1);
        assert!((score.rates.wer - 0.2).abs() < 1e-12);
        // The character error rate counts spaces in every language.
        assert_eq!(score.characters.reference_characters, 6);
        assert_eq!(score.characters.character_errors, 3);
    }

    #[test]
    fn an_utterance_that_is_only_a_filler_has_an_empty_reference() {
        let score = score_utterance("Um.", "thank you", Normalizer::WhisperEnglish, "en");
        assert!(score.empty_reference);
        assert!((score.rates.wer - 2.0).abs() < 1e-12);
    }

    #[test]
    fn pairs_keep_their_order() {
        let references: Vec<String> = (0..500).map(|number| "a ".repeat(number)).collect();
        let pair = |reference| TextPair {
            reference,
            hypothesis: "a",
            language: "en",
        };
        let pairs: Vec<_> = references
            .iter()
            .map(|reference| pair(reference.as_str()))
            .collect();
        for (number, score) in score_all(&pairs, Normalizer::Basic).iter().enumerate() {
            assert_eq!(score.reference_words, number as u64);
        }
    }

    #[test]
    fn a_score_is_one_flat_record() {
        let score = score_utterance("a b", "a c", Normalizer::None, "en");
        let json = serde_json::to_value(score).unwrap();
        assert_eq!(json["substitutions"], 1);
        assert_eq!(json["wer"], 0.5);
        assert_eq!(
            serde_json::from_value::<UtteranceScore>(json).unwrap(),
            score
        );
    }
}
