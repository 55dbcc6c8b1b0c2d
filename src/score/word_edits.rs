//! How many words were hit, replaced, lost and put in, without the alignment itself.
//!
//! The counts are those of [`align`](fn@super::align). A common beginning and a common end are
//! counted and not aligned: neither changes the counts, though a common end may be aligned
//! otherwise by the rule.

use super::align::count_edits;
use super::ends::Cut;
use super::error_rate::EditCounts;
use super::loop_search::may_loop;
use super::tokens::{Token, tokenize};
use std::ops::Range;

/// Words of a reference whose rows fit into one number.
const ROWS: usize = 64;

/// A word of the hypothesis: a column of the matrix, as in `bit_matrix`. Rows are counted from the
/// end of the reference.
#[derive(Debug, Clone, Copy)]
struct Column {
    /// Rows whose word it is.
    equal: u64,
    /// Rows that equal their neighbour in the row and the column before.
    diagonal: u64,
    /// Rows that are one more than the row before.
    increases: u64,
}

/// Room for the words of two texts, used again for one pair after the other.
#[derive(Debug, Default)]
pub(super) struct WordRoom {
    /// The words of the reference between the cuts.
    reference: Vec<Token>,
    /// All words of the hypothesis.
    hypothesis: Vec<Token>,
    columns: Vec<Column>,
}

impl WordRoom {
    /// Returns the counts of a hypothesis that was cut at words against its reference, whose part
    /// between the cuts is `cut.one`.
    pub(super) fn count(&mut self, cut: Cut<'_>, hypothesis: &str) -> EditCounts {
        tokenize(cut.one, &mut self.reference);
        // All words, because they are looked through for loops too, and those outside the cuts are hits.
        tokenize(hypothesis, &mut self.hypothesis);
        let place = |byte: usize| {
            self.hypothesis
                .partition_point(|token| token.start() < byte)
        };
        let between = place(cut.head.len())..place(hypothesis.len() - cut.tail.len());
        let outside = self.hypothesis.len() - between.len();
        let mut counts = if self.reference.is_empty() || between.is_empty() {
            EditCounts {
                deletions: self.reference.len() as u64,
                insertions: between.len() as u64,
                ..EditCounts::default()
            }
        } else if self.reference.len() <= ROWS {
            self.fill(cut, hypothesis, between);
            self.walk()
        } else {
            let words = |tokens: &[Token], text| -> Vec<_> {
                tokens.iter().map(|token| token.word(text)).collect()
            };
            count_edits(
                &words(&self.reference, cut.one),
                &words(&self.hypothesis[between], hypothesis),
            )
        };
        counts.hits += outside as u64;
        counts
    }

    /// Returns whether there may be a loop in the hypothesis that was counted last.
    pub(super) fn may_loop(&self) -> bool {
        may_loop(&self.hypothesis, |token| token.key)
    }

    /// Computes the columns, from the end of the hypothesis.
    fn fill(&mut self, cut: Cut<'_>, hypothesis: &str, between: Range<usize>) {
        self.columns.clear();
        let (mut increases, mut decreases) = (u64::MAX, 0);
        for token in self.hypothesis[between].iter().rev() {
            let mut equal = 0;
            for other in &self.reference {
                equal = equal << 1 | u64::from(other.key == token.key);
            }
            if equal != 0 && !token.is_exact() {
                equal = same_words(&self.reference, cut.one, token.word(hypothesis), equal);
            }
            // The recurrence of `bit_matrix` for the one block there is.
            let diagonal =
                ((equal & increases).wrapping_add(increases) ^ increases) | equal | decreases;
            let rises = (decreases | !(diagonal | increases)) << 1 | 1;
            let falls = (diagonal & increases) << 1;
            increases = falls | !(diagonal | rises);
            decreases = rises & diagonal;
            self.columns.push(Column {
                equal,
                diagonal,
                increases,
            });
        }
    }

    /// Counts the steps from the beginning of both texts to their ends, by the rule.
    fn walk(&self) -> EditCounts {
        let mut counts = EditCounts::default();
        let (mut row, mut columns) = (self.reference.len(), self.columns.as_slice());
        while row > 0
            && let Some((column, rest)) = columns.split_last()
        {
            let bit = 1 << (row - 1);
            if column.equal & bit != 0 {
                counts.hits += 1;
                row -= 1;
                columns = rest;
            } else if column.diagonal & bit == 0 {
                counts.substitutions += 1;
                row -= 1;
                columns = rest;
            } else if column.increases & bit != 0 {
                counts.deletions += 1;
                row -= 1;
            } else {
                counts.insertions += 1;
                columns = rest;
            }
        }
        counts.deletions += row as u64;
        counts.insertions += columns.len() as u64;
        counts
    }
}

/// Returns those of some rows in which a word really stands.
fn same_words(reference: &[Token], text: &str, word: &str, rows: u64) -> u64 {
    let mut same = 0;
    for (row, token) in reference.iter().rev().enumerate() {
        let bit = 1 << row;
        if rows & bit != 0 && token.word(text) == word {
            same |= bit;
        }
    }
    same
}
