//! From nodes to types, by serde, with every mistake told and not only the first.
//!
//! serde stops at the first mistake. So a mistake is told, the entry that holds it is taken out,
//! and the rest is decoded again, until nothing is left to tell.

use super::document::{Content, Document, NodeId};
use super::located::{LOCATED, ONE_OR_MANY};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::Scalar;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::fmt;

/// How many mistakes of one file are told.
const MOST_MISTAKES: usize = 50;

/// Decodes a whole document; what is wrong goes into `problems`.
///
/// Returns `None` if so much is wrong that nothing can be made of the rest.
pub fn decode<T: DeserializeOwned>(
    document: &mut Document,
    problems: &mut Diagnostics,
) -> Option<T> {
    for _ in 0..MOST_MISTAKES {
        let root = NodeDeserializer {
            document,
            node: document.root,
        };
        match T::deserialize(root) {
            Ok(value) => return Some(value),
            Err(mistake) => {
                let node = mistake.node.unwrap_or(document.root);
                if !is_consequence(document, node, &mistake.kind) {
                    problems.push(describe(document, node, &mistake.kind));
                }
                take_out(document, node)?;
            }
        }
    }
    None
}

/// Whether a field is only missing because a mistake in it has been told already.
fn is_consequence(document: &Document, node: NodeId, kind: &MistakeKind) -> bool {
    let MistakeKind::MissingField(field) = kind else {
        return false;
    };
    let Content::Map(entries) = &document.node(node).content else {
        return false;
    };
    entries.iter().any(|(key, value)| {
        document.node(*value).removed
            && document
                .scalar(*key)
                .is_some_and(|key| key.written == *field)
    })
}

/// Takes out the entry of a list or mapping that holds a node. Returns `None` at the root.
fn take_out(document: &mut Document, node: NodeId) -> Option<()> {
    let parent = document.node(node).parent?;
    let victim = match &document.node(parent).content {
        Content::Map(entries) => {
            entries
                .iter()
                .find(|(key, value)| *key == node || *value == node)?
                .1
        }
        _ => node,
    };
    if document.node(victim).removed {
        return take_out(document, parent);
    }
    document.remove(victim);
    Some(())
}

fn describe(document: &Document, node: NodeId, kind: &MistakeKind) -> Diagnostic {
    let at = Some(document.span(node));
    let path = document.path(node);
    match kind {
        MistakeKind::UnknownField(field, known) => {
            Diagnostic::error(at, format!("unknown key `{field}`"))
                .label("this key is not known here")
                .suggest(field, known.iter().copied())
        }
        MistakeKind::UnknownVariant(word, known) => Diagnostic::error(
            at,
            format!("`{word}` is not one of the words this key takes"),
        )
        .suggest(word, known.iter().copied()),
        MistakeKind::MissingField(field) => {
            Diagnostic::error(at, format!("the key `{field}` is missing"))
                .label(format!("`{field}` is needed in here"))
                .hint(format!("add `{field}: …`"))
        }
        MistakeKind::WrongType(found, expected) => {
            Diagnostic::error(at, format!("expected {expected}, found {found}"))
                .label(format!("this is {found}"))
                .hint(type_hint(found, expected))
        }
        MistakeKind::Other(message) => {
            let (message, hint) = message.split_once("; ").unwrap_or((message, ""));
            let diagnostic = Diagnostic::error(at, message.to_owned());
            if hint.is_empty() {
                diagnostic
            } else {
                diagnostic.hint(hint)
            }
        }
    }
    .path(path)
}

fn type_hint(found: &str, expected: &str) -> String {
    if found.contains("list") {
        "write one value, without brackets and dashes".into()
    } else if found == "nothing" {
        "write a value after the colon, or take the key out".into()
    } else {
        format!("write {expected} here")
    }
}

#[derive(Debug)]
struct Mistake {
    node: Option<NodeId>,
    kind: MistakeKind,
}

#[derive(Debug)]
enum MistakeKind {
    UnknownField(String, &'static [&'static str]),
    UnknownVariant(String, &'static [&'static str]),
    MissingField(&'static str),
    WrongType(String, String),
    Other(String),
}

impl Mistake {
    fn new(kind: MistakeKind) -> Self {
        Self { node: None, kind }
    }

    /// Sets the place unless a deeper one is known already.
    fn at(mut self, node: NodeId) -> Self {
        self.node.get_or_insert(node);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.kind)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(MistakeKind::Other(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(value) => format!("the boolean `{value}`"),
            Unexpected::Unsigned(value) => format!("the number {value}"),
            Unexpected::Signed(value) => format!("the number {value}"),
            Unexpected::Float(value) => format!("the number {value}"),
            Unexpected::Str(value) => format!("the text `{value}`"),
            Unexpected::Unit | Unexpected::Option => "nothing".into(),
            Unexpected::Seq => "a list".into(),
            Unexpected::Map => "a mapping".into(),
            _ => "something else".into(),
        };
        let expected = expected.to_string();
        let expected = match expected.as_str() {
            "a string" => "text".to_owned(),
            "a sequence" => "a list".to_owned(),
            "u64" | "u32" | "i64" | "usize" => "a whole number".to_owned(),
            "f64" => "a number".to_owned(),
            "a map" => "a mapping".to_owned(),
            text => match text.strip_prefix("struct ") {
                Some(_) => "a mapping".to_owned(),
                None => text.to_owned(),
            },
        };
        Self::new(MistakeKind::WrongType(found, expected))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(MistakeKind::UnknownField(field.to_owned(), known))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(MistakeKind::UnknownVariant(word.to_owned(), known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(MistakeKind::MissingField(field))
    }
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'a> {
    document: &'a Document,
    node: NodeId,
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
        unit unit_struct seq tuple tuple_struct map struct ignored_any
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
