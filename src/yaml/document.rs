//! YAML as a tree of nodes, each with its type, its value, the text that was written and its place.

use super::syntax::{nothing_in, syntax_error};
use super::tree::{Raw, Tree};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span};
use crate::model::{Scalar, Value};
use serde_yaml::Location;
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use std::collections::HashMap;
use std::sync::Arc;

/// The largest file that is read, in bytes.
pub const MAXIMUM_BYTES: usize = 16 * 1024 * 1024;

/// How deep nodes may lie in one another.
pub(super) const MAXIMUM_DEPTH: usize = 64;

/// How many nodes a file may write, keys included.
pub(super) const MAXIMUM_NODES: usize = 250_000;

/// How many nodes all aliases together may stand for.
pub(super) const MAXIMUM_ALIASED_NODES: usize = 100_000;

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
    /// The key that it is the value of.
    pub(super) key: Option<NodeId>,
    /// Set when a mistake in it has been told, so that the rest can still be looked at.
    pub(super) removed: bool,
    /// Set when an entry of it was removed.
    pub(super) damaged: bool,
}

/// A YAML document with the place of everything in it.
#[derive(Debug)]
pub struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// The text it was read from.
    pub source: Arc<SourceText>,
    /// Keys that are written twice: told when the document is decoded, with everything else.
    pub(super) duplicates: Diagnostics,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// Returns one diagnostic if the text is no single YAML document or goes past the limits on
    /// size, depth, nodes and aliases.
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
            // They are found here, so that all of them are told.
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            emit_comments: false,
            budget: serde_yaml::budget! {
                max_depth: MAXIMUM_DEPTH,
                max_nodes: MAXIMUM_NODES,
                max_total_scalar_bytes: 2 * MAXIMUM_BYTES,
                max_recorded_anchor_bytes: MAXIMUM_BYTES,
                // One anchor for settings that a hundred entries share is no attack: what aliases
                // stand for is counted instead.
                enforce_alias_anchor_ratio: false,
            },
            alias_limits: serde_yaml::alias_limits! {
                max_total_replayed_events: MAXIMUM_ALIASED_NODES,
            },
        };
        let tree: Tree = serde_yaml::from_str_with_options(&source.text, options)
            .map_err(|error| Box::new(syntax_error(&error, &source)))?;
        let mut document = Self {
            nodes: Vec::new(),
            root: NodeId(0),
            source,
            duplicates: Diagnostics::default(),
        };
        document.root = document.add(tree, None);
        if document
            .scalar(document.root)
            .is_some_and(|value| value.scalar == Scalar::Null)
        {
            return Err(Box::new(nothing_in(&document.source)));
        }
        for position in 0..document.nodes.len() {
            let id = NodeId(u32::try_from(position).unwrap_or(u32::MAX));
            document.find_duplicates(id);
            document.find_not_finite(id);
        }
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
            key: None,
            removed: false,
            damaged: false,
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
            Raw::List(items) => {
                let items: Vec<NodeId> = items
                    .into_iter()
                    .map(|item| self.add(item, Some(id)))
                    .collect();
                self.stretch(id, items.last().copied());
                Content::List(items)
            }
            Raw::Map(entries) => {
                let entries: Vec<(NodeId, NodeId)> = entries
                    .into_iter()
                    .map(|(key, value)| {
                        let key = self.add(key, Some(id));
                        let value = self.add(value, Some(id));
                        self.nodes[value.position()].key = Some(key);
                        (key, value)
                    })
                    .collect();
                self.stretch(id, entries.last().map(|(_, value)| *value));
                Content::Map(entries)
            }
        };
        self.nodes[id.position()].content = content;
        id
    }

    /// Lets a list or mapping reach to the end of what stands last in it, and to its bracket; the
    /// library knows only where it begins.
    fn stretch(&mut self, id: NodeId, last: Option<NodeId>) {
        let last_end = last.map_or(0, |last| self.node(last).span.range.end);
        let text = &self.source.text;
        let range = &mut self.nodes[id.position()].span.range;
        // What comes out of an alias lies elsewhere in the file.
        range.end = range.end.max(last_end).max(range.start);
        let close = match text.as_bytes().get(range.start) {
            Some(b'[') => b']',
            Some(b'{') => b'}',
            _ => return,
        };
        let inside = range.end.max(range.start + 1);
        let blank = text
            .as_bytes()
            .get(inside..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b','))
            .count();
        if text.as_bytes().get(inside + blank) == Some(&close) {
            range.end = inside + blank + 1;
        }
    }

    /// Tells keys of a mapping that are written twice, and takes the later ones out.
    fn find_duplicates(&mut self, id: NodeId) {
        let Content::Map(entries) = &self.node(id).content else {
            return;
        };
        let mut first: HashMap<&str, NodeId> = HashMap::new();
        let mut found = Vec::new();
        for (key, value) in entries {
            let Some(written) = self.scalar(*key).map(|key| key.written.as_str()) else {
                continue;
            };
            match first.get(written) {
                Some(earlier) => found.push((*earlier, *key, *value)),
                None => {
                    first.insert(written, *key);
                }
            }
        }
        for (earlier, key, value) in found {
            let written = self.scalar(key).map_or("", |key| key.written.as_str());
            let line = self.node(earlier).span.line_and_column().0;
            let diagnostic = Diagnostic::error(
                Some(self.span(key)),
                format!("the key `{written}` is written twice"),
            )
            .label(format!("it stands in line {line} already"))
            .path(self.path(key))
            .hint("keep one of the two, so that nobody has to guess which one counts");
            self.duplicates.push(diagnostic);
            self.remove(value);
        }
    }

    /// Tells a number that is none to be counted with, and takes it out.
    fn find_not_finite(&mut self, id: NodeId) {
        let Some(value) = self.scalar(id) else { return };
        if !matches!(value.scalar, Scalar::Number(number) if !number.is_finite()) {
            return;
        }
        let diagnostic = Diagnostic::error(
            Some(self.span(id)),
            format!("`{}` is no finite number", value.written),
        )
        .label("nothing can be counted with it")
        .path(self.path(id))
        .hint("write a number, or put quotes around it if text is meant");
        self.duplicates.push(diagnostic);
        self.remove(id);
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.position()]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.position()]
    }

    /// Takes an entry out, because a mistake in it has been told.
    pub(super) fn remove(&mut self, id: NodeId) {
        self.nodes[id.position()].removed = true;
        if let Some(parent) = self.node(id).parent {
            self.nodes[parent.position()].damaged = true;
        }
    }

    /// Returns whether an entry of this list or mapping was taken out, because a mistake in it has
    /// been told: what now seems to be missing may be no other mistake.
    #[must_use]
    pub fn is_damaged(&self, id: NodeId) -> bool {
        self.node(id).damaged
    }

    /// Returns whether something was taken out of it, or of anything in it.
    #[must_use]
    pub fn is_damaged_within(&self, id: NodeId) -> bool {
        let node = self.node(id);
        node.damaged
            || match &node.content {
                Content::Scalar(_) => false,
                Content::List(items) => items.iter().any(|item| self.is_damaged_within(*item)),
                Content::Map(entries) => entries
                    .iter()
                    .any(|(_, value)| self.is_damaged_within(*value)),
            }
    }

    /// Returns whether a node is a list.
    #[must_use]
    pub fn is_list(&self, id: NodeId) -> bool {
        matches!(self.node(id).content, Content::List(_))
    }

    /// Returns the node that a node is in.
    #[must_use]
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent
    }

    /// Returns the place of the key that a node is written under, itself or the list that it is in.
    #[must_use]
    pub fn key_span(&self, id: NodeId) -> Option<Span> {
        match self.node(id).key {
            Some(key) => Some(self.span(key)),
            None => self.key_span(self.node(id).parent?),
        }
    }

    /// Returns the place of the first character: where what is missing from the file is told.
    #[must_use]
    pub fn start(&self) -> Span {
        let start = self.node(self.root).span.range.start;
        Span {
            source: Arc::clone(&self.source),
            range: start..start,
        }
    }

    /// Returns whether a mistake in the entry at a path, such as `matrix.model`, has been told, so
    /// that the entry is there and only looks as if it were missing.
    #[must_use]
    pub fn is_told(&self, path: &str) -> bool {
        let mut node = self.root;
        for wanted in path.split('.') {
            let Content::Map(entries) = &self.node(node).content else {
                return false;
            };
            let Some((_, value)) = entries
                .iter()
                .find(|(key, _)| self.scalar(*key).is_some_and(|key| key.written == wanted))
            else {
                return false;
            };
            if self.node(*value).removed {
                return true;
            }
            node = *value;
        }
        false
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

pub(super) fn span_of(location: Location, source: &Arc<SourceText>) -> Span {
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
