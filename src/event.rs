//! What happens in a run, in the order in which it happens: the seam between running and watching.
//!
//! The dispatcher is the only one that says anything. The journal hears it first, the screen second.

use crate::model::{
    ChildUsage, JobId, JobKind, LeakedProcess, LoadAverage, MachineFacts, MachineState, Outcome,
    Phase, ProcessEnd, RepeatLook, RepositoryFacts, RerunReason, Sample, Shard, TransferProgress,
    VerifyFinding,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "event"
)]
pub enum RunEvent {
    /// The run begins. The plan itself lies beside the journal.
    RunStarted {
        /// The run's id.
        run_id: String,
        /// The plan's digest.
        plan_digest: String,
        /// The version of this program.
        earmark_version: String,
        /// The profile it was built with.
        build_profile: String,
        /// The crates that do its work, with their versions: engines, decoding, fetching.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        crates: BTreeMap<String, String>,
        /// The command line.
        command_line: Vec<String>,
        /// The repository that the matrix, or the kept plan, lies in; `null` if it lies in none, or
        /// the run was not told where it lies.
        #[serde(default)]
        repository: Option<RepositoryFacts>,
        /// The machine.
        machine: Box<MachineFacts>,
        /// How many jobs this run is to do.
        jobs: usize,
        /// The part of the plan that this run does; `None` = all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shard: Option<Shard>,
        /// Which attempt at its part of the plan this run is, from 1.
        #[serde(default = "first")]
        attempt: u32,
        /// The run goes on with what this journal holds already: this is not its first event.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumed: bool,
    },
    /// A job that this journal holds already is done again, or further, by a resumed run. What was
    /// known of its end is not true any more; trials stay as far as `keeps_trials` says.
    JobReopened {
        /// The job.
        job: JobId,
        /// Why.
        reason: RerunReason,
        /// What changed, in words; may be empty.
        detail: String,
        /// Whether the trials that are done are still good.
        keeps_trials: bool,
    },
    /// A job, or one launch of a benchmark, begins.
    AttemptStarted {
        /// The job.
        job: JobId,
        /// Its kind.
        kind: JobKind,
        /// The launch, from 0.
        launch: u32,
        /// The attempt at this launch, from 1; counts over resumed runs.
        attempt: u32,
        /// The limit of the whole in seconds, as far as it is known.
        limit_seconds: Option<f64>,
        /// Load averages at this moment.
        load: Option<LoadAverage>,
        /// The frequency governor at this moment, if the system tells.
        #[serde(default)]
        governor: Option<String>,
        /// What else of the machine may change, as it is at this moment, if the system tells.
        #[serde(default, skip_serializing_if = "MachineState::is_empty")]
        state: MachineState,
    },
    /// The engine said hello.
    EngineReady {
        /// The job.
        job: JobId,
        /// The launch.
        launch: u32,
        /// The engine's version.
        version: String,
        /// Spawn to hello in seconds; `None` if the process was there already, kept from another job of
        /// the same model.
        start_seconds: Option<f64>,
        /// The settings in effect, as the engine says.
        settings: BTreeMap<String, crate::model::Value>,
    },
    /// The engine loaded its model.
    ModelLoaded {
        /// The job.
        job: JobId,
        /// The launch.
        launch: u32,
        /// Load to ready in seconds, on the engine's clock.
        load_seconds: f64,
    },
    /// A limit is not over, but nearer than it should be.
    Slow {
        /// The job.
        job: JobId,
        /// The launch.
        launch: u32,
        /// What is slow.
        phase: Phase,
        /// Seconds that it has taken so far.
        seconds: f64,
        /// Its limit in seconds.
        limit_seconds: f64,
    },
    /// Processes were still there when the one that had started them had ended by itself. They have
    /// been ended.
    ProcessesLeaked {
        /// The job.
        job: JobId,
        /// The launch.
        launch: u32,
        /// How many.
        count: u32,
        /// The first of them.
        processes: Vec<LeakedProcess>,
    },
    /// An attempt failed in a way that may heal, and will be made again.
    RetryPlanned {
        /// The job.
        job: JobId,
        /// The launch.
        launch: u32,
        /// The number of the attempt that will be made.
        attempt: u32,
        /// How long it waits before, in seconds.
        delay_seconds: f64,
    },
    /// A trial ended.
    TrialEnded {
        /// The job.
        job: JobId,
        /// What was measured.
        sample: Sample,
    },
    /// A benchmark that is measured until its median is known well enough was looked at, after a set of
    /// launches.
    RepeatJudged {
        /// The job.
        job: JobId,
        /// What was seen, and what followed.
        look: RepeatLook,
    },
    /// Bytes of a download arrived, or something is to be said of it: a line of a recipe, a
    /// connection that is tried again.
    DownloadProgress {
        /// The job.
        job: JobId,
        /// What it says; empty if only the numbers have changed.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
        /// How far it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transfer: Option<TransferProgress>,
    },
    /// A download has learned from a hub which commit it fetches from.
    CommitResolved {
        /// The job.
        job: JobId,
        /// `owner/name`.
        repository: String,
        /// The branch, tag or commit that was asked for.
        revision: String,
        /// The commit that it stands for.
        commit: String,
    },
    /// An audio file was decoded for the run.
    AudioPrepared {
        /// The utterance.
        utterance: String,
        /// SHA-256 of the file.
        sha256: String,
        /// Length in seconds.
        seconds: f64,
    },
    /// An artifact was identified by the digest over its files.
    ArtifactIdentified {
        /// The model.
        model: String,
        /// The artifact.
        artifact: String,
        /// SHA-256 over names and digests of its files.
        digest: String,
    },
    /// A process was gone, with all it started.
    AttemptEnded {
        /// The job.
        job: JobId,
        /// The launch.
        launch: u32,
        /// The attempt at this launch, from 1.
        #[serde(default = "first")]
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
        /// How its process ended, if there was one.
        #[serde(default)]
        process: ProcessEnd,
        /// What it cost, if there was a process.
        usage: Option<ChildUsage>,
        /// The last lines of its error output.
        stderr_tail: String,
        /// Load averages at this moment; what the attempt itself did is in them.
        #[serde(default)]
        load: Option<LoadAverage>,
        /// The frequency governor at this moment, if the system tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        governor: Option<String>,
        /// What else of the machine may change, as it is at this moment, if the system tells.
        #[serde(default, skip_serializing_if = "MachineState::is_empty")]
        state: MachineState,
    },
    /// A job ended, for good.
    JobEnded {
        /// The job.
        job: JobId,
        /// Its one end.
        outcome: Outcome,
        /// What a verify found.
        finding: Option<VerifyFinding>,
        /// Seconds that its attempts took together; 0 if it was never started.
        seconds: f64,
        /// Bytes a download brought.
        bytes: u64,
    },
    /// The runner waited for other programs to leave the machine alone.
    QuietAwaited {
        /// Seconds that it waited.
        seconds: f64,
        /// CPUs that others kept busy at the end of the wait.
        busy: f64,
        /// How many of them were allowed.
        allowed: f64,
        /// Whether it became quiet; else the measuring began all the same.
        quiet: bool,
    },
    /// The runner was stopped and went on: its limits did not run in between, and what it had started
    /// was stopped too.
    Suspended {
        /// For how many seconds.
        seconds: f64,
    },
    /// Whole rounds of launches are left out because the time budget does not allow them.
    RoundsLeftOut {
        /// Rounds that were done.
        done: u32,
        /// Rounds that were planned.
        planned: u32,
        /// The budget in seconds.
        budget_seconds: f64,
    },
    /// The run is over.
    RunEnded {
        /// Whether it was interrupted.
        interrupted: bool,
        /// Seconds since it began.
        seconds: f64,
    },
}

/// Counts begin with 1; journals of earlier versions do not say so.
fn first() -> u32 {
    1
}

/// An event with its place in the run: one line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Stamped {
    /// Version of this format: 1.
    pub v: u32,
    /// Position, from 0, without gaps.
    pub sequence: u64,
    /// Date and time, UTC.
    pub at: String,
    /// Seconds on the monotonic clock since the run began, without those in which the runner was
    /// stopped; a resumed run goes on from where the journal ended.
    pub elapsed_seconds: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: RunEvent,
}

/// Somebody who hears events.
pub trait EventSink {
    /// Hears one.
    ///
    /// # Errors
    ///
    /// An error of the journal cancels the run; a screen has none to give.
    fn emit(&mut self, event: &Stamped) -> std::io::Result<()>;

    /// Does what was put off until there is time, if it is time for it. Returns after how long it
    /// wants to be asked again if it hears nothing before; `None` if nothing is put off.
    ///
    /// # Errors
    ///
    /// As for [`emit`](Self::emit).
    fn settle(&mut self) -> std::io::Result<Option<std::time::Duration>> {
        Ok(None)
    }
}
