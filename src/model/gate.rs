//! Gates: bounds that decide the exit status.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The columns that a gate may bound.
pub const GATE_METRICS: [&str; 15] = [
    "wer",
    "cer",
    "mer",
    "wil",
    "sentence_error_rate",
    "insertions_on_silence",
    "repeat_loops",
    "rtfx",
    "transcribe_seconds_median",
    "start_seconds",
    "load_seconds",
    "first_segment_seconds",
    "cpu_seconds",
    "peak_rss_bytes",
    "peak_anonymous_bytes",
];

/// The columns that a gate over sets may bound.
pub const SET_GATE_METRICS: [&str; 8] = [
    "wer",
    "cer",
    "mer",
    "wil",
    "sentence_error_rate",
    "insertions_on_silence",
    "repeat_loops",
    "rtfx",
];

/// Over what a gate looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateScope {
    /// Each row by itself.
    #[default]
    Row,
    /// A data set as a whole.
    Set,
}

/// A bound that decides the exit status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(
    extend("anyOf" = [{"required": ["max"]}, {"required": ["min"]}, {"required": ["max-regression"]}]),
    example = serde_json::json!({"metric": "wer", "max": 0.2}),
    example = serde_json::json!({"metric": "wer", "max-regression": {"absolute": 0.005, "relative": "5%"}})
)]
pub struct Gate {
    /// A numeric column of `results.csv` or, for sets, of `summary.csv`, such as `wer` or `rtfx`.
    #[schemars(extend("enum" = GATE_METRICS))]
    pub metric: String,
    /// The largest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The smallest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// How much worse than a base it may be; judged where there is one (`earmark compare --gate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_regression: Option<MaxRegression>,
    /// Each row, or a data set as a whole.
    #[serde(default)]
    pub scope: GateScope,
}

impl Gate {
    /// Whether a larger value is a better one.
    #[must_use]
    pub fn higher_is_better(&self) -> bool {
        self.metric == "rtfx"
    }
}

/// How much worse than a base something may be: the larger of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("anyOf" = [{"required": ["absolute"]}, {"required": ["relative"]}]))]
pub struct MaxRegression {
    /// In the unit of the metric: 0.005 of `wer` is half a point.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "not_negative"
    )]
    #[schemars(range(min = 0.0))]
    pub absolute: Option<f64>,
    /// As a share of what the base has: `5%` or 0.05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<Share>,
}

impl MaxRegression {
    /// Returns how much worse than a baseline is allowed: max(absolute, relative × baseline).
    #[must_use]
    pub fn of(self, baseline: f64) -> f64 {
        let relative = self.relative.map_or(0.0, |share| share.0 * baseline.abs());
        relative.max(self.absolute.unwrap_or(0.0))
    }
}

/// Reads an allowance in the unit of a metric.
fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number.is_finite() && number >= 0.0 {
        return Ok(Some(number));
    }
    Err(D::Error::custom(
        "an allowed regression is not below zero; write how much worse it may be, such as 0.005",
    ))
}

/// A share, written as `5%` or as 0.05.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Share(pub f64);

impl Share {
    /// Reads a share.
    ///
    /// # Errors
    ///
    /// Returns the reason in words if the text is no share.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let number = match text.strip_suffix('%') {
            Some(percent) => percent.trim_end().parse::<f64>().map(|n| n / 100.0),
            None => text.parse(),
        };
        number
            .ok()
            .filter(|share| share.is_finite() && *share >= 0.0)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no share; write it as `5%` or `0.05`"))
    }
}

impl std::str::FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Share;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a share such as `5%` or 0.05")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Share, E> {
                Share::parse(text).map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Share, E> {
                Share::parse(&number.to_string()).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Share, E> {
                Share::parse(&number.to_string()).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Share, E> {
                Share::parse(&number.to_string()).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Form)
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
        schemars::json_schema!({
            "description": "A share: `5%` or 0.05.",
            "anyOf": [
                { "type": "string", "pattern": r"^\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*%\s*$" },
                { "type": "number", "minimum": 0 },
            ],
            "examples": ["5%", 0.05],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_people_write_them() {
        assert_eq!(Share::parse("5%"), Ok(Share(0.05)));
        assert_eq!(Share::parse(" 2.5 % "), Ok(Share(0.025)));
        assert_eq!(Share::parse("0.05"), Ok(Share(0.05)));
        for wrong in ["", "%", "-1%", "nan", "inf%", "five"] {
            assert!(Share::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_larger_allowance_counts() {
        let both: MaxRegression =
            serde_json::from_str(r#"{"absolute": 0.005, "relative": "5%"}"#).unwrap();
        assert!((both.of(0.02) - 0.005).abs() < 1e-12);
        assert!((both.of(0.2) - 0.01).abs() < 1e-12);
        assert_eq!(
            serde_json::to_string(&both).unwrap(),
            r#"{"absolute":0.005,"relative":0.05}"#
        );
        assert!(serde_json::from_str::<MaxRegression>(r#"{"absolute": -1}"#).is_err());
    }
}
