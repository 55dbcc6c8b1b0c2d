//! Values of settings, and `repeat` as a mapping: from what is written to a rule, with every mistake
//! told at its place.

use super::axes::{Reader, located_value};
use crate::diagnostic::Diagnostic;
use crate::model::{Adaptive, MOST_TRIALS, REQUIRES, Scalar, Value};
use crate::yaml::{AnyValue, Located, LocatedValue, NodeId};
use indexmap::IndexMap;

/// The setting that may be a mapping.
pub(super) const REPEAT: &str = "repeat";

/// Its keys.
const KEYS: [&str; 3] = ["min", "max", "until"];

/// How it is written right.
const FORM: &str = "write `{min: 6, max: 30, until: 2%}`, or a fixed number such as `6`";

/// The entries of a mapping.
type Entries = IndexMap<String, Located<AnyValue>>;

impl Reader<'_> {
    /// Returns a scalar and its place. A rule in quotes is text, and told.
    pub(super) fn scalar(&mut self, name: &str, node: NodeId) -> Option<LocatedValue> {
        let located = located_value(name, node, self.document)?;
        if name == REPEAT && Adaptive::parse(&located.value.written).is_some() {
            self.refuse(
                node,
                format!("`{REPEAT}` takes a rule as a mapping, and this is text"),
                "take the quotes away",
            );
            return None;
        }
        Some(located)
    }

    /// Returns the value of an entry of `settings:`.
    pub(super) fn setting(&mut self, name: &str, wire: &Located<AnyValue>) -> Option<LocatedValue> {
        match &wire.value {
            value if name == REQUIRES => self.requirements(wire.node, value),
            AnyValue::Scalar => self.scalar(name, wire.node),
            AnyValue::Mapping(entries) if name == REPEAT => self.adaptive(wire.node, entries),
            AnyValue::Mapping(_) => {
                self.refuse(
                    wire.node,
                    "expected text, a number or a boolean, found a mapping",
                    "write a value here, or take the entry out",
                );
                None
            }
            AnyValue::List(_) => {
                self.refuse_list(wire.node);
                None
            }
        }
    }

    /// Returns what `repeat` says as a mapping: a value whose text stands for the rule. What is wrong
    /// with it is told.
    pub(super) fn adaptive(&mut self, node: NodeId, entries: &Entries) -> Option<LocatedValue> {
        for (key, value) in entries {
            if !KEYS.contains(&key.as_str()) {
                let diagnostic = Diagnostic::error(
                    self.document.key_span(value.node),
                    format!("`{REPEAT}` has no key `{key}`"),
                )
                .suggest(key, KEYS);
                self.tell(node, diagnostic);
            }
        }
        let missing: Vec<&str> = (KEYS.into_iter())
            .filter(|key| !entries.contains_key(*key))
            .collect();
        // What is wrong inside of it has been told, and was taken out.
        if !missing.is_empty() && !self.document.is_damaged(node) {
            let message = format!("`{REPEAT}` lacks `{}`", missing.join("` and `"));
            let span = self.document.span(node);
            self.tell(node, Diagnostic::error(Some(span), message));
        }
        let min = entries.get("min").and_then(|min| self.least(min.node));
        let max = entries
            .get("max")
            .and_then(|max| self.trials("max", max.node));
        let until = entries
            .get("until")
            .and_then(|until| self.percent(until.node));
        let (min, max, until_percent) = (min?, max?, until?);
        let at_max = entries.get("max").map(|max| self.document.span(max.node));
        if max < min {
            let message = format!("nothing is measured at least {min} and at most {max} times");
            let diagnostic = Diagnostic::error(at_max, message)
                .hint("swap `min` and `max`, or write a fixed number");
            self.tell(node, diagnostic);
            return None;
        }
        if max > min && max < min.saturating_mul(2) {
            let message = format!(
                "after {min} trials there is no room for as many again, so none are added up to {max}"
            );
            let hint = format!("write `max: {}` or more", min.saturating_mul(2));
            let path = self.document.path(node);
            let problem = Diagnostic::warning(at_max, message).hint(hint).path(path);
            self.problems.push(problem);
        }
        if entries.len() > KEYS.len() {
            return None;
        }
        let rule = Adaptive {
            min,
            max,
            until_percent,
        };
        let span = self.document.span(node);
        Some(LocatedValue {
            value: Value::text(rule.to_string()),
            key: self.document.key_span(node).unwrap_or_else(|| span.clone()),
            span,
        })
    }

    /// Tells a mistake of a rule at `node`, with the way to write it if it has no remedy of its own.
    fn tell(&mut self, node: NodeId, diagnostic: Diagnostic) {
        let path = self.document.path(node);
        let diagnostic = if diagnostic.hints.is_empty() {
            diagnostic.hint(FORM)
        } else {
            diagnostic
        };
        self.problems.push(diagnostic.path(path));
    }

    fn least(&mut self, node: NodeId) -> Option<u32> {
        let min = self.trials("min", node)?;
        if min >= Adaptive::FEWEST {
            return Some(min);
        }
        let fewest = Adaptive::FEWEST;
        let diagnostic = Diagnostic::error(
            Some(self.document.span(node)),
            format!("{min} trials are too few for an interval of their median"),
        )
        .hint(format!(
            "write `min: {fewest}` or more: below {fewest} even the least and the largest of them \
             cover it with less than 95 %"
        ));
        self.tell(node, diagnostic);
        None
    }

    fn trials(&mut self, key: &str, node: NodeId) -> Option<u32> {
        let value = self.document.scalar(node);
        let number = value.and_then(Value::as_integer);
        let number = number.and_then(|number| u32::try_from(number).ok());
        let found = number.filter(|number| (1..=MOST_TRIALS).contains(number));
        if found.is_none() {
            let what = value.map_or_else(
                || self.kind_of(node).to_owned(),
                |value| match value.scalar {
                    Scalar::Text(_) | Scalar::Null | Scalar::Boolean(_) => {
                        value.scalar.type_name().to_owned()
                    }
                    _ => value.written.clone(),
                },
            );
            let message =
                format!("`{key}` takes a whole number from 1 to {MOST_TRIALS}, and this is {what}");
            let span = self.document.span(node);
            self.tell(node, Diagnostic::error(Some(span), message));
        }
        found
    }

    fn percent(&mut self, node: NodeId) -> Option<f64> {
        let written = self
            .document
            .scalar(node)
            .map(|value| value.written.as_str());
        let number = written.and_then(|text| {
            let number = text.strip_suffix('%')?.trim_end_matches(' ');
            let is_plain = number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            let is_whole = number.ends_with(|last: char| last.is_ascii_digit());
            let percent = number.parse::<f64>().ok();
            percent.filter(|_| is_plain && is_whole)
        });
        let found = number.filter(|percent| *percent > 0.0 && *percent <= 100.0);
        if found.is_none() {
            let what =
                written.map_or_else(|| self.kind_of(node).to_owned(), |text| format!("`{text}`"));
            let message = format!(
                "`until` takes a share of the median in percent, more than `0%` and at most `100%`, and \
                 this is {what}"
            );
            let span = self.document.span(node);
            self.tell(node, Diagnostic::error(Some(span), message));
        }
        found
    }
}
