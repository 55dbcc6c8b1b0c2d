//! A comparison in words and numbers, the same in every format.

use super::accuracy::Accuracy;
use super::across::{AcrossMachines, MachinePair, OnMachine};
use super::pairs::Pair;
use super::rules::{Rules, Verdict};
use super::speed::{Speed, bound, wanted};
use super::{Against, Comparison};
use crate::model::units::show_seconds;
use crate::score::bootstrap::FEWEST_VALUES;
use std::collections::{BTreeMap, BTreeSet};

/// The word for rows without numbers.
const NO_DATA: &str = "no data";

/// What stands for a number that there is not.
const NOTHING: &str = "–";

impl Against {
    /// Returns the answer in a sentence or two.
    #[must_use]
    pub fn headline(&self) -> String {
        let rows = self.rows.len();
        if rows == 0 {
            return "Nothing to compare: no row of one run is in the other.".into();
        }
        let speed = told(&self.speed, rows, ["faster", "slower", &self.as_fast()])
            .replace(NO_DATA, "no data on speed");
        let accuracy = told(
            &self.accuracy,
            rows,
            ["more accurate", "less accurate", "as accurate"],
        )
        .replace(NO_DATA, "no data on accuracy");
        format!("{}. {}.", capital(&speed), capital(&accuracy))
    }

    /// Returns the words for rows that are as fast, with the coarsest resolution that any of them
    /// has: nobody shall read less noise into them than there was.
    fn as_fast(&self) -> String {
        let within = coarsest(self.rows.iter().map(|pair| &pair.speed));
        within.map_or_else(
            || "as fast".to_owned(),
            |within| format!("as fast to within {within}"),
        )
    }

    /// Returns the pairs that have something to tell beside their numbers: the row, what it is
    /// about, the verdict, why. What is the same only because of a coarse resolution is among them.
    #[must_use]
    pub fn remarks(&self) -> Vec<(&str, &'static str, Verdict, &str)> {
        let mut remarks = Vec::new();
        for pair in self.all_pairs() {
            if pair.speed.verdict != Verdict::Same || pair.speed.is_coarse() {
                let (verdict, reason) = (pair.speed.verdict, pair.speed.reason.as_str());
                remarks.push((pair.name.as_str(), "speed", verdict, reason));
            }
            // What did not run is told once.
            let told =
                pair.speed.verdict == Verdict::NoData && pair.speed.reason == pair.accuracy.reason;
            if pair.accuracy.verdict != Verdict::Same && !told {
                let (verdict, reason) = (pair.accuracy.verdict, pair.accuracy.reason.as_str());
                remarks.push((pair.name.as_str(), "accuracy", verdict, reason));
            }
        }
        remarks.sort_by_key(|(_, _, verdict, _)| {
            Verdict::ALL.iter().position(|known| known == verdict)
        });
        remarks
    }

    /// Returns the sets that say more than a single row does.
    #[must_use]
    pub fn sets_of_several(&self) -> Vec<&Pair> {
        self.sets.iter().filter(|set| set.rows > 1).collect()
    }

    fn all_pairs(&self) -> impl Iterator<Item = &Pair> {
        self.rows.iter().chain(self.sets_of_several())
    }
}

impl Comparison {
    /// Returns each row that some run shares with the base, with what each run has for it.
    #[must_use]
    pub fn side_by_side(&self) -> Vec<(&str, Vec<Option<&Pair>>)> {
        // A job that several machines did is a row of each.
        let key = |pair: &'_ Pair| (pair.base_job_id.clone(), pair.base_machine.clone());
        let mut names: Vec<((String, String), &str)> = Vec::new();
        let mut seen = BTreeSet::new();
        for pair in self.against.iter().flat_map(|against| &against.rows) {
            if seen.insert(key(pair)) {
                names.push((key(pair), &pair.name));
            }
        }
        let places: Vec<BTreeMap<(String, String), &Pair>> = self
            .against
            .iter()
            .map(|against| {
                let rows = against.rows.iter();
                rows.map(|pair| (key(pair), pair)).collect()
            })
            .collect();
        names
            .into_iter()
            .map(|(id, name)| {
                let found = places.iter().map(|place| place.get(&id).copied());
                (name, found.collect())
            })
            .collect()
    }

    /// Returns what the verdicts rest on, in a sentence.
    #[must_use]
    pub fn rule_in_words(&self) -> String {
        let Rules {
            minimum_effect,
            minimum_effect_seconds,
            minimum_effect_wer,
            coverage,
            resamples,
            seed,
        } = self.rules;
        format!(
            "A change is told from {} of the time (and {}) or {} points of WER on, if its {:.0} % \
             interval ({resamples} bootstrap resamples over launches or recordings, seed {seed}) and \
             the noise floor of the launches allow it. What is the same is so to within the \
             resolution beside it, and says nothing of smaller changes.",
            wanted(minimum_effect),
            show_seconds(minimum_effect_seconds),
            (minimum_effect_wer * 1e6).round() / 1e4,
            coverage * 100.0,
        )
    }
}

