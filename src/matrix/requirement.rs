//! `requires` as a mapping or a list: from what is written to a value whose text stands for it, with every
//! mistake told at its place.

use super::axes::{Reader, located_value};
use crate::diagnostic::{Diagnostic, split_remedy};
use crate::model::{REQUIRES, Requirement, Requirements, Value};
use crate::yaml::{AnyValue, Located, LocatedValue, NodeId};
use indexmap::IndexMap;

impl Reader<'_> {
    /// Returns what `requires` says, in whatever form. What is wrong with a mapping or a list is told; what
    /// a text says is looked at with all other settings.
    pub(super) fn requirements(&mut self, node: NodeId, value: &AnyValue) -> Option<LocatedValue> {
        let mut found = Requirements::default();
        let is_sound = match value {
            AnyValue::Scalar => return self.scalar(REQUIRES, node),
            AnyValue::Mapping(entries) => self.required_by_key(entries, &mut found),
            AnyValue::List(items) => self.required_together(items, &mut found),
        };
        let is_sound = is_sound && !self.document.is_damaged_within(node);
        is_sound.then(|| LocatedValue {
            value: Value::text(found.to_string()),
            span: self.document.span(node),
            key: self
                .document
                .key_span(node)
                .unwrap_or_else(|| self.document.span(node)),
        })
    }

    /// Adds what a mapping requires. Returns whether nothing is wrong with it.
    fn required_by_key(
        &mut self,
        entries: &IndexMap<String, Located<AnyValue>>,
        found: &mut Requirements,
    ) -> bool {
        let mut is_sound = true;
        for (key, value) in entries {
            let words = match &value.value {
                AnyValue::List(words) => words.as_slice(),
                _ => std::slice::from_ref(value),
            };
            for word in words {
                let Some(written) = self.written(word) else {
                    let kind = self.kind_of(word.node);
                    self.refuse(
                        word.node,
                        format!("`{key}` of `{REQUIRES}` takes words, and this is {kind}"),
                        "write one word, or several between commas",
                    );
                    is_sound = false;
                    continue;
                };
                for word_of_it in written.split(',') {
                    let added = Requirement::of(key, word_of_it).and_then(|one| found.add(one));
                    is_sound &= self.is_required(word.node, added);
                }
            }
        }
        is_sound
    }

    /// Adds what the texts of a list require. Returns whether nothing is wrong with them.
    fn required_together(&mut self, items: &[Located<AnyValue>], found: &mut Requirements) -> bool {
        let mut is_sound = true;
        for item in items {
            let Some(written) = self.written(item) else {
                let kind = self.kind_of(item.node);
                self.refuse(
                    item.node,
                    format!("a list under `{REQUIRES}` holds texts, and this is {kind}"),
                    "write each as text, such as `gpu:cuda`, or all of them as one mapping",
                );
                is_sound = false;
                continue;
            };
            let added = written.parse::<Requirements>().and_then(|all| {
                *found = found.and(&all)?;
                Ok(())
            });
            is_sound &= self.is_required(item.node, added);
        }
        is_sound
    }

    /// Returns the text of a scalar.
    fn written(&self, value: &Located<AnyValue>) -> Option<String> {
        let is_scalar = matches!(value.value, AnyValue::Scalar);
        let located = located_value(REQUIRES, value.node, self.document);
        located
            .filter(|_| is_scalar)
            .map(|located| located.value.written)
    }

    /// Tells why something cannot be required, if it cannot. Returns whether it can.
    fn is_required(&mut self, node: NodeId, added: Result<(), String>) -> bool {
        let Err(reason) = added else { return true };
        let (reason, remedy) = split_remedy(&reason);
        self.problems.push(
            Diagnostic::error(Some(self.document.span(node)), reason)
                .path(self.document.path(node))
                .hint(remedy.unwrap_or("require what one machine can have")),
        );
        false
    }
}
