//! Durations as a matrix file has them.

use crate::model::units;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error};
use std::borrow::Cow;
use std::time::Duration;

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
