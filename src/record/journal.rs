//! The journal: JSON Lines, appended to and never rewritten, a valid prefix after any crash.

use crate::event::{EventSink, RunEvent, Stamped};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Appends events to a journal.
#[derive(Debug)]
pub struct JournalWriter {
    file: File,
}

impl JournalWriter {
    /// Makes a new journal.
    ///
    /// # Errors
    ///
    /// Fails if there is one already, or it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::options().append(true).create_new(true).open(path)?,
        })
    }
}

impl EventSink for JournalWriter {
    fn emit(&mut self, event: &Stamped) -> io::Result<()> {
        let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
        line.push(b'\n');
        // One write for each line: a crash tears the last one at most.
        self.file.write_all(&line)?;
        if matches!(
            event.event,
            RunEvent::JobEnded { .. } | RunEvent::RunEnded { .. }
        ) {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// Reads a journal. A torn last line is dropped.
///
/// # Errors
///
/// Fails if the file cannot be read, or a line that is not the last one is broken: then the reason
/// names the line.
pub fn read_journal(path: &Path) -> Result<Vec<Stamped>, String> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut events: Vec<Stamped> = Vec::new();
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    for (number, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let event: Stamped = serde_json::from_slice(line).map_err(|error| {
            format!(
                "{} line {}: {error}; the journal was changed by something else",
                path.display(),
                number + 1
            )
        })?;
        if event.sequence != events.len() as u64 {
            return Err(format!(
                "{} line {}: event {} is missing; the journal was changed by something else",
                path.display(),
                number + 1,
                events.len()
            ));
        }
        events.push(event);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(sequence: u64) -> Stamped {
        Stamped {
            v: 1,
            sequence,
            at: "2026-01-01T00:00:00Z".into(),
            elapsed_seconds: 1.0,
            event: RunEvent::RunEnded {
                interrupted: false,
                seconds: 1.0,
            },
        }
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_any_other_break_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = JournalWriter::create(&path).unwrap();
        for sequence in 0..3 {
            journal.emit(&ended(sequence)).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        assert_eq!(read_journal(&path).unwrap().len(), 2);
        let mut broken = whole.clone();
        broken[3] = b'!';
        std::fs::write(&path, &broken).unwrap();
        assert!(read_journal(&path).unwrap_err().contains("line 1"));
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        std::fs::write(&path, &whole[second..]).unwrap();
        assert!(
            read_journal(&path)
                .unwrap_err()
                .contains("event 0 is missing")
        );
    }
}
