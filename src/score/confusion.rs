//! Which words are taken for which.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::align::{Alignment, Operation, align};
use super::normalize::Normalizer;
use super::utterance::ScoringUnit;

/// A reference and a hypothesis, word by word, with their alignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlignedUtterance {
    /// The words of the normalized reference.
    pub reference: Vec<String>,
    /// The words of the normalized hypothesis.
    pub hypothesis: Vec<String>,
    /// How they go together.
    pub alignment: Alignment,
}

/// Returns the words of an utterance and their alignment. The counts of the alignment are those
/// of [`score_utterance`](super::score_utterance) with the same arguments.
#[must_use]
pub fn align_utterance(
    reference: &str,
    hypothesis: &str,
    normalizer: Normalizer,
    language: &str,
) -> AlignedUtterance {
    let unit = ScoringUnit::of_language(language);
    let split = |text: &str| -> Vec<String> {
        unit.split(&normalizer.normalize(text))
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let (reference, hypothesis) = (split(reference), split(hypothesis));
    let alignment = align(&reference, &hypothesis);
    AlignedUtterance {
        reference,
        hypothesis,
        alignment,
    }
}

/// A word that was taken for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// The word that was said.
    pub reference: String,
    /// The word that was written.
    pub hypothesis: String,
    /// How often.
    pub count: u64,
}

/// Returns the most frequent substitutions, at most `limit` of them: by falling count, then by
/// alphabet.
pub fn confusions<'utterance>(
    utterances: impl IntoIterator<Item = &'utterance AlignedUtterance>,
    limit: usize,
) -> Vec<Confusion> {
    let mut counts: FxHashMap<(&str, &str), u64> = FxHashMap::default();
    for utterance in utterances {
        for operation in &utterance.alignment.operations {
            if let Operation::Substitution {
                reference,
                hypothesis,
            } = *operation
                && let Some(said) = utterance.reference.get(reference)
                && let Some(written) = utterance.hypothesis.get(hypothesis)
            {
                *counts.entry((said, written)).or_default() += 1;
            }
        }
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_unstable_by(|(one, one_count), (other, other_count)| {
        other_count.cmp(one_count).then_with(|| one.cmp(other))
    });
    ranked.truncate(limit);
    let confusion = |((reference, hypothesis), count): ((&str, &str), u64)| Confusion {
        reference: reference.to_owned(),
        hypothesis: hypothesis.to_owned(),
        count,
    };
    ranked.into_iter().map(confusion).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_comes_first() {
        let utterances = [
            align_utterance(
                "their cat and their dog",
                "there cat in there",
                Normalizer::None,
                "en",
            ),
            align_utterance("this and that", "this in that", Normalizer::None, "en"),
            align_utterance("their", "there", Normalizer::None, "en"),
        ];
        let top: Vec<_> = confusions(&utterances, 2)
            .into_iter()
            .map(|confusion| (confusion.reference, confusion.hypothesis, confusion.count))
            .collect();
        assert_eq!(
            top,
            [
                ("their".into(), "there".into(), 3),
                ("and".into(), "in".into(), 2)
            ]
        );
    }
}
