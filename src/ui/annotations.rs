//! Diagnostics as commands of GitHub's workflows, which become annotations on a pull request.
//!
//! The format and its escapes are those of GitHub's “Workflow commands for GitHub Actions”:
//! `::error file=…,line=…,col=…,title=…::message`.

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::printable;

/// Returns one line, without its end, for a diagnostic; `file` is where it is if it says no place.
#[must_use]
pub fn github_annotation(diagnostic: &Diagnostic, file: &str) -> String {
    let kind = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (file, (line, column)) = match &diagnostic.span {
        Some(span) => (
            span.source.path.display().to_string(),
            span.line_and_column(),
        ),
        None => (file.to_owned(), (1, 1)),
    };
    let title = match diagnostic.path.as_str() {
        "" => "earmark check",
        path => path,
    };
    let mut message = printable(&diagnostic.message);
    for hint in &diagnostic.hints {
        message.push_str("\nhelp: ");
        message.push_str(&printable(hint));
    }
    format!(
        "::{kind} file={},line={line},col={column},title={}::{}",
        property(&relative(&file)),
        property(title),
        data(&message)
    )
}

/// Returns one line, without its end, that tells something good of a file.
#[must_use]
pub fn github_notice(file: &str, message: &str) -> String {
    format!(
        "::notice file={},title=earmark check::{}",
        property(&relative(file)),
        data(&printable(message))
    )
}

/// GitHub finds a file by its path from the repository's folder, without `./`.
fn relative(file: &str) -> String {
    printable(file.strip_prefix("./").unwrap_or(file))
}

/// Escapes a message, so that it cannot end its line and begin a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property, which moreover ends at a comma or a colon.
fn property(text: &str) -> String {
    data(&printable(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{SourceText, Span};
    use std::sync::Arc;

    #[test]
    fn nothing_in_a_file_can_forge_a_command() {
        let hostile = "x\n::set-env name=A::b\r%0A, line=9::##[error]";
        let source = Arc::new(SourceText {
            path: "a,b:c\n::error::d.yaml".into(),
            text: "a: b\n".into(),
        });
        let span = Span {
            source,
            range: 3..4,
        };
        let diagnostic = Diagnostic::error(Some(span), hostile)
            .path(hostile)
            .hint(hostile);
        let line = github_annotation(&diagnostic, "");
        assert_eq!(line.lines().count(), 1);
        let (properties, message) = line
            .strip_prefix("::error ")
            .unwrap()
            .split_once("::")
            .unwrap();
        let names: Vec<&str> = properties
            .split(',')
            .map(|property| property.split('=').next().unwrap())
            .collect();
        assert_eq!(names, ["file", "line", "col", "title"]);
        // What was written as `%0A` stays that text and does not become a new line.
        assert!(message.contains("%250A") && message.contains("%0Ahelp: "));
        assert!(!line.contains('\r'));
    }

    #[test]
    fn a_file_without_a_place_is_named_all_the_same() {
        let line = github_annotation(&Diagnostic::warning(None, "odd"), "./m.yaml");
        assert_eq!(
            line,
            "::warning file=m.yaml,line=1,col=1,title=earmark check::odd"
        );
    }
}
