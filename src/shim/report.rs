//! What a shim tells the runner, one JSON object a line.

use serde::{Deserialize, Serialize};

/// Who ended the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// The child ended by itself.
    Itself,
    /// The runner said so.
    Kill,
    /// The control pipe closed: the runner is gone.
    ControlClosed,
    /// The shim's own limit passed.
    Backstop,
}

/// A line of the report pipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "report"
)]
pub enum Report {
    /// The child runs.
    Started {
        /// Its process id.
        pid: i32,
        /// What keeps it from a network: `seccomp`, `sandbox-exec` or `none`.
        wall: String,
    },
    /// The child could not be started.
    SpawnFailed {
        /// The reason.
        error: String,
    },
    /// The wall does not hold, so nothing was started.
    WallFailed {
        /// The reason.
        error: String,
    },
    /// Nothing of the tree is left.
    Ended {
        /// The child's exit status.
        exit_code: Option<i32>,
        /// The signal that ended the child.
        signal: Option<i32>,
        /// Spawn to the last process gone.
        wall_seconds: f64,
        /// User time of the tree.
        cpu_user_seconds: f64,
        /// System time of the tree.
        cpu_system_seconds: f64,
        /// Peak resident bytes: the larger of the largest sum over the tree that was seen and the
        /// largest high-water mark of any one process.
        peak_rss_bytes: Option<u64>,
        /// The largest sum of anonymous resident bytes over the tree that was seen.
        peak_anonymous_bytes: Option<u64>,
        /// Processes alive when the child had ended by itself.
        leaked_processes: u32,
        /// Who ended it.
        ended_by: EndedBy,
    },
}
