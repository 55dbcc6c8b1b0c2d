//! The spread of measured values, as a row shows it.

use crate::score::statistics::{by_launch, median, median_interval, percentile, range};

/// The spread of some measured values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The median.
    pub median: f64,
    /// The least.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
    /// The 95th percentile by nearest rank; none below twenty values.
    pub p95: Option<f64>,
    /// The 99th percentile by nearest rank; none below a hundred values.
    pub p99: Option<f64>,
    /// An interval of the median by order statistics with the coverage it reaches, and the median in
    /// it; none below six values, where even the whole range covers less than 95 %.
    pub interval: Option<(f64, f64, f64)>,
}

impl Spread {
    /// Returns the spread of some values; `None` without any.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let (first, last) = range(values)?;
        let median = median(values)?;
        Some(Self {
            count: values.len(),
            median,
            minimum: first,
            maximum: last,
            p95: percentile(values, 95),
            p99: percentile(values, 99),
            interval: median_interval(values)
                .map(|interval| (interval.low, interval.high, interval.coverage)),
        })
    }

    /// Returns the spread of values that come in launches of a process. From three launches on the
    /// interval takes launches as the independent values, because trials of one launch are not. The
    /// median is of all trials, as everybody can compute it again, and the interval is widened to
    /// hold it.
    #[must_use]
    pub fn of_launches(launches: &[Vec<f64>]) -> Option<Self> {
        let mut spread = Self::of(&launches.concat())?;
        if let Some(summary) = by_launch(launches) {
            let interval = summary.interval.holding(spread.median);
            spread.interval = Some((interval.low, interval.high, interval.coverage));
        }
        Some(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_values_give_their_range_and_five_give_nothing() {
        let spread = Spread::of(&[3.0, 1.0, 2.0, 6.0, 5.0, 4.0]).unwrap();
        assert!((spread.median - 3.5).abs() < 1e-12);
        let (low, high, coverage) = spread.interval.unwrap();
        assert_eq!((low, high), (1.0, 6.0));
        assert!((coverage - 0.968_75).abs() < 1e-12);
        assert_eq!(
            Spread::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap().interval,
            None
        );
    }

    #[test]
    fn extreme_percentiles_need_enough_values() {
        let up_to = |count: u32| -> Vec<f64> { (1..=count).map(f64::from).collect() };
        let of = |count| {
            let spread = Spread::of(&up_to(count)).unwrap();
            (spread.p95, spread.p99)
        };
        assert_eq!(of(19), (None, None));
        assert_eq!(of(20), (Some(19.0), None));
        assert_eq!(of(100), (Some(95.0), Some(99.0)));
    }

    #[test]
    fn launches_are_the_independent_values_where_there_are_three() {
        let launches = [
            vec![1.0, 1.1, 1.2],
            vec![2.0, 2.1, 2.2],
            vec![3.0, 3.1, 3.2],
        ];
        let spread = Spread::of_launches(&launches).unwrap();
        assert_eq!(spread.count, 9);
        let (low, high, coverage) = spread.interval.unwrap();
        assert_eq!((low, high), (1.1, 3.1));
        assert!((coverage - 0.75).abs() < 1e-12);
        let two = Spread::of_launches(&launches[..2]).unwrap();
        assert_eq!(
            two.interval,
            Spread::of(&launches[..2].concat()).unwrap().interval
        );
    }

    /// A launch with most of the trials has most of the median, and one voice in the interval.
    #[test]
    fn the_median_lies_in_its_interval_however_trials_fall_on_launches() {
        let launches = [
            vec![9.0; 40],
            vec![4.0],
            vec![4.1],
            vec![4.2],
            vec![4.3],
            vec![4.4],
            vec![4.5],
            vec![4.6],
            vec![4.7],
        ];
        let spread = Spread::of_launches(&launches).unwrap();
        let narrow = by_launch(&launches).unwrap().interval;
        assert!(narrow.high < spread.median, "{narrow:?} tries nothing");
        let (low, high, coverage) = spread.interval.unwrap();
        assert!((spread.median - 9.0).abs() < 1e-12);
        assert_eq!((low, high), (4.1, 9.0));
        assert!(coverage > 0.95);
    }

    #[test]
    fn more_values_narrow_it() {
        // For n = 9 the second and the eighth value cover 96.1 %.
        let values: Vec<f64> = (1..=9).map(f64::from).collect();
        let (low, high, coverage) = Spread::of(&values).unwrap().interval.unwrap();
        assert_eq!((low, high), (2.0, 8.0));
        assert!((coverage - 0.960_937_5).abs() < 1e-9);
    }
}
