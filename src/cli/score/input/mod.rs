//! The texts that are scored, out of files of several formats.

mod delimited;
mod fields;
mod json_lines;
mod plain;
mod trn;

use super::super::exit::Failure;
use clap::ValueEnum;
use fields::Fields;
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

/// How a file of texts is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum InputFormat {
    /// One utterance a line, blank lines too; line n goes with line n.
    Text,
    /// NIST's transcripts: words, then the utterance's id in parentheses.
    Trn,
    /// A table with commas, its columns named in the first line.
    Csv,
    /// The same with tabs.
    Tsv,
    /// One JSON object a line.
    Jsonl,
}

impl InputFormat {
    /// Returns the format that the extension of a file's name tells; text without one that is known.
    fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
            "trn" => Self::Trn,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "jsonl" | "ndjson" | "json" => Self::Jsonl,
            _ => Self::Text,
        }
    }
}

/// What is looked for in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// What was said.
    References,
    /// What was heard.
    Hypotheses,
    /// Both.
    Pairs,
}

/// An utterance of a file, with what is known of it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Utterance<'file> {
    /// The line at which it stands, from 1.
    pub(super) line: u64,
    /// What it is called; files of plain text have no names.
    pub(super) id: Option<Cow<'file, str>>,
    /// What was said.
    pub(super) reference: Cow<'file, str>,
    /// What was heard.
    pub(super) hypothesis: Cow<'file, str>,
    /// The language of the reference.
    pub(super) language: Option<Cow<'file, str>>,
}

/// How files are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'arguments> {
    /// The format, if the extension is not to tell it.
    pub(super) format: Option<InputFormat>,
    /// The columns or keys.
    pub(super) names: Names<'arguments>,
    /// Column and value that a row must have.
    pub(super) select: &'arguments [(String, String)],
}

/// The names of columns and keys that were given, if any.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Names<'arguments> {
    pub(super) id: Option<&'arguments str>,
    pub(super) reference: Option<&'arguments str>,
    pub(super) hypothesis: Option<&'arguments str>,
}

/// The text of a file.
#[derive(Debug)]
pub(super) struct Source {
    /// What it is called in messages.
    pub(super) name: String,
    format: InputFormat,
    text: String,
}

/// Mistakes in a file that are told one by one; how many more there are is told behind them.
const TOLD_PROBLEMS: usize = 20;

/// A mistake in a file.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    line: u64,
    /// The reason, and behind a semicolon the remedy.
    message: String,
}

impl Problem {
    fn at(line: u64, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

impl Source {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read or is not UTF-8.
    pub(super) fn read(path: &Path, format: Option<InputFormat>) -> Result<Self, Failure> {
        let is_standard_input = path == Path::new("-");
        let name = if is_standard_input {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        let mut bytes = Vec::new();
        let outcome = if is_standard_input {
            std::io::stdin().lock().read_to_end(&mut bytes)
        } else {
            std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
        };
        outcome.map_err(|error| {
            Failure::Usage(format!("{name} cannot be read: {error}; name a text file"))
        })?;
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(Failure::Usage(format!(
                "{name} line 1: the text is UTF-16; save the file as UTF-8"
            )));
        }
        let mut text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..good];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Failure::Usage(format!(
                "{name} line {line}: the text is not UTF-8; save the file as UTF-8"
            ))
        })?;
        // A mark that some editors put at the beginning is no part of the first line.
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(Self {
            name,
            format: format.unwrap_or_else(|| InputFormat::of(path)),
            text,
        })
    }

    /// Returns the utterances of the file in their order.
    ///
    /// # Errors
    ///
    /// Tells every mistake in it.
    pub(super) fn utterances(
        &self,
        role: Role,
        reading: &Reading<'_>,
    ) -> Result<Vec<Utterance<'_>>, Failure> {
        let is_table = !matches!(self.format, InputFormat::Text | InputFormat::Trn);
        if role == Role::Pairs && !is_table {
            return Err(Failure::Usage(format!(
                "{}: a file of {} holds no pairs; name one with --reference and one with \
                 --hypothesis, or a table with --input-format csv, tsv or jsonl",
                self.name,
                if self.format == InputFormat::Trn {
                    "transcripts"
                } else {
                    "plain text"
                },
            )));
        }
        if !is_table && role == Role::Hypotheses && !reading.select.is_empty() {
            return Err(Failure::Usage(format!(
                "{}: --select chooses rows of tables, and this is none; leave it out",
                self.name
            )));
        }
        let fields = Fields::new(role, reading);
        let found = match self.format {
            InputFormat::Text => Ok(plain::read(&self.text, role)),
            InputFormat::Trn => trn::read(&self.text, role),
            InputFormat::Csv => delimited::read(&self.text, b',', &fields),
            InputFormat::Tsv => delimited::read(&self.text, b'\t', &fields),
            InputFormat::Jsonl => json_lines::read(&self.text, &fields),
        };
        found.map_err(|problems| Failure::Usage(self.tell(problems)))
    }

    fn tell(&self, mut problems: Vec<Problem>) -> String {
        problems.sort_by_key(|problem| problem.line);
        let more = problems.len().saturating_sub(TOLD_PROBLEMS);
        let mut told: Vec<String> = problems
            .iter()
            .take(TOLD_PROBLEMS)
            .map(|problem| format!("{} line {}: {}", self.name, problem.line, problem.message))
            .collect();
        if more > 0 {
            told.push(format!("{}: {more} more mistakes", self.name));
        }
        told.join("\nerror: ")
    }
}

/// Returns an utterance whose text is what is looked for.
fn utterance<'file>(
    line: u64,
    id: Option<&'file str>,
    text: &'file str,
    role: Role,
) -> Utterance<'file> {
    let (reference, hypothesis) = match role {
        Role::References => (text, ""),
        Role::Hypotheses | Role::Pairs => ("", text),
    };
    Utterance {
        line,
        id: id.map(Cow::Borrowed),
        reference: reference.into(),
        hypothesis: hypothesis.into(),
        language: None,
    }
}
