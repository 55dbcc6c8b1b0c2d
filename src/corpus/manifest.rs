//! Manifests: a person's own recordings with their reference texts, as CSV or JSON Lines.
//!
//! The columns `file`, `reference` and `language` must be there, `id` may be; others are passed
//! over. Paths are relative to the manifest. A byte order mark and Windows line ends are accepted.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::clip::{Clip, Origin};

/// Largest manifest that is read, in bytes. A row of 1000 bytes makes this 64,000 clips.
const MOST_BYTES: u64 = 64 << 20;
/// Problems listed before the rest is summed up, so that a wrong file does not flood a terminal.
const MOST_PROBLEMS: usize = 50;
/// Columns without which a manifest is refused.
const REQUIRED: [&str; 3] = ["file", "reference", "language"];
/// Characters that mean something in a selector and so cannot stand in an id.
pub(super) const RESERVED: [char; 7] = ['*', '?', '[', ']', '{', '}', '!'];

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestProblem {
    /// The manifest.
    pub manifest: PathBuf,
    /// Line in the file, from 1; 0 where the problem concerns the file as a whole.
    pub line: u64,
    /// The column concerned.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for ManifestProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.manifest.display())?;
        if self.line > 0 {
            write!(formatter, ":{}", self.line)?;
        }
        if let Some(column) = &self.column {
            write!(formatter, ": column `{column}`")?;
        }
        write!(formatter, ": {}; {}", self.message, self.hint)
    }
}

impl std::error::Error for ManifestProblem {}

/// A row before it is checked.
struct Row {
    line: u64,
    id: Option<String>,
    file: String,
    reference: Option<String>,
    language: Option<String>,
}

/// Reads the manifest at `path` as the data set `set_id`.
///
/// An utterance is called `<set_id>/<id column, or the name of its file without the extension>`.
/// An empty `reference` or `language` counts as unknown.
///
/// # Errors
///
/// Returns every problem of the file at once, in the order of its lines (at most fifty, and a
/// last one that counts the rest).
pub fn read_manifest(set_id: &str, path: &Path) -> Result<Vec<Clip>, Vec<ManifestProblem>> {
    let mut problems = Problems {
        manifest: path,
        found: Vec::new(),
    };
    let rows = match read_text(path, &mut problems) {
        Some(text) if has_extension(path, "jsonl") => read_json_lines(&text, &mut problems),
        Some(text) => read_csv(&text, &mut problems),
        None => Vec::new(),
    };
    let clips = check_rows(set_id, path, rows, &mut problems);
    if clips.is_empty() && problems.found.is_empty() {
        problems.add(
            0,
            None,
            "the manifest lists no recording",
            "add a row for each recording",
        );
    }
    problems.into_result(clips)
}

struct Problems<'a> {
    manifest: &'a Path,
    found: Vec<ManifestProblem>,
}

impl Problems<'_> {
    fn add(
        &mut self,
        line: u64,
        column: Option<&str>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.found.push(ManifestProblem {
            manifest: self.manifest.to_path_buf(),
            line,
            column: column.map(str::to_owned),
            message: message.into(),
            hint: hint.into(),
        });
    }

    fn into_result(mut self, clips: Vec<Clip>) -> Result<Vec<Clip>, Vec<ManifestProblem>> {
        if self.found.is_empty() {
            return Ok(clips);
        }
        self.found.sort_by_key(|problem| problem.line);
        if let Some(rest) = self
            .found
            .len()
            .checked_sub(MOST_PROBLEMS)
            .filter(|&rest| rest > 0)
        {
            self.found.truncate(MOST_PROBLEMS);
            self.add(
                0,
                None,
                format!("{rest} more problems"),
                "mend those above first",
            );
        }
        Err(self.found)
    }
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// Returns the text without its byte order mark.
fn read_text(path: &Path, problems: &mut Problems<'_>) -> Option<String> {
    if !has_extension(path, "csv") && !has_extension(path, "jsonl") {
        let hint = "name it *.csv (CSV with a header line) or *.jsonl (one JSON object per line)";
        problems.add(
            0,
            None,
            "the kind of manifest is told by its extension",
            hint,
        );
        return None;
    }
    let bytes = std::fs::metadata(path).and_then(|metadata| {
        if !metadata.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        if metadata.len() > MOST_BYTES {
            return Err(std::io::Error::other(format!(
                "it is larger than {MOST_BYTES} bytes"
            )));
        }
        std::fs::read(path)
    });
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("the manifest cannot be read: {error}");
            problems.add(0, None, message, "check the path and its permissions");
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Some(
            text.strip_prefix('\u{feff}')
                .map(str::to_owned)
                .unwrap_or(text),
        ),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..valid).unwrap_or_default();
            let line = before.split(|&byte| byte == b'\n').count() as u64;
            problems.add(
                line,
                None,
                "the text is not UTF-8",
                "save the manifest as UTF-8",
            );
            None
        }
    }
}

