//! Pure data that every room shares: what is asked for, what was planned, what was found.
//!
//! Nothing here reads a file, starts a process or knows a terminal.

mod artifact;
mod audio;
mod backend_definition;
mod bridge_definition;
mod chosen_settings;
mod combination;
mod deadlines;
mod engine_facts;
mod environment;
mod gate;
mod hexadecimal;
mod home;
mod job;
mod machine;
mod measurement;
mod outcome;
mod plan;
mod printable;
mod progress;
mod quiet;
mod repetition;
mod requirement;
mod retries;
mod setting;
mod shard;
mod text;
mod transfer;
pub mod units;
mod value;

pub use artifact::{Artifact, ArtifactFile, Model, ModelSize, Recipe, Source};
pub use audio::{AudioDefinition, AudioInput, AudioSource, ManifestFile, Utterance};
pub use backend_definition::{BackendDefinition, FailureRule, OutputRule};
pub use bridge_definition::BridgeDefinition;
pub use chosen_settings::{ChosenSetting, ChosenSettings};
pub use combination::{ABSENT, Column, Combination, Combinations};
pub use deadlines::{DeadlineOverride, Deadlines, SLOW_DISK_BYTES_PER_SECOND, SizeDeadlines};
pub use engine_facts::{Availability, EngineFacts};
pub use environment::{environment_names, fill_environment};
pub use gate::{GATE_METRICS, Gate, GateScope, MaxRegression, SET_GATE_METRICS, Share};
pub use hexadecimal::hexadecimal;
pub use home::earmark_home;
pub use job::{
    BenchmarkSpec, DownloadSpec, Job, JobId, JobKind, JobSpec, SpecDigest, Stage, VerifySpec,
};
pub use machine::{
    FrequencyLimits, LoadAverage, MachineFacts, MachineState, RepositoryFacts, ThermalZone,
};
pub use measurement::{ChildUsage, LeakedProcess, ProcessEnd, Sample, Segment};
pub use outcome::{FileFinding, ManifestOrigin, Outcome, Phase, Verdict, VerifyFinding};
pub use plan::{
    DownloadPolicy, Isolation, NormalizerId, Order, Plan, PlanLock, ValueOrigin, VerifyMethod,
    VerifyPolicy,
};
pub use printable::printable;
pub use progress::{JobProgress, LaunchProgress, Progress, RerunReason, TimedTrial};
pub use quiet::Quiet;
pub use repetition::{Adaptive, MOST_TRIALS, RepeatDecision, RepeatLook};
pub(crate) use requirement::requirements_schema;
pub use requirement::{REQUIRES, Requirement, Requirements};
pub use retries::Retries;
pub use setting::{Affects, SettingDeclaration, SettingKind};
pub use shard::Shard;
pub use text::Text;
pub use transfer::TransferProgress;
pub use value::{Scalar, Value};
