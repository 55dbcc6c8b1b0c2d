//! What the shim tells the runner: JSON Lines on the report pipe.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};

/// One line on the report pipe; the field `report` says which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "kebab-case")]
pub enum Report {
    /// The child runs. Its first output may come before this line.
    Started {
        /// Its process id.
        pid: i32,
        /// What keeps the tree off the network: `seccomp`, `sandbox-exec` or `none`.
        wall: Cow<'static, str>,
        /// What holds the tree together: `subreaper`, or the weaker `process-group`.
        tree: Cow<'static, str>,
    },
    /// The program could not be started. Nothing ran.
    SpawnFailed {
        /// The system's words.
        error: String,
        /// The system's error number, where there is one; 2 = no such file.
        errno: Option<i32>,
    },
    /// A wall was asked for and does not stand. Nothing was started.
    WallFailed {
        /// Which step failed, and how.
        error: String,
    },
    /// The child has ended and no descendant is left.
    Ended {
        /// Exit status of the main child; `None` if a signal ended it.
        exit_code: Option<i32>,
        /// Number of the signal that ended the main child; `None` if it exited.
        signal: Option<i32>,
        /// Time from just before the start of the main child to its end, in seconds of the
        /// monotonic clock; time spent stopped included.
        wall_seconds: f64,
        /// Processor time of the whole tree in user mode, in seconds.
        cpu_user_seconds: f64,
        /// Processor time of the whole tree in the kernel, in seconds.
        cpu_system_seconds: f64,
        /// Highest resident size of the tree that was seen, in bytes; `accounting` has the
        /// definition and its error.
        peak_rss_bytes: u64,
        /// Highest sampled anonymous resident size of the tree, in bytes; `None` if the tree ended
        /// before the first sample or cannot be sampled.
        peak_anonymous_bytes: Option<u64>,
        /// Descendants that were still alive 50 ms after the main child had ended by itself;
        /// helpers that are about to end on their own have that long. 0 if the shim killed the
        /// tree.
        leaked_processes: usize,
        /// Why the tree came to its end.
        ended_by: EndedBy,
        /// Passes over the process table that killed what was left; 0 = there was nothing to kill.
        sweeps: u32,
    },
}

/// Why a tree came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// The main child exited or was ended by a signal that the shim did not send as part of a kill.
    Itself,
    /// The runner sent `K`.
    Kill,
    /// The control pipe was closed: the runner died or let go.
    ControlClosed,
    /// The backstop deadline passed.
    Backstop,
}

impl EndedBy {
    /// Returns whether the shim killed the tree.
    pub(super) fn by_force(self) -> bool {
        self != Self::Itself
    }
}

/// Write end of the report pipe.
pub(super) struct Reporter(File);

impl Reporter {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        Self(File::from(descriptor))
    }

    /// Writes one line. A reader that is gone is no error: the tree still has to be ended.
    pub(super) fn send(&mut self, report: &Report) {
        if let Ok(mut line) = serde_json::to_vec(report) {
            line.push(b'\n');
            // One write of less than PIPE_BUF bytes: a line arrives whole or not at all.
            let _ = self.0.write_all(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(report: &Report) -> String {
        serde_json::to_string(report).unwrap()
    }

    #[test]
    fn reports_have_the_fields_that_the_runner_reads() {
        assert_eq!(
            line(&Report::Started {
                pid: 7,
                wall: "seccomp".into(),
                tree: "subreaper".into()
            }),
            r#"{"report":"started","pid":7,"wall":"seccomp","tree":"subreaper"}"#
        );
        assert_eq!(
            line(&Report::SpawnFailed {
                error: "a \"b\"\n".into(),
                errno: Some(2)
            }),
            r#"{"report":"spawn-failed","error":"a \"b\"\n","errno":2}"#
        );
        assert_eq!(
            line(&Report::WallFailed { error: "no".into() }),
            r#"{"report":"wall-failed","error":"no"}"#
        );
        let ended = Report::Ended {
            exit_code: None,
            signal: Some(9),
            wall_seconds: 1.5,
            cpu_user_seconds: 0.25,
            cpu_system_seconds: 0.0,
            peak_rss_bytes: 4096,
            peak_anonymous_bytes: None,
            leaked_processes: 2,
            ended_by: EndedBy::ControlClosed,
            sweeps: 1,
        };
        assert_eq!(
            line(&ended),
            r#"{"report":"ended","exit_code":null,"signal":9,"wall_seconds":1.5,"cpu_user_seconds":0.25,"cpu_system_seconds":0.0,"peak_rss_bytes":4096,"peak_anonymous_bytes":null,"leaked_processes":2,"ended_by":"control-closed","sweeps":1}"#
        );
    }

    #[test]
    fn a_reader_that_is_gone_is_no_error() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Reporter::new(writer.into()).send(&Report::WallFailed {
            error: String::new(),
        });
    }
}
