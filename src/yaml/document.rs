//! YAML as a tree of nodes, each with its type, its value, the text that was written and its place.

use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::model::{Scalar, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};
use std::fmt;
use std::sync::Arc;

/// The largest file that is read, in bytes.
pub const MAXIMUM_BYTES: usize = 16 * 1024 * 1024;

/// How deep nodes may lie in one another.
const MAXIMUM_DEPTH: usize = 64;

/// A node's place in its [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    fn position(self) -> usize {
        self.0 as usize
    }
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// A scalar.
    Scalar(Value),
    /// A list.
    List(Vec<NodeId>),
    /// A mapping in the order of the file: keys are nodes too.
    Map(Vec<(NodeId, NodeId)>),
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) span: Span,
    pub(super) parent: Option<NodeId>,
    /// Set when a mistake in it has been told, so that the rest can still be looked at.
    pub(super) removed: bool,
}

/// A YAML document with the place of everything in it.
#[derive(Debug)]
pub struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// The text it was read from.
    pub source: Arc<SourceText>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// Returns one diagnostic if the text is no single YAML document, has duplicate keys, or goes
    /// past the limits on size, depth and aliases.
    pub fn parse(source: Arc<SourceText>) -> Result<Self, Box<Diagnostic>> {
        if source.text.len() > MAXIMUM_BYTES {
            return Err(Box::new(
                Diagnostic::error(
                    None,
                    format!(
                        "{} is larger than {} MiB",
                        source.path.display(),
                        MAXIMUM_BYTES / (1024 * 1024)
                    ),
                )
                .hint("split it into several matrix files"),
            ));
        }
        let options = serde_yaml::options! {
            strict_booleans: true,
            with_snippet: false,
            budget: serde_yaml::budget! { max_depth: MAXIMUM_DEPTH },
        };
        let tree: Tree = serde_yaml::from_str_with_options(&source.text, options)
            .map_err(|error| Box::new(syntax_error(&error, &source)))?;
        let mut document = Self {
            nodes: Vec::new(),
            root: NodeId(0),
            source,
        };
        document.root = document.add(tree, None);
        Ok(document)
    }

    fn add(&mut self, tree: Tree, parent: Option<NodeId>) -> NodeId {
        let span = span_of(tree.0.defined, &self.source);
        let reference = span_of(tree.0.referenced, &self.source);
        // An alias is shown where it is used; its text is where it is defined.
        let shown = if tree.0.defined == tree.0.referenced {
            span.clone()
        } else {
            reference
        };
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node {
            content: Content::List(Vec::new()),
            span: shown,
            parent,
            removed: false,
        });
        let content = match tree.0.value {
            Raw::Scalar(scalar) => {
                let written = match &scalar {
                    Scalar::Text(text) => text.clone(),
                    _ => self
                        .source
                        .text
                        .get(span.range.clone())
                        .unwrap_or("")
                        .trim()
                        .to_owned(),
                };
                Content::Scalar(Value { scalar, written })
            }
            Raw::List(items) => Content::List(
                items
                    .into_iter()
                    .map(|item| self.add(item, Some(id)))
                    .collect(),
            ),
            Raw::Map(entries) => Content::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (self.add(key, Some(id)), self.add(value, Some(id))))
                    .collect(),
            ),
        };
        self.nodes[id.position()].content = content;
        id
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.position()]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.position()]
    }

    pub(super) fn remove(&mut self, id: NodeId) {
        self.nodes[id.position()].removed = true;
    }

    /// Returns the place of a node.
    #[must_use]
    pub fn span(&self, id: NodeId) -> Span {
        self.node(id).span.clone()
    }

    /// Returns the scalar that a node holds.
    #[must_use]
    pub fn scalar(&self, id: NodeId) -> Option<&Value> {
        match &self.node(id).content {
            Content::Scalar(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the field path of a node, such as `matrix.audio[1]`.
    #[must_use]
    pub fn path(&self, id: NodeId) -> String {
        let Some(parent) = self.node(id).parent else {
            return String::new();
        };
        let base = self.path(parent);
        match &self.node(parent).content {
            Content::List(items) => {
                let position = items.iter().position(|item| *item == id).unwrap_or(0);
                format!("{base}[{position}]")
            }
            Content::Map(entries) => {
                let key = entries
                    .iter()
                    .find(|(key, value)| *key == id || *value == id)
                    .and_then(|(key, _)| self.scalar(*key))
                    .map_or("?", |value| value.written.as_str());
                if base.is_empty() {
                    key.to_owned()
                } else {
                    format!("{base}.{key}")
                }
            }
            Content::Scalar(_) => base,
        }
    }
}

fn span_of(location: Location, source: &Arc<SourceText>) -> Span {
    let span = location.span();
    let length = source.text.len();
    let range = match (span.byte_offset(), span.byte_len()) {
        (Some(offset), Some(bytes)) => {
            let start = usize::try_from(offset).unwrap_or(length).min(length);
            start..(start + usize::try_from(bytes).unwrap_or(0)).min(length)
        }
        _ => {
            // Only characters are known: count them.
            let offset = usize::try_from(span.offset()).unwrap_or(usize::MAX);
            let start = source
                .text
                .char_indices()
                .nth(offset)
                .map_or(length, |(position, _)| position);
            let end = source.text[start..]
                .chars()
                .next()
                .map_or(start, |c| start + c.len_utf8());
            start..end
        }
    };
    Span {
        source: Arc::clone(source),
        range,
    }
}

fn syntax_error(error: &serde_yaml::Error, source: &Arc<SourceText>) -> Diagnostic {
    let span = error
        .locations()
        .and_then(serde_yaml::Locations::primary_location)
        .map(|place| span_of(place, source));
    let whole = error.to_string();
    let message = strip_position(whole.lines().next().unwrap_or(&whole));
    let lower = message.to_lowercase();
    let (message, hint) = if lower.contains("duplicate mapping key") {
        let key = message
            .split(':')
            .nth(1)
            .and_then(|rest| rest.split(',').next())
            .unwrap_or("");
        (
            format!("the key `{}` is written twice", key.trim()),
            "keep one of the two; the last would silently win otherwise",
        )
    } else if lower.contains("tab") {
        (
            "a tab is used for indentation".to_owned(),
            "indent with spaces: YAML forbids tabs there",
        )
    } else if lower.contains("multiple yaml documents") {
        (
            "the file holds more than one YAML document".to_owned(),
            "a matrix file is one document: put the second into a file of its own",
        )
    } else if lower.contains("budget")
        || lower.contains("alias")
        || lower.contains("depth")
        || lower.contains("recursion")
    {
        (
            format!("the file goes past the limits on nesting and aliases: {message}"),
            "flatten it: nodes may lie 64 deep, and aliases may not multiply",
        )
    } else if lower.contains("empty")
        || lower.contains("end of input") && source.text.trim().is_empty()
    {
        (
            "the file is empty".to_owned(),
            "`earmark schema matrix` prints the format",
        )
    } else {
        (
            format!("this is no valid YAML: {message}"),
            "check quotes, brackets and indentation here",
        )
    };
    Diagnostic::error(span, message).hint(hint)
}

/// Cuts `error: line 3 column 4: ` off, because the place is shown anyway.
fn strip_position(message: &str) -> &str {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    match message
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((_, rest)) => rest,
        None => message,
    }
}

/// What the YAML library builds: the same tree before it gets its ids.
struct Tree(Spanned<Raw>);

enum Raw {
    Scalar(Scalar),
    List(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Tree)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a scalar, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Scalar::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Scalar::Boolean(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Scalar::Integer(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "no setting is that large; it is refused"
        )]
        Ok(Raw::Scalar(
            i64::try_from(value).map_or(Scalar::Number(value as f64), Scalar::Integer),
        ))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Scalar::Number(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Scalar::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
