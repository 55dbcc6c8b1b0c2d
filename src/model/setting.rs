//! Run settings: what a backend can be told, of which type and range, and what it changes.

use super::repetition::Adaptive;
use super::requirement::Requirements;
use super::value::{Scalar, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a setting changes, and so which jobs it tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Affects {
    /// How the model is loaded: verifies by loading are told apart by it too.
    Load,
    /// How speech is decoded, or how much work is done at once.
    Decode,
    /// Only how the measurement is laid out (trials, launches).
    Measurement,
}

/// The values a setting takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    /// `true` or `false`.
    Boolean,
    /// A whole number between two bounds, both included.
    Integer {
        /// The smallest value.
        minimum: i64,
        /// The largest value.
        maximum: i64,
    },
    /// How often something is measured: a whole number between two bounds, both included, or a rule
    /// that ends it. Only the runner's own: no engine can declare it.
    #[serde(skip)]
    Repetition {
        /// The smallest number.
        minimum: i64,
        /// The largest number.
        maximum: i64,
    },
    /// What a machine must have. Only the runner's own: no engine can declare it.
    #[serde(skip)]
    Requirements,
    /// A number between two bounds, both included.
    Number {
        /// The smallest value.
        minimum: f64,
        /// The largest value.
        maximum: f64,
    },
    /// One of a few words.
    Choice(Vec<String>),
    /// Free text.
    Text,
}

/// One setting that a backend has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SettingDeclaration {
    /// The name in the matrix file, such as `beam-size`.
    pub name: String,
    /// Type and range.
    pub kind: SettingKind,
    /// What it changes.
    pub affects: Affects,
    /// The value when nothing is said; `None` where it depends on the machine or the clip.
    #[serde(default)]
    pub default: Option<Value>,
    /// One sentence for people.
    pub description: String,
}

impl SettingDeclaration {
    /// Returns the value in the setting's own type, numbers and booleans in one spelling: `2` and
    /// `2.0` are one value of a whole number.
    ///
    /// # Errors
    ///
    /// Returns the reason in words if the type or the range is wrong.
    pub fn accept(&self, value: &Value) -> Result<Value, String> {
        let name = &self.name;
        let wrong = |wanted: &str| {
            format!(
                "`{name}` takes {wanted}, and this is {}",
                value.scalar.type_name()
            )
        };
        match &self.kind {
            SettingKind::Boolean => match value.scalar {
                Scalar::Boolean(boolean) => Ok(Value::boolean(boolean)),
                _ => Err(wrong("`true` or `false`")),
            },
            SettingKind::Integer { minimum, maximum } => {
                let number = value
                    .as_integer()
                    .ok_or_else(|| wrong(&format!("a whole number from {minimum} to {maximum}")))?;
                if number < *minimum || number > *maximum {
                    return Err(format!(
                        "`{name}` takes a whole number from {minimum} to {maximum}, and this is {number}"
                    ));
                }
                Ok(Value::integer(number))
            }
            SettingKind::Repetition { minimum, maximum } => {
                if Adaptive::parse(&value.written).is_some() {
                    return Ok(value.clone());
                }
                let wanted = format!(
                    "a whole number from {minimum} to {maximum}, or a rule such as \
                     `{{min: 6, max: 30, until: 2%}}`"
                );
                let number = value.as_integer().ok_or_else(|| wrong(&wanted))?;
                if number < *minimum || number > *maximum {
                    return Err(format!("`{name}` takes {wanted}, and this is {number}"));
                }
                Ok(Value::integer(number))
            }
            SettingKind::Requirements => match value.written.parse::<Requirements>() {
                Ok(requirements) => Ok(Value::text(requirements.to_string())),
                Err(reason) => Err(format!("`{name}`: {reason}")),
            },
            SettingKind::Number { minimum, maximum } => {
                let number = value
                    .as_number()
                    .ok_or_else(|| wrong(&format!("a number from {minimum} to {maximum}")))?;
                if !(*minimum..=*maximum).contains(&number) {
                    return Err(format!(
                        "`{name}` takes a number from {minimum} to {maximum}, and this is {number}"
                    ));
                }
                Ok(Value::number(number))
            }
            SettingKind::Choice(words) => {
                if words.contains(&value.written) {
                    return Ok(value.clone().into_text());
                }
                let shown: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                Err(format!("`{name}` takes one of {}", shown.join(", ")))
            }
            SettingKind::Text => match value.scalar {
                Scalar::Null => Err(wrong("text")),
                _ => Ok(value.clone().into_text()),
            },
        }
    }
}
