//! Diagnostics as a compiler shows them: the place, the line, the reason, the remedy.

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Span};
use crate::model::printable;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

/// How many bytes of a line before a mistake are shown; lines that people write are shorter.
const MOST_BEFORE: usize = 400;

/// How many bytes of a line from the mistake on are shown.
const MOST_AFTER: usize = 400;

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

fn group(diagnostic: &Diagnostic) -> Group<'static> {
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
        let path = printable(&span.source.path.display().to_string());
        let (line, column) = span.line_and_column();
        let excerpt = Excerpt::around(span);
        let annotation = AnnotationKind::Primary
            .span(excerpt.marked)
            .label(printable(&diagnostic.label));
        let mut snippet = Snippet::source(excerpt.text).line_start(line);
        if excerpt.is_cut {
            // The snippet alone would count columns from the cut.
            group = group.element(Origin::path(path).line(line).char_column(column));
        } else {
            snippet = snippet.path(path);
        }
        group = group.element(snippet.annotation(annotation));
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    group
}

/// The line that a span begins in, or the part of it that is worth showing, and what is marked.
struct Excerpt {
    text: String,
    marked: Range<usize>,
    is_cut: bool,
}

impl Excerpt {
    fn around(span: &Span) -> Self {
        let text = span.source.text.as_str();
        let start = boundary_at_or_before(text, span.range.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |length| start + length);
        let is_cut = start - line_start > MOST_BEFORE;
        let from = if is_cut {
            boundary_at_or_before(text, start - MOST_BEFORE / 4)
        } else {
            line_start
        };
        let to = boundary_at_or_before(text, line_end.min(start + MOST_AFTER));
        let shown = &text[from..to];
        // Blanks at the end are not marked, and a place without text of its own is marked by one
        // character.
        let marked_end =
            boundary_at_or_before(text, span.range.end.min(from + shown.trim_end().len()));
        let first = text[start..to].chars().next().map_or(0, char::len_utf8);
        let marked = start - from..marked_end.max(start + first) - from;
        Self {
            text: shown
                .chars()
                // Of the control characters the renderer leaves these; both take two bytes, so that
                // the marks stay where they are.
                .map(|letter| match letter {
                    '\u{80}'..='\u{9f}' => '·',
                    letter => letter,
                })
                .collect(),
            marked,
            is_cut,
        }
    }
}

fn boundary_at_or_before(text: &str, position: usize) -> usize {
    let position = position.min(text.len());
    (0..=position)
        .rev()
        .find(|position| text.is_char_boundary(*position))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceText;
    use std::sync::Arc;

    fn shown(text: &str, range: Range<usize>) -> String {
        let source = Arc::new(SourceText {
            path: "x.yaml".into(),
            text: text.into(),
        });
        let span = Span { source, range };
        let problems = Diagnostics(vec![Diagnostic::error(Some(span), "wrong")]);
        render_diagnostics(&problems, false)
    }

    #[test]
    fn any_place_of_any_text_can_be_shown() {
        for text in [
            "",
            "\n",
            "a",
            "é\r\nü",
            "\u{9b}31m\n\t\u{202e}x",
            "a: [b,\n c]\n",
        ] {
            for start in 0..=text.len() + 1 {
                for end in start..=text.len() + 2 {
                    assert!(shown(text, start..end).contains("wrong"));
                }
            }
        }
    }

    #[test]
    fn control_characters_of_a_file_do_not_reach_the_terminal() {
        let text = shown("name: \u{1b}[31mred \u{9b}32m \u{202e}x\u{7}\n", 6..10);
        assert!(
            text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }

    #[test]
    fn a_long_line_is_cut_and_its_column_kept() {
        let text = format!("a: [{} wrong]", "x, ".repeat(100_000));
        let position = text.find("wrong").unwrap();
        let shown = shown(&text, position..position + 5);
        assert!(shown.len() < 2000 && shown.contains(&format!("x.yaml:1:{}", position + 1)));
        assert!(shown.contains("^^^^^"));
    }
}