/// Returns the coarsest resolution of those that are the same, as it is shown; `None` if none is, or
/// all of them are the very same measurements.
///
/// Shares and seconds are not held against each other: a millisecond is a large share of a short time
/// and a small one of a long time. Where some rows have the one and some the other, both are told.
#[must_use]
pub fn coarsest<'a>(speeds: impl IntoIterator<Item = &'a Speed>) -> Option<String> {
    let resolutions: Vec<Resolution> = speeds
        .into_iter()
        .filter(|speed| speed.verdict == Verdict::Same)
        .filter_map(Speed::shown_resolution)
        .collect();
    let share = resolutions.iter().filter_map(|one| match one {
        Resolution::Share(share) => Some(*share),
        Resolution::Seconds(_) => None,
    });
    let seconds = resolutions.iter().filter_map(|one| match one {
        Resolution::Seconds(seconds) => Some(*seconds),
        Resolution::Share(_) => None,
    });
    let share = share.max_by(f64::total_cmp).map(bound);
    let seconds = seconds.max_by(f64::total_cmp).map(show_seconds);
    match (share, seconds) {
        (Some(share), Some(seconds)) => Some(format!("{share} (or {seconds}, if that is more)")),
        (share, seconds) => share.or(seconds),
    }
}

/// The smallest change that could be told, as it is shown.
enum Resolution {
    /// As a share of the time.
    Share(f64),
    /// Of a time that is so short that seconds decide what matters.
    Seconds(f64),
}

