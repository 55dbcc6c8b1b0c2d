//! Summaries of repeated measurements that say how sure they are.
//!
//! Nothing here assumes a distribution: run times are skewed and have outliers, so all intervals
//! come from order statistics. Values that are not finite make a summary `None`, never a number.

use serde::{Deserialize, Serialize};

use super::error_rate::ratio;

/// The coverage that an interval of a median should reach.
pub const WANTED_COVERAGE: f64 = 0.95;

/// The fewest launches for which an interval is given by launch.
pub const FEWEST_LAUNCHES: usize = 3;

/// A modified z-score beyond this marks an outlier (Iglewicz and Hoaglin, 1993).
pub const OUTLIER_SCORE: f64 = 3.5;

/// Returns the values in ascending order, or `None` if there is none or one is not finite.
fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(sorted)
}

/// Returns the value in the middle, or the mean of the two in the middle.
fn middle(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// Returns the median, in the unit of the values; `None` without values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    middle(&sorted(values)?)
}

/// Returns the smallest and the largest value; `None` without values.
#[must_use]
pub fn range(values: &[f64]) -> Option<(f64, f64)> {
    let sorted = sorted(values)?;
    Some((*sorted.first()?, *sorted.last()?))
}

/// Returns the p-th percentile by nearest rank: the ⌈p·n/100⌉-th smallest value.
///
/// `percent` is a whole number from 1 to 100. The extreme percentiles of few values are only the
/// largest value under another name, so the result is `None` below n = 20 for the 91st to the
/// 95th and below n = 100 from the 96th on.
#[must_use]
pub fn percentile(values: &[f64], percent: u8) -> Option<f64> {
    let fewest = match percent {
        1..=90 => 1,
        91..=95 => 20,
        96..=100 => 100,
        _ => return None,
    };
    if values.len() < fewest {
        return None;
    }
    let rank = (usize::from(percent) * values.len()).div_ceil(100);
    sorted(values)?.get(rank - 1).copied()
}

/// An interval for a median.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MedianInterval {
    /// The lower end, one of the values.
    pub low: f64,
    /// The upper end, one of the values.
    pub high: f64,
    /// The probability with which such an interval covers the true median, if the values are
    /// independent: a property of the number of values alone.
    pub coverage: f64,
}

impl MedianInterval {
    /// Returns the interval, widened to hold the number that it is shown beside.
    ///
    /// A median over all trials need not lie in an interval over the medians of launches: each is an
    /// answer to a question of its own. A reader sees a number and how sure it is, so one holds the
    /// other. An interval that is wider covers at least as much, so the coverage stays what it is.
    #[must_use]
    pub fn holding(self, point: f64) -> Self {
        Self {
            low: self.low.min(point),
            high: self.high.max(point),
            ..self
        }
    }
}

/// Returns the narrowest interval between two order statistics at equal distance from either end
/// that covers the median with at least 95 %.
///
/// With the r-th smallest and the r-th largest of n values the coverage is 1 − 2·P(B < r), where
/// B is binomial with n trials of probability ½. Below n = 6 even the smallest and the largest
/// value do not reach 95 % (93.75 % for n = 5), and the result is `None`.
#[must_use]
pub fn median_interval(values: &[f64]) -> Option<MedianInterval> {
    let sorted = sorted(values)?;
    let (rank, coverage) = narrowest_rank(sorted.len())?;
    interval_at(&sorted, rank, coverage)
}

fn interval_at(sorted: &[f64], rank: usize, coverage: f64) -> Option<MedianInterval> {
    let low = *sorted.get(rank - 1)?;
    let high = *sorted.get(sorted.len() - rank)?;
    Some(MedianInterval {
        low,
        high,
        coverage,
    })
}

/// Returns the largest rank, from 1, whose interval reaches the wanted coverage, and the coverage.
fn narrowest_rank(count: usize) -> Option<(usize, f64)> {
    let mut found = None;
    for (rank, outside) in (1..=count / 2).zip(binomial_tails(count)) {
        let coverage = 1.0 - 2.0 * outside;
        if coverage < WANTED_COVERAGE {
            break;
        }
        found = Some((rank, coverage));
    }
    found
}

