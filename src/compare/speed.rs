//! Whether one of two sides is faster.
//!
//! # The rule
//!
//! The number is the ratio of the medians of all passes, new ÷ base, with the bootstrap interval of
//! [`ratio_of_medians`]. Beside it stands the noise floor ([`Noise`]): how far two sides of one
//! thing lie apart by chance, judged by how launches differ. Let δ be the smallest change that
//! matters: 5 % unless it is set, and never less than a millisecond. The **resolution** is the
//! larger of δ and the noise floor: what these two runs cannot tell apart, or nobody wants to.
//!
//! - A change of more than the resolution is **better** or **worse** if the interval excludes 1.
//!   Both are asked for because with three launches a side an interval by resampling excludes 1 in a
//!   tenth of all comparisons of a thing with itself: six launches fall into two halves by chance
//!   that often. If the interval includes 1, the comparison spans no change and one above the
//!   resolution alike, and is **inconclusive**.
//! - A change of no more than the resolution is the **same, to within** it. The resolution stands
//!   beside the word wherever it is shown, because *same, to within 38 %* says that no change above
//!   38 % was seen, and nothing of one of 20 %.
//! - Where noise makes the resolution coarser than a factor of two, nothing is the same: a reader of
//!   that word would not take it for a change of several times. It is **inconclusive**, and the
//!   reason says how large a change could not have been told.
//! - Where a side has fewer than three launches nobody knows how launches differ, and a noise floor
//!   of 10 % is assumed. An assumption resolves nothing: a change of more than δ within it is
//!   **inconclusive**, and so is any change of too few trials for an interval.
//!
//! Swapping the sides turns better into worse and changes nothing else.
//!
//! What this gives for a thing compared with itself (`tests/compare/simulated.rs`): the same in at
//! least 95 of 100 comparisons, with three launches a side where they differ by standard deviations of
//! 1 to 10 %, with six up to 20 %; and better or worse in at most 2, however much they differ. More
//! noise makes the resolution coarser, then comparisons inconclusive, and verdicts not wrong.
//!
//! What no interval holds is how a machine differs from one hour to the next: two runs are two
//! moments.

use super::noise::{ASSUMED_WITHOUT_LAUNCHES, Noise};
use super::rules::{Rules, Verdict};
use crate::model::units::show_seconds;
use crate::score::bootstrap::ratio_of_medians;
use crate::score::statistics::{FEWEST_LAUNCHES, median};
use schemars::JsonSchema;
use serde::Serialize;

/// The noise floor where nothing is known, as of a single trial: as if a time could be any from its
/// half to its double.
pub(super) const FLOOR_OF_NOTHING: f64 = 1.0;

/// The coarsest noise within which something is still called the same: a factor of two.
const COARSEST_SAME: f64 = 1.0;

/// The times of two sides, held against each other.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Speed {
    /// Whether new is faster (better).
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// Median seconds of a whole pass over the recordings, of base.
    pub base_seconds: Option<f64>,
    /// The same of new.
    pub new_seconds: Option<f64>,
    /// New ÷ base; above 1 is slower.
    pub ratio: Option<f64>,
    /// The lower end of its interval.
    pub ratio_low: Option<f64>,
    /// The upper end.
    pub ratio_high: Option<f64>,
    /// Two sides of one thing differ by less in 98 of 100 comparisons, as a share. Zero for the very
    /// same measurements.
    pub noise_floor: Option<f64>,
    /// The smallest change that this comparison can tell, as a share: the larger of the noise floor
    /// and the smallest change that matters. A verdict of *same* holds to within it. None where
    /// nothing can be told.
    pub resolution: Option<f64>,
    /// Launches of base.
    pub base_launches: usize,
    /// Launches of new.
    pub new_launches: usize,
    /// Passes of base.
    pub base_trials: usize,
    /// Passes of new.
    pub new_trials: usize,
}

