//! The noise floor: the change that launches of one and the same thing show by themselves.

use crate::score::statistics::{FEWEST_LAUNCHES, median};

/// Where a side has fewer than three launches, nobody knows how launches differ here. They are then
/// taken to differ by so much that a change below this is not told.
pub(super) const ASSUMED_WITHOUT_LAUNCHES: f64 = 0.10;

/// How much further a median of launches scatters than their mean: √(π ÷ 2), which holds for many
/// launches and is a little too much for few.
const MEDIAN_OVER_MEAN: f64 = 1.253_314;

/// The 80th percentile of the normal distribution.
const EIGHTY_OF_A_HUNDRED: f64 = 0.841_6;

/// What the launches of two sides tell of how far their medians lie apart by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// As a share: two sides of one thing differ by less in 98 of 100 comparisons. Not 95, because
    /// many rows are compared at once, and because twenty comparisons of a thing with itself should
    /// come out the same without luck.
    pub floor: f64,
    /// The change, as a share, that is above the floor in four of five comparisons.
    pub visible: f64,
}

impl Noise {
    /// Returns the noise of two sides, each as the times of its launches; `None` where there are
    /// too few times to know any.
    ///
    /// With three launches on both sides it is the interval of the difference of two means by
    /// Student's t, over the logarithms of the launches' medians and widened for medians. With
    /// fewer, it is the same over trials, but no less than `ASSUMED_WITHOUT_LAUNCHES`.
    #[must_use]
    pub fn of(base: &[Vec<f64>], new: &[Vec<f64>]) -> Option<Self> {
        let enough = |side: &[Vec<f64>]| side.len() >= FEWEST_LAUNCHES;
        if enough(base) && enough(new) {
            let medians = |side: &[Vec<f64>]| side.iter().map(|launch| median(launch)).collect();
            let base: Option<Vec<f64>> = medians(base);
            let new: Option<Vec<f64>> = medians(new);
            return Self::of_values(&base?, &new?);
        }
        let trials = Self::of_values(&base.concat(), &new.concat())?;
        Some(Self {
            floor: trials.floor.max(ASSUMED_WITHOUT_LAUNCHES),
            visible: trials.visible.max(ASSUMED_WITHOUT_LAUNCHES),
        })
    }

    fn of_values(base: &[f64], new: &[f64]) -> Option<Self> {
        let base = Logarithms::of(base)?;
        let new = Logarithms::of(new)?;
        let freedom = (base.count + new.count - 2.0).max(0.0);
        if freedom < 1.0 {
            return None;
        }
        let variance = (base.squares + new.squares) / freedom;
        let error = MEDIAN_OVER_MEAN * (variance * (1.0 / base.count + 1.0 / new.count)).sqrt();
        let quantile = student(freedom);
        Some(Self {
            floor: (quantile * error).exp_m1(),
            visible: ((quantile + EIGHTY_OF_A_HUNDRED) * error).exp_m1(),
        })
    }
}

/// Logarithms of some times, summed up.
struct Logarithms {
    count: f64,
    /// The sum of their squared distances from their mean.
    squares: f64,
}

impl Logarithms {
    fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() || !values.iter().all(|value| *value > 0.0 && value.is_finite()) {
            return None;
        }
        let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts of trials are small")]
        let count = logarithms.len() as f64;
        let mean = logarithms.iter().sum::<f64>() / count;
        let squares = logarithms.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self { count, squares })
    }
}

/// Returns the 99th percentile of Student's t.
fn student(freedom: f64) -> f64 {
    // From printed tables; beyond them an approximation that is right to two digits.
    const TABLE: [f64; 30] = [
        31.821, 6.965, 4.541, 3.747, 3.365, 3.143, 2.998, 2.896, 2.821, 2.764, 2.718_1, 2.681,
        2.650, 2.624, 2.602, 2.583, 2.567, 2.552, 2.539, 2.528, 2.518, 2.508, 2.500, 2.492, 2.485,
        2.479, 2.473, 2.467, 2.462, 2.457,
    ];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small whole number above zero"
    )]
    let row = freedom as usize;
    match TABLE.get(row.saturating_sub(1)) {
        Some(quantile) => *quantile,
        None => 2.326 + 3.9 / freedom,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_that_differ_raise_the_floor_and_trials_do_not_lower_it() {
        let launches = |trials: usize| -> Vec<Vec<f64>> {
            [1.00, 1.02, 0.98, 1.01, 0.99]
                .iter()
                .map(|level| vec![*level; trials])
                .collect()
        };
        let few = Noise::of(&launches(1), &launches(1)).unwrap();
        assert_eq!(Some(few), Noise::of(&launches(50), &launches(50)));
        // Deviation 1.58 %, t of 8 degrees 2.896, √(2 ÷ 5), and what a median takes more.
        let expected = 2.896 * 0.015_81 * 0.4_f64.sqrt() * 1.2533;
        assert!((few.floor / expected - 1.0).abs() < 0.03, "{few:?}");
        assert!(few.visible > few.floor);
    }

    #[test]
    fn with_one_launch_something_is_assumed() {
        let noise = Noise::of(&[vec![1.0; 6]], &[vec![1.0; 6]]).unwrap();
        assert!((noise.floor - ASSUMED_WITHOUT_LAUNCHES).abs() < 1e-12);
        assert_eq!(Noise::of(&[vec![1.0]], &[vec![1.0]]), None);
        assert_eq!(Noise::of(&[vec![0.0; 6]], &[vec![1.0; 6]]), None);
        assert_eq!(Noise::of(&[], &[]), None);
    }
}
