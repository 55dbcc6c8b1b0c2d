//! The journal: JSON Lines, appended to and never rewritten, a valid prefix after any crash.

use super::lock::RunLock;
use crate::event::{EventSink, RunEvent, Stamped};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// For how long the end of a short job may wait to be synced with the next ones: a disk takes
/// longer for a sync than a short job does for itself.
const BATCH: Duration = Duration::from_millis(50);

/// Appends events to a journal.
///
/// Each line is one write, so that a crash tears the last one at most, and a process that is killed
/// loses nothing. What a power cut may lose is bounded by syncs: one for each job that ended, but
/// for jobs under 50 ms one for all that end within 50 ms.
#[derive(Debug)]
pub struct JournalWriter {
    file: File,
    /// Held as long as anything is written.
    _lock: Option<RunLock>,
    /// One buffer for all lines.
    line: Vec<u8>,
    /// Bytes of the whole lines that were written.
    whole_bytes: u64,
    /// When it was last synced; `None`: never.
    synced: Option<Instant>,
    /// The end of a job waits for its sync.
    is_waiting: bool,
    /// An event could not be written. What came after it would leave a gap.
    is_broken: bool,
}

impl JournalWriter {
    /// Makes a new journal.
    ///
    /// # Errors
    ///
    /// Fails if there is one already, or it cannot be made.
    pub(super) fn create(path: &Path, lock: RunLock) -> io::Result<Self> {
        let file = File::options().append(true).create_new(true).open(path)?;
        Ok(Self::new(file, Some(lock), 0))
    }

    /// Goes on with a journal behind its whole lines; a torn one is cut off.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub(super) fn reopen(path: &Path, whole_bytes: u64, lock: RunLock) -> io::Result<Self> {
        let file = File::options().append(true).open(path)?;
        if file.metadata()?.len() != whole_bytes {
            file.set_len(whole_bytes)?;
            file.sync_all()?;
        }
        Ok(Self::new(file, Some(lock), whole_bytes))
    }

    fn new(file: File, lock: Option<RunLock>, whole_bytes: u64) -> Self {
        Self {
            file,
            _lock: lock,
            line: Vec::new(),
            whole_bytes,
            synced: None,
            is_waiting: false,
            is_broken: false,
        }
    }

    /// Appends an event, and syncs nothing.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written whole. Then what stands before it stays as it was, and nothing
    /// more is written.
    pub(super) fn append(&mut self, event: &Stamped) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other("an earlier event could not be written"));
        }
        self.line.clear();
        serde_json::to_writer(&mut self.line, event).map_err(io::Error::other)?;
        self.line.push(b'\n');
        if let Err(error) = self.file.write_all(&self.line) {
            self.is_broken = true;
            // Where this fails too, the line is torn, and readers leave it out.
            let _ = self.file.set_len(self.whole_bytes);
            return Err(error);
        }
        self.whole_bytes += self.line.len() as u64;
        Ok(())
    }

    /// Syncs what waits for it, if 50 ms have passed since the last sync. To be called when there is
    /// nothing else to do; returns after what time it should be called again, `None` if nothing
    /// waits.
    ///
    /// # Errors
    ///
    /// Fails if the file system does.
    pub fn settle(&mut self) -> io::Result<Option<Duration>> {
        if !self.is_waiting {
            return Ok(None);
        }
        let left = BATCH.saturating_sub(self.since_sync());
        if left.is_zero() {
            self.flush()?;
            return Ok(None);
        }
        Ok(Some(left))
    }

    /// Syncs everything that was written.
    ///
    /// # Errors
    ///
    /// Fails if the file system does.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.synced = Some(Instant::now());
        self.is_waiting = false;
        Ok(())
    }

    fn since_sync(&self) -> Duration {
        self.synced.map_or(Duration::MAX, |synced| synced.elapsed())
    }
}

impl EventSink for JournalWriter {
    fn emit(&mut self, event: &Stamped) -> io::Result<()> {
        self.append(event)?;
        match &event.event {
            // The beginning too: the plan of a resumed run is put in place after it.
            RunEvent::RunStarted { .. } | RunEvent::RunEnded { .. } => return self.flush(),
            RunEvent::JobEnded { seconds, .. } => {
                self.is_waiting = true;
                if *seconds >= BATCH.as_secs_f64() {
                    return self.flush();
                }
            }
            _ => {}
        }
        if self.is_waiting && self.since_sync() >= BATCH {
            return self.flush();
        }
        Ok(())
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        if self.is_waiting {
            // Nobody is left to be told.
            let _ = self.file.sync_data();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, Outcome};

    fn ended(sequence: u64, seconds: f64) -> Stamped {
        Stamped {
            v: 1,
            sequence,
            at: "2026-01-01T00:00:00Z".into(),
            elapsed_seconds: 1.0,
            event: RunEvent::JobEnded {
                job: JobId("benchmark/a/0123456789".into()),
                outcome: Outcome::Completed,
                finding: None,
                seconds,
                bytes: 0,
            },
        }
    }

    fn journal(path: &Path) -> JournalWriter {
        let file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        JournalWriter::new(file, None, 0)
    }

    #[test]
    fn short_jobs_share_a_sync_and_long_ones_do_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = journal(&folder.path().join("journal.jsonl"));
        // The first has no sync before it with which it could be put together.
        journal.emit(&ended(0, 0.001)).unwrap();
        assert!(!journal.is_waiting);
        journal.synced = Some(Instant::now() + Duration::from_mins(1));
        journal.emit(&ended(1, 0.001)).unwrap();
        assert!(journal.is_waiting && journal.settle().unwrap().is_some());
        journal.emit(&ended(2, 0.051)).unwrap();
        assert!(!journal.is_waiting && journal.settle().unwrap().is_none());
        journal.synced = Some(Instant::now() + Duration::from_mins(1));
        journal.emit(&ended(3, 0.001)).unwrap();
        journal.synced = Instant::now().checked_sub(BATCH);
        assert_eq!(journal.settle().unwrap(), None);
        assert!(!journal.is_waiting);
    }

    /// A device that is always full.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_written_ends_the_writing() {
        let mut journal = journal(Path::new("/dev/full"));
        let error = journal.emit(&ended(0, 1.0)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(journal.emit(&ended(1, 1.0)).is_err());
    }
}
