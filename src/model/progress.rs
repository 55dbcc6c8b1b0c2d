//! What a resumed run finds done already.

use super::job::JobId;
use super::outcome::Outcome;
use super::repetition::RepeatLook;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// Why a job is done again, or further, by a resumed run.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RerunReason {
    /// It had not ended, or was ended or left out because the run was.
    NotFinished,
    /// The matrix asks for something else under the same name.
    SpecChanged,
    /// The plan did not hold it before.
    NewInPlan,
    /// The engine has another version now.
    EngineVersionChanged,
    /// The model's files are others now.
    ArtifactChanged,
    /// The recording is another now.
    AudioChanged,
    /// This is another machine.
    MachineChanged,
    /// It failed, crashed or broke the protocol, and the command line asks for those again.
    Failed,
    /// Its limit passed, and the command line asks for those again.
    TimedOut,
    /// The command line names it.
    Asked,
    /// Verdicts are of their moment: they are asked for again, and so is what hangs on them.
    Verdict,
}

impl RerunReason {
    /// Returns the reason in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NotFinished => "not finished",
            Self::SpecChanged => "spec changed",
            Self::NewInPlan => "new in the plan",
            Self::EngineVersionChanged => "engine version changed",
            Self::ArtifactChanged => "artifact changed",
            Self::AudioChanged => "audio changed",
            Self::MachineChanged => "machine changed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Asked => "asked for",
            Self::Verdict => "verdicts are asked again",
        }
    }
}

impl fmt::Display for RerunReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

/// What is done of one launch of a benchmark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchProgress {
    /// Attempts that were begun.
    pub attempts: u32,
    /// The last of them completed.
    pub completed: bool,
    /// Trials that are there, as (utterance, trial), warm-ups included.
    pub trials: BTreeSet<(String, u32)>,
}

/// The time of a measured trial, by which it is decided whether a benchmark goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedTrial {
    /// The launch.
    pub launch: u32,
    /// The trial within the launch.
    pub trial: u32,
    /// The utterance's id.
    pub utterance: String,
    /// Samples handed over → full text there.
    pub seconds: f64,
}

/// What is done of a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobProgress {
    /// Its end, if it stands. Then nothing of it is done again.
    pub outcome: Option<Outcome>,
    /// Why it is done again, or further, and what changed in words; `None` if its end stands.
    pub rerun: Option<(RerunReason, String)>,
    /// Its launches, as far as their trials are still good.
    pub launches: BTreeMap<u32, LaunchProgress>,
    /// Seconds that its earlier attempts took together.
    pub seconds: f64,
    /// Its measured trials in their order, if it is adaptive and they are still good.
    pub timed: Vec<TimedTrial>,
    /// The looks that were taken at it.
    pub looks: Vec<RepeatLook>,
}

/// Where a resumed run goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// What is done of each job of the plan; a job that is missing was never begun.
    pub jobs: HashMap<JobId, JobProgress>,
    /// The number of the journal's next event.
    pub next_sequence: u64,
    /// Seconds on the run's clock where the journal ended.
    pub elapsed_seconds: f64,
}
