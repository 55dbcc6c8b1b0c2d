//! What a run is given: the plan, the places it may use, and how it may be cancelled.

use crate::model::{MachineFacts, Plan};
use crate::store::Store;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use tokio::sync::watch;

/// How a run treats what goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// Stop at the first fault.
    pub fail_fast: bool,
    /// Stop after so many faults.
    pub max_failures: Option<usize>,
}

/// What a run is given.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// The run's id.
    pub run_id: String,
    /// The plan.
    pub plan: Plan,
    /// This program: it is the shim of every child and the worker of every built-in engine.
    pub program: PathBuf,
    /// Where models live.
    pub store: Store,
    /// Where decoded recordings are kept.
    pub audio_cache: PathBuf,
    /// Where the children's output goes.
    pub logs: PathBuf,
    /// The machine.
    pub machine: MachineFacts,
    /// The command line, for the record.
    pub command_line: Vec<String>,
    /// The runner's own environment, of which children get an allow-listed part.
    pub environment: BTreeMap<String, OsString>,
    /// How faults are treated.
    pub options: RunOptions,
}

impl RunContext {
    /// Returns a variable of the runner's environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<OsString> {
        self.environment.get(name).cloned()
    }
}

/// The runner's end of a cancellation: the reason, each time somebody gives one. The first ends
/// the run in order, the second at once.
pub type Cancellation = watch::Receiver<Option<String>>;
