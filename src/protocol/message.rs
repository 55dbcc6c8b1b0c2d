//! The messages.

use crate::model::{Segment, SettingDeclaration, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

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
        /// The same recording as a WAV file, for an engine that asked for [`AudioInput::File`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// The language, or none for detection.
        language: Option<String>,
    },
    /// Can it run here? Nothing is loaded for the answer.
    Probe,
    /// End.
    Shutdown,
}

/// What an engine wants to be handed a recording as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AudioInput {
    /// The path of raw little-endian float32 samples, 16 kHz, mono.
    #[default]
    Samples,
    /// The path of a WAV file.
    File,
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

impl ErrorKind {
    /// Returns the word that the protocol has for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Audio => "audio",
            Self::Setting => "setting",
            Self::Engine => "engine",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
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
        /// Ids of the artifacts that it reads, such as `ctranslate2`; none: it reads no artifact.
        #[serde(default)]
        artifacts: Vec<String>,
        /// What it wants to be handed a recording as.
        #[serde(default)]
        audio: AudioInput,
        /// The settings it has, with types, ranges and defaults.
        #[serde(default)]
        settings: Vec<SettingDeclaration>,
    },
    /// Whether it can run here.
    Probed {
        /// It can.
        ready: bool,
        /// Why not, and what would help.
        #[serde(default)]
        reason: Option<String>,
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
        /// CPU time of the process in between, and of programs that it ran.
        cpu_seconds: Option<f64>,
        /// How many tokens were generated, if the engine tells.
        #[serde(default)]
        tokens: Option<u64>,
    },
    /// It could not.
    Error {
        /// Which kind of reason.
        kind: ErrorKind,
        /// The reason in words.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;

    #[test]
    fn messages_of_before_the_additions_are_still_read() {
        let hello = br#"{"reply":"hello","protocol":1,"engine":"e","version":"1","device":"cpu"}"#;
        let Reply::Hello {
            artifacts,
            audio,
            settings,
            ..
        } = decode(hello).unwrap()
        else {
            panic!("no hello");
        };
        assert_eq!(
            (artifacts.len(), audio, settings.len()),
            (0, AudioInput::Samples, 0)
        );
        let done = br#"{"reply":"done","trial":0,"text":"t","segments":[],"language":null,
            "transcribe-seconds":1.0,"first-segment-seconds":null,"cpu-seconds":null}"#;
        assert!(matches!(
            decode(done).unwrap(),
            Reply::Done { tokens: None, .. }
        ));
        let transcribe = br#"{"request":"transcribe","trial":0,"samples":"s","language":null}"#;
        let request: Request = decode(transcribe).unwrap();
        assert!(matches!(&request, Request::Transcribe { file: None, .. }));
        // And an engine of before is not shown what it does not know.
        assert!(
            !String::from_utf8(encode(&request))
                .unwrap()
                .contains("file")
        );
    }
}
