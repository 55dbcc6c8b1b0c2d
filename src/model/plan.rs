//! The plan: combinations, jobs, and everything a run needs to carry it out.

use super::artifact::{Model, Recipe};
use super::audio::AudioDefinition;
use super::backend_definition::BackendDefinition;
use super::combination::Combinations;
use super::deadlines::Deadlines;
use super::engine_facts::EngineFacts;
use super::gate::Gate;
use super::job::{Job, JobId};
use super::quiet::Quiet;
use super::retries::Retries;
use super::value::Value;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How a verify asks.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyMethod {
    /// Files and sizes.
    CacheCheck,
    /// Files, sizes and digests.
    Checksum,
    /// Files and sizes, then the engine itself loads the model, without a network and in time.
    #[serde(alias = "timeout")]
    Load,
    /// Load, then a short clip must give its known words.
    Transcribe,
}

impl VerifyMethod {
    /// The words in a matrix file, with the other spelling of `load`.
    pub const WORDS: [&'static str; 5] =
        ["cache-check", "checksum", "load", "timeout", "transcribe"];

    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::CacheCheck => "cache-check",
            Self::Checksum => "checksum",
            Self::Load => "load",
            Self::Transcribe => "transcribe",
        }
    }
}

impl FromStr for VerifyMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cache-check" => Ok(Self::CacheCheck),
            "checksum" => Ok(Self::Checksum),
            "load" | "timeout" => Ok(Self::Load),
            "transcribe" => Ok(Self::Transcribe),
            _ => Err(format!(
                "`{text}` is no verify method; known: {}",
                Self::WORDS.join(", ")
            )),
        }
    }
}

impl fmt::Display for VerifyMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// The id of a text normalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NormalizerId {
    /// Lower case, no punctuation.
    Basic,
    /// The text as it is.
    None,
    /// The English normalizer of Whisper's authors.
    WhisperEn,
}

impl NormalizerId {
    /// The words in a matrix file.
    pub const WORDS: [&'static str; 3] = ["whisper-en", "basic", "none"];
}

impl FromStr for NormalizerId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "basic" => Ok(Self::Basic),
            "none" => Ok(Self::None),
            "whisper-en" => Ok(Self::WhisperEn),
            _ => Err(format!(
                "`{text}` is no normalizer; known: {}",
                Self::WORDS.join(", ")
            )),
        }
    }
}

/// In which order timed work is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Rounds over the launches, each in a seeded random order, so that drift falls on no one row.
    #[default]
    Rounds,
    /// The order of the file.
    Matrix,
}

/// For how long an engine's process lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// A fresh process for each job.
    #[default]
    Job,
    /// Kept for the following jobs of the same model and settings.
    Model,
}

/// Whether anything may be fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DownloadPolicy {
    /// Nothing is fetched.
    Never,
    /// What a verify found missing, incomplete or corrupt.
    #[default]
    Missing,
}

/// Which verdicts a benchmark needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyPolicy {
    /// Every method must say complete.
    #[default]
    All,
    /// One method is enough.
    Any,
    /// None: verdicts are recorded only.
    Ignore,
}

/// Where a value of an axis comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ValueOrigin {
    /// The value, as it was written.
    pub value: Value,
    /// The file, relative to the folder of the matrix.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
}

/// What a plan that was held against a lock file keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlanLock {
    /// SHA-256 of the lock file's text.
    pub sha256: String,
    /// The versions that command backends must tell when they are asked, by backend.
    pub versions: BTreeMap<String, String>,
}

/// Everything a run needs: it can be written to a file and carried out elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(title = "Earmark plan")]
pub struct Plan {
    /// Version of this format: 1.
    pub version: u32,
    /// The matrix's name.
    pub name: String,
    /// What the matrix asks, in words.
    pub description: String,
    /// SHA-256 over everything else in here, by which a change made by hand is found.
    pub digest: String,
    /// The axes in their order.
    pub axes: Vec<String>,
    /// For each axis its values with the places they come from.
    #[serde(default)]
    pub origins: IndexMap<String, Vec<ValueOrigin>>,
    /// What the matrix says under `settings`, as it was written.
    #[serde(default)]
    pub settings: IndexMap<String, Value>,
    /// The facts of the machine that conditions asked for: on another, the plan may be another.
    #[serde(default)]
    pub facts: BTreeMap<String, Value>,
    /// The variables of the environment that are filled in when the plan is carried out, by name.
    #[serde(default)]
    pub environment: Vec<String>,
    /// One value for every axis, each.
    #[schemars(with = "Vec<IndexMap<String, Value>>")]
    pub combinations: Combinations,
    /// The jobs, needs before those who need them.
    pub jobs: Vec<Job>,
    /// The limits.
    pub deadlines: Deadlines,
    /// The order of timed work.
    pub order: Order,
    /// Seed of the random order.
    pub seed: u64,
    /// How long an engine lives.
    pub isolation: Isolation,
    /// Whether anything may be fetched.
    pub download: DownloadPolicy,
    /// Which verdicts a benchmark needs.
    pub verify_policy: VerifyPolicy,
    // These came later than the first plans. What is not said is not written either, so that the
    // seals of those hold.
    /// Wait for a quiet machine before timed work; `None`: do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// How often what may heal is tried again.
    #[serde(default, skip_serializing_if = "Retries::is_default")]
    pub retries: Retries,
    /// The CPUs that timed jobs are bound to, by their numbers from 0; empty: none in particular.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pin_cpus: Vec<u32>,
    /// What a lock file says beside the artifacts, if the plan was held against one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<PlanLock>,
    /// Ids of normalizers, the headline first; empty: by language.
    pub normalizers: Vec<String>,
    /// Bounds that decide the exit status.
    pub gates: Vec<Gate>,
    /// The models that jobs name.
    pub models: IndexMap<String, Model>,
    /// The recipes that downloads run.
    pub recipes: IndexMap<String, Recipe>,
    /// The clips and data sets that benchmarks name.
    pub audio: IndexMap<String, AudioDefinition>,
    /// The engines that jobs name, as they were when the plan was made.
    pub engines: IndexMap<String, EngineFacts>,
    /// Backends that the matrix defines.
    pub backends: IndexMap<String, BackendDefinition>,
    /// The matrix file's text.
    pub matrix_text: String,
    /// The texts of the files that it extends, the nearest first.
    #[serde(default)]
    pub extends: IndexMap<String, String>,
}

impl Plan {
    /// Returns the values of a combination, in the order of the axes; nothing if there is no such
    /// combination.
    #[must_use]
    pub fn values(&self, position: usize) -> Vec<(&str, &Value)> {
        let combination = self.combinations.get(position);
        combination
            .into_iter()
            .flat_map(|combination| combination.iter())
            .collect()
    }

    /// Returns whether a process of an engine serves several jobs that want the same model and settings. A
    /// command has a process for each trial, whatever is asked for.
    #[must_use]
    pub fn keeps_engine(&self, backend: &str) -> bool {
        let own = self.backends.get(backend);
        self.isolation == Isolation::Model && own.is_none_or(BackendDefinition::speaks_protocol)
    }

    /// Returns a job by its id.
    #[must_use]
    pub fn job(&self, id: &JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == *id)
    }

    /// Returns a setting of a job as it was written: by the first combination that asked for it,
    /// else under `settings`. The job itself has its numbers in one spelling.
    #[must_use]
    pub fn written_setting(&self, job: &Job, name: &str) -> Option<&str> {
        let first = job.combinations.first()?;
        let value = self.combinations.value(*first, name);
        let value = value.or_else(|| self.settings.get(name))?;
        Some(&value.written)
    }
}
