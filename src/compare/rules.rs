//! Verdicts, and what decides them beside the measurements.

use crate::score::bootstrap::Resampling;
use schemars::JsonSchema;
use serde::Serialize;

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Faster, or more accurate.
    Better,
    /// Slower, or less accurate.
    Worse,
    /// Of no change that the measurements could tell: within the smallest change that matters, or
    /// within the noise, whichever is larger; the noise is no more than a factor of two.
    Same,
    /// The measurements do not tell.
    Inconclusive,
    /// Nothing to compare, or not like for like.
    NoData,
}

impl Verdict {
    /// All verdicts, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Worse,
        Self::Better,
        Self::Same,
        Self::Inconclusive,
        Self::NoData,
    ];

    /// Returns the words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same",
            Self::Inconclusive => "inconclusive",
            Self::NoData => "no data",
        }
    }
}

/// What is told of a change, and what is not. Recorded with every comparison.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rules {
    /// The smallest change of a time that matters, as a share: 0.05 is 5 %.
    pub minimum_effect: f64,
    /// The smallest change of a time that matters, in seconds: what is less matters to nobody,
    /// however large a share it is of a time that is small itself.
    pub minimum_effect_seconds: f64,
    /// The smallest change of a word error rate that matters: 0.005 is half a point.
    pub minimum_effect_wer: f64,
    /// The coverage of intervals.
    pub coverage: f64,
    /// Resamples behind each interval.
    pub resamples: u32,
    /// The seed of the resamples.
    pub seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        let resampling = Resampling::default();
        Self {
            minimum_effect: 0.05,
            minimum_effect_seconds: 0.001,
            minimum_effect_wer: 0.005,
            coverage: crate::score::statistics::WANTED_COVERAGE,
            resamples: resampling.resamples,
            seed: resampling.seed,
        }
    }
}

impl Rules {
    pub(super) const fn resampling(&self) -> Resampling {
        Resampling {
            resamples: self.resamples,
            seed: self.seed,
        }
    }
}
