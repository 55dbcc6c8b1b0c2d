//! Whether one of two sides is faster.
//!
//! # The rule
//!
//! The number is the ratio of the medians of all passes, new ÷ base, with the bootstrap interval of
//! [`ratio_of_medians`]. Beside it stands the noise floor ([`Noise`]): how far two sides of one
//! thing lie apart by chance, judged by how launches differ. Let δ be the smallest change that
//! matters: 5 % unless it is set, and never less than a millisecond.
//!
//! - A change of more than δ is **better** or **worse** if the interval excludes 1 *and* the change
//!   is above the noise floor. Both are asked for because with three launches a side an interval by
//!   resampling excludes 1 in a tenth of all comparisons of a thing with itself: six launches fall
//!   into two halves by chance that often.
//! - A change of more than δ that fails one of the two is **inconclusive**.
//! - A change of no more than δ is the **same** if the noise floor is no more than 2 δ; above that
//!   a change that matters could hide in it, and the comparison is **inconclusive**.
//!
//! What this gives for a thing compared with itself (`tests/compare/simulated.rs`): better or worse
//! in at most 5 of 100, whatever the noise; same in at least 95 of 100 while launches differ by a
//! standard deviation of up to 2 % with three launches a side and up to 3 % with five or six, for δ
//! = 5 %. More noise makes comparisons inconclusive, not wrong. With fewer than three launches a
//! side nobody knows how launches differ, and a noise floor of 10 % is assumed.
//!
//! What no interval holds is how a machine differs from one hour to the next: two runs are two
//! moments.

use super::noise::Noise;
use super::rules::{Rules, Verdict};
use crate::model::units::show_seconds;
use crate::score::bootstrap::ratio_of_medians;
use crate::score::statistics::{FEWEST_LAUNCHES, median};
use schemars::JsonSchema;
use serde::Serialize;

/// How many times the smallest change that matters the noise floor may be where nothing is told to
/// have changed.
const NOISE_ALLOWED: f64 = 2.0;

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
    /// Two sides of one thing differ by less in 95 of 100 comparisons, as a share.
    pub noise_floor: Option<f64>,
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
            ..timed
        };
    }
    let interval = ratio_of_medians(base, new, rules.resampling());
    let noise = Noise::of(base, new);
    let matters = rules
        .minimum_effect
        .max(rules.minimum_effect_seconds / shortest);
    let absolute = matters > rules.minimum_effect;
    let excludes_one = interval.is_some_and(|found| found.low > 1.0 || found.high < 1.0);
    // Of a single trial nothing is known: as if a time could be any from its half to its double.
    let floor = noise.map_or(1.0, |noise| noise.floor);
    let change = ratio.max(1.0 / ratio) - 1.0;
    let verdict = if change > matters {
        match (excludes_one && change > floor, ratio > 1.0) {
            (true, true) => Verdict::Worse,
            (true, false) => Verdict::Better,
            (false, _) => Verdict::Inconclusive,
        }
    } else if floor <= NOISE_ALLOWED * matters && (interval.is_some() || absolute) {
        Verdict::Same
    } else {
        Verdict::Inconclusive
    };
    let told = Told {
        verdict,
        change,
        slower: ratio > 1.0,
        matters,
        absolute,
        floor: noise.map(|noise| noise.floor),
        has_interval: interval.is_some(),
        few_launches: base.len().min(new.len()) < FEWEST_LAUNCHES,
    };
    Speed {
        verdict,
        reason: told.words(rules),
        ratio: Some(ratio),
        ratio_low: interval.map(|found| found.low),
        ratio_high: interval.map(|found| found.high),
        noise_floor: noise.map(|noise| noise.floor),
        ..timed
    }
}

/// What a verdict rests on.
#[expect(clippy::struct_excessive_bools, reason = "each is another reason")]
struct Told {
    verdict: Verdict,
    change: f64,
    slower: bool,
    matters: f64,
    /// The time is so short that not the share but the seconds decide what matters.
    absolute: bool,
    floor: Option<f64>,
    has_interval: bool,
    few_launches: bool,
}

impl Told {
    fn words(&self, rules: &Rules) -> String {
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
        let floor = self.floor.map_or_else(
            || "an unknown noise floor".to_owned(),
            |floor| format!("a noise floor of {}", share(floor)),
        );
        let mend = if self.few_launches {
            "; measure with `launches: 3` or more"
        } else {
            "; measure with more launches, or on a quieter machine"
        };
        match self.verdict {
            Verdict::Better | Verdict::Worse => format!("{change}, above {floor}"),
            Verdict::Same if self.change < 0.000_5 => format!("{change}, with {floor}"),
            Verdict::Same => format!("{change}: less than the {least} that matter, with {floor}"),
            _ if !self.has_interval => {
                format!("{change}, of too few trials for an interval{mend}")
            }
            _ if self.change <= self.matters => {
                format!("{change}, but {floor} could hide the {least} that matter{mend}")
            }
            _ if self.floor.is_some_and(|floor| self.change > floor) => {
                format!("{change}, but its interval includes no change{mend}")
            }
            _ => format!("{change}, within {floor}{mend}"),
        }
    }
}

/// Returns a share that somebody asked for, without digits that nobody wrote: `5 %`, `2.5 %`.
pub(super) fn wanted(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
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
        assert_eq!(found.reason, "20.0 % slower, above a noise floor of 1.5 %");
        assert_eq!(verdict(&slower, &base).0, Verdict::Better);
        assert_eq!(
            verdict(&base, &launches(&[0.99, 1.01, 0.995, 1.005, 1.0])),
            (
                Verdict::Same,
                "no change, with a noise floor of 1.5 %".into()
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
    fn noise_makes_it_inconclusive_and_says_what_to_do() {
        let base = launches(&[1.0, 1.3, 0.8]);
        let (found, reason) = verdict(&base, &launches(&[0.8, 1.3, 1.0]));
        assert_eq!(found, Verdict::Inconclusive);
        assert!(
            reason.contains("could hide the 5 % that matter"),
            "{reason}"
        );
        assert!(reason.ends_with("or on a quieter machine"), "{reason}");
        let (found, reason) = verdict(&base, &launches(&[1.1, 1.43, 0.88]));
        assert_eq!(found, Verdict::Inconclusive);
        assert!(
            reason.starts_with("10.0 % slower, within a noise floor"),
            "{reason}"
        );
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
        assert_eq!(verdict(&base, &times(1.08)).0, Verdict::Inconclusive);
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
        let (found, reason) = verdict(&base, &new);
        assert_eq!(found, Verdict::Same);
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
