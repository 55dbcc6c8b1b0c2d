//! What the shim tells the runner: JSON Lines.

use std::borrow::Cow;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use serde::{Deserialize, Serialize};

/// One line; the field `report` says which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "kebab-case")]
pub enum Report {
    /// The child runs. Its first output may come before this line.
    Started {
        /// Its process id.
        pid: i32,
        /// What keeps the tree off the network: `seccomp`, `sandbox-exec` or `none`.
        wall: Cow<'static, str>,
        /// What holds the tree together: `cgroup+subreaper`, `subreaper`, or the weaker
        /// `process-group`.
        tree: Cow<'static, str>,
        /// Absolute path of the tree's control group, for who has to end it without the shim.
        cgroup: Option<String>,
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
        /// The first of these.
        leaked: Vec<LeakedProcess>,
        /// Why the tree came to its end.
        ended_by: EndedBy,
        /// Passes over the process table that killed what was left; 0 = there was nothing to kill.
        sweeps: u32,
    },
}

/// A process that outlived its main child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakedProcess {
    /// Its process id.
    pub pid: i32,
    /// Name of its program, or what the program calls itself: printable, at most 64 bytes.
    pub name: String,
}

/// How many leaked processes are named: a line must arrive in one piece.
pub(super) const MOST_LEAKS_NAMED: usize = 16;

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

/// Where reports go: a pipe, or a socket that control bytes come from.
pub(super) struct Reporter(OwnedFd);

impl Reporter {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// Writes one line. A reader that is gone is no error, and neither is one that does not read:
    /// the line is lost then, as the tree still has to be ended.
    pub(super) fn send(&self, report: &Report) {
        if let Ok(mut line) = serde_json::to_vec(report) {
            line.push(b'\n');
            // Less than PIPE_BUF bytes: a line arrives whole or not at all. SIGPIPE is ignored or
            // blocked from the first instruction of this program to its last.
            match send(&self.0, &line, SendFlags::DONTWAIT) {
                Err(Errno::NOTSOCK) if has_room(&self.0) => {
                    let _ = rustix::io::write(&self.0, &line);
                }
                _ => {}
            }
        }
    }
}

/// Returns whether a pipe takes a line without making the writer wait.
fn has_room(pipe: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(pipe, PollFlags::OUT)];
    let at_once = Timespec::default();
    poll(&mut polled, Some(&at_once)).is_ok_and(|ready| ready > 0)
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
                tree: "subreaper".into(),
                cgroup: Some("/sys/fs/cgroup/a".into()),
            }),
            r#"{"report":"started","pid":7,"wall":"seccomp","tree":"subreaper","cgroup":"/sys/fs/cgroup/a"}"#
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
            leaked: vec![LeakedProcess {
                pid: 8,
                name: "sh".into(),
            }],
            ended_by: EndedBy::ControlClosed,
            sweeps: 1,
        };
        assert_eq!(
            line(&ended),
            r#"{"report":"ended","exit_code":null,"signal":9,"wall_seconds":1.5,"cpu_user_seconds":0.25,"cpu_system_seconds":0.0,"peak_rss_bytes":4096,"peak_anonymous_bytes":null,"leaked_processes":2,"leaked":[{"pid":8,"name":"sh"}],"ended_by":"control-closed","sweeps":1}"#
        );
    }

    #[test]
    fn the_longest_report_arrives_in_one_piece() {
        let leak = LeakedProcess {
            pid: i32::MAX,
            name: "\"".repeat(64),
        };
        let ended = Report::Ended {
            exit_code: Some(i32::MIN),
            signal: Some(i32::MIN),
            wall_seconds: f64::MIN_POSITIVE,
            cpu_user_seconds: f64::MIN_POSITIVE,
            cpu_system_seconds: f64::MIN_POSITIVE,
            peak_rss_bytes: u64::MAX,
            peak_anonymous_bytes: Some(u64::MAX),
            leaked_processes: usize::MAX,
            leaked: vec![leak; MOST_LEAKS_NAMED],
            ended_by: EndedBy::ControlClosed,
            sweeps: u32::MAX,
        };
        let text = line(&ended);
        assert!(text.len() < 4096, "{}", text.len());
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), ended);
    }

    #[test]
    fn a_reader_that_does_not_read_is_not_waited_for() {
        let report = Report::WallFailed {
            error: "no".repeat(500),
        };
        let (mut reader, writer) = std::io::pipe().unwrap();
        let reporter = Reporter::new(writer.into());
        let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let through_socket = Reporter::new(theirs.into());
        for _ in 0..1000 {
            reporter.send(&report);
            through_socket.send(&report);
        }
        drop((reporter, through_socket));
        for received in [&mut reader as &mut dyn std::io::Read, &mut ours] {
            let mut text = String::new();
            received.read_to_string(&mut text).unwrap();
            assert!(text.lines().count() > 1);
            for line in text.lines() {
                assert_eq!(serde_json::from_str::<Report>(line).unwrap(), report);
            }
        }
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
