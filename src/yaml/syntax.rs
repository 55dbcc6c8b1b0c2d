//! What the YAML library says of a text that it cannot read, in words for people.

use super::document::{MAXIMUM_ALIASED_NODES, MAXIMUM_DEPTH, MAXIMUM_NODES, span_of};
use crate::diagnostic::{Diagnostic, SourceText, Span};
use serde_yaml::Error;
use serde_yaml::budget::BudgetBreach;
use std::sync::Arc;

/// Returns the library's error as a diagnostic of ours.
pub(super) fn syntax_error(error: &Error, source: &Arc<SourceText>) -> Diagnostic {
    let span = error
        .locations()
        .and_then(serde_yaml::Locations::primary_location)
        .map(|place| span_of(place, source));
    let told = match cause(error) {
        Error::Eof { .. } => return nothing_in(source),
        Error::MultipleDocuments { .. } => Told::new(
            "the file holds more than one YAML document",
            "a second document begins here",
        )
        .hint("put the second document into a file of its own, and take the `---` out"),
        Error::UnknownAnchor { .. } => unknown_anchor(span.as_ref()),
        Error::RecursiveReferencesRequireWeakTypes { .. } => Told::new(
            "this alias stands inside of what it stands for",
            "it would never end",
        )
        .hint("take the alias out, or move the anchor to what is meant"),
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            Told::new("`<<` takes in a mapping, and this is none", "")
                .hint("write `<<: *name` with the anchor `&name` on a mapping")
        }
        Error::DuplicateMappingKey { .. } => Told::new("a key is written twice", "")
            .hint("keep one of the two, so that nobody has to guess which one counts"),
        Error::Budget { breach, .. } => limit(breach),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => too_many_aliases(),
        other => unreadable(other, span.as_ref()),
    };
    let diagnostic = Diagnostic::error(span, told.message).label(told.label);
    told.hints.into_iter().fold(diagnostic, Diagnostic::hint)
}

/// Tells that a file is empty or holds nothing but comments.
pub(super) fn nothing_in(source: &Arc<SourceText>) -> Diagnostic {
    let span = Span {
        source: Arc::clone(source),
        range: 0..0,
    };
    Diagnostic::error(Some(span), "the file holds nothing")
        .hint("begin with `version: 1`; `earmark schema matrix` prints the format")
}

/// Message, label and hints, before they have a place.
struct Told {
    message: String,
    label: String,
    hints: Vec<String>,
}

