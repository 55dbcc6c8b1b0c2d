//! A child's output: a bounded log, a bounded tail, and, where it is the answer, what it wrote.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How much of a child's output is kept in the log.
const LOG_LIMIT: usize = 1 << 20;
/// How much of its end is kept in the record.
const TAIL_LIMIT: usize = 4 << 10;
/// The longest answer that is taken; a transcript of hours fits many times over.
pub(super) const ANSWER_LIMIT: usize = 16 << 20;

/// Where a child's output goes.
pub(super) struct Output {
    path: Option<PathBuf>,
    log: Option<File>,
    logged: usize,
    tail: Vec<u8>,
    answer: Option<Vec<u8>>,
    /// The answer was longer than is taken.
    pub(super) is_too_long: bool,
}

impl Output {
    /// Prepares for output. The log is made when there is something to put into it. With
    /// `answers`, what comes on standard output is kept and is no log.
    pub(super) fn new(log: Option<&Path>, answers: bool) -> Self {
        Self {
            path: log.map(Path::to_path_buf),
            log: None,
            logged: 0,
            tail: Vec::new(),
            answer: answers.then(Vec::new),
            is_too_long: false,
        }
    }

    /// Takes what came on standard output.
    pub(super) fn take_stdout(&mut self, bytes: &[u8]) {
        let Some(answer) = &mut self.answer else {
            return self.take(bytes);
        };
        let room = ANSWER_LIMIT.saturating_sub(answer.len()).min(bytes.len());
        answer.extend_from_slice(&bytes[..room]);
        self.is_too_long |= room < bytes.len();
    }

    /// Takes what goes to the log.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let room = LOG_LIMIT.saturating_sub(self.logged).min(bytes.len());
        if room > 0
            && self.log.is_none()
            && let Some(path) = self.path.take()
        {
            self.log = open(&path);
        }
        if let Some(log) = &mut self.log {
            // A full disk costs the log, never the run.
            let _ = log.write_all(&bytes[..room]);
        }
        self.logged += room;
        self.tail.extend_from_slice(bytes);
        if self.tail.len() > 2 * TAIL_LIMIT {
            self.tail.drain(..self.tail.len() - TAIL_LIMIT);
        }
    }

    /// Returns the end of what went to the log.
    pub(super) fn tail(&self) -> String {
        let start = self.tail.len().saturating_sub(TAIL_LIMIT);
        String::from_utf8_lossy(&self.tail[start..]).into_owned()
    }

    /// Gives up what came on standard output.
    pub(super) fn take_answer(&mut self) -> Vec<u8> {
        self.answer.take().unwrap_or_default()
    }
}

fn open(path: &Path) -> Option<File> {
    std::fs::create_dir_all(path.parent()?).ok()?;
    File::options().create(true).append(true).open(path).ok()
}
