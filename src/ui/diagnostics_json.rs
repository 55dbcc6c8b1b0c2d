//! Diagnostics as JSON, for editors and other programs.

use crate::diagnostic::{Diagnostic, Severity};
use serde_json::{Value, json};

/// Returns a diagnostic as an object; `file` is where it is if it says no place.
///
/// `line` and `column` count from 1, in characters, and `end` is behind the last character; all
/// three are null where there is no place.
#[must_use]
pub fn diagnostic_json(diagnostic: &Diagnostic, file: &str) -> Value {
    let place = diagnostic.span.as_ref();
    let start = place.map(crate::diagnostic::Span::line_and_column);
    json!({
        "file": place.map_or_else(
            || file.to_owned(),
            |span| span.source.path.display().to_string(),
        ),
        "line": start.map(|(line, _)| line),
        "column": start.map(|(_, column)| column),
        "end": place.map(|span| {
            let (line, column) = span.end_line_and_column();
            json!({ "line": line, "column": column })
        }),
        "path": diagnostic.path,
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": diagnostic.message,
        "label": diagnostic.label,
        "hints": diagnostic.hints,
    })
}
