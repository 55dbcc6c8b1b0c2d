//! A scalar, or a mapping or a list of such: what an axis and an entry of a matrix hold.

use super::located::Located;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A scalar, or a mapping to or a list of further ones. The scalar itself is looked up by its node.
#[derive(Clone, Debug)]
pub enum AnyValue {
    /// Text, a number or a boolean.
    Scalar,
    /// Keys with their values.
    Mapping(IndexMap<String, Located<AnyValue>>),
    /// Values one after the other.
    List(Vec<Located<AnyValue>>),
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = AnyValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text, a number or a boolean")
            }

            fn visit_bool<E>(self, _: bool) -> Result<AnyValue, E> {
                Ok(AnyValue::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<AnyValue, E> {
                Ok(AnyValue::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<AnyValue, E> {
                Ok(AnyValue::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<AnyValue, E> {
                Ok(AnyValue::Scalar)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<AnyValue, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(AnyValue::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<AnyValue, A::Error> {
                let mut entries = IndexMap::new();
                while let Some((key, value)) = access.next_entry()? {
                    entries.insert(key, value);
                }
                Ok(AnyValue::Mapping(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for AnyValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean", "object", "array"] })
    }
}
