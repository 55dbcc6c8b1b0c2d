//! Intervals by resampling, for what order statistics do not reach: ratios and error rates.
//!
//! What was measured stands for the population that it was drawn from: it is drawn from again, with
//! replacement, many times, and the middle 95 % of what comes out is the interval (Efron's percentile
//! interval). Every resample has a stream of its own of one seeded generator, so the result is the
//! same on every machine and with any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error_rate::EditCounts;
use super::statistics::{FEWEST_LAUNCHES, WANTED_COVERAGE, median};

/// The fewest utterances of which an error rate gets an interval, and the fewest trials of which a
/// median does where there are fewer than three launches: with less, a resample is hardly ever
/// anything but a few values in another order.
pub const FEWEST_VALUES: usize = 6;

/// How often is drawn again, and from which random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resampling {
    /// How many resamples. With 10,000 the ends of an interval move by about a fiftieth of its width
    /// from seed to seed.
    pub resamples: u32,
    /// The seed of the generator (`ChaCha8`).
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self {
            resamples: 10_000,
            seed: 1,
        }
    }
}

/// A number computed from measurements, and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number, of the measurements as they are.
    pub value: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Returns the ratio of two medians, new ÷ base, of values that come in launches of a process.
///
/// Where a side has three launches or more, launches are drawn, and then trials within each that was
/// drawn: trials of one launch are no independent values. Where it has fewer, its trials are drawn as
/// if they were independent, and the interval says nothing of how launches differ; whoever shows it
/// has to say so. `None` if a side has fewer than three launches and fewer than
/// [`FEWEST_VALUES`] trials, or a value that is not finite and above zero.
#[must_use]
pub fn ratio_of_medians<L: AsRef<[f64]>>(
    base: &[L],
    new: &[L],
    resampling: Resampling,
) -> Option<Estimate> {
    let (base, new) = (Side::of(base)?, Side::of(new)?);
    let value = median(&new.values())? / median(&base.values())?;
    let (low, high) = interval(resampling, Vec::new, |drawn: &mut Vec<f64>, random| {
        base.draw_median(drawn, random).map_or(f64::NAN, |base| {
            new.draw_median(drawn, random).unwrap_or(f64::NAN) / base
        })
    })?;
    Some(Estimate { value, low, high })
}

/// Returns the word error rate of a set, Σ errors ÷ Σ reference words, with an interval over its
/// utterances: what other utterances of the same kind would give. `None` below [`FEWEST_VALUES`]
/// utterances.
#[must_use]
pub fn word_error_rate(utterances: &[EditCounts], resampling: Resampling) -> Option<Estimate> {
    let (low, high) = of_utterances(utterances.len(), resampling, |position| {
        [utterances.get(position), None]
    })?;
    let value = sum(utterances).word_error_rate();
    Some(Estimate { value, low, high })
}

/// Returns the difference of two word error rates on the same utterances, new − base, by a paired
/// bootstrap: an utterance that is drawn counts on both sides, so what makes an utterance hard for
/// both does not widen the interval. In each resample it is the difference of two quotients of sums.
/// `None` below [`FEWEST_VALUES`] utterances, or if the two are not of the same number of them.
#[must_use]
pub fn word_error_rate_difference(
    base: &[EditCounts],
    new: &[EditCounts],
    resampling: Resampling,
) -> Option<Estimate> {
    if base.len() != new.len() {
        return None;
    }
    let (low, high) = of_utterances(base.len(), resampling, |position| {
        [new.get(position), base.get(position)]
    })?;
    let value = sum(new).word_error_rate() - sum(base).word_error_rate();
    Some(Estimate { value, low, high })
}

/// The interval of the word error rate of what `at` returns first, less that of what it returns
/// second, over utterances that are drawn by position.
fn of_utterances<'counts>(
    utterances: usize,
    resampling: Resampling,
    at: impl Fn(usize) -> [Option<&'counts EditCounts>; 2] + Sync,
) -> Option<(f64, f64)> {
    if utterances < FEWEST_VALUES {
        return None;
    }
    interval(
        resampling,
        || (),
        |(), random| {
            let mut sums = [(0_u64, 0_u64); 2];
            for _ in 0..utterances {
                for (sum, counts) in sums.iter_mut().zip(at(below(utterances, random))) {
                    if let Some(counts) = counts {
                        sum.0 += counts.errors();
                        sum.1 += counts.reference_words();
                    }
                }
            }
            let [one, other] = sums.map(|(errors, words)| rate(errors, words));
            one - other
        },
    )
}

