//! Whether one of two sides makes fewer errors on the same recordings.
//!
//! # The rule
//!
//! The number is the difference of two word error rates, new − base, each Σ errors ÷ Σ words over
//! the same recordings. Where every text is the same, so is the accuracy. Else, from six recordings
//! on, there is a paired bootstrap interval over them, and with ε, the smallest difference that
//! matters (half a point unless it is set):
//!
//! - a difference of more than ε is **better** or **worse** if the interval excludes 0, else
//!   **inconclusive**;
//! - one of no more than ε is the **same** if half the interval is no wider than 2 ε, else
//!   **inconclusive**.
//!
//! On fewer recordings nothing can be said of others. What was heard on these is a fact if every
//! trial of both sides gave the same text, and the difference decides by itself; if not, a
//! difference of more than ε is **inconclusive**.

use super::rules::{Rules, Verdict};
use crate::score::EditCounts;
use crate::score::bootstrap::{FEWEST_VALUES, word_error_rate_difference};
use schemars::JsonSchema;
use serde::Serialize;

/// How many times the smallest difference that matters half the interval may be where nothing is
/// told to have changed.
const SPREAD_ALLOWED: f64 = 2.0;

/// One recording as both sides heard it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeardTwice<'text> {
    /// Edits of base.
    pub base: EditCounts,
    /// Edits of new.
    pub new: EditCounts,
    /// What base heard, raw.
    pub base_text: &'text str,
    /// What new heard, raw.
    pub new_text: &'text str,
    /// Every trial of both sides gave the same text as its first.
    pub deterministic: bool,
}

/// The error rates of two sides, held against each other.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Accuracy {
    /// Whether new makes fewer errors (better).
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// What made the texts comparable, with its version.
    pub normalizer: Option<String>,
    /// Word error rate of base, over the recordings that both sides heard.
    pub base_wer: Option<f64>,
    /// The same of new.
    pub new_wer: Option<f64>,
    /// New − base.
    pub difference: Option<f64>,
    /// The lower end of its interval; none below six recordings.
    pub difference_low: Option<f64>,
    /// The upper end.
    pub difference_high: Option<f64>,
    /// Recordings with a reference that both sides heard.
    pub utterances: usize,
    /// How many of them were heard as other words, before normalizing.
    pub changed_texts: usize,
}

impl Accuracy {
    /// Returns a comparison that there is not.
    #[must_use]
    pub fn none(reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::NoData,
            reason: reason.into(),
            normalizer: None,
            base_wer: None,
            new_wer: None,
            difference: None,
            difference_low: None,
            difference_high: None,
            utterances: 0,
            changed_texts: 0,
        }
    }
}