impl Speed {
    /// Returns a comparison that there is not.
    #[must_use]
    pub fn none(reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::NoData,
            reason: reason.into(),
            base_seconds: None,
            new_seconds: None,
            ratio: None,
            ratio_low: None,
            ratio_high: None,
            noise_floor: None,
            resolution: None,
            base_launches: 0,
            new_launches: 0,
            base_trials: 0,
            new_trials: 0,
        }
    }
}

/// Holds the times of whole passes, launch by launch, against each other.
#[must_use]
pub fn compare_speed(base: &[Vec<f64>], new: &[Vec<f64>], rules: &Rules) -> Speed {
    let (all_base, all_new) = (base.concat(), new.concat());
    let counted = Speed {
        base_launches: base.len(),
        new_launches: new.len(),
        base_trials: all_base.len(),
        new_trials: all_new.len(),
        ..Speed::none("no time was measured on one of the sides")
    };
    let (Some(base_seconds), Some(new_seconds)) = (median(&all_base), median(&all_new)) else {
        return counted;
    };
    let timed = Speed {
        base_seconds: Some(base_seconds),
        new_seconds: Some(new_seconds),
        ..counted
    };
    let shortest = base_seconds.min(new_seconds);
    if shortest <= 0.0 {
        return Speed {
            reason: "a time of zero has no ratio".into(),
            ..timed
        };
    }
    let ratio = new_seconds / base_seconds;
    if base == new {
        // A run held against itself, or a copy of it: nothing was drawn twice, so nothing is unsure.
        return Speed {
            verdict: Verdict::Same,
            reason: "the very same measurements".into(),
            ratio: Some(ratio),
            noise_floor: Some(0.0),
            resolution: Some(0.0),
            ..timed
        };
    }
    // Always from the faster side to the slower, so that swapping the sides draws the same samples
    // and turns the verdict around exactly.
    let is_slower = (new_seconds, &all_new) >= (base_seconds, &all_base);
    let (faster, slower) = if is_slower { (base, new) } else { (new, base) };
    let interval = ratio_of_medians(faster, slower, rules.resampling());
    let noise = Noise::of(faster, slower);
    let matters = rules
        .minimum_effect
        .max(rules.minimum_effect_seconds / shortest);
    let floor = noise.map_or(FLOOR_OF_NOTHING, |noise| noise.floor);
    let evidence = Evidence {
        change: base_seconds.max(new_seconds) / shortest - 1.0,
        slower: is_slower,
        matters,
        absolute: matters > rules.minimum_effect,
        floor,
        floor_is_known: noise.is_some(),
        has_interval: interval.is_some(),
        excludes_no_change: interval.is_some_and(|found| found.low > 1.0),
        few_launches: base.len().min(new.len()) < FEWEST_LAUNCHES,
    };
    let verdict = evidence.verdict();
    let ends = interval.map(|found| {
        if is_slower {
            (found.low, found.high)
        } else {
            (1.0 / found.high, 1.0 / found.low)
        }
    });
    Speed {
        verdict,
        reason: evidence.words(verdict, rules),
        ratio: Some(ratio),
        ratio_low: ends.map(|(low, _)| low),
        ratio_high: ends.map(|(_, high)| high),
        noise_floor: noise.map(|noise| noise.floor),
        resolution: (evidence.is_enough()).then(|| evidence.resolution()),
        ..timed
    }
}

/// What a verdict rests on.
#[expect(clippy::struct_excessive_bools, reason = "each is another reason")]
struct Evidence {
    /// How much longer the slower side takes, as a share.
    change: f64,
    /// New is the slower side.
    slower: bool,
    /// The smallest change that matters.
    matters: f64,
    /// The time is so short that not the share but the seconds decide what matters.
    absolute: bool,
    floor: f64,
    floor_is_known: bool,
    has_interval: bool,
    /// The interval holds nothing but changes in the direction of this one.
    excludes_no_change: bool,
    few_launches: bool,
}