/// Returns P(B ≤ k) for k = 0, 1, …, where B counts heads in `count` throws of a fair coin.
fn binomial_tails(count: usize) -> impl Iterator<Item = f64> {
    // Logarithms, because 2^−n is zero as a floating-point number from n = 1075 on.
    let count = count as u64;
    let first = -ratio(count, 1) * std::f64::consts::LN_2;
    let logarithms = (0..count).scan(first, move |logarithm, successes| {
        let current = *logarithm;
        *logarithm += ratio(count - successes, successes + 1).ln();
        Some(current)
    });
    logarithms.scan(0.0, |sum, logarithm| {
        *sum += logarithm.exp();
        Some(*sum)
    })
}

/// A median and its interval where the values come in launches of a process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LaunchSummary {
    /// How many launches there are.
    pub launches: usize,
    /// The median of the medians of the launches. Each launch weighs the same, however many
    /// trials it had.
    pub median: f64,
    /// The interval for it; its coverage may be below 95 %.
    pub interval: MedianInterval,
}

/// Returns the median over launches and its interval, with launches as clusters; `None` with fewer
/// than three launches, or if one of them has no values.
///
/// Trials of one launch share a memory layout, a heap and a state of the machine. They vary less
/// among each other than launches do, and an interval over all trials as if they were independent
/// is too narrow. So each launch is reduced to its median first, and the launch medians are the
/// independent values. The interval is for the median of the launch medians that this machine
/// would give over many launches.
///
/// From six launches on it is the interval of [`median_interval`] over the launch medians, with at
/// least 95 %. With three to five launches no interval of order statistics reaches 95 %, so it
/// goes from the smallest to the largest launch median and states what that covers: 1 − 2^(1−k)
/// for k launches, which is 75 % for three, 87.5 % for four and 93.75 % for five. More trials in a
/// launch do not raise it; more launches do.
#[must_use]
pub fn by_launch<L: AsRef<[f64]>>(launches: &[L]) -> Option<LaunchSummary> {
    if launches.len() < FEWEST_LAUNCHES {
        return None;
    }
    let medians: Option<Vec<f64>> = launches
        .iter()
        .map(|launch| median(launch.as_ref()))
        .collect();
    let medians = sorted(&medians?)?;
    let (rank, coverage) = narrowest_rank(medians.len()).or_else(|| {
        binomial_tails(medians.len())
            .next()
            .map(|outside| (1, 1.0 - 2.0 * outside))
    })?;
    Some(LaunchSummary {
        launches: medians.len(),
        median: middle(&medians)?,
        interval: interval_at(&medians, rank, coverage)?,
    })
}

