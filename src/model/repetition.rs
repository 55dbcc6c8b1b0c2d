//! How often a benchmark is measured that goes on until its median is known well enough.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most trials that a launch, or a rule, may have.
pub const MOST_TRIALS: u32 = 10_000;

/// Repetition that ends when the median is known well enough: what a matrix says with
/// `repeat: {min: 6, max: 30, until: 2%}`.
///
/// A benchmark is measured in sets of `launches` processes, each with the same number of trials, so
/// that a set has `min` trials at least. After each set it is looked at; see
/// [`judge`](crate::score::judge) for what ends it. Its spec names these three numbers; how many
/// trials it came to is measured, and stands in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Adaptive {
    /// The fewest trials of each utterance, over all launches.
    pub min: u32,
    /// The most of them.
    pub max: u32,
    /// How far the ends of the median's interval may lie from its middle, in percent of the median.
    pub until_percent: f64,
}

impl Adaptive {
    /// The fewest trials that it may begin with: an interval of the median needs so many.
    pub const FEWEST: u32 = 6;

    /// Returns the trials of each utterance in one launch, if a set has so many launches.
    #[must_use]
    pub fn trials_in_launch(&self, launches: u32) -> u32 {
        self.min.div_ceil(launches.max(1)).max(1)
    }

    /// Returns how many sets there may be: as many as have no more than `max` trials together.
    #[must_use]
    pub fn most_sets(&self, launches: u32) -> u32 {
        let launches = launches.max(1);
        let set = launches.saturating_mul(self.trials_in_launch(launches));
        self.max / set
    }

    /// Returns what a text in the form of [`Display`](fmt::Display) stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("{min: ")?.strip_suffix("%}")?;
        let (min, rest) = inner.split_once(", max: ")?;
        let (max, until) = rest.split_once(", until: ")?;
        let parsed = Self {
            min: min.parse().ok()?,
            max: max.parse().ok()?,
            until_percent: until.parse().ok()?,
        };
        (parsed.to_string() == text).then_some(parsed)
    }
}

impl fmt::Display for Adaptive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = (self.min, self.max);
        write!(
            formatter,
            "{{min: {min}, max: {max}, until: {}%}}",
            self.until_percent
        )
    }
}

/// What follows from a look at a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatDecision {
    /// It gets a further set of launches.
    GoOn,
    /// Its median is known well enough.
    NarrowEnough,
    /// A further set would have more trials than it may have.
    MaximumReached,
}

impl RepeatDecision {
    /// Returns whether it is measured no further.
    #[must_use]
    pub fn stops(self) -> bool {
        self != Self::GoOn
    }
}

/// A look at a benchmark after a set of launches, and what followed from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RepeatLook {
    /// Launches that are done.
    pub launches: u32,
    /// Trials that are done, over all launches.
    pub trials: u32,
    /// Half of what lies between the ends of the median's interval, in percent of the median; `null`
    /// if there is none.
    pub half_width_percent: Option<f64>,
    /// What followed.
    pub decision: RepeatDecision,
}