impl Evidence {
    fn resolution(&self) -> f64 {
        self.matters.max(self.floor)
    }

    /// Whether the noise could hide a change by more than a factor of two, and one that matters.
    fn is_blind(&self) -> bool {
        self.floor > COARSEST_SAME.max(self.matters)
    }

    /// Whether there are trials enough to say anything. What takes microseconds needs none to say
    /// that it does not matter.
    fn is_enough(&self) -> bool {
        self.has_interval || self.absolute
    }

    fn verdict(&self) -> Verdict {
        if self.change > self.resolution() {
            return match (self.excludes_no_change, self.slower) {
                (true, true) => Verdict::Worse,
                (true, false) => Verdict::Better,
                (false, _) => Verdict::Inconclusive,
            };
        }
        let is_resolved = self.change <= self.matters || !self.few_launches;
        if self.is_enough() && is_resolved && !self.is_blind() {
            Verdict::Same
        } else {
            Verdict::Inconclusive
        }
    }

    fn words(&self, verdict: Verdict, rules: &Rules) -> String {
        let change = if self.change < 0.000_5 {
            "no change".to_owned()
        } else {
            let way = if self.slower { "slower" } else { "faster" };
            format!("{} {way}", share(self.change))
        };
        let least = if self.absolute {
            show_seconds(rules.minimum_effect_seconds)
        } else {
            wanted(self.matters)
        };
        let floor = if self.floor_is_known {
            let assumed = if self.few_launches && self.floor <= ASSUMED_WITHOUT_LAUNCHES {
                ", which is assumed"
            } else {
                ""
            };
            format!("a noise floor of {}{assumed}", share(self.floor))
        } else {
            "an unknown noise floor".to_owned()
        };
        let mend = if self.few_launches {
            "; measure with `launches: 3` or more"
        } else {
            "; measure with more launches, or on a quieter machine"
        };
        match verdict {
            Verdict::Better | Verdict::Worse => format!("{change}, above {floor}"),
            Verdict::Same if self.change > self.matters => {
                format!("{change}, within {floor}{mend}")
            }
            Verdict::Same if self.floor > self.matters => {
                format!("{change}, but {floor} could hide the {least} that matter{mend}")
            }
            Verdict::Same if self.change < 0.000_5 => format!("{change}, with {floor}"),
            Verdict::Same => format!("{change}: less than the {least} that matter, with {floor}"),
            _ if !self.has_interval => {
                format!("{change}, of too few trials for an interval{mend}")
            }
            _ if self.change > self.resolution() => {
                format!("{change}, above {floor}, but its interval includes no change{mend}")
            }
            _ if self.is_blind() => {
                let what = if self.few_launches {
                    "trials"
                } else {
                    "launches"
                };
                format!(
                    "{change}, but these {what} differ so much that even a change by {} could not \
                     be told{mend}",
                    times(1.0 + self.floor)
                )
            }
            _ => format!("{change}, within {floor}{mend}"),
        }
    }
}

