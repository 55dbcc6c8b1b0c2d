//! When a benchmark has been measured often enough.
//!
//! The rule, for `repeat: {min, max, until}` and `launches`:
//!
//! 1. A **set** is `launches` processes with ⌈min ÷ launches⌉ trials each. Sets are done in whole
//!    rounds over all rows that still go on, so no row gets ahead of the others, and what a look sees
//!    is complete. The schedule of looks is fixed by the spec: one after each set, none between.
//! 2. A look takes the **widest interval that there is reason to believe**. From six launches on it is
//!    that over the launches' medians, which covers 95 % at least. With fewer, no interval over
//!    launches reaches 95 %; it is then the one over all trials, stretched until it holds every
//!    launch's median, so that launches that differ keep a row going. It is never narrower than what
//!    the row shows.
//! 3. The row stops if half of that interval is at most `until` of the median; else if a further set
//!    would take it past `max`; else it goes on. The first look is at `min` trials or more.
//!
//! **Looking again has a price.** Each look covers the true median with 95 % at least, if launches are
//! alike; a row that stops at the first narrow interval out of several is chosen for being narrow, and
//! covers less often. In simulations (normal and skewed times, up to five looks) it was 94 to 98 % over
//! all rows, 90 % with skewed times in launches of two trials, and 88 to 92 % of the rows that stopped
//! early although many of their kind went on. With fewer than six launches in a set, differences between
//! processes are hardly held: launches that happen to agree end a row. `launches: 6` buys that. So a row says that it stopped, at which look, and of how many.
//! The looks stand in the journal, and [`judge`] gives the same for the same trials.

use super::statistics::{FEWEST_LAUNCHES, WANTED_COVERAGE, by_launch, median, median_interval};
use crate::model::{Adaptive, RepeatDecision, RepeatLook};
use std::collections::BTreeMap;

/// Returns the seconds of whole passes over the recordings, launch by launch, from trials as (launch,
/// trial, seconds), one for each recording.
#[must_use]
pub fn passes(trials: impl IntoIterator<Item = (u32, u32, f64)>) -> Vec<Vec<f64>> {
    let mut passes: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for (launch, trial, seconds) in trials {
        *passes.entry((launch, trial)).or_default() += seconds;
    }
    let mut launches: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for ((launch, _), seconds) in passes {
        launches.entry(launch).or_default().push(seconds);
    }
    launches.into_values().collect()
}

/// Looks at what was measured of a benchmark after a set of launches: seconds of whole passes, launch
/// by launch. `set` is how many launches a set has.
#[must_use]
pub fn judge(adaptive: &Adaptive, set: u32, launches: &[Vec<f64>]) -> RepeatLook {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let trials = count(launches.iter().map(Vec::len).sum());
    let half_width_percent = half_width(launches).map(|share| share * 100.0);
    let is_narrow = half_width_percent.is_some_and(|percent| percent <= adaptive.until_percent);
    let in_set = set.saturating_mul(adaptive.trials_in_launch(set));
    RepeatLook {
        launches: count(launches.len()),
        trials,
        half_width_percent,
        decision: if is_narrow && trials >= adaptive.min {
            RepeatDecision::NarrowEnough
        } else if trials.saturating_add(in_set) > adaptive.max {
            RepeatDecision::MaximumReached
        } else {
            RepeatDecision::GoOn
        },
    }
}

/// Returns half of the interval by which it is decided, as a share of the median; `None` if there is
/// no interval, or no time was measured.
fn half_width(launches: &[Vec<f64>]) -> Option<f64> {
    let all = launches.concat();
    let center = median(&all).filter(|center| *center > 0.0)?;
    let (low, high) = interval(launches, &all)?;
    Some((high - low) / 2.0 / center)
}

/// Returns the interval by which it is decided.
fn interval(launches: &[Vec<f64>], all: &[f64]) -> Option<(f64, f64)> {
    let center = median(all)?;
    let clusters = by_launch(launches).map(|summary| summary.interval.holding(center));
    if let Some(interval) = clusters.filter(|interval| interval.coverage >= WANTED_COVERAGE) {
        return Some((interval.low, interval.high));
    }
    let over_trials = median_interval(all)?;
    let medians: Option<Vec<f64>> = launches.iter().map(|launch| median(launch)).collect();
    // With three launches or more the interval that a row shows goes from the least to the largest of
    // their medians.
    debug_assert!(clusters.is_none() || launches.len() >= FEWEST_LAUNCHES);
    Some(medians?.into_iter().fold(
        (over_trials.low, over_trials.high),
        |(low, high), median| (low.min(median), high.max(median)),
    ))
}

#[cfg(test)]
#[path = "repetition_tests.rs"]
mod tests;
