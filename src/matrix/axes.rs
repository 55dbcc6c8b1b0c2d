//! Axes and entries: from what the file says to values with their places.

use super::condition::Condition;
use super::repetition::REPEAT;
use super::wire_matrix::{EntryWire, ValuesWire, ZipWire};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::{REQUIRES, Scalar};
use crate::yaml::{AnyValue, Document, Located, LocatedValue, NodeId};
use indexmap::IndexMap;

/// The four axes that every matrix has.
pub const NAMED_AXES: [&str; 4] = ["backend", "model", "audio", "verify-method"];

/// What stands between a label and a leaf of its nested value.
const NESTED: char = '.';

/// A value of an axis.
#[derive(Clone, Debug)]
pub struct AxisValue {
    /// The value and its place.
    pub located: LocatedValue,
    /// Only where this holds.
    pub condition: Option<Condition>,
}

/// An axis with its values in the order of the file.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Where its values are.
    pub span: Span,
    /// Its values.
    pub values: Vec<AxisValue>,
}

/// Axes that go together, the first value with the first.
#[derive(Clone, Debug)]
pub struct ZipGroup {
    /// The names of the axes.
    pub names: Vec<String>,
    /// Where the group is written.
    pub span: Span,
}

/// One key of an entry with the values it takes: several only where something is matched.
#[derive(Clone, Debug)]
pub struct EntryKey {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<LocatedValue>,
}

/// An entry of `include`, `exclude`, `only` or `exclude-after`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it is.
    pub span: Span,
    /// Its keys in the order of the file.
    pub keys: Vec<EntryKey>,
    /// Only where this holds.
    pub condition: Option<Condition>,
}

/// Whether the values of a key are ids or labels, and so text whatever YAML makes of them.
pub(super) fn is_text(name: &str) -> bool {
    NAMED_AXES.contains(&name) || name == "quantization" || name == REQUIRES || is_label(name)
}

fn is_label(name: &str) -> bool {
    name.starts_with("tag.")
}

pub(super) fn located_value(name: &str, node: NodeId, document: &Document) -> Option<LocatedValue> {
    let value = document.scalar(node)?.clone();
    let value = if is_text(name) {
        value.into_text()
    } else {
        value
    };
    Some(LocatedValue {
        value,
        span: document.span(node),
        key: document
            .key_span(node)
            .unwrap_or_else(|| document.span(node)),
    })
}

/// Reads axes and entries out of one document.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    pub(super) problems: &'a mut Diagnostics,
}

