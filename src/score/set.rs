//! The score of a set of utterances.

use serde::{Deserialize, Serialize};

use super::error_rate::{CharacterErrors, EditCounts, ErrorRates, ratio};
use super::utterance::UtteranceScore;

/// The score of several utterances together.
///
/// The rates divide sums by sums, so an utterance weighs as much as it has words. The mean of the
/// utterances' own word error rates is another number and has its own field.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SetScore {
    /// How many utterances were scored.
    pub utterances: u64,
    /// How many of them have a reference without a word.
    pub empty_references: u64,
    /// Insertions in utterances whose reference has no word: words heard in silence.
    pub insertions_on_silence: u64,
    /// Words of all references.
    pub reference_words: u64,
    /// Words of all hypotheses.
    pub hypothesis_words: u64,
    /// Sums of the counts.
    #[serde(flatten)]
    pub words: EditCounts,
    /// Sums of the counts of code points.
    #[serde(flatten)]
    pub characters: CharacterErrors,
    /// The rates that follow from the sums.
    #[serde(flatten)]
    pub rates: ErrorRates,
    /// The share of utterances with at least one wrong word.
    pub sentence_error_rate: f64,
    /// The unweighted mean of the word error rates of the utterances.
    pub mean_utterance_wer: f64,
    /// Loops in which a word is wrong, in all hypotheses.
    pub repeat_loops: u64,
    /// Words in those loops beyond the first time of each phrase.
    pub looped_words: u64,
}

/// Returns the score of a set, or `None` if there is no utterance: a gate on no data must not
/// pass.
pub fn score_set<'score>(
    scores: impl IntoIterator<Item = &'score UtteranceScore>,
) -> Option<SetScore> {
    let mut words = EditCounts::default();
    let mut characters = CharacterErrors::default();
    let (mut utterances, mut wrong, mut empty_references, mut insertions_on_silence) = (0, 0, 0, 0);
    let (mut repeat_loops, mut looped_words) = (0, 0);
    let mut sum_of_rates = 0.0;
    for score in scores {
        words += score.words;
        characters += score.characters;
        utterances += 1;
        wrong += u64::from(!score.is_correct());
        sum_of_rates += score.rates.wer;
        repeat_loops += score.repeat_loops;
        looped_words += score.looped_words;
        if score.empty_reference {
            empty_references += 1;
            insertions_on_silence += score.words.insertions;
        }
    }
    (utterances > 0).then(|| SetScore {
        utterances,
        empty_references,
        insertions_on_silence,
        reference_words: words.reference_words(),
        hypothesis_words: words.hypothesis_words(),
        words,
        characters,
        rates: ErrorRates::from_counts(words, characters),
        sentence_error_rate: ratio(wrong, utterances),
        mean_utterance_wer: sum_of_rates / ratio(utterances, 1),
        repeat_loops,
        looped_words,
    })
}

#[cfg(test)]
mod tests {
    use super::super::normalize::Normalizer;
    use super::super::utterance::score_utterance;
    use super::*;

    fn score(reference: &str, hypothesis: &str) -> UtteranceScore {
        score_utterance(reference, hypothesis, Normalizer::None, "en")
    }

    #[test]
    fn the_rate_of_the_sums_is_not_the_mean_of_the_rates() {
        let ten = "a b c d e f g h i j";
        let scores = [score("a b", "a b"), score("a", "b"), score(ten, ten)];
        let set = score_set(&scores).unwrap();
        assert!((set.rates.wer - 1.0 / 13.0).abs() < 1e-12);
        assert!((set.mean_utterance_wer - 1.0 / 3.0).abs() < 1e-12);
        assert!((set.sentence_error_rate - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn words_on_silence_are_counted() {
        let set = score_set(&[score("", "thank you"), score("a", "a b")]).unwrap();
        assert_eq!((set.empty_references, set.insertions_on_silence), (1, 2));
        assert!((set.rates.wer - 3.0).abs() < 1e-12);
    }

    #[test]
    fn loops_are_summed() {
        let set = score_set(&[
            score("thank you", "thank you thank you thank you thank you bye"),
            score("no no no no", "no no no no"),
            score("a b", "a x x x x x"),
        ])
        .unwrap();
        assert_eq!((set.repeat_loops, set.looped_words), (2, 6 + 4));
    }

    #[test]
    fn no_utterance_is_no_score() {
        assert_eq!(score_set(&[]), None);
    }
}
