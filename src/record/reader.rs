//! Reading a journal, line by line, in bounded memory.

use super::error::RecordError;
use crate::event::Stamped;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The version of the journal's format.
pub(super) const VERSION: u32 = 1;

/// The longest line that is read, in bytes: an event holds one message of an engine at most, and
/// those are four times shorter.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// Reads the events of a journal in their order. A torn last line, one without its line feed, is
/// left out; it is what a crash leaves. Anything else that is broken ends the reading with an error
/// that names the line.
#[derive(Debug)]
pub struct JournalReader<Source = BufReader<File>> {
    path: PathBuf,
    source: Source,
    line: Vec<u8>,
    events: u64,
    whole_bytes: u64,
    is_over: bool,
}

impl JournalReader {
    /// Opens a journal.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self::new(path, BufReader::with_capacity(1 << 16, file)))
    }
}

impl<Source: BufRead> JournalReader<Source> {
    fn new(path: &Path, source: Source) -> Self {
        Self {
            path: path.to_path_buf(),
            source,
            line: Vec::new(),
            events: 0,
            whole_bytes: 0,
            is_over: false,
        }
    }

    /// Returns how many bytes the whole lines take that were read so far.
    #[must_use]
    pub fn whole_bytes(&self) -> u64 {
        self.whole_bytes
    }

    /// Reads the next whole line into the buffer, without its line feed. Returns false at the end
    /// and before a torn line.
    fn next_line(&mut self) -> Result<bool, RecordError> {
        self.line.clear();
        let mut length = 0_u64;
        // What cannot be a line of ours is passed over, so that it takes no memory.
        let mut refused: Option<&str> = None;
        loop {
            let chunk = self
                .source
                .fill_buf()
                .map_err(|error| unreadable(&self.path, &error))?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let used = end.map_or(chunk.len(), |end| end + 1);
            length += used as u64;
            if part.contains(&0) {
                refused.get_or_insert("holds bytes that are zero");
            } else if self.line.len() + part.len() > LONGEST_LINE {
                refused.get_or_insert("is longer than 64 MiB");
            }
            if refused.is_none() {
                self.line.extend_from_slice(part);
            }
            self.source.consume(used);
            if end.is_some() {
                return match refused {
                    Some(reason) => Err(self.broken(&format!("it {reason}"))),
                    None => {
                        self.whole_bytes += length;
                        Ok(true)
                    }
                };
            }
        }
    }

    /// Returns the event of the line in the buffer.
    fn event(&self) -> Result<Stamped, RecordError> {
        let event: Stamped = match serde_json::from_slice(&self.line) {
            Ok(event) => event,
            Err(error) => {
                return Err(match version_of(&self.line) {
                    Some(version) if version != VERSION => self.other_version(version),
                    _ if self.line.is_empty() => self.broken("it is empty"),
                    _ => self.broken(&error.to_string()),
                });
            }
        };
        if event.v != VERSION {
            return Err(self.other_version(event.v));
        }
        if event.sequence != self.events {
            return Err(self.broken(&format!("event {} is missing", self.events)));
        }
        Ok(event)
    }

    fn number(&self) -> u64 {
        self.events + 1
    }

    fn broken(&self, reason: &str) -> RecordError {
        let number = self.number();
        RecordError::Unreadable(format!(
            "{} line {number}: {reason}; the journal was changed by something else: put a copy of it \
             back, or cut it before line {number} to keep what stands before",
            self.path.display(),
        ))
    }

    fn other_version(&self, version: u32) -> RecordError {
        RecordError::Unreadable(format!(
            "{} line {}: version {version} of the journal's format, and this is Earmark {}, which \
             knows version {VERSION}; use the Earmark that wrote it, or a newer one",
            self.path.display(),
            self.number(),
            env!("CARGO_PKG_VERSION"),
        ))
    }
}

impl<Source: BufRead> Iterator for JournalReader<Source> {
    type Item = Result<Stamped, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let event = match self.next_line() {
            Ok(true) => self.event(),
            Ok(false) => {
                self.is_over = true;
                return None;
            }
            Err(error) => Err(error),
        };
        self.events += 1;
        self.is_over = event.is_err();
        Some(event)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> RecordError {
    RecordError::Unreadable(format!(
        "{}: {error}; name a folder that `earmark run` made",
        path.display()
    ))
}

/// Returns the version that a line says it has, whatever else it holds.
fn version_of(line: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    let line: Versioned = serde_json::from_slice(line).ok()?;
    Some(line.v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RunEvent;

    fn line(sequence: u64) -> String {
        let event = Stamped {
            v: VERSION,
            sequence,
            at: "2026-01-01T00:00:00Z".into(),
            elapsed_seconds: 1.0,
            event: RunEvent::Suspended { seconds: 1.0 },
        };
        serde_json::to_string(&event).unwrap() + "\n"
    }

    /// Returns how many events are read, and the error that ended the reading.
    fn read(bytes: &[u8]) -> (usize, u64, Option<String>) {
        // Small pieces, so that lines go over their borders.
        let source = BufReader::with_capacity(7, bytes);
        let mut reader = JournalReader::new(Path::new("j"), source);
        let mut events = 0;
        let mut problem = None;
        for event in &mut reader {
            match event {
                Ok(_) => events += 1,
                Err(error) => problem = Some(error.to_string()),
            }
        }
        (events, reader.whole_bytes(), problem)
    }

    #[test]
    fn what_a_crash_leaves_is_left_out() {
        let whole = line(0) + &line(1);
        let first = line(0).len();
        for cut in 0..=whole.len() {
            let lines = usize::from(cut >= first) + usize::from(cut == whole.len());
            let bytes = [0, first, whole.len()][lines] as u64;
            assert_eq!(read(&whole.as_bytes()[..cut]), (lines, bytes, None));
            // A file system that crashed may have made the file longer and not filled it.
            let zeros = [&whole.as_bytes()[..cut], &[0; 100]].concat();
            assert_eq!(read(&zeros), (lines, bytes, None));
        }
    }

    #[test]
    fn what_no_crash_leaves_is_refused_by_its_line() {
        for (text, reason) in [
            (line(0) + "{\"v\": 1\n", "line 2: EOF"),
            (line(0) + "\n" + &line(1), "line 2: it is empty"),
            (line(0) + "\0\0\n" + &line(1), "line 2: it holds bytes"),
            (line(1), "line 1: event 0 is missing"),
            (line(0) + &line(2), "line 2: event 1 is missing"),
            (line(0) + &line(0), "line 2: event 1 is missing"),
            ("x\n".into(), "line 1: expected value"),
        ] {
            let problem = read(text.as_bytes()).2.unwrap();
            assert!(problem.contains(reason), "{problem}");
            assert!(problem.contains("put a copy of it back"), "{problem}");
        }
    }

    #[test]
    fn another_version_is_named_with_the_remedy() {
        for text in [
            line(0).replace("\"v\":1", "\"v\":2"),
            "{\"v\": 2, \"quite\": \"different\"}\n".into(),
        ] {
            let problem = read(text.as_bytes()).2.unwrap();
            assert!(
                problem.contains("line 1: version 2") && problem.contains("or a newer one"),
                "{problem}"
            );
        }
    }
}
