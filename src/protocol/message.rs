//! The messages.

use crate::model::{Segment, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the protocol.
pub const VERSION: u32 = 1;

/// What the runner asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "request"
)]
pub enum Request {
    /// Load a model.
    Load {
        /// The artifact's folder, absolute; `None` for an engine that reads none.
        directory: Option<String>,
        /// The names of its files.
        files: Vec<String>,
        /// The model's id.
        model: String,
        /// Settings that are not the engine's defaults.
        settings: BTreeMap<String, Value>,
    },
    /// Transcribe one recording.
    Transcribe {
        /// Number of the trial, given back with every answer.
        trial: u32,
        /// Raw little-endian float32 samples, 16 kHz, mono.
        samples: String,
        /// The language, or none for detection.
        language: Option<String>,
    },
    /// End.
    Shutdown,
}

/// Why an engine could not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The model's files are not what the engine can read.
    Model,
    /// The recording cannot be read.
    Audio,
    /// A setting is not possible.
    Setting,
    /// Anything else.
    Engine,
}

/// What the engine says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "reply"
)]
pub enum Reply {
    /// It is there.
    Hello {
        /// Version of the protocol it speaks.
        protocol: u32,
        /// Its id.
        engine: String,
        /// Its version.
        version: String,
        /// What it computes on, such as `cpu`.
        device: String,
    },
    /// The model is loaded.
    Loaded {
        /// Request to ready, on the engine's clock.
        seconds: f64,
        /// The settings in effect, defaults included.
        settings: BTreeMap<String, Value>,
    },
    /// A segment of the transcript, as soon as it is there.
    Segment {
        /// The trial.
        trial: u32,
        /// The segment.
        segment: Segment,
    },
    /// The transcript is whole.
    Done {
        /// The trial.
        trial: u32,
        /// The whole text, raw.
        text: String,
        /// All segments.
        segments: Vec<Segment>,
        /// The language that was given or detected.
        language: Option<String>,
        /// Samples handed over to full text, on the engine's clock.
        transcribe_seconds: f64,
        /// Samples handed over to first segment.
        first_segment_seconds: Option<f64>,
        /// CPU time of the process in between.
        cpu_seconds: Option<f64>,
    },
    /// It could not.
    Error {
        /// Which kind of reason.
        kind: ErrorKind,
        /// The reason in words.
        message: String,
    },
}
