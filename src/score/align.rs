//! Alignment of a hypothesis with its reference.
//!
//! Substitutions, deletions and insertions cost one each. The total is unique, the split is not:
//! "a b" against "b" can be read in one way only, but "a b" against "c" loses either word. So the
//! rule is named, and its name is recorded with the counts.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::bit_matrix::{BitMatrix, Step};
use super::error_rate::EditCounts;

/// The rule by which an alignment is chosen among those of the least cost: unit costs; reading
/// from the left, the first of match, substitution, deletion, insertion that keeps the total
/// minimal.
pub const ALIGNMENT_RULE: &str = "unit-msdi-left-1";

/// One step of an alignment, with positions counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The two words are equal.
    Match {
        /// Position in the reference.
        reference: usize,
        /// Position in the hypothesis.
        hypothesis: usize,
    },
    /// One word stands in place of another.
    Substitution {
        /// Position in the reference.
        reference: usize,
        /// Position in the hypothesis.
        hypothesis: usize,
    },
    /// A word of the reference is missing in the hypothesis.
    Deletion {
        /// Position in the reference.
        reference: usize,
        /// Position in the hypothesis before which the word is missing.
        hypothesis: usize,
    },
    /// The hypothesis has a word that the reference has not.
    Insertion {
        /// Position in the reference before which the word was put in.
        reference: usize,
        /// Position in the hypothesis.
        hypothesis: usize,
    },
}

/// The steps that lead from a reference to a hypothesis, from left to right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alignment {
    /// Every word of either side occurs in exactly one operation.
    pub operations: Vec<Operation>,
}

impl Alignment {
    /// Returns how many operations there are of each kind.
    #[must_use]
    pub fn counts(&self) -> EditCounts {
        let mut counts = EditCounts::default();
        for operation in &self.operations {
            match operation {
                Operation::Match { .. } => counts.hits += 1,
                Operation::Substitution { .. } => counts.substitutions += 1,
                Operation::Deletion { .. } => counts.deletions += 1,
                Operation::Insertion { .. } => counts.insertions += 1,
            }
        }
        counts
    }
}

/// Returns the alignment of two sequences by the rule [`ALIGNMENT_RULE`].
///
/// Time grows with `reference × hypothesis ÷ 64`. At most 32 MiB of it are
/// kept (10,000 × 10,000 words take 25 MB); longer texts are gone through twice and keep about
/// `reference × √hypothesis ÷ 2` bytes, which is 16 MB for 100,000 × 100,000 words.
#[must_use]
pub fn align<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> Alignment {
    let mut operations = Vec::with_capacity(reference.len().max(hypothesis.len()));
    let mut position = (0, 0);
    walk(reference, hypothesis, |step| {
        let (reference, hypothesis) = position;
        operations.push(match step {
            Step::Match => Operation::Match {
                reference,
                hypothesis,
            },
            Step::Substitution => Operation::Substitution {
                reference,
                hypothesis,
            },
            Step::Deletion => Operation::Deletion {
                reference,
                hypothesis,
            },
            Step::Insertion => Operation::Insertion {
                reference,
                hypothesis,
            },
        });
        position.0 += usize::from(step != Step::Insertion);
        position.1 += usize::from(step != Step::Deletion);
    });
    Alignment { operations }
}

/// Returns the counts of [`align`] without the positions.
pub(super) fn count_edits<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> EditCounts {
    let mut counts = EditCounts::default();
    walk(reference, hypothesis, |step| match step {
        Step::Match => counts.hits += 1,
        Step::Substitution => counts.substitutions += 1,
        Step::Deletion => counts.deletions += 1,
        Step::Insertion => counts.insertions += 1,
    });
    counts
}

/// Returns the least number of substitutions, deletions and insertions that turn one sequence
/// into the other.
#[must_use]
pub fn distance<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> usize {
    let prefix = common_prefix(reference, hypothesis);
    let (reference, hypothesis) = (&reference[prefix..], &hypothesis[prefix..]);
    let suffix = reference.iter().rev().zip(hypothesis.iter().rev());
    let suffix = suffix.take_while(|(one, other)| one == other).count();
    let reference = &reference[..reference.len() - suffix];
    let hypothesis = &hypothesis[..hypothesis.len() - suffix];
    if reference.is_empty() || hypothesis.is_empty() {
        return reference.len().max(hypothesis.len());
    }
    let (reference, hypothesis) = intern(reference, hypothesis);
    BitMatrix::new(&reference, &hypothesis).distance()
}

/// Reports the steps of the alignment.
///
/// A common start is matched without a matrix: matching equal words is always among the cheapest
/// steps and first in the rule. The same is not true of a common end, which the rule may align
/// otherwise ("x b" against "y b b").
fn walk<T: Eq + Hash>(reference: &[T], hypothesis: &[T], mut report: impl FnMut(Step)) {
    let prefix = common_prefix(reference, hypothesis);
    for _ in 0..prefix {
        report(Step::Match);
    }
    let (reference, hypothesis) = (&reference[prefix..], &hypothesis[prefix..]);
    if reference.is_empty() || hypothesis.is_empty() {
        for _ in reference {
            report(Step::Deletion);
        }
        for _ in hypothesis {
            report(Step::Insertion);
        }
        return;
    }
    let (reference, hypothesis) = intern(reference, hypothesis);
    BitMatrix::new(&reference, &hypothesis).walk(report);
}

fn common_prefix<T: Eq>(reference: &[T], hypothesis: &[T]) -> usize {
    reference
        .iter()
        .zip(hypothesis)
        .take_while(|(one, other)| one == other)
        .count()
}

/// Numbers the distinct items of the reference from zero; all items that only the hypothesis has
/// share one number that the reference does not use.
fn intern<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> (Vec<u32>, Vec<u32>) {
    let mut numbers: FxHashMap<&T, u32> = FxHashMap::default();
    numbers.reserve(reference.len());
    let mut next = 0;
    let reference = reference.iter().map(|item| {
        *numbers.entry(item).or_insert_with(|| {
            next += 1;
            next - 1
        })
    });
    let reference: Vec<u32> = reference.collect();
    let hypothesis = hypothesis
        .iter()
        .map(|item| numbers.get(item).copied().unwrap_or(u32::MAX));
    (reference, hypothesis.collect())
}

#[cfg(test)]
#[path = "align_tests.rs"]
mod tests;
