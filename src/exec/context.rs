//! What a run is given: the plan, the places it may use, and how it may be cancelled.

use super::fence::Fence;
use super::live::Live;
use crate::model::{JobId, MachineFacts, Plan, Progress, RepositoryFacts, Shard};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// How a run treats what goes wrong, and how long it may go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// Stop at the first fault.
    pub fail_fast: bool,
    /// Stop after so many faults.
    pub max_failures: Option<usize>,
    /// Leave out whole rounds of launches that would end later than this.
    pub time_budget: Option<Duration>,
    /// Ask every verify again, whatever is remembered.
    pub fresh: bool,
}

/// The part of a plan that a run does.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which part it is called.
    pub shard: Shard,
    /// The positions of its jobs in the plan, with all that they need.
    pub jobs: BTreeSet<usize>,
}

/// What a run is given.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// The run's id.
    pub run_id: String,
    /// The plan.
    pub plan: Plan,
    /// The part of it that is done; `None` = all of it.
    pub part: Option<Part>,
    /// Which attempt at its part this run is, from 1.
    pub attempt: u32,
    /// What tells that another attempt has taken this one's place.
    pub fence: Option<Fence>,
    /// The benchmarks that this machine does not have what they require for, by their positions, with what
    /// it lacks.
    pub unmet: BTreeMap<usize, String>,
    /// What an earlier run has done already, if this one goes on with it.
    pub resumed: Option<Progress>,
    /// This program: it is the shim of every child and the worker of every built-in engine.
    pub program: PathBuf,
    /// Where models live.
    pub store: Store,
    /// Where decoded recordings are kept.
    pub audio_cache: PathBuf,
    /// Where the children's output goes.
    pub logs: PathBuf,
    /// Where commands write what nobody keeps.
    pub work: PathBuf,
    /// Where a control group for each child can be made, if the system lets us.
    pub cgroup: Option<PathBuf>,
    /// The versions that command backends have told, by backend.
    pub versions: BTreeMap<String, String>,
    /// The machine.
    pub machine: MachineFacts,
    /// The command line, for the record.
    pub command_line: Vec<String>,
    /// The repository that the matrix lies in, for the record.
    pub repository: Option<RepositoryFacts>,
    /// The runner's own environment, of which children get an allow-listed part.
    pub environment: BTreeMap<String, OsString>,
    /// How faults are treated.
    pub options: RunOptions,
    /// What the run has going.
    pub live: Live,
}

impl RunContext {
    /// Returns a variable of the runner's environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<OsString> {
        self.environment.get(name).cloned()
    }

    /// Returns where the output of one launch of a job is kept.
    pub(super) fn log_of(&self, job: &JobId, launch: u32) -> PathBuf {
        let name = job.0.replace('/', "+");
        // File systems stop at 255 bytes; the digest at the end keeps it unique.
        let start = name.len().saturating_sub(200);
        self.logs.join(format!("{}.{launch}.log", &name[start..]))
    }

    /// Returns whether this run does the job at a position of the plan.
    pub(super) fn does(&self, position: usize) -> bool {
        self.part
            .as_ref()
            .is_none_or(|part| part.jobs.contains(&position))
    }
}

/// The runner's end of a cancellation: the reason, each time somebody gives one. The first ends
/// the run in order, the second at once.
pub type Cancellation = watch::Receiver<Option<String>>;
