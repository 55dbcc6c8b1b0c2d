//! A scalar from a matrix file: its type, its value, and the text that was written.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The typed value of a YAML scalar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`; `yes`, `no`, `on` and `off` are text.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Number(f64),
    /// Anything else, and anything in quotes.
    Text(String),
}

impl Scalar {
    /// Returns the name of the type, with its article, for messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
        }
    }
}

/// A scalar that remembers how it was written, because `3.10` and `3.1` are one number and two
/// labels.
///
/// Equality is by type and value; what was written is only shown.
#[derive(Clone, Debug)]
pub struct Value {
    /// The typed value.
    pub scalar: Scalar,
    /// The text of the file, without quotes.
    pub written: String,
}

impl Value {
    /// Returns a text value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let written = text.into();
        Self {
            scalar: Scalar::Text(written.clone()),
            written,
        }
    }

    /// Returns a whole number.
    #[must_use]
    pub fn integer(number: i64) -> Self {
        Self {
            scalar: Scalar::Integer(number),
            written: number.to_string(),
        }
    }

    /// Returns a boolean.
    #[must_use]
    pub fn boolean(boolean: bool) -> Self {
        Self {
            scalar: Scalar::Boolean(boolean),
            written: boolean.to_string(),
        }
    }

    /// Returns a number.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self {
            scalar: Scalar::Number(number),
            written: number.to_string(),
        }
    }

    /// Returns the same text as a text value, whatever type YAML gave it.
    #[must_use]
    pub fn into_text(self) -> Self {
        Self::text(self.written)
    }

    /// Returns the number, whether it was written with a fraction or not.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self.scalar {
            // A setting's whole numbers are far below 2^53, where every integer is an exact float.
            #[expect(clippy::cast_precision_loss, reason = "settings are small numbers")]
            Scalar::Integer(number) => Some(number as f64),
            Scalar::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the whole number: `2` and `2.0`.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self.scalar {
            Scalar::Integer(number) => Some(number),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "checked to be whole and small"
            )]
            Scalar::Number(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => {
                Some(number as i64)
            }
            _ => None,
        }
    }

    /// Returns the boolean.
    #[must_use]
    pub fn as_boolean(&self) -> Option<bool> {
        match self.scalar {
            Scalar::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }
}

/// Returns a number as JSON writes it.
fn number_text(number: f64) -> String {
    serde_json::to_string(&number).unwrap_or_else(|_| number.to_string())
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.scalar == other.scalar
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

/// In JSON a value is a number or a boolean where JSON writes it as the file does, else its text.
impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.scalar {
            Scalar::Boolean(boolean) if boolean.to_string() == self.written => {
                serializer.serialize_bool(*boolean)
            }
            Scalar::Integer(number) if number.to_string() == self.written => {
                serializer.serialize_i64(*number)
            }
            Scalar::Number(number) if number_text(*number) == self.written => {
                serializer.serialize_f64(*number)
            }
            // Rust writes 2.0 as `2`, and JSON's text would not be a number when it is read again.
            Scalar::Number(number) if number.to_string() == self.written => {
                match self.as_integer() {
                    Some(whole) => serializer.serialize_i64(whole),
                    None => serializer.serialize_f64(*number),
                }
            }
            _ => serializer.serialize_str(&self.written),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scalar = Scalar::deserialize(deserializer)?;
        let written = match &scalar {
            Scalar::Null => String::new(),
            Scalar::Boolean(boolean) => boolean.to_string(),
            Scalar::Integer(number) => number.to_string(),
            // As JSON writes it, so that it is written the same again.
            Scalar::Number(number) => number_text(*number),
            Scalar::Text(text) => text.clone(),
        };
        Ok(Self { scalar, written })
    }
}

impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A scalar, shown as it was written.",
            "type": ["string", "number", "integer", "boolean"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_the_text_that_was_written() {
        let written_long = Value {
            scalar: Scalar::Number(3.1),
            written: "3.10".into(),
        };
        assert_eq!(serde_json::to_string(&written_long).unwrap(), "\"3.10\"");
        assert_eq!(serde_json::to_string(&Value::integer(2)).unwrap(), "2");
        assert_eq!(
            serde_json::to_string(&Value::boolean(false)).unwrap(),
            "false"
        );
        let hexadecimal = Value {
            scalar: Scalar::Integer(31),
            written: "0x1F".into(),
        };
        assert_eq!(serde_json::to_string(&hexadecimal).unwrap(), "\"0x1F\"");
    }

    #[test]
    fn a_number_is_a_number_when_json_is_read_again() {
        for number in [2.0, 0.25, 1e21] {
            let text = serde_json::to_string(&Value::number(number)).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value.as_number(), Some(number), "{text}");
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
    }
}
