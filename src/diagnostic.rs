//! A problem in something a person wrote: what is wrong, where, and what to do about it.
//!
//! This is a leaf: it knows no file format and no terminal. `ui` turns it into text.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A file as it was read, shared by everything that points into it.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// Where the text came from, as the user named it.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// A place in a [`SourceText`]: a byte range.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The file the range points into.
    pub source: Arc<SourceText>,
    /// Bytes of the text, end excluded.
    pub range: Range<usize>,
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        write!(formatter, "{}:{line}:{column}", self.source.path.display())
    }
}

impl Span {
    /// Returns the line and the column of the start, both counted from 1; columns are characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let start = self.range.start.min(self.source.text.len());
        let before = self.source.text.get(..start).unwrap_or(&self.source.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; an error under `--strict`.
    Warning,
    /// Nothing is started.
    Error,
}

/// One problem with its place, its reason and its remedy.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The reason, in one sentence without a full stop.
    pub message: String,
    /// Where it is, if it is anywhere.
    pub span: Option<Span>,
    /// The field it concerns, such as `matrix.audio[1]`; empty if none.
    pub path: String,
    /// A few words under the marked text.
    pub label: String,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// Returns an error at a place.
    #[must_use]
    pub fn error(span: Option<Span>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message)
    }

    /// Returns a warning at a place.
    #[must_use]
    pub fn warning(span: Option<Span>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, message)
    }

    fn new(severity: Severity, span: Option<Span>, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            span,
            path: String::new(),
            label: String::new(),
            hints: Vec::new(),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the words under the marked text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the field path.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds “did you mean …?” if one of the known words is close to the one that was written,
    /// else the list of the known words.
    #[must_use]
    pub fn suggest<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match closest(written, known.iter().copied()) {
            Some(word) => self.hint(format!("did you mean `{word}`?")),
            None if known.is_empty() => self,
            None => {
                let shown: Vec<String> = known.iter().take(24).map(|w| format!("`{w}`")).collect();
                let more = if known.len() > shown.len() {
                    ", …"
                } else {
                    ""
                };
                self.hint(format!("known: {}{more}", shown.join(", ")))
            }
        }
    }
}

/// Returns the known word that is nearest to what was written, if one is near enough to be meant.
#[must_use]
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|word| {
            (
                strsim::damerau_levenshtein(&written, &word.to_lowercase()),
                word,
            )
        })
        .filter(|(distance, word)| *distance <= word.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Several diagnostics that together mean “no”: at least one is an error.
#[derive(Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Returns whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, diagnostic) in self.0.iter().enumerate() {
            if position > 0 {
                writeln!(formatter)?;
            }
            if let Some(span) = &diagnostic.span {
                write!(formatter, "{span:?}: ")?;
            }
            formatter.write_str(&diagnostic.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_lines_and_characters_from_one() {
        let source = Arc::new(SourceText {
            path: "x.yaml".into(),
            text: "a: é\nbé: 1\n".into(),
        });
        let span = Span {
            source,
            range: 9..10,
        };
        assert_eq!(span.line_and_column(), (2, 3));
    }

    #[test]
    fn a_suggestion_needs_a_near_word() {
        assert_eq!(
            closest("wisper-cpp", ["candle", "whisper-cpp"]),
            Some("whisper-cpp")
        );
        assert_eq!(closest("zzz", ["candle", "whisper-cpp"]), None);
    }
}
