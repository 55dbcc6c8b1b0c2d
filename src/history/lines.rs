//! `history.jsonl`: a line for each run that was indexed, from which the database can be made again
//! where the run folders are gone.

use super::entry::{RunEntry, VERSION};
use super::error::HistoryError;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// The lines beside a database.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    path: PathBuf,
}

/// A line.
#[derive(Debug)]
pub(super) enum Line {
    /// A run.
    Run(Box<RunEntry>),
    /// A line of a newer version of this program. It is kept as it is.
    Newer(String),
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct ReadLines {
    /// In the order of the file.
    pub(super) lines: Vec<Line>,
    /// Numbers of lines that are none of ours, from 1.
    pub(super) broken: Vec<usize>,
}

#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

impl Lines {
    /// Returns the lines beside a database.
    pub(super) fn beside(database: &Path) -> Self {
        Self::at(database.with_extension("jsonl"))
    }

    /// Returns the lines of a file.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads all lines. Without a file there are none.
    pub(super) fn read(&self) -> Result<ReadLines, HistoryError> {
        let mut read = ReadLines::default();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(read),
            Err(error) => return Err(HistoryError::unreadable(&self.path)(error)),
        };
        let mut source = BufReader::new(file);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = (&mut source)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
                .map_err(HistoryError::unreadable(&self.path))?;
            if length == 0 {
                break;
            }
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            match parse(text) {
                Some(line) => read.lines.push(line),
                None => read.broken.push(number),
            }
        }
        Ok(read)
    }

    /// Appends a run, as one write. Whoever calls this holds the database's write lock, so that
    /// lines do not mix.
    pub(super) fn append(&self, entry: &RunEntry) -> Result<(), HistoryError> {
        let unwritable = HistoryError::unwritable(&self.path);
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.path)
            .map_err(&unwritable)?;
        let mut text = Vec::new();
        if is_torn(&mut file).map_err(&unwritable)? {
            // What a crash has left must not take this line with it.
            text.push(b'\n');
        }
        text.extend(to_line(entry)?);
        file.write_all(&text).map_err(unwritable)
    }

    /// Keeps the lines that `keep` accepts, and those of newer versions; the file is replaced whole.
    pub(super) fn retain(&self, keep: impl Fn(&RunEntry) -> bool) -> Result<(), HistoryError> {
        let mut text = Vec::new();
        for line in self.read()?.lines {
            match line {
                Line::Run(entry) if keep(&entry) => text.extend(to_line(&entry)?),
                Line::Run(_) => {}
                Line::Newer(line) => text.extend(line.bytes().chain([b'\n'])),
            }
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let unwritable = HistoryError::unwritable(&self.path);
        let mut new = tempfile::NamedTempFile::new_in(folder).map_err(&unwritable)?;
        new.write_all(&text).map_err(&unwritable)?;
        new.as_file().sync_all().map_err(&unwritable)?;
        new.persist(&self.path)
            .map_err(|error| unwritable(error.error))?;
        Ok(())
    }
}

fn to_line(entry: &RunEntry) -> Result<Vec<u8>, HistoryError> {
    let mut line =
        serde_json::to_vec(entry).map_err(|error| HistoryError::Run(error.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

fn parse(line: &[u8]) -> Option<Line> {
    let versioned: Versioned = serde_json::from_slice(line).ok()?;
    if versioned.v > VERSION {
        return Some(Line::Newer(String::from_utf8(line.to_vec()).ok()?));
    }
    serde_json::from_slice(line).ok().map(Line::Run)
}

/// Whether a file ends in the middle of a line.
fn is_torn(file: &mut File) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let length = file.metadata()?.len();
    let Some(last) = length.checked_sub(1) else {
        return Ok(false);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}
