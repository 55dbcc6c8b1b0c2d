//! The one walk over all combinations of the axes, in pieces that run side by side.

use super::pattern::{Answers, BoundCondition, Matcher};
use super::table::Table;
use crate::model::ABSENT;
use rayon::prelude::*;

/// How many combinations of the axes one piece holds: enough to hide what a piece costs.
const PIECE: usize = 16_384;

/// Axes that take their values together: one axis, or a group of `zip`.
#[derive(Debug)]
pub(super) struct Dimension {
    /// The columns.
    pub(super) columns: Vec<usize>,
    /// How many values each has.
    pub(super) length: usize,
}

/// Everything that the walk looks at.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    pub(super) table: &'a Table,
    pub(super) dimensions: &'a [Dimension],
    pub(super) conditions: &'a [BoundCondition<'a>],
    /// For each axis, the conditions of its values; empty if none has one.
    pub(super) values: Vec<Vec<Option<usize>>>,
    pub(super) only: &'a [Matcher<'a>],
    pub(super) exclude: &'a [Matcher<'a>],
    pub(super) include: &'a [Adder<'a>],
    pub(super) exclude_after: &'a [Matcher<'a>],
}

/// An include entry: what it fits, and what it adds.
#[derive(Debug)]
pub(super) struct Adder<'a> {
    pub(super) matcher: Matcher<'a>,
    /// Column and number of each key that is an axis.
    pub(super) filter: Vec<(usize, u32)>,
    /// Column and number of each key that is none.
    pub(super) added: Vec<(usize, u32)>,
}

/// How often an entry matched.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// Combinations that it matched.
    pub(super) matched: usize,
    /// Those that no earlier entry had taken.
    pub(super) first: usize,
    /// Those that only GitHub's comparison would have matched.
    pub(super) loosely: usize,
}

/// What a walk, or a piece of it, came to.
#[derive(Debug)]
pub(super) struct Walk {
    /// Rows that are left, one after the other.
    pub(super) cells: Vec<u32>,
    /// Combinations of the axes that `include` saw.
    pub(super) originals: usize,
    pub(super) only: Vec<Count>,
    pub(super) exclude: Vec<Count>,
    pub(super) include: Vec<Count>,
    pub(super) exclude_after: Vec<Count>,
}

/// Walks over all combinations.
pub(super) fn walk(rules: &Rules<'_>, total: usize) -> Walk {
    if total <= PIECE {
        return piece(rules, 0, total);
    }
    let pieces: Vec<Walk> = (0..total.div_ceil(PIECE))
        .into_par_iter()
        .map(|number| piece(rules, number * PIECE, total.min((number + 1) * PIECE)))
        .collect();
    let mut whole = Walk::new(rules);
    whole
        .cells
        .reserve_exact(pieces.iter().map(|piece| piece.cells.len()).sum());
    for piece in pieces {
        whole.cells.extend_from_slice(&piece.cells);
        whole.originals += piece.originals;
        for (sums, counts) in [
            (&mut whole.only, &piece.only),
            (&mut whole.exclude, &piece.exclude),
            (&mut whole.include, &piece.include),
            (&mut whole.exclude_after, &piece.exclude_after),
        ] {
            for (sum, count) in sums.iter_mut().zip(counts) {
                sum.matched += count.matched;
                sum.first += count.first;
                sum.loosely += count.loosely;
            }
        }
    }
    whole
}

impl Walk {
    fn new(rules: &Rules<'_>) -> Self {
        let counts = |length| vec![Count::default(); length];
        Self {
            cells: Vec::new(),
            originals: 0,
            only: counts(rules.only.len()),
            exclude: counts(rules.exclude.len()),
            include: counts(rules.include.len()),
            exclude_after: counts(rules.exclude_after.len()),
        }
    }