fn sum(utterances: &[EditCounts]) -> EditCounts {
    utterances
        .iter()
        .fold(EditCounts::default(), |mut sum, counts| {
            sum += *counts;
            sum
        })
}

/// As [`EditCounts::word_error_rate`]: without a reference word, the errors themselves.
fn rate(errors: u64, words: u64) -> f64 {
    super::error_rate::ratio(errors, words.max(1))
}

/// What is drawn from on one side of a ratio.
enum Side<'values> {
    /// Launches, and then trials within them.
    Launches(Vec<&'values [f64]>),
    /// Trials of too few launches.
    Trials(Vec<f64>),
}

impl<'values> Side<'values> {
    fn of<L: AsRef<[f64]>>(launches: &'values [L]) -> Option<Self> {
        let launches: Vec<&[f64]> = launches
            .iter()
            .map(AsRef::as_ref)
            .filter(|launch| !launch.is_empty())
            .collect();
        let is_time = |value: &f64| value.is_finite() && *value > 0.0;
        if !launches.iter().copied().flatten().all(is_time) {
            return None;
        }
        if launches.len() >= FEWEST_LAUNCHES {
            return Some(Self::Launches(launches));
        }
        let trials = launches.concat();
        (trials.len() >= FEWEST_VALUES).then_some(Self::Trials(trials))
    }

    fn values(&self) -> Vec<f64> {
        match self {
            Self::Launches(launches) => launches.concat(),
            Self::Trials(trials) => trials.clone(),
        }
    }

    /// Draws a resample into `drawn` and returns its median.
    fn draw_median(&self, drawn: &mut Vec<f64>, random: &mut ChaCha8Rng) -> Option<f64> {
        drawn.clear();
        match self {
            Self::Trials(trials) => draw(trials, drawn, random),
            Self::Launches(launches) => {
                for _ in launches {
                    draw(launches[below(launches.len(), random)], drawn, random);
                }
            }
        }
        let upper = drawn.len() / 2;
        let is_even = drawn.len().is_multiple_of(2);
        let (below, middle, _) = drawn.select_nth_unstable_by(upper, f64::total_cmp);
        if !is_even {
            return Some(*middle);
        }
        let lower = below.iter().copied().max_by(f64::total_cmp)?;
        Some(f64::midpoint(lower, *middle))
    }
}

fn draw(values: &[f64], drawn: &mut Vec<f64>, random: &mut ChaCha8Rng) {
    drawn.extend((0..values.len()).map(|_| values[below(values.len(), random)]));
}

/// Returns a random number below a bound. For a million values the bias is below 0.03 %.
fn below(bound: usize, random: &mut ChaCha8Rng) -> usize {
    let product = u128::from(random.next_u32()) * bound as u128;
    // The quotient is below the bound.
    usize::try_from(product >> 32).unwrap_or(0)
}

/// Returns the ends of the middle 95 % of what some resamples give, `None` if one of them gives no
/// number or there are none. `scratch` makes what a thread keeps between resamples.
fn interval<S: Send>(
    resampling: Resampling,
    scratch: impl Fn() -> S + Sync + Send,
    estimate: impl Fn(&mut S, &mut ChaCha8Rng) -> f64 + Sync + Send,
) -> Option<(f64, f64)> {
    let seeded = ChaCha8Rng::seed_from_u64(resampling.seed);
    let mut estimates: Vec<f64> = (0..resampling.resamples)
        .into_par_iter()
        .map_init(scratch, |scratch, resample| {
            let mut random = seeded.clone();
            random.set_stream(resample.into());
            estimate(scratch, &mut random)
        })
        .collect();
    if estimates.iter().any(|estimate| !estimate.is_finite()) {
        return None;
    }
    estimates.sort_unstable_by(f64::total_cmp);
    let outside = f64::from(resampling.resamples) * (1.0 - WANTED_COVERAGE) / 2.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fortieth of a number of resamples"
    )]
    let outside = outside as usize;
    let low = *estimates.get(outside)?;
    let high = *estimates.get(estimates.len() - 1 - outside)?;
    Some((low, high))
}

#[cfg(test)]
#[path = "bootstrap_tests.rs"]
mod tests;
