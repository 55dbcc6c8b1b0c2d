//! Error rates from counts, by the formulas of jiwer 4.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// How many words were hit, replaced, lost and put in.
///
/// With H, S, D and I for the four counts, the reference has H + S + D words and the hypothesis
/// has H + S + I.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EditCounts {
    /// Words of the reference that the hypothesis has at their place (H).
    pub hits: u64,
    /// Words with another word in their place (S).
    pub substitutions: u64,
    /// Words of the reference that are missing (D).
    pub deletions: u64,
    /// Words of the hypothesis that are too many (I).
    pub insertions: u64,
}

impl EditCounts {
    /// Returns S + D + I.
    #[must_use]
    pub const fn errors(self) -> u64 {
        self.substitutions + self.deletions + self.insertions
    }

    /// Returns the number of words in the reference.
    #[must_use]
    pub const fn reference_words(self) -> u64 {
        self.hits + self.substitutions + self.deletions
    }

    /// Returns the number of words in the hypothesis.
    #[must_use]
    pub const fn hypothesis_words(self) -> u64 {
        self.hits + self.substitutions + self.insertions
    }

    /// Returns the word error rate, (S + D + I) ÷ (H + S + D). It may exceed 1. If the reference
    /// is empty it is the number of insertions, as in jiwer.
    #[must_use]
    pub fn word_error_rate(self) -> f64 {
        rate(self.errors(), self.reference_words())
    }

    /// Returns the match error rate, (S + D + I) ÷ (H + S + D + I): the share of aligned places
    /// that are wrong. It is 0 if both sides are empty.
    #[must_use]
    pub fn match_error_rate(self) -> f64 {
        match self.errors() + self.hits {
            0 => 0.0,
            places => ratio(self.errors(), places),
        }
    }

    /// Returns the word information preserved, (H ÷ reference words) × (H ÷ hypothesis words). It
    /// is 1 if both sides are empty and 0 if one of them is.
    #[must_use]
    pub fn word_information_preserved(self) -> f64 {
        match (self.reference_words(), self.hypothesis_words()) {
            (0, 0) => 1.0,
            (0, _) | (_, 0) => 0.0,
            (reference, hypothesis) => ratio(self.hits, reference) * ratio(self.hits, hypothesis),
        }
    }

    /// Returns the word information lost, 1 − word information preserved.
    #[must_use]
    pub fn word_information_lost(self) -> f64 {
        1.0 - self.word_information_preserved()
    }
}

impl AddAssign for EditCounts {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
    }
}

/// The edit distance of two texts in code points. Spaces count, white space at the ends does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CharacterErrors {
    /// Substitutions, deletions and insertions of code points.
    pub character_errors: u64,
    /// Code points of the reference.
    pub reference_characters: u64,
    /// Code points of the hypothesis.
    pub hypothesis_characters: u64,
}

impl CharacterErrors {
    /// Returns the character error rate, errors ÷ code points of the reference. It may exceed 1.
    /// If the reference is empty it is the number of insertions, as in jiwer.
    #[must_use]
    pub fn character_error_rate(self) -> f64 {
        rate(self.character_errors, self.reference_characters)
    }
}

impl AddAssign for CharacterErrors {
    fn add_assign(&mut self, other: Self) {
        self.character_errors += other.character_errors;
        self.reference_characters += other.reference_characters;
        self.hypothesis_characters += other.hypothesis_characters;
    }
}

/// The rates of one utterance, or of a set whose counts were summed first. None is clipped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorRates {
    /// Word error rate; see [`EditCounts::word_error_rate`].
    pub wer: f64,
    /// Match error rate; see [`EditCounts::match_error_rate`].
    pub mer: f64,
    /// Word information lost; see [`EditCounts::word_information_lost`].
    pub wil: f64,
    /// Word information preserved; see [`EditCounts::word_information_preserved`].
    pub wip: f64,
    /// Character error rate; see [`CharacterErrors::character_error_rate`].
    pub cer: f64,
}

impl ErrorRates {
    /// Returns the rates that follow from the counts.
    #[must_use]
    pub fn from_counts(words: EditCounts, characters: CharacterErrors) -> Self {
        Self {
            wer: words.word_error_rate(),
            mer: words.match_error_rate(),
            wil: words.word_information_lost(),
            wip: words.word_information_preserved(),
            cer: characters.character_error_rate(),
        }
    }
}

/// Errors per reference item; without any, the errors themselves.
fn rate(errors: u64, reference: u64) -> f64 {
    ratio(errors, reference.max(1))
}

/// Returns the quotient of two counts.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of words stay far below 2^53"
)]
pub(super) fn ratio(numerator: u64, denominator: u64) -> f64 {
    numerator as f64 / denominator as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(hits: u64, substitutions: u64, deletions: u64, insertions: u64) -> EditCounts {
        EditCounts {
            hits,
            substitutions,
            deletions,
            insertions,
        }
    }

    fn assert_close(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-12, "{one} is not {other}");
    }

    #[test]
    fn rates_follow_the_formulas() {
        let counts = counts(6, 2, 1, 3);
        assert_close(counts.word_error_rate(), 6.0 / 9.0);
        assert_close(counts.match_error_rate(), 6.0 / 12.0);
        assert_close(counts.word_information_preserved(), 6.0 / 9.0 * 6.0 / 11.0);
        assert_close(counts.word_information_lost(), 1.0 - 36.0 / 99.0);
    }

    #[test]
    fn an_empty_reference_counts_insertions() {
        let heard = counts(0, 0, 0, 3);
        assert_close(heard.word_error_rate(), 3.0);
        assert_close(heard.match_error_rate(), 1.0);
        assert_close(heard.word_information_preserved(), 0.0);
        let silent = counts(0, 0, 0, 0);
        assert_close(silent.word_error_rate(), 0.0);
        assert_close(silent.match_error_rate(), 0.0);
        assert_close(silent.word_information_preserved(), 1.0);
    }

    #[test]
    fn an_empty_hypothesis_loses_everything() {
        let counts = counts(0, 0, 4, 0);
        assert_close(counts.word_error_rate(), 1.0);
        assert_close(counts.word_information_lost(), 1.0);
    }

    #[test]
    fn word_error_rates_above_one_are_kept() {
        assert_close(counts(0, 1, 0, 4).word_error_rate(), 5.0);
    }
}
