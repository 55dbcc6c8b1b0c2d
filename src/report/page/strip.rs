//! Distribution strips: every trial of a row as a tick, with the median and its interval.
//!
//! All strips of a page have one scale: the deviation from the row's own median. So a row that varies
//! shows as one, whatever its audio is long.

use super::scale::rounded;
use crate::model::units::show_seconds;
use crate::report::statistics::Spread;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// Half the width of a strip, in pixels; the median lies in the middle.
const HALF: f64 = 60.0;
/// The share of strips that lie within the scale; the ticks of others are drawn at its ends.
const WITHIN: f64 = 0.9;
/// The least and the largest deviation at the ends of the scale.
const LIMITS: (f64, f64) = (0.02, 1.0);

/// The strip of a row. Coordinates are in pixels; a strip is 120 wide and 16 high.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct StripView {
    /// The ticks as the data of an SVG path.
    ticks: String,
    /// Both ends of the interval of the median, if there is one.
    interval: Option<(f64, f64)>,
    /// Whether trials lie beyond the left or the right end.
    beyond: (bool, bool),
    /// The range of the trials as a share of their median.
    spread: f64,
    /// The same in words.
    title: String,
}

/// The scale of all strips of a page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct StripScale {
    /// The deviation from the median at both ends, as a share of it.
    pub(super) limit: f64,
}

impl StripScale {
    /// Returns a scale within which most strips lie.
    pub(super) fn of<'a>(spreads: impl Iterator<Item = &'a Spread>) -> Self {
        let mut largest: Vec<f64> = spreads
            .filter(|spread| spread.median > 0.0)
            .map(|spread| {
                let (low, high) = (spread.minimum, spread.maximum);
                (high / spread.median - 1.0).max(1.0 - low / spread.median)
            })
            .collect();
        largest.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a position in a list"
        )]
        let place = (largest.len() as f64 * WITHIN) as usize;
        let place = place.min(largest.len().saturating_sub(1));
        let limit = largest.get(place).copied().unwrap_or(0.0);
        // Round steps are read more easily.
        let steps = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
        let step = steps.into_iter().find(|step| *step >= limit);
        Self {
            limit: step.unwrap_or(LIMITS.1).clamp(LIMITS.0, LIMITS.1),
        }
    }

    fn place(self, seconds: f64, median: f64) -> f64 {
        let share = (seconds / median - 1.0) / self.limit;
        // Half a pixel is as much as can be seen: more trials than that share their ticks.
        (2.0 * (HALF + share.clamp(-1.0, 1.0) * (HALF - 2.0))).round() / 2.0
    }

    /// Returns the strip of a row; none for a single trial, which has no distribution.
    pub(super) fn strip(self, passes: &[f64], spread: &Spread) -> Option<StripView> {
        if passes.len() < 2 || spread.median <= 0.0 {
            return None;
        }
        let median = spread.median;
        let is_beyond = |seconds: f64| (seconds / median - 1.0).abs() > self.limit + 1e-9;
        let places: BTreeSet<u64> = passes
            .iter()
            .map(|seconds| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "half pixels of a strip"
                )]
                let half_pixels = (2.0 * self.place(*seconds, median)) as u64;
                half_pixels
            })
            .collect();
        let ticks = places
            .iter()
            .map(|place| {
                format!(
                    "M{}{},3v10",
                    place / 2,
                    if place % 2 == 1 { ".5" } else { "" }
                )
            })
            .collect();
        let mut title = format!(
            "{} trials from {} to {}, median {}",
            passes.len(),
            show_seconds(spread.minimum),
            show_seconds(spread.maximum),
            show_seconds(median)
        );
        if let Some((low, high, _)) = spread.interval {
            title.push_str(&format!(
                ", interval {} to {}",
                show_seconds(low),
                show_seconds(high)
            ));
        }
        Some(StripView {
            ticks,
            interval: spread.interval.map(|(low, high, _)| {
                let place = |seconds| rounded(self.place(seconds, median));
                (place(low), place(high))
            }),
            beyond: (
                passes.iter().any(|s| *s < median && is_beyond(*s)),
                passes.iter().any(|s| *s > median && is_beyond(*s)),
            ),
            spread: (spread.maximum - spread.minimum) / median,
            title,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(passes: &[f64]) -> Spread {
        Spread::of(passes).unwrap()
    }

    #[test]
    fn every_trial_is_a_tick_and_what_is_far_lies_at_the_end() {
        let passes = [1.0, 1.01, 0.99, 1.0, 1.3, 1.005];
        let strip = StripScale { limit: 0.05 }
            .strip(&passes, &spread(&passes))
            .unwrap();
        assert_eq!(strip.beyond, (false, true));
        assert!(strip.ticks.contains("M118,3v10"), "{}", strip.ticks);
        // Two of them are the same.
        assert_eq!(strip.ticks.matches('M').count(), 5, "{}", strip.ticks);
        assert!(strip.title.starts_with("6 trials from 990 ms to 1.30 s"));
        let (low, high) = strip.interval.unwrap();
        assert!(low < 60.0 && high > 60.0, "{strip:?}");
    }

    #[test]
    fn one_scale_holds_most_rows() {
        let calm: Vec<Spread> = (0..18).map(|_| spread(&[1.0, 1.03, 0.98])).collect();
        let wild = [spread(&[1.0, 1.0, 9.0])];
        let scale = StripScale::of(calm.iter().chain(&wild));
        assert!((scale.limit - 0.05).abs() < 1e-12, "{scale:?}");
        assert!((StripScale::of([].iter()).limit - 0.02).abs() < 1e-12);
    }

    #[test]
    fn a_thousand_trials_take_no_more_room_than_a_strip_has() {
        let passes: Vec<f64> = (0..5000)
            .map(|n| 1.0 + f64::from(n % 97) / 1000.0)
            .collect();
        let strip = StripScale { limit: 0.1 }
            .strip(&passes, &spread(&passes))
            .unwrap();
        assert!(strip.ticks.len() < 3000, "{}", strip.ticks.len());
        assert_eq!(
            StripScale { limit: 0.1 }.strip(&[1.0], &spread(&[1.0])),
            None
        );
    }
}
