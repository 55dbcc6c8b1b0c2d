//! Nodes of a document, shown to serde.

use super::document::{Content, Document, NodeId};
use super::located::{LOCATED, ONE_OR_MANY};
use super::mistake::Mistake;
use crate::model::Scalar;
use serde::de::{
    self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// A node, as serde sees it.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'a> {
    pub(super) document: &'a Document,
    pub(super) node: NodeId,
}

impl<'a> NodeDeserializer<'a> {
    fn child(self, node: NodeId) -> Self {
        Self { node, ..self }
    }

    fn items(self, items: &'a [NodeId]) -> Items<'a> {
        Items {
            deserializer: self,
            items: items.iter(),
        }
    }
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.document.node(self.node).content {
            Content::Scalar(value) => match &value.scalar {
                Scalar::Null => visitor.visit_unit(),
                Scalar::Boolean(value) => visitor.visit_bool(*value),
                Scalar::Integer(value) => visitor.visit_i64(*value),
                Scalar::Number(value) => visitor.visit_f64(*value),
                Scalar::Text(text) => visitor.visit_str(text),
            },
            Content::List(items) => visitor.visit_seq(self.items(items)),
            Content::Map(entries) => visitor.visit_map(Entries {
                deserializer: self,
                remaining: entries.iter(),
                value: None,
            }),
        }
        .map_err(|mistake: Mistake| mistake.at(self.node))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        // An explicit null is a mistake like any wrong type: the key can be left out.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match name {
            LOCATED => visitor
                .visit_seq(Pair {
                    deserializer: self,
                    step: 0,
                })
                .map_err(|mistake: Mistake| mistake.at(self.node)),
            ONE_OR_MANY => match &self.document.node(self.node).content {
                Content::List(_) => self.deserialize_any(visitor),
                _ => visitor.visit_seq(self.items(std::slice::from_ref(&self.node))),
            }
            .map_err(|mistake: Mistake| mistake.at(self.node)),
            _ => visitor
                .visit_newtype_struct(self)
                .map_err(|mistake: Mistake| mistake.at(self.node)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor
            .visit_enum(Variant(self))
            .map_err(|mistake: Mistake| mistake.at(self.node))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        // A derived struct would take a list for its fields in their order.
        if let Content::List(_) = &self.document.node(self.node).content {
            let found = de::Unexpected::Seq;
            return Err(<Mistake as de::Error>::invalid_type(found, &visitor).at(self.node));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        // `name: 3.10` is the text `3.10`: where text is wanted, what was written is the text.
        match &self.document.node(self.node).content {
            Content::Scalar(value) if value.scalar != Scalar::Null => visitor
                .visit_str(&value.written)
                .map_err(|mistake: Mistake| mistake.at(self.node)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf
        unit unit_struct seq tuple tuple_struct map ignored_any
    }
}

struct Items<'a> {
    deserializer: NodeDeserializer<'a>,
    items: std::slice::Iter<'a, NodeId>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let document = self.deserializer.document;
        match self.items.find(|item| !document.node(**item).removed) {
            Some(item) => seed.deserialize(self.deserializer.child(*item)).map(Some),
            None => Ok(None),
        }
    }
}

struct Entries<'a> {
    deserializer: NodeDeserializer<'a>,
    remaining: std::slice::Iter<'a, (NodeId, NodeId)>,
    value: Option<NodeId>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let document = self.deserializer.document;
        match self
            .remaining
            .find(|(_, value)| !document.node(*value).removed)
        {
            Some((key, value)) => {
                self.value = Some(*value);
                seed.deserialize(self.deserializer.child(*key))
                    .map(Some)
                    .map_err(|m| m.at(*key))
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mistake> {
        let value = self.value.take().ok_or_else(|| {
            <Mistake as de::Error>::custom("a value was asked for before its key")
        })?;
        seed.deserialize(self.deserializer.child(value))
            .map_err(|mistake| mistake.at(value))
    }
}

/// A node's id, then its value: what [`super::Located`] is made of.
struct Pair<'a> {
    deserializer: NodeDeserializer<'a>,
    step: u8,
}

impl<'de> SeqAccess<'de> for Pair<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        self.step += 1;
        match self.step {
            1 => seed
                .deserialize(self.deserializer.node.0.into_deserializer())
                .map(Some),
            2 => seed.deserialize(self.deserializer).map(Some),
            _ => Ok(None),
        }
    }
}

/// A word, or a mapping of one key: what an enum is made of.
struct Variant<'a>(NodeDeserializer<'a>);

impl<'a, 'de> EnumAccess<'de> for Variant<'a> {
    type Error = Mistake;
    type Variant = VariantContent<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, VariantContent<'a>), Mistake> {
        let inner = self.0;
        match &inner.document.node(inner.node).content {
            Content::Map(entries) if entries.len() == 1 => {
                let (key, value) = entries[0];
                let variant = seed
                    .deserialize(inner.child(key))
                    .map_err(|mistake| mistake.at(key))?;
                Ok((variant, VariantContent(Some(inner.child(value)))))
            }
            _ => Ok((seed.deserialize(inner)?, VariantContent(None))),
        }
    }
}

struct VariantContent<'a>(Option<NodeDeserializer<'a>>);

impl<'de> VariantAccess<'de> for VariantContent<'_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(de::Error::custom("this word takes no value")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        match self.0 {
            Some(inner) => seed
                .deserialize(inner)
                .map_err(|mistake| mistake.at(inner.node)),
            None => Err(de::Error::custom(
                "this word needs a value: write `{word: value}`",
            )),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Mistake> {
        Err(de::Error::custom("no such form"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self.0 {
            Some(inner) => de::Deserializer::deserialize_any(inner, visitor),
            None => Err(de::Error::custom("this word needs a mapping")),
        }
    }
}
