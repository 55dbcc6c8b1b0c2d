//! What serde stops at, in a form that can be told to people.

use super::document::NodeId;
use serde::de::{self, Expected, Unexpected};
use std::fmt;

/// The mistake that serde stops at, with the node it is in.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) node: Option<NodeId>,
    pub(super) kind: MistakeKind,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum MistakeKind {
    /// A key that is not known, and those that are.
    UnknownField(String, &'static [&'static str]),
    /// A word that is not known, and those that are.
    UnknownVariant(String, &'static [&'static str]),
    /// A key that is needed.
    MissingField(&'static str),
    /// What was found, and what was expected.
    WrongType(String, String),
    /// A reason, and after `; ` a remedy.
    Other(String),
}

impl Mistake {
    fn new(kind: MistakeKind) -> Self {
        Self { node: None, kind }
    }

    /// Sets the place unless a deeper one is known already.
    pub(super) fn at(mut self, node: NodeId) -> Self {
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
        Self::new(MistakeKind::WrongType(
            words_for_found(found),
            words_for_expected(&expected.to_string()),
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        // The type is right, so the number is out of the range of what is expected.
        let expected = match expected.to_string().as_str() {
            "u64" | "u32" | "u16" | "u8" | "usize" => "a whole number from 0 up".to_owned(),
            text => words_for_expected(text),
        };
        Self::new(MistakeKind::WrongType(words_for_found(found), expected))
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Self::new(MistakeKind::WrongType(
            format!("a list of {found}"),
            words_for_expected(&expected.to_string()),
        ))
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

fn words_for_found(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("the boolean `{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(value) => format!("the text `{value}`"),
        Unexpected::Unit | Unexpected::Option => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a mapping".into(),
        _ => "something else".into(),
    }
}

fn words_for_expected(expected: &str) -> String {
    match expected {
        "a string" => "text",
        "a sequence" => "a list",
        "u64" | "u32" | "i64" | "usize" => "a whole number",
        "f64" => "a number",
        "a map" => "a mapping",
        "a boolean" => "`true` or `false`",
        "field identifier" => "a key",
        "variant identifier" => "a word",
        text if text.starts_with("struct ") => "a mapping",
        text => text,
    }
    .to_owned()
}
