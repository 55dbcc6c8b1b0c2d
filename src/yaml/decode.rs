//! From nodes to types, by serde, with every mistake told and not only the first.
//!
//! serde stops at the first mistake. So a mistake is told, the entry that holds it is taken out,
//! and the rest is decoded again, until nothing is left to tell.

use super::deserializer::NodeDeserializer;
use super::document::{Content, Document, NodeId};
use super::mistake::MistakeKind;
use crate::diagnostic::{Diagnostic, Diagnostics, closest, split_remedy};
use serde::de::DeserializeOwned;

/// How many mistakes of one file are told.
const MOST_MISTAKES: usize = 50;

/// How many nodes are looked at for that, over all passes: a file of many nodes that is wrong
/// everywhere gets fewer passes, so that none takes long.
const MOST_VISITS: usize = 1_000_000;

/// Decodes a whole document; what is wrong goes into `problems`.
///
/// Returns `None` if so much is wrong that nothing can be made of the rest.
pub fn decode<T: DeserializeOwned>(
    document: &mut Document,
    problems: &mut Diagnostics,
) -> Option<T> {
    for duplicate in std::mem::take(&mut document.duplicates).0 {
        problems.push(duplicate);
    }
    let passes = (MOST_VISITS / document.nodes.len().max(1)).clamp(4, MOST_MISTAKES);
    for _ in 0..passes {
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
    problems.push(
        Diagnostic::error(
            None,
            format!("after {passes} mistakes the rest is not looked at"),
        )
        .hint("put these right, and check the file again"),
    );
    None
}

/// Whether a field is only missing because a mistake in it, or in the spelling of its key, has been
/// told already.
fn is_consequence(document: &Document, node: NodeId, kind: &MistakeKind) -> bool {
    let MistakeKind::MissingField(field) = kind else {
        return false;
    };
    let Content::Map(entries) = &document.node(node).content else {
        return false;
    };
    entries.iter().any(|(key, value)| {
        document.node(*value).removed
            && document.scalar(*key).is_some_and(|key| {
                key.written == *field || closest(&key.written, [*field]).is_some()
            })
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
            // A mapping over several lines is best known by its key.
            let at = document
                .node(node)
                .key
                .map_or(at, |key| Some(document.span(key)));
            Diagnostic::error(at, format!("the key `{field}` is missing"))
                .label(format!("`{field}` is needed in here"))
                .hint(format!("add `{field}: …`"))
        }
        MistakeKind::WrongType(found, expected) => {
            Diagnostic::error(at, format!("expected {expected}, found {found}"))
                .label(type_label(found))
                .hint(type_hint(found, expected))
        }
        MistakeKind::Other(message) => {
            let (reason, remedy) = split_remedy(message);
            let diagnostic = Diagnostic::error(at, reason);
            match remedy {
                Some(remedy) => diagnostic.hint(remedy),
                None => diagnostic,
            }
        }
    }
    .path(path)
}

/// Returns the type alone: the value stands right above.
fn type_label(found: &str) -> String {
    let kinds = [
        ("the text", "text"),
        ("the number", "a number"),
        ("the boolean", "a boolean"),
    ];
    let kind = kinds
        .iter()
        .find(|(start, _)| found.starts_with(start))
        .map_or(found, |(_, kind)| kind);
    format!("this is {kind}")
}

fn type_hint(found: &str, expected: &str) -> String {
    let in_quotes = found
        .strip_prefix("the text `")
        .and_then(|rest| rest.strip_suffix('`'));
    match (found, expected) {
        _ if expected.contains("number") && in_quotes.is_some_and(|t| t.parse::<f64>().is_ok()) => {
            "take the quotes away: in quotes it is text".into()
        }
        ("nothing", _) => "write a value here, or take the entry out".into(),
        (_, "a mapping" | "a mapping of axes") => "write lines of `key: value` here".into(),
        (_, "a list") => "write a list here: `[one, another]`, or a line with `- ` for each".into(),
        ("a list", _) => "write one value, without brackets and dashes".into(),
        ("a mapping", _) => "write the value alone, without keys".into(),
        _ => format!("write {expected} here"),
    }
}