/// Holds what two sides heard against each other.
#[must_use]
pub fn compare_accuracy(heard: &[HeardTwice<'_>], rules: &Rules) -> Accuracy {
    if heard.is_empty() {
        return Accuracy::none("no recording with a reference was heard on both sides");
    }
    let base: Vec<EditCounts> = heard.iter().map(|one| one.base).collect();
    let new: Vec<EditCounts> = heard.iter().map(|one| one.new).collect();
    let rate = |counts: &[EditCounts]| {
        let mut sum = EditCounts::default();
        for one in counts {
            sum += *one;
        }
        sum.word_error_rate()
    };
    let (base_wer, new_wer) = (rate(&base), rate(&new));
    let difference = new_wer - base_wer;
    let changed = heard.iter().filter(|one| one.base_text != one.new_text);
    let changed_texts = changed.count();
    let interval = word_error_rate_difference(&base, &new, rules.resampling());
    let (verdict, reason) = if changed_texts == 0 {
        (Verdict::Same, "the same texts".to_owned())
    } else {
        let deterministic = heard.iter().all(|one| one.deterministic);
        let interval = interval.map(|found| (found.low, found.high));
        judge(difference, interval, deterministic, heard.len(), rules)
    };
    Accuracy {
        verdict,
        reason,
        normalizer: None,
        base_wer: Some(base_wer),
        new_wer: Some(new_wer),
        difference: Some(difference),
        difference_low: interval.map(|found| found.low),
        difference_high: interval.map(|found| found.high),
        utterances: heard.len(),
        changed_texts,
    }
}

fn judge(
    difference: f64,
    interval: Option<(f64, f64)>,
    deterministic: bool,
    recordings: usize,
    rules: &Rules,
) -> (Verdict, String) {
    let least = rules.minimum_effect_wer;
    let told = if difference > 0.0 {
        Verdict::Worse
    } else {
        Verdict::Better
    };
    let words = in_words(difference);
    let matters = difference.abs() > least;
    let Some((low, high)) = interval else {
        let here = match recordings {
            1 => "on this recording".to_owned(),
            number => format!("on these {number} recordings"),
        };
        return match (matters, deterministic) {
            (false, _) => (Verdict::Same, format!("{words}, {here}")),
            (true, true) => (
                told,
                format!("{words}, {here}; too few to say anything of others"),
            ),
            (true, false) => (
                Verdict::Inconclusive,
                format!(
                    "{words}, {here}, where trials gave different texts; measure more recordings"
                ),
            ),
        };
    };
    let excludes_zero = low > 0.0 || high < 0.0;
    let more =
        format!("; from {FEWEST_VALUES} recordings on there is an interval, and more narrow it");
    if matters && excludes_zero {
        (told, words)
    } else if matters {
        (
            Verdict::Inconclusive,
            format!("{words}, but the interval includes no difference{more}"),
        )
    } else if (high - low) / 2.0 <= SPREAD_ALLOWED * least {
        (
            Verdict::Same,
            format!("{words}: no more than the {} that matter", points(least)),
        )
    } else {
        (
            Verdict::Inconclusive,
            format!(
                "{words}, but the interval could hide the {} that matter{more}",
                points(least)
            ),
        )
    }
}

fn in_words(difference: f64) -> String {
    if difference.abs() < 0.000_05 {
        return "as many errors, in other texts".into();
    }
    format!(
        "{} {} errors",
        points(difference.abs()),
        if difference > 0.0 { "more" } else { "fewer" }
    )
}

/// Returns a difference of rates as it is shown in words.
pub(super) fn points(difference: f64) -> String {
    format!("{:.2} points", difference * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(base: u64, new: u64, words: u64) -> HeardTwice<'static> {
        let counts = |errors| EditCounts {
            hits: words - errors,
            substitutions: errors,
            ..EditCounts::default()
        };
        HeardTwice {
            base: counts(base),
            new: counts(new),
            base_text: "a",
            new_text: if base == new { "a" } else { "b" },
            deterministic: true,
        }
    }

    fn verdict(heard: &[HeardTwice<'_>]) -> Verdict {
        compare_accuracy(heard, &Rules::default()).verdict
    }

    #[test]
    fn the_same_texts_are_the_same() {
        let found = compare_accuracy(&[heard(3, 3, 10)], &Rules::default());
        assert_eq!(found.verdict, Verdict::Same);
        assert_eq!(found.reason, "the same texts");
        assert_eq!((found.difference, found.difference_low), (Some(0.0), None));
        let many = compare_accuracy(&[heard(3, 3, 10); 6], &Rules::default());
        assert_eq!(many.difference_low, Some(0.0));
        assert_eq!(verdict(&[]), Verdict::NoData);
    }

    #[test]
    fn a_few_recordings_are_facts_if_nothing_wavers() {
        assert_eq!(verdict(&[heard(0, 2, 20)]), Verdict::Worse);
        assert_eq!(
            verdict(&[heard(2, 0, 20), heard(0, 0, 20)]),
            Verdict::Better
        );
        let wavering = HeardTwice {
            deterministic: false,
            ..heard(0, 2, 20)
        };
        assert_eq!(verdict(&[wavering]), Verdict::Inconclusive);
        assert_eq!(verdict(&[heard(0, 1, 400)]), Verdict::Same);
    }

    #[test]
    fn many_recordings_are_judged_by_their_interval() {
        let mut all = vec![heard(1, 2, 10); 30];
        assert_eq!(verdict(&all), Verdict::Worse);
        // Better here and worse there: nobody knows.
        all = vec![heard(0, 4, 10); 4];
        all.extend([heard(3, 0, 10); 4]);
        let found = compare_accuracy(&all, &Rules::default());
        assert_eq!(found.verdict, Verdict::Inconclusive, "{found:?}");
        assert!(
            found.reason.contains("includes no difference"),
            "{}",
            found.reason
        );
        // One error in two thousand words.
        all = vec![heard(0, 0, 20); 100];
        all.push(heard(0, 1, 20));
        assert_eq!(verdict(&all), Verdict::Same);
    }
}
