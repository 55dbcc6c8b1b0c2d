//! Values that remember their node, and so their place in the file.

use super::document::NodeId;
use crate::diagnostic::Span;
use crate::model::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The name by which [`Located`] asks the decoder for a node's id beside its value.
pub(super) const LOCATED: &str = "$earmark::Located";

/// A value with the node it was read from.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The node.
    pub node: NodeId,
    /// The value.
    pub value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pair<T> {
            type Value = Located<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a node of a matrix file")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let missing = || A::Error::custom("only the matrix decoder can give places");
                let node = access.next_element::<u32>()?.ok_or_else(missing)?;
                let value = access.next_element::<T>()?.ok_or_else(missing)?;
                Ok(Located {
                    node: NodeId(node),
                    value,
                })
            }
        }
        deserializer.deserialize_newtype_struct(LOCATED, Pair(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Any scalar; what was written is looked up by its node.
#[derive(Clone, Copy, Debug)]
pub struct AnyScalar;

impl<'de> Deserialize<'de> for AnyScalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = AnyScalar;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text, a number or a boolean")
            }

            fn visit_bool<E>(self, _: bool) -> Result<AnyScalar, E> {
                Ok(AnyScalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<AnyScalar, E> {
                Ok(AnyScalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<AnyScalar, E> {
                Ok(AnyScalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<AnyScalar, E> {
                Ok(AnyScalar)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for AnyScalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyScalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// One value or a list of values.
#[derive(Clone, Debug)]
pub struct OneOrMany<T>(pub Vec<Located<T>>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("one value or a list of values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<OneOrMany<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = access.next_element()? {
                    values.push(value);
                }
                Ok(OneOrMany(values))
            }
        }
        deserializer.deserialize_newtype_struct(ONE_OR_MANY, Values(PhantomData))
    }
}

/// The name by which [`OneOrMany`] asks the decoder to show a single value as a list of one.
pub(super) const ONE_OR_MANY: &str = "$earmark::OneOrMany";

/// A scalar with its place.
#[derive(Clone, Debug)]
pub struct LocatedValue {
    /// The scalar.
    pub value: Value,
    /// Its place.
    pub span: Span,
    /// The place of the key that it is written under.
    pub key: Span,
}
