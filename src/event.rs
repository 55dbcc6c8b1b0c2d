//! What happens in a run, in the order in which it happens: the seam between running and watching.
//!
//! The dispatcher is the only one that says anything. The journal hears it first, the screen second.

use crate::model::{ChildUsage, LoadAverage, MachineFacts, Outcome, Sample, VerifyFinding};
use crate::model::{JobId, JobKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        /// The command line.
        command_line: Vec<String>,
        /// The machine.
        machine: MachineFacts,
        /// How many jobs are planned.
        jobs: usize,
    },
    /// A job, or one launch of a benchmark, begins.
    AttemptStarted {
        /// The job.
        job: JobId,
        /// Its kind.
        kind: JobKind,
        /// The launch, from 0.
        launch: u32,
        /// The attempt of this launch, from 1.
        attempt: u32,
        /// The limit of the whole in seconds, as far as it is known.
        limit_seconds: Option<f64>,
        /// Load averages at this moment.
        load: Option<LoadAverage>,
        /// The frequency governor at this moment, if the system tells.
        #[serde(default)]
        governor: Option<String>,
    },
    /// The engine said hello.
    EngineReady {
        /// The job.
        job: JobId,
        /// The launch.
        launch: u32,
        /// The engine's version.
        version: String,
        /// Spawn to hello in seconds.
        start_seconds: f64,
        /// The settings in effect, as the engine says.
        settings: std::collections::BTreeMap<String, crate::model::Value>,
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
    /// A trial ended.
    TrialEnded {
        /// The job.
        job: JobId,
        /// What was measured.
        sample: Sample,
    },
    /// Bytes of a download arrived, or a line of a recipe.
    DownloadProgress {
        /// The job.
        job: JobId,
        /// What it says.
        message: String,
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
        /// How it ended.
        outcome: Outcome,
        /// What it cost, if there was a process.
        usage: Option<ChildUsage>,
        /// The last lines of its error output.
        stderr_tail: String,
        /// Load averages at this moment; what the attempt itself did is in them.
        #[serde(default)]
        load: Option<LoadAverage>,
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
    /// The run is over.
    RunEnded {
        /// Whether it was interrupted.
        interrupted: bool,
        /// Seconds since it began.
        seconds: f64,
    },
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
    /// Seconds on the monotonic clock since the run began.
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
}
