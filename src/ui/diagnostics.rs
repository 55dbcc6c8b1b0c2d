//! Diagnostics as a compiler shows them: the place, the line, the reason, the remedy.

use super::text::printable;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Returns all diagnostics as text for a terminal, with or without colours.
#[must_use]
pub fn render_diagnostics(diagnostics: &Diagnostics, colours: bool) -> String {
    let renderer = if colours {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for diagnostic in &diagnostics.0 {
        text.push_str(&renderer.render(&[group(diagnostic)]));
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    text
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = match diagnostic.path.as_str() {
        "" => printable(&diagnostic.message),
        path => format!("{}: {}", printable(path), printable(&diagnostic.message)),
    };
    let mut group = Group::with_title(level.primary_title(title));
    if let Some(span) = &diagnostic.span {
        let length = span.source.text.len();
        let start = span.range.start.min(length);
        // A mapping has no text of its own: mark its first character.
        let end = span
            .range
            .end
            .clamp(start, length)
            .max((start + 1).min(length));
        let end = (end..=length).find(|end| span.source.text.is_char_boundary(*end));
        let range = start..end.unwrap_or(length);
        let annotation = AnnotationKind::Primary
            .span(range)
            .label(printable(&diagnostic.label));
        group = group.element(
            Snippet::source(span.source.text.as_str())
                .path(span.source.path.display().to_string())
                .annotation(annotation),
        );
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    group
}