impl Told {
    fn new(message: impl Into<String>, label: &str) -> Self {
        Self {
            message: message.into(),
            label: label.to_owned(),
            hints: Vec::new(),
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Returns what an error that wraps another one is about.
fn cause(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => cause(error),
        other => other,
    }
}

fn unknown_anchor(span: Option<&Span>) -> Told {
    let rest = span
        .and_then(|span| span.source.text.get(span.range.start..))
        .unwrap_or_default();
    let name: String = rest
        .trim_start_matches('*')
        .chars()
        .take_while(|letter| !letter.is_whitespace() && !"[]{},".contains(*letter))
        .collect();
    Told::new(
        format!("the alias `*{name}` stands for nothing: there is no anchor `&{name}` before it"),
        "",
    )
    .hint(format!(
        "write `&{name}` before the value that is meant; a glob needs quotes: `\"*{name}\"`"
    ))
}

fn too_many_aliases() -> Told {
    Told::new(
        format!("the aliases of this file stand for more than {MAXIMUM_ALIASED_NODES} nodes"),
        "",
    )
    .hint("write values out instead of aliases of aliases")
}

fn limit(breach: &BudgetBreach) -> Told {
    match breach {
        BudgetBreach::Depth { .. } => too_deep(),
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => Told::new(
            format!("this file has more than {MAXIMUM_NODES} keys and values"),
            "",
        )
        .hint("split it into several matrix files"),
        BudgetBreach::ScalarBytes { .. } => {
            Told::new("the values of this file are too long together", "")
                .hint("split it into several matrix files")
        }
        BudgetBreach::Aliases { .. }
        | BudgetBreach::Anchors { .. }
        | BudgetBreach::MergeKeys { .. }
        | BudgetBreach::RecordedAnchorEvents { .. }
        | BudgetBreach::RecordedAnchorBytes { .. } => too_many_aliases(),
        other => Told::new(
            format!("this file goes past a limit of the YAML reader: {other:?}"),
            "",
        )
        .hint("split it into several matrix files"),
    }
}

fn too_deep() -> Told {
    Told::new(
        format!("lists and mappings lie in one another more than {MAXIMUM_DEPTH} deep"),
        "",
    )
    .hint("flatten it: nothing in a matrix file lies deeper than ten")
}

/// Returns the message for what the scanner stumbles over. Its texts are all there is to tell them
/// apart.
fn unreadable(error: &Error, span: Option<&Span>) -> Told {
    let whole = error.to_string();
    let reason = strip_place(whole.lines().next().unwrap_or(&whole));
    let lower = reason.to_lowercase();
    let is_about = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if is_about(&["escape"]) {
        Told::new(
            "a backslash in double quotes begins an escape that YAML does not know",
            "",
        )
        .hint("write `\\\\` for a backslash, or put the text in single quotes")
    } else if is_about(&["tab"]) && !is_about(&["table"]) {
        Told::new("a tab stands where YAML allows only spaces", "")
            .hint("indent with spaces, two for each level")
    } else if is_about(&["recursion limit", "nesting limit", "too deep"]) {
        too_deep()
    } else if is_about(&["quoted scalar", "unclosed quote", "end of stream"])
        && is_about(&["eof", "unclosed", "end of stream"])
    {
        Told::new("a quote is opened and never closed", "")
            .hint("close it with the same kind of quote")
    } else if let Some((bracket, line)) = span.and_then(open_bracket_before) {
        Told::new(
            format!(
                "the `{bracket}` of line {line} is not closed before this, or a comma is missing"
            ),
            "",
        )
        .hint("every `[` needs its `]` and every `{` its `}`, with commas between the values")
    } else if is_about(&["flow", "bracket"]) {
        let bracket = span
            .and_then(|span| span.source.text.get(span.range.start..)?.chars().next())
            .filter(|letter| matches!(letter, '[' | '{'));
        let message = match bracket {
            Some(bracket) => format!("the `{bracket}` is never closed"),
            None => "a bracket or brace is not closed, or a comma is missing".to_owned(),
        };
        Told::new(message, "")
            .hint("every `[` needs its `]` and every `{` its `}`, with commas between the values")
    } else if is_about(&["mapping values are not allowed", "':'", "simple key"]) {
        Told::new("a colon stands where none is expected", "")
            .hint("put quotes around text that holds `: `, and check the indentation of this line")
    } else if is_about(&[
        "indent",
        "did not find expected key",
        "block sequence",
        "block mapping",
    ]) {
        Told::new("the indentation of this line does not fit", "")
            .hint("entries of one list or mapping begin in the same column")
    } else if is_about(&["bom"]) {
        Told::new("a byte-order mark stands inside of the text", "")
            .hint("take it out; an editor that shows invisible characters finds it")
    } else {
        Told::new(format!("this is no valid YAML: {reason}"), "")
            .hint("check quotes, brackets and indentation here")
    }
}

/// Returns the innermost bracket that is open where a span begins, with its line, if that is an
/// earlier one: the reader stumbles only where the next line fits no more.
fn open_bracket_before(span: &Span) -> Option<(char, usize)> {
    let text = &span.source.text;
    let end = span.range.start.min(text.len());
    let mut open = Vec::new();
    let mut quote = None;
    let mut in_comment = false;
    let mut line = 1;
    let mut previous = ' ';
    for letter in text.get(..end)?.chars() {
        match letter {
            '\n' => {
                line += 1;
                in_comment = false;
            }
            _ if in_comment => {}
            '"' | '\'' if quote == Some(letter) => quote = None,
            _ if quote.is_some() => {}
            // Inside of a word an apostrophe is no quote.
            '"' | '\'' if !previous.is_alphanumeric() => quote = Some(letter),
            '#' if previous.is_whitespace() => in_comment = true,
            '[' | '{' => open.push((letter, line)),
            ']' | '}' => {
                open.pop();
            }
            _ => {}
        }
        previous = letter;
    }
    open.pop().filter(|(_, opened)| *opened < line)
}

/// Cuts `error: line 3 column 4: ` and ` at line 3, column 4` off, because the place is shown anyway.
fn strip_place(message: &str) -> &str {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let message = match message
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((_, rest)) => rest,
        None => message,
    };
    message
        .split_once(" at line ")
        .map_or(message, |(message, _)| message)
}