fn told(counts: &BTreeMap<Verdict, usize>, rows: usize, words: [&str; 3]) -> String {
    let [better, worse, same] = words;
    let word = |verdict: Verdict| match verdict {
        Verdict::Better => better,
        Verdict::Worse => worse,
        Verdict::Same => same,
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => NO_DATA,
    };
    let mut parts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter_map(|verdict| {
            let count = *counts.get(&verdict)?;
            Some(format!("{} in {count}", word(verdict)))
        })
        .collect();
    match (parts.as_slice(), rows) {
        ([_], 1) => counts.keys().map(|verdict| word(*verdict)).collect(),
        ([_], rows) => {
            let only: String = counts.keys().map(|verdict| word(*verdict)).collect();
            format!("{only} in all {rows} rows")
        }
        _ => {
            if let Some(first) = parts.first_mut() {
                first.push_str(&format!(" of {rows} rows"));
            }
            parts.join(", ")
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

impl Speed {
    /// Returns the smallest change that could be told: `38 %`, and as a time where the time is so short
    /// that seconds decide what matters; `None` if nothing could be, or every change.
    #[must_use]
    pub fn show_resolution(&self) -> Option<String> {
        Some(match self.shown_resolution()? {
            Resolution::Seconds(seconds) => show_seconds(seconds),
            Resolution::Share(share) => bound(share),
        })
    }

    fn shown_resolution(&self) -> Option<Resolution> {
        let resolution = self.resolution.filter(|share| *share > 0.0)?;
        let shortest = self.base_seconds?.min(self.new_seconds?);
        Some(if resolution > 1.0 && !self.is_coarse() {
            Resolution::Seconds(resolution * shortest)
        } else {
            Resolution::Share(resolution)
        })
    }

    /// Returns the verdict as it is shown everywhere: what is the same has its resolution beside it.
    #[must_use]
    pub fn show_verdict(&self) -> String {
        let word = self.verdict.words();
        match self.show_resolution() {
            Some(within) if self.verdict == Verdict::Same => format!("{word}, to within {within}"),
            _ => word.to_owned(),
        }
    }

    /// Returns whether not the smallest change that matters but the noise decides what could be told.
    #[must_use]
    pub fn is_coarse(&self) -> bool {
        let resolution = self.resolution.filter(|share| *share > 0.0);
        resolution.is_some() && resolution == self.noise_floor
    }

    /// Returns the two times: `612 ms → 650 ms`.
    #[must_use]
    pub fn show_times(&self) -> String {
        match (self.base_seconds, self.new_seconds) {
            (Some(base), Some(new)) => format!("{} → {}", show_seconds(base), show_seconds(new)),
            _ => NOTHING.into(),
        }
    }

    /// Returns the ratio with its interval: `1.062 (1.021–1.103)`.
    #[must_use]
    pub fn show_ratio(&self) -> String {
        show_ratio(self.ratio, self.ratio_low, self.ratio_high)
    }
}

impl Accuracy {
    /// Returns the two error rates: `5.1 % → 5.6 %`.
    #[must_use]
    pub fn show_rates(&self) -> String {
        show_rates(self.base_wer, self.new_wer)
    }

    /// Returns the difference with its interval, in points: `+0.50 (−0.10 to +1.20)`.
    #[must_use]
    pub fn show_difference(&self) -> String {
        show_difference(self.difference, self.difference_low, self.difference_high)
    }

    /// Returns how many texts are other ones: `same texts`, `2 of 8 texts differ`.
    #[must_use]
    pub fn show_texts(&self) -> String {
        match (self.changed_texts, self.utterances) {
            (_, 0) => NOTHING.into(),
            (0, 1) => "same text".into(),
            (0, _) => "same texts".into(),
            (_, 1) => "the text differs".into(),
            (changed, all) => format!("{changed} of {all} texts differ"),
        }
    }
}

impl AcrossMachines {
    /// Returns what the verdicts rest on, in a sentence.
    #[must_use]
    pub fn rule_in_words(&self) -> String {
        let rules = self.rules;
        format!(
            "A machine is called faster from {} of the time (and {}) on, if the {:.0} % interval of the ratio \
             ({} bootstrap resamples over launches, seed {}) excludes 1 and the noise floor of the launches \
             allows it. A difference of error rates has an interval from {FEWEST_VALUES} recordings on.",
            wanted(rules.minimum_effect),
            show_seconds(rules.minimum_effect_seconds),
            rules.coverage * 100.0,
            rules.resamples,
            rules.seed,
        )
    }
}

impl OnMachine {
    /// Returns how many rows got which verdict, in a sentence.
    #[must_use]
    pub fn headline(&self) -> String {
        if self.rows.is_empty() {
            return "Nothing to compare: the two did nothing alike.".into();
        }
        let verdicts = self.verdicts.iter();
        let each: Vec<String> = verdicts
            .map(|(verdict, count)| format!("{} in {count}", verdict.words()))
            .collect();
        let rows = self.rows.len();
        capital(&format!("{} of {rows} rows.", each.join(", ")))
    }
}

impl MachinePair {
    /// Returns the ratio with its interval.
    #[must_use]
    pub fn show_ratio(&self) -> String {
        show_ratio(self.ratio, self.ratio_low, self.ratio_high)
    }

    /// Returns the two error rates.
    #[must_use]
    pub fn show_rates(&self) -> String {
        show_rates(self.base_wer, self.wer)
    }

    /// Returns the difference of the error rates with its interval, in points.
    #[must_use]
    pub fn show_difference(&self) -> String {
        show_difference(
            self.wer_difference,
            self.wer_difference_low,
            self.wer_difference_high,
        )
    }
}

fn show_ratio(ratio: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match (ratio, low, high) {
        (Some(ratio), Some(low), Some(high)) => format!("{ratio:.3} ({low:.3}–{high:.3})"),
        (Some(ratio), ..) => format!("{ratio:.3}"),
        _ => NOTHING.into(),
    }
}

fn show_rates(base: Option<f64>, new: Option<f64>) -> String {
    match (base, new) {
        (Some(base), Some(new)) => format!("{:.1} % → {:.1} %", base * 100.0, new * 100.0),
        _ => NOTHING.into(),
    }
}

fn show_difference(difference: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match (difference, low, high) {
        (Some(difference), Some(low), Some(high)) => format!(
            "{} ({} to {})",
            signed(difference),
            signed(low),
            signed(high)
        ),
        (Some(difference), ..) => signed(difference),
        _ => NOTHING.into(),
    }
}

/// Returns a difference of rates in points, with its sign.
fn signed(difference: f64) -> String {
    let points = difference * 100.0;
    if points.abs() < 0.005 {
        "0".into()
    } else if points > 0.0 {
        format!("+{points:.2}")
    } else {
        format!("−{:.2}", points.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare_speed;

    #[test]
    fn verdicts_become_a_sentence() {
        let words = ["faster", "slower", "as fast"];
        let counts = BTreeMap::from([(Verdict::Worse, 1), (Verdict::Same, 3)]);
        assert_eq!(
            told(&counts, 4, words),
            "slower in 1 of 4 rows, as fast in 3"
        );
        let counts = BTreeMap::from([(Verdict::Same, 4)]);
        assert_eq!(told(&counts, 4, words), "as fast in all 4 rows");
        let counts = BTreeMap::from([(Verdict::Better, 1)]);
        assert_eq!(told(&counts, 1, words), "faster");
    }

    /// A row of half a second that is the same to within 22 % is not the same to within a millisecond.
    #[test]
    fn the_coarsest_of_shares_and_times_bounds_them_all() {
        let rules = Rules::default();
        let times = |levels: [f64; 3]| levels.map(|level| vec![level; 4]);
        let short = compare_speed(
            &times([0.000_03, 0.000_031, 0.000_032]),
            &times([0.000_03, 0.000_03, 0.000_033]),
            &rules,
        );
        let long = compare_speed(&times([1.0, 1.05, 0.95]), &times([0.95, 1.05, 1.0]), &rules);
        assert_eq!(short.show_verdict(), "same, to within 1.0 ms");
        assert_eq!(long.show_verdict(), "same, to within 22 %");
        let told = |speeds: &[&Speed]| coarsest(speeds.iter().copied()).unwrap();
        assert_eq!(told(&[&short, &short]), "1.0 ms");
        assert_eq!(told(&[&long, &long]), "22 %");
        assert_eq!(
            told(&[&short, &long, &short]),
            "22 % (or 1.0 ms, if that is more)"
        );
        assert_eq!(coarsest([&Speed::none("nothing")]), None);
    }

    #[test]
    fn differences_have_their_sign() {
        assert_eq!(signed(0.005), "+0.50");
        assert_eq!(signed(-0.0123), "−1.23");
        assert_eq!(signed(-0.0), "0");
    }
}
