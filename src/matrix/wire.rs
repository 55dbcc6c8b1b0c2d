//! The matrix file as it is written. These types parse it and make `schemas/matrix.json`.

use super::wire_matrix::MatrixSection;
use crate::catalog::{AudioWire, BackendWire, ModelWire, RecipeWire};
use crate::model::{DownloadPolicy, Gate, Isolation, NormalizerId, Order, VerifyPolicy, units};
use crate::yaml::{AnyScalar, Located};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A matrix file: which engine, model, audio and settings to measure, and how.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "Earmark matrix", transform = axes_here_or_extended)]
pub struct MatrixFile {
    // This and `matrix` may be missing here, so that everything else is looked at all the same.
    /// Version of this format: 1.
    #[schemars(with = "u64", range(min = 1, max = 1))]
    pub version: Option<Located<u64>>,
    /// Another matrix file, relative to this one: what this one does not say is taken from there.
    #[serde(default)]
    pub extends: Option<Located<String>>,
    /// The matrix's name in reports; default: the file's name without its ending.
    #[serde(default)]
    pub name: Option<Located<String>>,
    /// The question that this matrix answers.
    #[serde(default)]
    pub description: Option<String>,
    /// The axes, and what to leave out of and add to their combinations.
    #[schemars(with = "MatrixSection")]
    pub matrix: Option<Located<MatrixSection>>,
    /// The value of every setting that is not an axis.
    #[serde(default)]
    pub settings: IndexMap<String, Located<AnyScalar>>,
    /// The limits that jobs run under.
    #[serde(default)]
    pub deadlines: DeadlinesWire,
    /// The order of timed work.
    #[serde(default)]
    pub order: Order,
    /// Seed of the random order within rounds.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Whether an engine's process serves one job or the following ones of its model too.
    #[serde(default)]
    pub isolation: Option<Located<Isolation>>,
    /// Whether to wait for a quiet machine before timed work.
    #[serde(default)]
    pub quiet: QuietWire,
    /// Whether anything may be fetched.
    #[serde(default)]
    pub download: DownloadPolicy,
    /// Which verdicts a benchmark needs.
    #[serde(default)]
    pub verify_policy: VerifyPolicy,
    /// How accuracy is counted.
    #[serde(default)]
    pub score: ScoreWire,
    /// Bounds that decide the exit status.
    #[serde(default)]
    pub gates: Vec<Located<Gate>>,
    /// Models beside, or over, the built-in catalog.
    #[serde(default)]
    pub models: IndexMap<String, Located<ModelWire>>,
    /// Clips and data sets of your own.
    #[serde(default)]
    pub audio: IndexMap<String, Located<AudioWire>>,
    /// Engines of your own: any command-line program.
    #[serde(default)]
    pub backends: IndexMap<String, Located<BackendWire>>,
    /// Commands that make artifacts.
    #[serde(default)]
    pub recipes: IndexMap<String, Located<RecipeWire>>,
}

/// A file that extends another may leave out what that one says.
fn axes_here_or_extended(schema: &mut Schema) {
    if let Some(required) = schema
        .get_mut("required")
        .and_then(serde_json::Value::as_array_mut)
    {
        required.retain(|key| key != "matrix");
    }
    schema.insert(
        "anyOf".into(),
        serde_json::json!([
            { "required": ["extends"] },
            {
                "required": ["matrix"],
                "properties": { "matrix": { "required": super::NAMED_AXES } },
            },
        ]),
    );
}

/// How accuracy is counted.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScoreWire {
    /// `whisper-en`, `basic` or `none`; the first is the headline. Default: `whisper-en` for
    /// English, else `basic`.
    #[serde(default)]
    #[schemars(with = "Vec<NormalizerId>")]
    pub normalizers: Vec<Located<String>>,
}

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
    /// Between the request to end and the forced end.
    #[serde(default)]
    pub grace: Option<Located<DurationText>>,
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
    /// The whole.
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
}

/// A duration such as `15s`, `1.5s`, `500ms`, `30m` or `2h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationText(pub Duration);

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let duration = units::parse_duration(&text).map_err(|reason| {
            D::Error::custom(format!(
                "{reason}; write a number with its unit, such as `15s` or `500ms`"
            ))
        })?;
        if duration > LONGEST_DURATION {
            return Err(D::Error::custom(format!(
                "`{text}` is longer than a year; write the time after which nobody waits any more"
            )));
        }
        Ok(Self(duration))
    }
}

/// Longer limits are slips of the pen, and their sums must not overflow.
const LONGEST_DURATION: Duration = Duration::from_hours(366 * 24);

impl JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A number with its unit: `15s`, `1.5s`, `500ms`, `30m`, `2h`.",
            "anyOf": [
                { "type": "string", "pattern": DURATION_PATTERN },
                { "const": 0 },
            ],
            "examples": ["15s", "500ms", "30m"],
        })
    }
}

/// What a duration looks like, for the schema; the parser reads no more than this.
const DURATION_PATTERN: &str = concat!(
    r"^\s*(0|([0-9]+(\.[0-9]*)?\s*",
    "(nanos|nsec|ns|usec|us|µs|micros|millis|msec|ms|seconds|second|secs|sec|s|minutes|minute|mins|min|m|",
    "hours|hour|hrs|hr|h|days|day|d|weeks|week|wks|wk|w|months|month|M|years|year|yrs|yr|y)",
    r"\s*)+)\s*$"
);

/// `off`, or the load to wait for and how long to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum QuietWire {
    /// Do not wait.
    #[default]
    Off,
    /// Wait until the load average of the last minute is below `load`, at most for `wait`.
    Until {
        /// Load average over one minute.
        load: f64,
        /// The longest wait.
        wait: Duration,
    },
}

/// The mapping form of [`QuietWire`].
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QuietUntil {
    /// Wait until the load average of the last minute is below this.
    #[schemars(extend("exclusiveMinimum" = 0))]
    load: f64,
    /// The longest wait.
    wait: DurationText,
}

impl<'de> Deserialize<'de> for QuietWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = QuietWire;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`off` or a mapping such as `{load: 0.5, wait: 60s}`")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<QuietWire, E> {
                match word {
                    "off" => Ok(QuietWire::Off),
                    _ => Err(E::custom(format!(
                        "`{word}` is no quiet gate; write `off` or `{{load: 0.5, wait: 60s}}`"
                    ))),
                }
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                access: A,
            ) -> Result<QuietWire, A::Error> {
                let until =
                    QuietUntil::deserialize(serde::de::value::MapAccessDeserializer::new(access))?;
                if until.load.is_nan() || until.load <= 0.0 {
                    return Err(A::Error::custom(
                        "`load` must be above 0; write the load average to wait for, such as 0.5",
                    ));
                }
                Ok(QuietWire::Until {
                    load: until.load,
                    wait: until.wait.0,
                })
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for QuietWire {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Quiet".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let until = generator.subschema_for::<QuietUntil>();
        schemars::json_schema!({
            "description": "Whether to wait, for a bounded time, for a quiet machine.",
            "anyOf": [{ "const": "off" }, until],
        })
    }
}
