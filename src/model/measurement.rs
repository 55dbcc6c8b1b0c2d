//! Measured facts: trials, and what a child process cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stretch of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Segment {
    /// Start in seconds of the audio.
    pub start_seconds: f64,
    /// End in seconds of the audio.
    pub end_seconds: f64,
    /// What was heard.
    pub text: String,
}

/// One trial: one transcription of one utterance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Sample {
    /// The launch, from 0.
    pub launch: u32,
    /// The utterance's id.
    pub utterance: String,
    /// The trial within the launch, from 0, warm-up included.
    pub trial: u32,
    /// The attempt at the launch whose process did it, from 1: a launch that was interrupted is
    /// finished by another process.
    #[serde(default = "first")]
    pub attempt: u32,
    /// It was a warm-up: recorded, not counted.
    pub warmup: bool,
    /// Length of the audio in seconds.
    pub audio_seconds: f64,
    /// Samples handed over → full text there, on the engine's own monotonic clock.
    pub transcribe_seconds: f64,
    /// The same as the runner saw it, through the pipe: a cross-check.
    pub wall_seconds: f64,
    /// Samples handed over → first segment out, if the engine tells.
    pub first_segment_seconds: Option<f64>,
    /// CPU time of the engine's process between the two ends of the trial.
    pub cpu_seconds: Option<f64>,
    /// The text, raw.
    pub text: String,
    /// Its segments.
    pub segments: Vec<Segment>,
    /// The language that was given or detected.
    pub language: Option<String>,
    /// How many tokens were generated, if the engine tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// Counts begin with 1; journals of earlier versions do not say so.
fn first() -> u32 {
    1
}

/// A process that outlived the one that had started it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LeakedProcess {
    /// Its process id.
    pub pid: i32,
    /// Its name, as far as the system tells; at most 64 bytes.
    pub name: String,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ProcessEnd {
    /// Its exit status, if it exited.
    pub exit_code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
}

/// What a child process and everything it started cost, counted by its shim. Of a process that serves
/// several jobs, what it cost is no single job's, and is not there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ChildUsage {
    /// Spawn to the last process gone, in seconds; of a process that serves several jobs, the job's part.
    pub wall_seconds: f64,
    /// User and system time of the whole tree in seconds.
    pub cpu_seconds: Option<f64>,
    /// Peak resident bytes, shared file pages included.
    pub peak_rss_bytes: Option<u64>,
    /// Peak of the anonymous part, sampled.
    pub peak_anonymous_bytes: Option<u64>,
    /// Processes that were still alive when the main one had ended by itself.
    pub leaked_processes: u32,
    /// What kept it from a network: `seccomp`, `none`, …
    pub network_wall: String,
}
