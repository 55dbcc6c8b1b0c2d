//! Median and its interval by order statistics.

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
    /// An interval of the median by order statistics with the coverage it reaches; none below six
    /// values, where even the whole range covers less than 95 %.
    pub interval: Option<(f64, f64, f64)>,
}

impl Spread {
    /// Returns the spread of some values; `None` without any.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self {
            count: sorted.len(),
            median,
            minimum: first,
            maximum: last,
            interval: interval(&sorted),
        })
    }
}

/// The narrowest symmetric pair of order statistics that holds the median of the population with
/// at least 95 %: the number of values below it is binomial with p = 1/2.
fn interval(sorted: &[f64]) -> Option<(f64, f64, f64)> {
    let count = sorted.len();
    if count < 6 {
        return None;
    }
    let exponent = i32::try_from(count).ok()?;
    // The probability that fewer than `below` of the values lie under the median.
    let mut tail = 0.5f64.powi(exponent);
    let mut term = tail;
    let mut best = None;
    for below in 1..=count / 2 {
        let coverage = 1.0 - 2.0 * tail;
        if coverage < 0.95 {
            break;
        }
        best = Some((sorted[below - 1], sorted[count - below], coverage));
        #[expect(clippy::cast_precision_loss, reason = "counts of trials are small")]
        let ratio = (count - below + 1) as f64 / below as f64;
        term *= ratio;
        tail += term;
    }
    best
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
    fn more_values_narrow_it() {
        // For n = 9 the second and the eighth value cover 96.1 %.
        let values: Vec<f64> = (1..=9).map(f64::from).collect();
        let (low, high, coverage) = Spread::of(&values).unwrap().interval.unwrap();
        assert_eq!((low, high), (2.0, 8.0));
        assert!((coverage - 0.960_937_5).abs() < 1e-9);
    }
}
