//! The section `deadlines:` as it is written.

use super::duration_text::DurationText;
use crate::yaml::Located;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error};
use std::borrow::Cow;

/// The limits that jobs run under.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeadlinesWire {
    /// Spawn to the engine's hello.
    #[serde(default)]
    pub start: Option<Located<DurationText>>,
    /// Verify by loading, by the model's size class, from the hello.
    #[serde(default)]
    pub verify: SizesWire,
    /// Load of a benchmark.
    #[serde(default)]
    pub load: Option<Located<DurationText>>,
    /// One trial.
    #[serde(default)]
    pub benchmark: TrialWire,
    /// A fetch.
    #[serde(default)]
    pub download: FetchWire,
    /// The whole of one launch of a benchmark, or of one verify; default: no limit beyond those of
    /// its parts.
    #[serde(default)]
    pub job: Option<Located<DurationText>>,
    /// Between the request to end and the forced end.
    #[serde(default)]
    pub grace: Option<Located<DurationText>>,
    /// The share of a limit after which a job is told to be slow; 1: never told.
    #[serde(default)]
    pub slow: Option<Share>,
    /// Other limits by backend, model or both; the last that matches wins.
    #[serde(default)]
    pub overrides: Vec<Located<OverrideWire>>,
}

/// One limit for each size class.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SizesWire {
    /// Limit for tiny models.
    #[serde(default)]
    pub tiny: Option<Located<DurationText>>,
    /// Limit for base models.
    #[serde(default)]
    pub base: Option<Located<DurationText>>,
    /// Limit for small models.
    #[serde(default)]
    pub small: Option<Located<DurationText>>,
    /// Limit for medium models.
    #[serde(default)]
    pub medium: Option<Located<DurationText>>,
    /// Limit for large models.
    #[serde(default)]
    pub large: Option<Located<DurationText>>,
}

/// The limit of one trial: the larger of the two.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrialWire {
    /// The least that one trial gets.
    #[serde(default)]
    pub floor: Option<Located<DurationText>>,
    /// What it gets for each second of its audio.
    #[serde(default)]
    pub per_audio_second: Option<Located<DurationText>>,
}

/// The limits of a fetch.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FetchWire {
    /// The longest time without progress.
    #[serde(default)]
    pub stall: Option<Located<DurationText>>,
    /// The whole, all attempts together.
    #[serde(default)]
    pub total: Option<Located<DurationText>>,
}

/// Limits for some backend, some model, or one pair.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OverrideWire {
    /// Only for this backend.
    #[serde(default)]
    pub backend: Option<Located<String>>,
    /// Only for this model.
    #[serde(default)]
    pub model: Option<Located<String>>,
    /// Spawn to hello.
    #[serde(default)]
    pub start: Option<Located<DurationText>>,
    /// Verify by loading.
    #[serde(default)]
    pub verify: Option<Located<DurationText>>,
    /// Load of a benchmark.
    #[serde(default)]
    pub load: Option<Located<DurationText>>,
    /// The least that one trial gets.
    #[serde(default)]
    pub benchmark: Option<Located<DurationText>>,
    /// The whole of one launch of a benchmark, or of one verify.
    #[serde(default)]
    pub job: Option<Located<DurationText>>,
}

/// A share above 0 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        if share > 0.0 && share <= 1.0 {
            return Ok(Self(share));
        }
        Err(D::Error::custom(format!(
            "a share is above 0 and at most 1, and this is {share}; write 0.5 for the half of a limit, \
             or 1 to be told nothing before it is reached"
        )))
    }
}

impl JsonSchema for Share {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 })
    }
}