/// Returns for each value whether it is an outlier. Outliers are flagged and never dropped.
///
/// A value is one if its modified z-score, 0.6745 · (value − median) ÷ MAD, is beyond ±3.5, where
/// MAD is the median of the absolute deviations from the median (Iglewicz and Hoaglin, 1993). If
/// more than half of the values are equal the MAD is zero; then the mean absolute deviation takes
/// its place with the factor 0.7979 that makes it comparable. With fewer than three values, or
/// with one that is not finite, nothing is flagged.
#[must_use]
pub fn outliers(values: &[f64]) -> Vec<bool> {
    let none = || vec![false; values.len()];
    let Some(center) = median(values).filter(|_| values.len() >= 3) else {
        return none();
    };
    let deviations: Vec<f64> = values.iter().map(|value| (value - center).abs()).collect();
    let median_deviation = median(&deviations).unwrap_or_default();
    let mean_deviation = deviations.iter().sum::<f64>() / ratio(values.len() as u64, 1);
    // What a normal distribution of standard deviation 1 has as median and as mean deviation.
    let spread = if median_deviation > 0.0 {
        median_deviation / 0.6745
    } else if mean_deviation > 0.0 {
        mean_deviation / 0.7979
    } else {
        return none();
    };
    deviations
        .iter()
        .map(|deviation| deviation / spread > OUTLIER_SCORE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(count: u32) -> Vec<f64> {
        (1..=count).rev().map(f64::from).collect()
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, f64::NAN]), None);
        assert_eq!(range(&[3.0, 1.0, 2.0]), Some((1.0, 3.0)));
    }

    #[test]
    fn percentiles_need_enough_values() {
        assert_eq!(percentile(&up_to(19), 95), None);
        assert_eq!(percentile(&up_to(20), 95), Some(19.0));
        assert_eq!(percentile(&up_to(99), 99), None);
        assert_eq!(percentile(&up_to(100), 99), Some(99.0));
        assert_eq!(percentile(&up_to(5), 50), Some(3.0));
        assert_eq!(percentile(&up_to(5), 0), None);
    }

    #[test]
    fn five_values_have_no_interval_and_six_have() {
        assert_eq!(median_interval(&up_to(5)), None);
        let interval = median_interval(&up_to(6)).unwrap();
        assert_eq!((interval.low, interval.high), (1.0, 6.0));
        assert!((interval.coverage - 0.968_75).abs() < 1e-12);
    }

    /// Ranks and coverages as tables of nonparametric intervals print them.
    #[test]
    fn intervals_narrow_with_more_values() {
        for (count, rank, coverage) in [
            (8, 1, 0.9922),
            (9, 2, 0.9609),
            (15, 4, 0.9648),
            (20, 6, 0.9586),
            (50, 18, 0.9672),
        ] {
            let interval = median_interval(&up_to(count)).unwrap();
            let ends = (interval.low, interval.high);
            assert_eq!(
                ends,
                (f64::from(rank), f64::from(count + 1 - rank)),
                "for n = {count}"
            );
            assert!(
                (interval.coverage - coverage).abs() < 5e-5,
                "for n = {count}"
            );
        }
    }

    #[test]
    fn thousands_of_values_do_not_underflow() {
        let interval = median_interval(&up_to(10_000)).unwrap();
        assert!(
            (0.95..0.9525).contains(&interval.coverage),
            "{}",
            interval.coverage
        );
        // Normal approximation: n/2 ± 1.96 · √n/2.
        assert!((interval.low - 4902.0).abs() < 2.0, "{}", interval.low);
    }

    #[test]
    fn launches_count_and_not_trials() {
        let launches = [vec![1.0, 1.1, 9.0], vec![2.0; 100], vec![3.0]];
        let summary = by_launch(&launches).unwrap();
        let interval = summary.interval;
        assert_eq!(
            (interval.low, summary.median, interval.high),
            (1.1, 2.0, 3.0)
        );
        assert!((summary.interval.coverage - 0.75).abs() < 1e-12);
        assert_eq!(by_launch(&launches[..2]), None);
        assert_eq!(by_launch(&[vec![1.0], vec![], vec![2.0]]), None);
    }

    #[test]
    fn coverage_of_few_launches_is_stated() {
        for (count, coverage) in [(4, 0.875), (5, 0.9375), (6, 0.968_75), (9, 0.9609)] {
            let launches: Vec<_> = up_to(count).into_iter().map(|value| [value]).collect();
            let summary = by_launch(&launches).unwrap();
            assert!(
                (summary.interval.coverage - coverage).abs() < 5e-5,
                "for {count} launches"
            );
        }
    }

    #[test]
    fn outliers_are_flagged() {
        assert_eq!(
            outliers(&[1.0, 1.1, 0.9, 1.0, 5.0]),
            [false, false, false, false, true]
        );
        assert_eq!(outliers(&[2.0, 2.0, 2.0]), [false; 3]);
        assert_eq!(outliers(&[1.0, 100.0]), [false; 2]);
        let mut same = vec![2.0; 9];
        same.push(2.5);
        assert_eq!(outliers(&same).iter().filter(|flag| **flag).count(), 1);
    }
}
