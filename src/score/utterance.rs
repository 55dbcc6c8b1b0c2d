//! The score of one utterance.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::align::count_edits;
use super::character_edits::CharacterRoom;
use super::ends::{Cut, character_count, cut_characters, widen_to_words, word_count};
use super::error_rate::{CharacterErrors, EditCounts, ErrorRates};
use super::language::scored_on_characters;
use super::loop_search::may_loop;
use super::normalize::{Normalizer, is_space, words};
use super::repeat::{RepeatLoops, wrong_loops};
use super::word_edits::WordRoom;

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
    /// Loops of the hypothesis in which a word is wrong; see [`wrong_loops`](super::wrong_loops).
    pub repeat_loops: u64,
    /// Words in those loops beyond the first time of each phrase.
    pub looped_words: u64,
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
    let pair = TextPair {
        reference,
        hypothesis,
        language,
    };
    Scorer::default().score(pair, normalizer)
}

/// Returns the score of each pair, in the order of the pairs. Works on all threads of the current
/// rayon pool.
#[must_use]
pub fn score_all(pairs: &[TextPair<'_>], normalizer: Normalizer) -> Vec<UtteranceScore> {
    pairs
        .par_iter()
        .map_init(Scorer::default, |scorer, pair| {
            scorer.score(*pair, normalizer)
        })
        .collect()
}

/// What scores pair after pair in the same room.
#[derive(Debug, Default)]
struct Scorer {
    words: WordRoom,
    characters: CharacterRoom,
}

impl Scorer {
    fn score(&mut self, pair: TextPair<'_>, normalizer: Normalizer) -> UtteranceScore {
        let reference = normalized(pair.reference, normalizer);
        let hypothesis = normalized(pair.hypothesis, normalizer);
        let unit = ScoringUnit::of_language(pair.language);
        let cut = cut_characters(&reference, &hypothesis);
        let is_same = cut.one.is_empty() && cut.other.is_empty();
        let words = match unit {
            ScoringUnit::Words if is_same => EditCounts {
                hits: word_count(&reference),
                ..EditCounts::default()
            },
            ScoringUnit::Words => {
                let cut = widen_to_words(cut, &reference, &hypothesis);
                self.words.count(cut, &hypothesis)
            }
            ScoringUnit::Characters => count_characters_as_words(cut),
        };
        let characters = CharacterErrors {
            character_errors: self.characters.distance(cut) as u64,
            reference_characters: character_count(&reference),
            hypothesis_characters: character_count(&hypothesis),
        };
        // A loop is wrong only where a word is that is not in the reference.
        let loops = if words.substitutions + words.insertions > 0
            && match unit {
                ScoringUnit::Words => self.words.may_loop(),
                ScoringUnit::Characters => may_loop(&unit.split(&hypothesis), |word| *word),
            } {
            wrong_loops(&unit.split(&reference), &unit.split(&hypothesis))
        } else {
            RepeatLoops::default()
        };
        UtteranceScore {
            unit,
            empty_reference: words.reference_words() == 0,
            reference_words: words.reference_words(),
            hypothesis_words: words.hypothesis_words(),
            words,
            characters,
            rates: ErrorRates::from_counts(words, characters),
            repeat_loops: loops.count as u64,
            looped_words: loops.excess_words as u64,
        }
    }
}

/// Returns the counts of two texts in which every code point but white space is a word.
fn count_characters_as_words(cut: Cut<'_>) -> EditCounts {
    let split = |text| ScoringUnit::Characters.split(text);
    let mut counts = count_edits(&split(cut.one), &split(cut.other));
    counts.hits += (split(cut.head).len() + split(cut.tail).len()) as u64;
    counts
}

/// Returns the normalized text without white space at its ends.
fn normalized(text: &str, normalizer: Normalizer) -> Cow<'_, str> {
    match normalizer {
        Normalizer::None => Cow::Borrowed(text.trim_matches(is_space)),
        _ => {
            let mut text = normalizer.normalize(text);
            text.truncate(text.trim_end_matches(is_space).len());
            let start = text.len() - text.trim_start_matches(is_space).len();
            text.drain(..start);
            Cow::Owned(text)
        }
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
