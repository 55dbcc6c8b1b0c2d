//! Jobs: the three kinds, what each one is declared to do, and the id that follows from it.

use super::plan::VerifyMethod;
use super::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// The identity of a job: a slug that people can read and ten digits of the digest of its spec.
/// It is the same on every machine.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct JobId(pub String);

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The kind of a job.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// Is the model there, whole, and does it load?
    Verify,
    /// Fetch or make what is missing.
    Download,
    /// Measure.
    Benchmark,
}

impl fmt::Display for JobKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Verify => "verify",
            Self::Download => "download",
            Self::Benchmark => "benchmark",
        })
    }
}

/// On which side of the downloads a verify stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before anything is fetched.
    Before,
    /// After what was missing has been fetched.
    After,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

/// A question about an artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerifySpec {
    /// On which side of the downloads.
    pub stage: Stage,
    /// The engine that asks.
    pub backend: String,
    /// The model.
    pub model: String,
    /// The artifact's id; `None` for an engine that reads none.
    pub artifact: Option<String>,
    /// How it is asked.
    pub method: VerifyMethod,
    /// The settings that affect loading.
    pub settings: BTreeMap<String, Value>,
}

/// A fetch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DownloadSpec {
    /// The recipe that is run, if the artifacts come from one.
    pub recipe: Option<String>,
    /// The artifacts that are wanted, as (model, artifact).
    pub artifacts: Vec<(String, String)>,
}

/// A measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BenchmarkSpec {
    /// The engine.
    pub backend: String,
    /// The model.
    pub model: String,
    /// The artifact's id; `None` for an engine that reads none.
    pub artifact: Option<String>,
    /// The quantization as written or the backend's default; empty if it has none.
    pub quantization: String,
    /// A clip's or a data set's id.
    pub audio: String,
    /// Settings that the backend has, with their defaults where those do not depend on the machine.
    pub settings: BTreeMap<String, Value>,
    /// Trials before the measured ones, in each launch.
    pub warmup: u32,
    /// Measured trials of each utterance in each launch.
    pub repeat: u32,
    /// Processes the benchmark is spread over.
    pub launches: u32,
}

/// What a job is declared to do. Equal specs are one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "job")]
pub enum JobSpec {
    /// A verify.
    Verify(VerifySpec),
    /// A download.
    Download(DownloadSpec),
    /// A benchmark.
    Benchmark(BenchmarkSpec),
}

impl JobSpec {
    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Verify(_) => JobKind::Verify,
            Self::Download(_) => JobKind::Download,
            Self::Benchmark(_) => JobKind::Benchmark,
        }
    }

    /// Returns the SHA-256 digest of the spec's canonical JSON, in hexadecimal.
    ///
    /// Maps in specs are sorted, so the JSON of equal specs is equal.
    #[must_use]
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("a spec has string keys and finite numbers");
        hexadecimal(&Sha256::digest(&json))
    }

    /// Returns the readable part of the id.
    #[must_use]
    pub fn slug(&self) -> String {
        let segments: Vec<String> = match self {
            Self::Verify(spec) => [
                "verify".to_owned(),
                spec.stage.to_string(),
                spec.method.to_string(),
                spec.backend.clone(),
                spec.model.clone(),
                spec.artifact.clone().unwrap_or_else(|| "none".into()),
            ]
            .into_iter()
            .chain(shown_settings(&spec.settings, &[]))
            .collect(),
            Self::Download(spec) => match &spec.recipe {
                Some(recipe) => vec!["download".into(), "recipe".into(), recipe.clone()],
                None => std::iter::once("download".to_owned())
                    .chain(
                        spec.artifacts
                            .iter()
                            .flat_map(|(m, a)| [m.clone(), a.clone()]),
                    )
                    .collect(),
            },
            Self::Benchmark(spec) => {
                let mut segments =
                    vec!["benchmark".into(), spec.backend.clone(), spec.model.clone()];
                if !spec.quantization.is_empty() {
                    segments.push(spec.quantization.clone());
                }
                segments.push(spec.audio.clone());
                segments.extend(shown_settings(&spec.settings, &["language"]));
                segments
            }
        };
        segments
            .iter()
            .map(|segment| slug_segment(segment))
            .collect::<Vec<_>>()
            .join("/")
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> JobId {
        JobId(format!("{}/{}", self.slug(), &self.digest()[..10]))
    }
}

fn shown_settings<'a>(
    settings: &'a BTreeMap<String, Value>,
    hidden: &'a [&'a str],
) -> impl Iterator<Item = String> + 'a {
    settings
        .iter()
        .filter(|(name, _)| !hidden.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={}", value.written))
}

/// Keeps ids usable as file names and in shells.
fn slug_segment(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' | '=' | '+' => letter,
            _ => '_',
        })
        .collect()
}

/// Returns bytes as lower-case hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A node of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Job {
    /// The id.
    pub id: JobId,
    /// The whole digest of the spec.
    pub digest: String,
    /// The kind.
    pub kind: JobKind,
    /// For a verify, on which side of the downloads it stands.
    pub stage: Option<Stage>,
    /// The jobs that must have ended before.
    pub needs: Vec<JobId>,
    /// The combinations that asked for it, by their positions.
    pub combinations: Vec<usize>,
    /// Why it will not run here, if that is known already.
    pub skip: Option<String>,
    /// What it is declared to do.
    pub spec: JobSpec,
}

impl Job {
    /// Makes a job out of a spec.
    #[must_use]
    pub fn new(spec: JobSpec) -> Self {
        let stage = match &spec {
            JobSpec::Verify(verify) => Some(verify.stage),
            _ => None,
        };
        Self {
            id: spec.id(),
            digest: spec.digest(),
            kind: spec.kind(),
            stage,
            needs: Vec::new(),
            combinations: Vec::new(),
            skip: None,
            spec,
        }
    }
}
