//! Recordings as a plan names them: clips, data sets and what is said in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a clip's bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AudioSource {
    /// Part of this program, by id.
    Builtin(String),
    /// A file.
    File(PathBuf),
}

/// One recording with what is said in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Utterance {
    /// The id: a clip's, or one within a data set.
    pub id: String,
    /// Where the bytes are.
    pub source: AudioSource,
    /// What is said, if it is known.
    pub reference: Option<String>,
    /// Language code, if it is known.
    pub language: Option<String>,
    /// Length in seconds, if it is known without opening the recording.
    pub seconds: Option<f64>,
    /// SHA-256 of the encoded file. A file's is noted when the plan is kept.
    pub sha256: Option<String>,
}

/// The file that lists the utterances of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ManifestFile {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of its text, noted when the plan is kept.
    pub sha256: Option<String>,
}

/// A clip (one utterance) or a data set (several) under the id that combinations name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AudioDefinition {
    /// The id.
    pub id: String,
    /// Whether it is a data set.
    pub data_set: bool,
    /// The manifest of a data set that the matrix defines.
    pub manifest: Option<ManifestFile>,
    /// The utterances.
    pub utterances: Vec<Utterance>,
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
