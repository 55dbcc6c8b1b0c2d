//! How a matrix file says in which surroundings jobs run, and how often they are tried again.

use super::duration_text::DurationText;
use crate::model::{Quiet, Retries};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// `off`, or the load to wait for and how long to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum QuietWire {
    /// Do not wait.
    #[default]
    Off,
    /// Wait for a quiet machine.
    Until(Quiet),
}

/// The mapping form of [`QuietWire`].
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QuietUntil {
    /// How many CPUs other programs may keep busy, such as 0.5.
    #[schemars(range(min = 0.0))]
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
                if !(until.load.is_finite() && until.load >= 0.0) {
                    return Err(A::Error::custom(
                        "`load` must not be negative; write how many CPUs other programs may keep \
                         busy, such as 0.5",
                    ));
                }
                Ok(QuietWire::Until(Quiet {
                    load: until.load,
                    wait: until.wait.0,
                }))
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

/// How often what may heal is tried again.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RetriesWire {
    /// Further attempts of a download that failed.
    #[serde(default)]
    pub download: Option<RetryCount>,
    /// Further attempts of a verify, or of a launch of a benchmark, whose engine crashed.
    #[serde(default)]
    pub crash: Option<RetryCount>,
    /// The pause before the second attempt; it doubles with each further one.
    #[serde(default)]
    pub backoff: Option<DurationText>,
}

impl RetriesWire {
    /// Returns them with the defaults filled in.
    pub(super) fn resolve(&self) -> Retries {
        let default = Retries::default();
        let count = |written: Option<RetryCount>, default| written.map_or(default, |count| count.0);
        Retries {
            download: count(self.download, default.download),
            crash: count(self.crash, default.crash),
            backoff: self.backoff.map_or(default.backoff, |pause| pause.0),
        }
    }
}

/// A number of further attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryCount(u32);

impl<'de> Deserialize<'de> for RetryCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let most = Retries::MOST;
        let written = i64::deserialize(deserializer)?;
        let count = u32::try_from(written).ok().filter(|count| *count <= most);
        count.map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "a job can be tried again from 0 to {most} times, and this is {written}; write a \
                 number from 0 to {most}"
            ))
        })
    }
}

impl JsonSchema for RetryCount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RetryCount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": Retries::MOST })
    }
}

/// The number of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuNumber(pub u32);

/// The largest number of a CPU that Linux' calls for binding take without more room.
const LARGEST_CPU: u32 = 1023;

impl<'de> Deserialize<'de> for CpuNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = i64::deserialize(deserializer)?;
        let number = u32::try_from(written).ok();
        let number = number.filter(|number| *number <= LARGEST_CPU);
        number.map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "`{written}` is no number of a CPU; CPUs are numbered from 0, `lscpu --extended` \
                 lists them"
            ))
        })
    }
}

impl JsonSchema for CpuNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CpuNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": LARGEST_CPU })
    }
}
