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
        self.place_of(self.range.start)
    }

    /// Returns the line and the column behind the last character, counted the same way.
    #[must_use]
    pub fn end_line_and_column(&self) -> (usize, usize) {
        self.place_of(self.range.end.max(self.range.start))
    }

    fn place_of(&self, position: usize) -> (usize, usize) {
        let position = position.min(self.source.text.len());
        let before = self
            .source
            .text
            .get(..position)
            .unwrap_or(&self.source.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

/// Where the lines of a text begin, to find the lines of many places in it.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Looks through a text once.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let behind = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            starts: std::iter::once(0)
                .chain(behind.map(|(position, _)| position + 1))
                .collect(),
        }
    }

    /// Returns the line of a byte, counted from 1.
    #[must_use]
    pub fn line_of(&self, position: usize) -> usize {
        self.starts.partition_point(|start| *start <= position)
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

    /// Whether another one says the same of the same place: several values under one key share what
    /// is wrong with the key.
    fn says_the_same(&self, other: &Self) -> bool {
        let same_place = match (&self.span, &other.span) {
            (Some(left), Some(right)) => {
                left.range == right.range && Arc::ptr_eq(&left.source, &right.source)
            }
            (None, None) => true,
            _ => false,
        };
        same_place && self.severity == other.severity && self.message == other.message
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

/// Takes a text apart that is a reason, and behind a semicolon its remedy if it has one. What somebody wrote
/// stands in the reason between backticks, and may hold semicolons of its own: behind the right one, every
/// backtick has another.
#[must_use]
pub fn split_remedy(text: &str) -> (&str, Option<&str>) {
    let breaks = text.rmatch_indices("; ");
    let is_right = |(_, behind): &(&str, &str)| behind.matches('`').count().is_multiple_of(2);
    breaks
        .map(|(at, between)| (&text[..at], &text[at + between.len()..]))
        .find(is_right)
        .map_or((text, None), |(reason, remedy)| (reason, Some(remedy)))
}

/// Returns the known word that is nearest to what was written, if one is near enough to be meant.
#[must_use]
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let written_length = written.chars().count();
    known
        .into_iter()
        .filter_map(|word| {
            let length = word.chars().count();
            let most = length.max(3) / 3;
            // The lengths alone rule most words out, and a long text is compared with none.
            if length.abs_diff(written_length) > most {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&written, &word.to_lowercase());
            (distance <= most).then_some((distance, word))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many errors, and how many warnings, of one file are told.
const MOST_TOLD: usize = 100;

/// What is wrong, and what is odd, in what a person wrote.
///
/// A hostile file can hold a mistake in every byte, so only the first hundred errors and the first
/// hundred warnings are kept; one more says that there are others.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one, unless it is there already or there are too many of its severity.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.0.iter().any(|known| known.says_the_same(&diagnostic)) {
            return;
        }
        match self.count(diagnostic.severity) {
            count if count < MOST_TOLD => self.0.push(diagnostic),
            MOST_TOLD => {
                let kind = match diagnostic.severity {
                    Severity::Error => "errors",
                    Severity::Warning => "warnings",
                };
                self.0.push(
                    Diagnostic::new(
                        diagnostic.severity,
                        None,
                        format!("there are more than {MOST_TOLD} {kind}; the rest is not told"),
                    )
                    .hint("put these right, and check the file again"),
                );
            }
            _ => {}
        }
    }

    /// Returns whether so many errors are known that looking for more is no use.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count(Severity::Error) > MOST_TOLD
    }

    /// Returns whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Puts them in the order of the places they point at; those without a place come last, and
    /// those of one place keep their order.
    pub fn sort_by_place(&mut self) {
        self.0.sort_by_key(|diagnostic| {
            let place = diagnostic.span.as_ref();
            (
                place.is_none(),
                place.map(|span| (span.source.path.clone(), span.range.start)),
            )
        });
    }

    fn count(&self, severity: Severity) -> usize {
        self.0
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
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
        assert_eq!(span.end_line_and_column(), (2, 4));
    }

    #[test]
    fn an_index_finds_the_line_that_a_span_counts() {
        let text = "a: 1\n\nb: 2\n";
        let index = LineIndex::of(text);
        let source = Arc::new(SourceText {
            path: "x.yaml".into(),
            text: text.into(),
        });
        for position in 0..=text.len() {
            let span = Span {
                source: Arc::clone(&source),
                range: position..position,
            };
            assert_eq!(index.line_of(position), span.line_and_column().0);
        }
    }

    #[test]
    fn no_file_is_told_without_end_and_errors_never_hide_behind_warnings() {
        let mut problems = Diagnostics::default();
        for number in 0..1000 {
            problems.push(Diagnostic::warning(None, format!("odd {number}")));
        }
        assert_eq!(problems.0.len(), MOST_TOLD + 1);
        assert!(!problems.has_errors() && !problems.is_full());
        for number in 0..1000 {
            problems.push(Diagnostic::error(None, format!("wrong {number}")));
            problems.push(Diagnostic::error(None, format!("wrong {number}")));
        }
        assert_eq!(problems.0.len(), 2 * (MOST_TOLD + 1));
        assert!(problems.has_errors() && problems.is_full());
    }

    #[test]
    fn what_somebody_wrote_is_not_taken_for_a_remedy() {
        for (text, reason, remedy) in [
            ("`a` is bad; write `b`", "`a` is bad", Some("write `b`")),
            (
                "`a; b` is bad; write `c`",
                "`a; b` is bad",
                Some("write `c`"),
            ),
            ("`a`; b` is bad; write c", "`a`; b` is bad", Some("write c")),
            ("`a; b` is bad", "`a; b` is bad", None),
            ("bad", "bad", None),
        ] {
            assert_eq!(split_remedy(text), (reason, remedy));
        }
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
