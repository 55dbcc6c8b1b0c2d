//! Word and character error rates by minimal edit distance.

use crate::model::NormalizerId;
use unicode_normalization::UnicodeNormalization as _;

/// Edits between a reference and a hypothesis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Words in the reference.
    pub reference: u64,
    /// Words replaced.
    pub substitutions: u64,
    /// Words of the reference that are missing.
    pub deletions: u64,
    /// Words that were not said.
    pub insertions: u64,
}

impl Counts {
    /// Returns all edits.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.substitutions + self.deletions + self.insertions
    }

    /// Returns edits over reference words. For an empty reference it is the number of insertions.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "texts are far below 2^53 words")]
    pub fn rate(&self) -> f64 {
        self.errors() as f64 / self.reference.max(1) as f64
    }

    /// Adds another's edits: rates of sets are sums over sums.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            reference: self.reference + other.reference,
            substitutions: self.substitutions + other.substitutions,
            deletions: self.deletions + other.deletions,
            insertions: self.insertions + other.insertions,
        }
    }
}

/// The edits of one utterance in words and in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtteranceScore {
    /// In words.
    pub words: Counts,
    /// In code points, spaces counted.
    pub characters: Counts,
}

/// Scores one utterance.
#[must_use]
pub fn score_utterance(
    reference: &str,
    hypothesis: &str,
    normalizer: NormalizerId,
) -> UtteranceScore {
    let (reference, hypothesis) = (
        normalize(reference, normalizer),
        normalize(hypothesis, normalizer),
    );
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let characters = |text: &str| text.trim().chars().collect::<Vec<_>>();
    UtteranceScore {
        words: edits(&words(&reference), &words(&hypothesis)),
        characters: edits(&characters(&reference), &characters(&hypothesis)),
    }
}

/// Returns a text as a normalizer makes it.
#[must_use]
pub fn normalize(text: &str, normalizer: NormalizerId) -> String {
    match normalizer {
        NormalizerId::None => text.to_owned(),
        NormalizerId::Basic | NormalizerId::WhisperEn => text
            .to_lowercase()
            .nfkc()
            .map(|letter| {
                if letter.is_alphanumeric() {
                    letter
                } else {
                    ' '
                }
            })
            .collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// Counts the edits of one minimal alignment: of equally short ones, that which prefers a match or
/// substitution, then a deletion, then an insertion, from the end.
fn edits<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Counts {
    let start = |deletions: usize| Counts {
        deletions: deletions as u64,
        ..Counts::default()
    };
    let mut row: Vec<Counts> = (0..=hypothesis.len())
        .map(|insertions| Counts {
            insertions: insertions as u64,
            ..Counts::default()
        })
        .collect();
    for (line, wanted) in reference.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = start(line + 1);
        for (column, heard) in hypothesis.iter().enumerate() {
            let substitution = Counts {
                substitutions: diagonal.substitutions + u64::from(wanted != heard),
                ..diagonal
            };
            let deletion = Counts {
                deletions: row[column + 1].deletions + 1,
                ..row[column + 1]
            };
            let insertion = Counts {
                insertions: row[column].insertions + 1,
                ..row[column]
            };
            diagonal = row[column + 1];
            row[column + 1] =
                [deletion, insertion]
                    .into_iter()
                    .fold(substitution, |best, other| {
                        if other.errors() < best.errors() {
                            other
                        } else {
                            best
                        }
                    });
        }
    }
    let last = row.last().copied().unwrap_or_default();
    Counts {
        reference: reference.len() as u64,
        ..last
    }
}