/// Returns a share that somebody asked for, without digits that nobody wrote: `5 %`, `2.5 %`.
pub(super) fn wanted(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

/// Returns a bound as it is shown: `5 %`, `7.4 %`, `38 %`, and never less than it is.
pub(super) fn bound(share: f64) -> String {
    // What a product of binary fractions has behind its last digit makes no bound larger.
    let tenths = (share * 1000.0 - 1e-6).ceil();
    if tenths >= 100.0 {
        format!("{:.0} %", (tenths / 10.0 - 1e-6).ceil())
    } else {
        format!("{} %", tenths / 10.0)
    }
}

/// Returns a factor as it is shown, and never more than it is: `2.7 times`, `352 times`.
fn times(factor: f64) -> String {
    if factor < 10.0 {
        format!("{:.1} times", (factor * 10.0).floor() / 10.0)
    } else {
        format!("{:.0} times", factor.floor())
    }
}

/// Returns a share as it is shown in words.
pub(super) fn share(share: f64) -> String {
    if share >= 0.995 {
        format!("{:.0} %", share * 100.0)
    } else {
        format!("{:.1} %", share * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launches(levels: &[f64]) -> Vec<Vec<f64>> {
        levels
            .iter()
            .map(|level| vec![level * 0.999, *level, level * 1.001])
            .collect()
    }

    fn verdict(base: &[Vec<f64>], new: &[Vec<f64>]) -> (Verdict, String) {
        let found = compare_speed(base, new, &Rules::default());
        (found.verdict, found.reason)
    }

    const QUIET: [f64; 5] = [1.0, 1.01, 0.99, 1.005, 0.995];

    #[test]
    fn what_changed_is_told_in_its_direction() {
        let base = launches(&QUIET);
        let slower = launches(&QUIET.map(|level| level * 1.2));
        let found = compare_speed(&base, &slower, &Rules::default());
        assert_eq!(found.verdict, Verdict::Worse);
        assert!((found.ratio.unwrap() - 1.2).abs() < 1e-9);
        assert!(found.ratio_low.unwrap() > 1.15 && found.ratio_high.unwrap() < 1.25);
        assert_eq!(found.reason, "20.0 % slower, above a noise floor of 1.8 %");
        assert_eq!(verdict(&slower, &base).0, Verdict::Better);
        assert_eq!(
            verdict(&base, &launches(&[0.99, 1.01, 0.995, 1.005, 1.0])),
            (
                Verdict::Same,
                "no change, with a noise floor of 1.8 %".into()
            )
        );
    }

    #[test]
    fn a_small_change_is_the_same_however_sure_it_is() {
        let base = launches(&QUIET);
        let new = launches(&QUIET.map(|level| level * 1.03));
        let (found, reason) = verdict(&base, &new);
        assert_eq!(found, Verdict::Same);
        assert!(
            reason.starts_with("3.0 % slower: less than the 5 % that matter"),
            "{reason}"
        );
        let strict = Rules {
            minimum_effect: 0.02,
            ..Rules::default()
        };
        assert_eq!(compare_speed(&base, &new, &strict).verdict, Verdict::Worse);
    }

    #[test]
    fn noise_makes_it_coarse_and_says_so() {
        let base = launches(&[1.0, 1.05, 0.95]);
        let found = compare_speed(&base, &launches(&[0.95, 1.05, 1.0]), &Rules::default());
        assert_eq!(found.show_verdict(), "same, to within 22 %");
        assert_eq!(found.resolution, found.noise_floor);
        assert!(found.is_coarse());
        let reason = found.reason;
        assert!(
            reason.contains("could hide the 5 % that matter"),
            "{reason}"
        );
        assert!(reason.ends_with("or on a quieter machine"), "{reason}");
        let (found, reason) = verdict(&base, &launches(&[1.1, 1.155, 1.045]));
        assert_eq!(found, Verdict::Same);
        assert!(
            reason.starts_with("10.0 % slower, within a noise floor of 2"),
            "{reason}"
        );
        assert_eq!(
            verdict(&base, &launches(&[1.4, 1.47, 1.33])).0,
            Verdict::Worse
        );
    }

    /// Nobody would take "the same" for a change of several times.
    #[test]
    fn beyond_a_factor_of_two_nothing_is_the_same() {
        let base = launches(&[1.0, 9.0, 0.4]);
        let new = launches(&[5.5, 0.7, 6.0]);
        let found = compare_speed(&base, &new, &Rules::default());
        let (ratio, resolution) = (found.ratio.unwrap(), found.resolution.unwrap());
        assert!(ratio > 5.0 && resolution > ratio, "{found:?} tries nothing");
        assert_eq!(found.show_verdict(), "inconclusive");
        assert!(
            found
                .reason
                .contains("these launches differ so much that even a change by"),
            "{}",
            found.reason
        );
        assert!(
            found.reason.contains("could not be told; measure with"),
            "{}",
            found.reason
        );
        // As sure as that nothing changed is nobody either.
        let (found, reason) = verdict(&base, &launches(&[9.1, 1.0, 0.41]));
        assert_eq!(found, Verdict::Inconclusive, "{reason}");
        // What is told in spite of such noise is told, and a factor of two is the bound.
        let far = launches(&[1.0, 9.0, 0.4].map(|level| level * 1e6));
        assert_eq!(verdict(&base, &far).0, Verdict::Worse);
        assert_eq!(times(2.789), "2.7 times");
        assert_eq!(times(353.31), "353 times");
    }

    /// What is above the noise and yet in doubt is neither a change nor none.
    #[test]
    fn an_interval_from_no_change_to_a_large_one_is_inconclusive() {
        // Half of the launches of one side took twice as long.
        let base = launches(&[1.0; 16]);
        let new = launches(&[[0.98; 8], [2.0; 8]].concat());
        let found = compare_speed(&base, &new, &Rules::default());
        assert!(
            found.ratio.unwrap() - 1.0 > found.resolution.unwrap(),
            "{found:?} tries nothing"
        );
        assert_eq!(found.verdict, Verdict::Inconclusive, "{found:?}");
        assert!(
            found.reason.contains("but its interval includes no change"),
            "{}",
            found.reason
        );
    }

    #[test]
    fn a_resolution_is_never_shown_finer_than_it_is() {
        assert_eq!(bound(0.05), "5 %");
        assert_eq!(bound(0.073_41), "7.4 %");
        assert_eq!(bound(0.1), "10 %");
        assert_eq!(bound(0.3701), "38 %");
        assert_eq!(bound(1.54), "154 %");
    }

    #[test]
    fn one_launch_tells_of_large_changes_only() {
        let base = vec![vec![1.0, 1.001, 1.002, 1.0, 1.001, 1.003]];
        let times =
            |factor: f64| vec![base[0].iter().map(|time| time * factor).collect::<Vec<_>>()];
        assert_eq!(
            verdict(&base, &base),
            (Verdict::Same, "the very same measurements".into())
        );
        assert_eq!(verdict(&base, &times(1.01)).0, Verdict::Same);
        let (found, reason) = verdict(&base, &times(1.08));
        assert_eq!(found, Verdict::Inconclusive);
        assert!(
            reason.contains("within a noise floor of 10.0 %, which is assumed; measure with"),
            "{reason}"
        );
        let near = compare_speed(&base, &times(1.01), &Rules::default());
        assert_eq!(near.show_verdict(), "same, to within 10 %");
        assert_eq!(verdict(&base, &times(1.5)).0, Verdict::Worse);
        let (found, reason) = verdict(&base, &[vec![1.0, 1.0]]);
        assert_eq!(found, Verdict::Inconclusive);
        assert_eq!(
            reason,
            "0.1 % faster, of too few trials for an interval; measure with `launches: 3` or more"
        );
    }

    #[test]
    fn what_takes_microseconds_does_not_matter() {
        let base = vec![vec![0.000_030, 0.000_050, 0.000_020]];
        let new = vec![vec![0.000_090, 0.000_070, 0.000_080]];
        let found = compare_speed(&base, &new, &Rules::default());
        assert_eq!(found.show_verdict(), "same, to within 1.0 ms");
        let reason = found.reason;
        assert!(
            reason.contains("less than the 1.0 ms that matter"),
            "{reason}"
        );
    }

    #[test]
    fn nothing_is_no_data() {
        assert_eq!(verdict(&[], &launches(&QUIET)).0, Verdict::NoData);
        assert_eq!(
            verdict(&[vec![0.0; 6]], &launches(&QUIET)).0,
            Verdict::NoData
        );
    }
}