    /// Adds a row that stands alone, unless `exclude-after` takes it. Returns whether it was added.
    pub(super) fn add_alone(
        &mut self,
        rules: &Rules<'_>,
        answers: &mut Answers,
        row: &[u32],
    ) -> bool {
        if rules.matches(rules.exclude_after, &mut self.exclude_after, answers, row) {
            return false;
        }
        self.cells.extend_from_slice(row);
        true
    }
}

impl Rules<'_> {
    /// Whether an entry matches; what GitHub's comparison would have found besides is counted.
    fn takes(
        &self,
        matcher: &Matcher<'_>,
        count: &mut Count,
        answers: &mut Answers,
        row: &[u32],
    ) -> bool {
        let strictly = matcher.pattern.matches(row);
        if !strictly && !matcher.pattern.matches_loosely(row) {
            return false;
        }
        if !answers.holds(self.conditions, matcher.condition, row, self.table) {
            return false;
        }
        if strictly {
            count.matched += 1;
        } else {
            count.loosely += 1;
        }
        strictly
    }

    /// Whether any entry matches. All of them are asked, so that each one's count is its own.
    fn matches(
        &self,
        matchers: &[Matcher<'_>],
        counts: &mut [Count],
        answers: &mut Answers,
        row: &[u32],
    ) -> bool {
        let mut any = false;
        for (matcher, count) in matchers.iter().zip(counts) {
            if self.takes(matcher, count, answers, row) {
                count.first += usize::from(!any);
                any = true;
            }
        }
        any
    }
}

fn piece(rules: &Rules<'_>, from: usize, to: usize) -> Walk {
    let mut walk = Walk::new(rules);
    let width = rules.table.columns.len();
    let mut answers = Answers::default();
    walk.cells.reserve((to - from) * width);
    let mut digits = digits_of(rules.dimensions, from);
    let mut row = vec![ABSENT; width];
    for _ in from..to {
        row[rules.table.axes..].fill(ABSENT);
        for (dimension, digit) in rules.dimensions.iter().zip(&digits) {
            for column in &dimension.columns {
                row[*column] = *digit;
            }
        }
        if keeps(rules, &mut walk, &mut answers, &mut row) {
            walk.cells.extend_from_slice(&row);
        }
        advance(rules.dimensions, &mut digits);
    }
    walk.cells.shrink_to_fit();
    walk
}

/// Carries all entries out on one combination of the axes. Returns whether it is left.
fn keeps(rules: &Rules<'_>, walk: &mut Walk, answers: &mut Answers, row: &mut [u32]) -> bool {
    for (axis, conditions) in rules.values.iter().enumerate() {
        let condition = conditions.get(row[axis] as usize).copied().flatten();
        if !answers.holds(rules.conditions, condition, row, rules.table) {
            return false;
        }
    }
    if !rules.only.is_empty() && !rules.matches(rules.only, &mut walk.only, answers, row) {
        return false;
    }
    if rules.matches(rules.exclude, &mut walk.exclude, answers, row) {
        return false;
    }
    walk.originals += 1;
    for (adder, count) in rules.include.iter().zip(&mut walk.include) {
        if rules.takes(&adder.matcher, count, answers, row) {
            for (column, number) in &adder.added {
                row[*column] = *number;
            }
        }
    }
    !rules.matches(rules.exclude_after, &mut walk.exclude_after, answers, row)
}

/// Returns the value number of each dimension at a position; the first dimension is the slowest.
fn digits_of(dimensions: &[Dimension], mut position: usize) -> Vec<u32> {
    let mut digits = vec![0; dimensions.len()];
    for (digit, dimension) in digits.iter_mut().zip(dimensions).rev() {
        *digit = u32::try_from(position % dimension.length).unwrap_or(ABSENT);
        position /= dimension.length;
    }
    digits
}

fn advance(dimensions: &[Dimension], digits: &mut [u32]) {
    for (digit, dimension) in digits.iter_mut().zip(dimensions).rev() {
        *digit += 1;
        if (*digit as usize) < dimension.length {
            return;
        }
        *digit = 0;
    }
}
