//! How jobs end, and what a verify found.

use super::job::JobId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The part of an attempt in which something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The process is being made.
    Spawn,
    /// Spawn to the engine's hello.
    Start,
    /// The engine loads the model.
    Load,
    /// A trial is running.
    Trial,
    /// The engine was asked to end.
    Close,
    /// A fetch is running.
    Download,
    /// A verify without an engine is running.
    Verify,
    /// All phases together.
    Job,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Spawn => "spawn",
            Self::Start => "start",
            Self::Load => "load",
            Self::Trial => "trial",
            Self::Close => "close",
            Self::Download => "download",
            Self::Verify => "verify",
            Self::Job => "job",
        })
    }
}

/// The one end of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Outcome {
    /// It did what it was asked; a verify's verdict is apart from this.
    Completed,
    /// There was nothing to do.
    NotNeeded {
        /// Why not.
        reason: String,
    },
    /// It said that it failed.
    Failed {
        /// In which phase.
        phase: Phase,
        /// What it said.
        reason: String,
    },
    /// Its limit passed.
    TimedOut {
        /// In which phase.
        phase: Phase,
        /// The limit in seconds.
        limit_seconds: f64,
    },
    /// Its process ended without being asked to.
    Crashed {
        /// In which phase.
        phase: Phase,
        /// The signal that ended it.
        signal: Option<i32>,
        /// The exit status.
        exit_code: Option<i32>,
        /// The last lines of its error output.
        stderr_tail: String,
    },
    /// It said something that is not the protocol.
    ProtocolViolation {
        /// In which phase.
        phase: Phase,
        /// What was wrong, with the line that was said.
        reason: String,
    },
    /// The run was interrupted.
    Cancelled {
        /// By what.
        reason: String,
    },
    /// It was not started.
    Skipped {
        /// Why not.
        reason: String,
        /// The job whose end was the cause; `None` for a planned skip.
        because_of: Option<JobId>,
    },
}

impl Outcome {
    /// Returns the word for tables: `completed`, `timed-out`, …
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NotNeeded { .. } => "not-needed",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed-out",
            Self::Crashed { .. } => "crashed",
            Self::ProtocolViolation { .. } => "protocol-violation",
            Self::Cancelled { .. } => "cancelled",
            Self::Skipped { .. } => "skipped",
        }
    }

    /// Returns whether the job did what was needed of it.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Completed | Self::NotNeeded { .. })
    }

    /// Returns whether this end makes the run's exit status 3: it went wrong, or it was skipped
    /// because something else did. A planned skip is not a fault.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Completed | Self::NotNeeded { .. } => false,
            Self::Skipped { because_of, .. } => because_of.is_some(),
            _ => true,
        }
    }

    /// Returns the reason in words; empty for a completed job.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Completed => String::new(),
            Self::NotNeeded { reason }
            | Self::Skipped { reason, .. }
            | Self::Cancelled { reason } => reason.clone(),
            Self::Failed { phase, reason } | Self::ProtocolViolation { phase, reason } => {
                format!("{phase}: {reason}")
            }
            Self::TimedOut {
                phase,
                limit_seconds,
            } => {
                format!("{phase} took longer than its limit of {limit_seconds} s")
            }
            Self::Crashed {
                phase,
                signal,
                exit_code,
                stderr_tail,
            } => {
                let end = match (signal, exit_code) {
                    (Some(signal), _) => format!("ended by signal {signal}"),
                    (None, Some(code)) => format!("ended with status {code}"),
                    (None, None) => "ended".to_owned(),
                };
                let last = stderr_tail
                    .lines()
                    .rev()
                    .find(|line| !line.trim().is_empty());
                match last {
                    Some(line) => format!("{end} in phase {phase}: {}", line.trim()),
                    None => format!("{end} in phase {phase}"),
                }
            }
        }
    }
}

/// What is the matter with one file, or that nothing is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FileFinding {
    /// Name within the artifact.
    pub name: String,
    /// `complete`, `missing`, `incomplete`, `corrupt`, `unknown` or `error`.
    pub verdict: String,
    /// The numbers or digests behind it; empty if it is complete.
    pub reason: String,
    /// Bytes found.
    pub bytes_present: u64,
    /// Bytes expected, if known.
    pub bytes_expected: Option<u64>,
    /// Time spent on it in seconds.
    pub seconds: f64,
}

/// The answer to a verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All that the method asks for is there and right.
    Complete,
    /// Nothing is there.
    Missing,
    /// Some of it is there.
    Incomplete,
    /// Something is there that is not what it should be.
    Corrupt,
    /// The engine did not load it within the limit.
    TimedOut,
    /// There is nothing to compare with.
    Unknown,
    /// The engine cannot be asked this way.
    Unsupported,
    /// It could not be found out.
    Error,
}

impl Verdict {
    /// Returns the word for tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Missing => "missing",
            Self::Incomplete => "incomplete",
            Self::Corrupt => "corrupt",
            Self::TimedOut => "timed-out",
            Self::Unknown => "unknown",
            Self::Unsupported => "unsupported",
            Self::Error => "error",
        }
    }

    /// Returns whether a download would mend it.
    #[must_use]
    pub fn wants_download(self) -> bool {
        matches!(self, Self::Missing | Self::Incomplete | Self::Corrupt)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// A verdict with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerifyFinding {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason in words; empty if complete.
    pub reason: String,
    /// Bytes found.
    pub bytes_present: u64,
    /// Bytes expected, if known.
    pub bytes_expected: Option<u64>,
    /// Each file.
    pub files: Vec<FileFinding>,
    /// What kept the asking process from a network: `none-needed`, `seccomp`, …
    pub network_wall: String,
    /// What the expected sizes and digests come from.
    #[serde(default)]
    pub manifest: ManifestOrigin,
    /// Whether the answer is an earlier one, of which nothing that it depends on has changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remembered: bool,
}

/// What the expected sizes and digests of an artifact's files come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ManifestOrigin {
    /// Nothing says what to expect.
    #[default]
    None,
    /// The catalog, or the matrix's own definition.
    Catalog,
    /// The list of the repository at that commit, left in the cache by whoever downloaded it.
    HubTree,
    /// The lock file.
    Lock,
}

impl VerifyFinding {
    /// Returns the reason in words, and of an earlier answer that it is one; empty for a fresh answer
    /// that all is well.
    #[must_use]
    pub fn in_words(&self) -> String {
        if self.remembered {
            "remembered: nothing has changed since it was asked".into()
        } else {
            self.reason.clone()
        }
    }

    /// Returns a finding without files.
    #[must_use]
    pub fn plain(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            verdict,
            reason: reason.into(),
            bytes_present: 0,
            bytes_expected: None,
            files: Vec::new(),
            network_wall: "none-needed".into(),
            manifest: ManifestOrigin::None,
            remembered: false,
        }
    }
}
