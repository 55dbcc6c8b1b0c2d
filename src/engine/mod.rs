//! Engines: what every one of them does, which are built in, and how each is started.
//!
//! An engine never runs inside the runner. [`launch`] says how the process of a built-in one is started,
//! and the worker calls [`create`] in there; [`bridge`] has those that are programs of their own.

pub mod bridge;
pub mod candle;
pub mod command;
mod crates;
mod declaration;
mod fake;
mod launch;
mod program;
mod registry;
mod whisper_cpp;

pub use crates::crate_versions;
pub use launch::{LaunchSpec, WORKER_VERB, child_environment, launch, launch_any};
pub use program::find_on_path;
pub use registry::{built_in, create, device, facts};

use crate::model::{Segment, Value};
use crate::protocol::ErrorKind;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Why an engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// Which kind of reason.
    pub kind: ErrorKind,
    /// The reason in words.
    pub message: String,
}

impl EngineError {
    /// Returns an error of a kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// What an engine loads.
#[derive(Clone, Debug, Default)]
pub struct LoadRequest {
    /// The artifact's folder; `None` for an engine that reads none.
    pub directory: Option<PathBuf>,
    /// The names of its files.
    pub files: Vec<String>,
    /// Settings with the engine's defaults filled in.
    pub settings: BTreeMap<String, Value>,
}

impl LoadRequest {
    /// Returns a whole number among the settings.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.settings.get(name)?.as_integer()
    }

    /// Returns a boolean among the settings.
    #[must_use]
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.settings.get(name)?.as_boolean()
    }

    /// Returns the text of a setting.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|value| value.written.as_str())
    }
}

/// Hears segments as soon as they are there, possibly from a thread of the engine.
pub type SegmentSink = Arc<dyn Fn(&Segment) + Send + Sync>;

/// A transcript.
#[derive(Clone, Debug, Default)]
pub struct Transcription {
    /// The whole text, raw.
    pub text: String,
    /// Its segments.
    pub segments: Vec<Segment>,
    /// The language that was given or detected.
    pub language: Option<String>,
    /// How many tokens were generated, if the engine tells.
    pub tokens: Option<u64>,
}

/// A speech recognizer inside a worker.
pub trait Engine {
    /// Loads a model.
    ///
    /// # Errors
    ///
    /// Fails if the files cannot be read or a setting is not possible.
    fn load(&mut self, request: &LoadRequest) -> Result<(), EngineError>;

    /// Returns what is in effect and cannot be chosen, so that engines can be compared in it.
    fn fixed_settings(&self) -> BTreeMap<String, Value> {
        BTreeMap::new()
    }

    /// Transcribes 16 kHz mono samples in [-1, 1]. Segments are told as soon as they are there.
    ///
    /// # Errors
    ///
    /// Fails if nothing is loaded or the engine fails.
    fn transcribe(
        &mut self,
        samples: &[f32],
        language: Option<&str>,
        on_segment: &SegmentSink,
    ) -> Result<Transcription, EngineError>;
}
