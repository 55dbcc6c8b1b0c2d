//! Where a series changed its level: E-divisive.
//!
//! The statistic and the division are those of D. Matteson and N. James, A Nonparametric Approach for
//! Multiple Change Point Analysis of Multivariate Data (Journal of the American Statistical
//! Association 109, 2014), for one dimension and the exponent 1: the split with the largest energy
//! distance between what stands before it and what follows is a change point if it is significant, and both
//! sides are then searched alike. That small changes which are significant are left out afterwards,
//! the least first, is as in M. Fleming, P. Kołaczkowski and others, Hunter: Using Change Point
//! Detection to Hunt for Performance Regressions (2023), whose successor is Apache Otava.
//!
//! Significance is by permutations, as in the first paper. Hunter puts Student's t in its place for
//! speed; but the t of the best of all splits is not distributed as Student's, so its rate of false
//! alarms is not the one that is written down. A permutation test keeps its promise for any
//! distribution. The permutations are seeded, so the same series has the same change points on every
//! machine, and they are ended as soon as the answer is sure, so that a series without a change costs
//! a few dozen of them.

use super::energy::Energy;
use crate::history::least::Least;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How change points are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The largest share of series without a change in which one is found, for each division: the
    /// level of the test.
    pub significance: f64,
    /// The fewest values of a level.
    pub fewest: usize,
}

impl Default for Search {
    /// One false alarm in 200, and levels of three values at least: a change is seen in its
    /// second or third night, if enough nights were before it. Seven before and seven after always suffice.
    fn default() -> Self {
        Self {
            significance: 0.005,
            fewest: 3,
        }
    }
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// The position of the first value of the new level.
    pub position: usize,
    /// The median of the level before.
    pub before: f64,
    /// The median of the level after.
    pub after: f64,
}

/// Any number; changing it changes which permutations are looked at.
const SEED: u64 = 0x6561_726d_6172_6b00;

/// Below so many values it matters whether one permutation more is as large, because few are possible:
/// five times as many are looked at.
const SHORT: usize = 100;

/// What two statistics may differ by, as a share, and be the same: they are summed in another order.
const ROUNDING: f64 = 1e-9;

/// Returns the positions at which a series changed significantly, in order. A position is that of the
/// first value of the new level.
#[must_use]
pub fn change_positions(values: &[f64], search: &Search) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = vec![(0, values.len())];
    while let Some((start, end)) = open.pop() {
        if let Some(before) = significant_split(&values[start..end], search) {
            let position = start + before;
            found.push(position);
            open.push((start, position));
            open.push((position, end));
        }
    }
    found.sort_unstable();
    found
}

/// Returns the changes of a series that are significant and large enough to matter, in order.
#[must_use]
pub fn change_points(values: &[f64], search: &Search, least: &Least) -> Vec<ChangePoint> {
    points_at(values, change_positions(values, search), least)
}

/// Returns the changes at some positions that are large enough to matter, in order.
pub(super) fn points_at(
    values: &[f64],
    mut positions: Vec<usize>,
    least: &Least,
) -> Vec<ChangePoint> {
    loop {
        let points = with_levels(values, &positions);
        let smallest = points
            .iter()
            .enumerate()
            .map(|(index, point)| (index, least.times(point.before, point.after)))
            .min_by(|one, other| one.1.total_cmp(&other.1));
        match smallest {
            // The levels beside it become one, which may make the next change larger or smaller.
            Some((index, times)) if times < 1.0 => {
                positions.remove(index);
            }
            _ => return points,
        }
    }
}

fn with_levels(values: &[f64], positions: &[usize]) -> Vec<ChangePoint> {
    let level = |start: usize, end: usize| median(&values[start..end]);
    positions
        .iter()
        .enumerate()
        .map(|(index, position)| {
            let start = index.checked_sub(1).map_or(0, |before| positions[before]);
            let end = positions.get(index + 1).copied().unwrap_or(values.len());
            ChangePoint {
                position: *position,
                before: level(start, *position),
                after: level(*position, end),
            }
        })
        .collect()
}

/// Returns the median of values; 0 without any, which no level is.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Returns the best split of a segment, as the number of values before it, if it is significant.
fn significant_split(values: &[f64], search: &Search) -> Option<usize> {
    let fewest = search.fewest.max(2);
    let (mut energy, mut ranks) = Energy::of(values);
    let found = energy.best_split(&ranks, fewest)?;
    if found.statistic <= 0.0 {
        return None;
    }
    // The found order is one of those that are compared, so that its share is at most
    // (1 + most) / (1 + permutations).
    let most: u32 = if values.len() < SHORT { 4 } else { 0 };
    let permutations = permutations(most, search.significance)?;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut as_large = 0;
    for _ in 0..permutations {
        shuffle(&mut ranks, &mut random);
        let permuted = energy.best_split(&ranks, fewest)?;
        if permuted.statistic >= found.statistic * (1.0 - ROUNDING) {
            as_large += 1;
            if as_large > most {
                return None;
            }
        }
    }
    Some(found.before)
}

/// Returns how many permutations a test needs of which `most` may be as large; `None` for a level that no
/// test has.
fn permutations(most: u32, significance: f64) -> Option<u32> {
    let orders = (f64::from(most + 1) / significance - ROUNDING).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is from 1 to a million"
    )]
    (1.0..=1e6).contains(&orders).then(|| orders as u32 - 1)
}

/// Fisher and Yates' shuffle. The bias of the product is below 2^-32 for any series that fits.
fn shuffle(ranks: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..ranks.len()).rev() {
        let bound = last as u128 + 1;
        let chosen = (u128::from(random.next_u64()) * bound) >> 64;
        ranks.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}
