//! `requires` as a mapping: from what is written to a value whose text stands for it, with every mistake
//! told at its place.

use super::axes::{Reader, located_value};
use crate::diagnostic::Diagnostic;
use crate::model::{REQUIRES, Requirement, Requirements, Value};
use crate::yaml::{AnyValue, Located, LocatedValue, NodeId};
use indexmap::IndexMap;

impl Reader<'_> {
    /// Returns what `requires` says as a mapping. What is wrong with it is told.
    pub(super) fn requirements(
        &mut self,
        node: NodeId,
        entries: &IndexMap<String, Located<AnyValue>>,
    ) -> Option<LocatedValue> {
        let mut found = Requirements::default();
        let mut is_sound = !self.document.is_damaged_within(node);
        for (key, value) in entries {
            let written = located_value(REQUIRES, value.node, self.document);
            let Some(written) = written.filter(|_| matches!(value.value, AnyValue::Scalar)) else {
                self.refuse(
                    value.node,
                    format!("`{key}` of `{REQUIRES}` takes words, and this is a mapping"),
                    "write one word, or several between commas",
                );
                is_sound = false;
                continue;
            };
            for word in written.value.written.split(',') {
                let added = Requirement::of(key, word).and_then(|one| found.add(one));
                let Err(reason) = added else { continue };
                is_sound = false;
                let (message, hint) = reason
                    .split_once("; ")
                    .unwrap_or((&reason, "require what one machine can have"));
                self.problems.push(
                    Diagnostic::error(Some(self.document.span(value.node)), message)
                        .path(self.document.path(value.node))
                        .hint(hint),
                );
            }
        }
        is_sound.then(|| LocatedValue {
            value: Value::text(found.to_string()),
            span: self.document.span(node),
            key: self
                .document
                .key_span(node)
                .unwrap_or_else(|| self.document.span(node)),
        })
    }
}