impl Reader<'_> {
    pub(super) fn refuse(&mut self, node: NodeId, message: impl Into<String>, hint: &str) {
        // What is wrong inside of it has been told, and was taken out.
        if self.document.is_damaged(node) {
            return;
        }
        self.problems.push(
            Diagnostic::error(Some(self.document.span(node)), message)
                .path(self.document.path(node))
                .hint(hint),
        );
    }

    /// Refuses a list where one value is wanted.
    pub(super) fn refuse_list(&mut self, node: NodeId) {
        self.problems.push(
            Diagnostic::error(
                Some(self.document.span(node)),
                "expected text, a number or a boolean, found a list",
            )
            .path(self.document.path(node))
            .label("this is a list")
            .hint("write one value, without brackets and dashes"),
        );
    }

    /// Returns what something is that is no scalar, in words.
    pub(super) fn kind_of(&self, node: NodeId) -> &'static str {
        if self.document.is_list(node) {
            "a list"
        } else {
            "a mapping"
        }
    }

    fn condition(&mut self, node: NodeId) -> Option<Condition> {
        let Some(value) = self.document.scalar(node) else {
            let message = format!("a condition is text, and this is {}", self.kind_of(node));
            self.refuse(node, message, "write a comparison, such as `os == 'macos'`");
            return None;
        };
        if !matches!(value.scalar, Scalar::Text(_) | Scalar::Boolean(_)) {
            let message = format!(
                "a condition is text, and this is {}",
                value.scalar.type_name()
            );
            self.refuse(node, message, "write a comparison, such as `os == 'macos'`");
            return None;
        }
        match Condition::parse(&value.written, self.document.span(node)) {
            Ok(condition) => Some(condition),
            Err(problem) => {
                self.problems.push(problem.path(self.document.path(node)));
                None
            }
        }
    }

    /// Returns the axes, and the groups that nested labels make: each leaf of a nested value is an
    /// axis of its own, and the leaves go together.
    pub(super) fn axes(
        &mut self,
        wire: &IndexMap<String, Located<ValuesWire>>,
    ) -> (Vec<Axis>, Vec<ZipGroup>) {
        let mut axes: Vec<Axis> = Vec::new();
        let mut groups = Vec::new();
        for (name, values) in wire {
            let span = self.document.span(values.node);
            if values.value.0.is_empty() {
                self.refuse(
                    values.node,
                    format!("`{name}` has no value"),
                    "an axis needs at least one value, or there is nothing to combine",
                );
            }
            let made = self.axis(name, &span, &values.value);
            if made.len() > 1 {
                groups.push(ZipGroup {
                    names: made.iter().map(|axis| axis.name.clone()).collect(),
                    span,
                });
            }
            for axis in made {
                if axes.iter().any(|known| known.name == axis.name) {
                    let message = format!("`{}` is made twice", axis.name);
                    self.refuse(values.node, message, "give one of the labels another name");
                } else {
                    axes.push(axis);
                }
            }
        }
        (axes, groups)
    }

    fn axis(&mut self, name: &str, span: &Span, values: &ValuesWire) -> Vec<Axis> {
        let mut columns: IndexMap<String, Vec<AxisValue>> = IndexMap::new();
        for (position, item) in values.0.iter().enumerate() {
            let (value, condition) = self.split_condition(item);
            let mut leaves = Vec::new();
            self.leaves(name, value.0, value.1, &mut leaves);
            if position > 0 && !leaves.iter().map(|leaf| &leaf.0).eq(columns.keys()) {
                if !leaves.is_empty() {
                    self.refuse(
                        item.node,
                        format!("this value of `{name}` has other keys than the first"),
                        "nested values of one label have the same keys in the same order",
                    );
                }
                continue;
            }
            for (leaf, located) in leaves {
                columns.entry(leaf).or_default().push(AxisValue {
                    located,
                    condition: condition.clone(),
                });
            }
        }
        if columns.is_empty() {
            columns.insert(name.to_owned(), Vec::new());
        }
        columns
            .into_iter()
            .map(|(name, values)| Axis {
                name,
                span: span.clone(),
                values,
            })
            .collect()
    }

    /// Takes `{value: …, if: …}` apart.
    fn split_condition<'v>(
        &mut self,
        item: &'v Located<AnyValue>,
    ) -> ((NodeId, &'v AnyValue), Option<Condition>) {
        if let AnyValue::Mapping(entries) = &item.value
            && let Some(value) = entries.get("value")
            && entries.keys().all(|key| key == "value" || key == "if")
        {
            let condition = entries
                .get("if")
                .and_then(|condition| self.condition(condition.node));
            return ((value.node, &value.value), condition);
        }
        ((item.node, &item.value), None)
    }

    /// Gathers the scalars of a value: one, or the leaves of a nested label.
    fn leaves(
        &mut self,
        name: &str,
        node: NodeId,
        value: &AnyValue,
        found: &mut Vec<(String, LocatedValue)>,
    ) {
        match value {
            _ if name == REQUIRES => {
                let located = self.requirements(node, value);
                found.extend(located.map(|located| (name.to_owned(), located)));
            }
            AnyValue::Scalar => {
                let located = self.scalar(name, node);
                found.extend(located.map(|located| (name.to_owned(), located)));
            }
            AnyValue::Mapping(entries) if is_label(name) && !entries.is_empty() => {
                for (key, value) in entries {
                    self.leaves(&format!("{name}{NESTED}{key}"), value.node, &value.value, found);
                }
            }
            AnyValue::Mapping(entries) if name == REPEAT => {
                let located = self.adaptive(node, entries);
                found.extend(located.map(|located| (name.to_owned(), located)));
            }
            AnyValue::Mapping(_) => self.refuse(
                node,
                format!("`{name}` takes single values, and this is a mapping"),
                "a value with a condition is `{value: …, if: …}`; only labels (`tag.NAME`) may be nested",
            ),
            AnyValue::List(_) => self.refuse_list(node),
        }
    }

    /// Returns entries, each key with its values; nested values become their leaves.
    pub(super) fn entries(&mut self, wire: &[Located<EntryWire>], may_list: bool) -> Vec<Entry> {
        wire.iter()
            .map(|entry| {
                let condition = entry
                    .value
                    .condition
                    .as_ref()
                    .and_then(|condition| self.condition(condition.node));
                if entry.value.keys.is_empty() && (entry.value.condition.is_none() || !may_list) {
                    self.refuse(
                        entry.node,
                        "an entry without keys",
                        "name at least one key, or take the entry out",
                    );
                }
                Entry {
                    span: self.document.span(entry.node),
                    keys: self.keys(entry, may_list),
                    condition,
                }
            })
            .collect()
    }

    fn keys(&mut self, entry: &Located<EntryWire>, may_list: bool) -> Vec<EntryKey> {
        let mut keys: IndexMap<String, Vec<LocatedValue>> = IndexMap::new();
        for (name, values) in &entry.value.keys {
            let alone = values.0.len() == 1;
            if name == REQUIRES
                && !may_list
                && let [first, _, ..] = values.0.as_slice()
            {
                // Where nothing is matched there is one value, and this is a way to write it.
                let node = self.document.parent(first.node).unwrap_or(first.node);
                let located = self.requirements(node, &AnyValue::List(values.0.clone()));
                keys.entry(name.clone()).or_default().extend(located);
                continue;
            }
            if !alone && !may_list {
                self.refuse(
                    entry.node,
                    format!("`{name}` in an include entry takes one value"),
                    "write one entry for each value",
                );
                continue;
            }
            if values.0.is_empty() {
                self.refuse(
                    entry.node,
                    format!("`{name}` has no value"),
                    "write the values to match, or take the key out",
                );
            }
            for item in &values.0 {
                if !alone && matches!(item.value, AnyValue::Mapping(_)) && name != REQUIRES {
                    self.refuse(
                        item.node,
                        "a nested value in a list",
                        "write one entry for each nested value",
                    );
                    continue;
                }
                let mut leaves = Vec::new();
                self.leaves(name, item.node, &item.value, &mut leaves);
                for (leaf, located) in leaves {
                    keys.entry(leaf).or_default().push(located);
                }
            }
        }
        keys.into_iter()
            .map(|(name, values)| EntryKey { name, values })
            .collect()
    }

    /// Returns the groups of axes that go together; `nested` are those that labels make.
    pub(super) fn zip(
        &mut self,
        wire: &[Located<ZipWire>],
        axes: &[Axis],
        nested: Vec<ZipGroup>,
    ) -> Vec<ZipGroup> {
        let names: Vec<(&String, NodeId)> = wire
            .iter()
            .filter_map(|item| match &item.value {
                ZipWire::Name(name) => Some((name, item.node)),
                ZipWire::Group(_) => None,
            })
            .collect();
        let mut groups: Vec<Vec<(&String, NodeId)>> = wire
            .iter()
            .filter_map(|item| match &item.value {
                ZipWire::Name(_) => None,
                ZipWire::Group(names) => {
                    Some(names.iter().map(|name| (&name.value, name.node)).collect())
                }
            })
            .collect();
        if let Some((_, first)) = names.first() {
            if groups.is_empty() {
                groups.push(names);
            } else {
                self.refuse(
                    *first,
                    "`zip` holds names and lists of names",
                    "write one list of names, or a list of such lists",
                );
                return nested;
            }
        }
        let mut made: Vec<ZipGroup> = nested;
        for group in groups {
            let Some((_, first)) = group.first().copied() else {
                continue;
            };
            if group.len() < 2 {
                self.refuse(
                    first,
                    "a `zip` of one axis",
                    "name the axes that go together",
                );
            }
            let mut joined = ZipGroup {
                names: Vec::new(),
                span: self.document.span(first),
            };
            for (name, node) in group {
                let inner = format!("{name}{NESTED}");
                let found: Vec<String> = axes
                    .iter()
                    .map(|axis| &axis.name)
                    .filter(|axis| *axis == name || axis.starts_with(&inner))
                    .cloned()
                    .collect();
                if found.is_empty() {
                    self.problems.push(
                        Diagnostic::error(
                            Some(self.document.span(node)),
                            format!("`{name}` in `zip` is no axis of this matrix"),
                        )
                        .path(self.document.path(node))
                        .suggest(name, axes.iter().map(|axis| axis.name.as_str())),
                    );
                }
                // The leaves of a nested label leave their own group and join this one.
                made.retain(|known| !known.names.iter().all(|name| found.contains(name)));
                for axis in found {
                    let taken = joined.names.contains(&axis)
                        || made.iter().any(|known| known.names.contains(&axis));
                    if taken {
                        self.refuse(
                            node,
                            format!("`{axis}` is in `zip` twice"),
                            "an axis goes together with one group",
                        );
                    } else {
                        joined.names.push(axis);
                    }
                }
            }
            made.push(joined);
        }
        made
    }
}