fn read_csv(text: &str, problems: &mut Problems<'_>) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header
            .iter()
            .map(|name| name.trim().to_owned())
            .collect::<Vec<_>>(),
        Err(error) => {
            problems.add(1, None, error.to_string(), "mend the header line");
            return Vec::new();
        }
    };
    if header.iter().all(String::is_empty) {
        problems.add(
            0,
            None,
            "the manifest is empty",
            "start it with file,reference,language",
        );
        return Vec::new();
    }
    let at = |name: &str| header.iter().position(|column| column == name);
    for name in REQUIRED.into_iter().filter(|name| at(name).is_none()) {
        let hint = format!("the header has: {}", header.join(", "));
        problems.add(1, Some(name), "the column is missing", hint);
    }
    let (Some(file), Some(reference), Some(language)) =
        (at(REQUIRED[0]), at(REQUIRED[1]), at(REQUIRED[2]))
    else {
        return Vec::new();
    };
    let id = at("id");
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                problems.add(line, None, error.to_string(), "mend the line");
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let message = format!("{} fields instead of {}", record.len(), header.len());
            problems.add(
                line,
                None,
                message,
                "put texts that contain commas into double quotes",
            );
            continue;
        }
        let field = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
        rows.push(Row {
            line,
            id: id.map(field).filter(|id| !id.is_empty()),
            file: field(file),
            reference: Some(field(reference)),
            language: Some(field(language)),
        });
    }
    rows
}

fn read_json_lines(text: &str, problems: &mut Problems<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(content) {
            Ok(object) => rows.extend(read_object(line, &object, problems)),
            Err(error) => {
                let message = format!("this is no JSON object: {error}");
                problems.add(line, None, message, "write one object per line");
            }
        }
    }
    rows
}

fn read_object(
    line: u64,
    object: &serde_json::Map<String, serde_json::Value>,
    problems: &mut Problems<'_>,
) -> Option<Row> {
    let before = problems.found.len();
    let mut text = |name: &str, required: bool| match object.get(name) {
        Some(serde_json::Value::String(text)) => Some(text.trim().to_owned()),
        Some(serde_json::Value::Null) => None,
        Some(_) => {
            problems.add(
                line,
                Some(name),
                "the value is not a text",
                "put it in double quotes",
            );
            None
        }
        None => {
            if required {
                let hint = "add it; null stands for unknown";
                problems.add(line, Some(name), "the key is missing", hint);
            }
            None
        }
    };
    let [file, reference, language] = REQUIRED.map(|name| text(name, true));
    let id = text("id", false).filter(|id| !id.is_empty());
    let row = Row {
        line,
        id,
        file: file.unwrap_or_default(),
        reference,
        language,
    };
    (problems.found.len() == before).then_some(row)
}

fn check_rows(
    set_id: &str,
    manifest: &Path,
    rows: Vec<Row>,
    problems: &mut Problems<'_>,
) -> Vec<Clip> {
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let mut lines_by_id = HashMap::new();
    let mut clips = Vec::with_capacity(rows.len());
    for row in rows {
        if row.file.is_empty() {
            problems.add(
                row.line,
                Some("file"),
                "no file is named",
                "write the path of the audio",
            );
            continue;
        }
        let path = folder.join(&row.file);
        if !path.is_file() {
            let message = format!("there is no file `{}`", path.display());
            let hint = "paths are relative to the folder of the manifest";
            problems.add(row.line, Some("file"), message, hint);
        }
        let stem = || {
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let name = row.id.unwrap_or_else(stem);
        if let Some(character) = name.chars().find(|&found| is_reserved(found)) {
            let message = format!("the id `{name}` contains {character:?}");
            let hint = "give the row an `id` of letters, digits, `-`, `_` and `.`";
            problems.add(row.line, Some("id"), message, hint);
        }
        if let Some(first) = lines_by_id.insert(name.clone(), row.line) {
            let message = format!("the id `{name}` is already taken by line {first}");
            problems.add(
                row.line,
                Some("id"),
                message,
                "give each row an `id` of its own",
            );
        }
        clips.push(Clip {
            id: format!("{set_id}/{name}"),
            origin: Origin::File(path),
            reference: row.reference.filter(|text| !text.is_empty()),
            language: row.language.filter(|text| !text.is_empty()),
            licence: None,
            source: None,
            recorded: None,
        });
    }
    clips
}

/// Returns whether the character cannot stand in an id.
pub(super) fn is_reserved(character: char) -> bool {
    character.is_control() || RESERVED.contains(&character)
}
