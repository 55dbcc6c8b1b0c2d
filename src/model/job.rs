//! Jobs: the three kinds, what each one is declared to do, and the id that follows from it.

use super::chosen_settings::ChosenSettings;
use super::hexadecimal::hexadecimal;
use super::plan::VerifyMethod;
use super::repetition::Adaptive;
use super::requirement::{REQUIRES, Requirements};
use super::text::Text;
use super::value::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

/// The identity of a job: a slug that people can read and ten digits of the digest of its spec.
/// It is the same on every machine.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct JobId(pub Text);

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

impl Stage {
    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// A question about an artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerifySpec {
    /// On which side of the downloads.
    pub stage: Stage,
    /// The engine that asks.
    pub backend: Text,
    /// The model.
    pub model: Text,
    /// The artifact's id; `None` for an engine that reads none.
    pub artifact: Option<Text>,
    /// How it is asked.
    pub method: VerifyMethod,
    /// The settings that affect loading.
    pub settings: ChosenSettings,
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
    pub backend: Text,
    /// The model.
    pub model: Text,
    /// The artifact's id; `None` for an engine that reads none.
    pub artifact: Option<Text>,
    /// The quantization as written or the backend's default; empty if it has none.
    pub quantization: Text,
    /// A clip's or a data set's id.
    pub audio: Text,
    /// The settings that were asked for, without the backend's defaults; what it refuses is among
    /// them, and the job is then skipped.
    pub settings: ChosenSettings,
    /// Trials before the measured ones, in each launch.
    pub warmup: u32,
    /// Measured trials of each utterance in each launch.
    pub repeat: u32,
    /// Processes the benchmark is spread over; if it is adaptive, those of one set.
    pub launches: u32,
    /// What decides how often it is measured, if that is not fixed; then `repeat` and `launches` are
    /// those of one set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<Adaptive>,
}

impl BenchmarkSpec {
    /// Returns the most launches that there may be.
    #[must_use]
    pub fn most_launches(&self) -> u32 {
        let sets = self
            .adaptive
            .map_or(1, |adaptive| adaptive.most_sets(self.launches).max(1));
        self.launches.saturating_mul(sets)
    }

    /// Returns what the combination requires of the machine. Its engine and its model may require more.
    #[must_use]
    pub fn requires(&self) -> Requirements {
        let written = self.settings.get(REQUIRES);
        // What could not be read was refused when the plan was made.
        written
            .and_then(|value| value.written.parse().ok())
            .unwrap_or_default()
    }

    /// Returns the settings that an engine is told: all but what only the runner has a use for.
    #[must_use]
    pub fn engine_settings(&self) -> BTreeMap<String, Value> {
        let mut settings = self.settings.to_map();
        settings.remove(REQUIRES);
        settings
    }

    /// Returns in words how many trials a launch has, or a rule allows.
    #[must_use]
    pub fn repeat_in_words(&self) -> String {
        match self.adaptive {
            Some(rule) => format!("{}–{} until {} %", rule.min, rule.max, rule.until_percent),
            None => self.repeat.to_string(),
        }
    }
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

    /// Returns the SHA-256 digest of the spec's canonical JSON.
    ///
    /// Settings in specs are sorted, so the JSON of equal specs is equal.
    #[must_use]
    pub fn digest(&self) -> SpecDigest {
        JSON.with_borrow_mut(|json| {
            json.clear();
            serde_json::to_writer(&mut *json, self)
                .expect("a spec has string keys and finite numbers");
            SpecDigest(Sha256::digest(&json).into())
        })
    }

    /// Returns the readable part of the id.
    #[must_use]
    pub fn slug(&self) -> String {
        let mut slug = Slug::default();
        self.write_slug(&mut slug);
        slug.0
    }

    fn write_slug(&self, slug: &mut Slug) {
        match self {
            Self::Verify(spec) => {
                slug.segment("verify");
                slug.segment(spec.stage.word());
                slug.segment(spec.method.word());
                slug.segment(&spec.backend);
                slug.segment(&spec.model);
                slug.segment(spec.artifact.as_deref().unwrap_or("none"));
                slug.settings(&spec.settings, "");
            }
            Self::Download(spec) => {
                slug.segment("download");
                match &spec.recipe {
                    Some(recipe) => {
                        slug.segment("recipe");
                        slug.segment(recipe);
                    }
                    None => {
                        for (model, artifact) in &spec.artifacts {
                            slug.segment(model);
                            slug.segment(artifact);
                        }
                    }
                }
            }
            Self::Benchmark(spec) => {
                slug.segment("benchmark");
                slug.segment(&spec.backend);
                slug.segment(&spec.model);
                if !spec.quantization.is_empty() {
                    slug.segment(&spec.quantization);
                }
                slug.segment(&spec.audio);
                slug.settings(&spec.settings, "language");
            }
        }
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id_with(&self.digest())
    }

    fn id_with(&self, digest: &SpecDigest) -> JobId {
        ID.with_borrow_mut(|id| {
            id.0.clear();
            self.write_slug(id);
            id.0.push('/');
            for byte in &digest.0[..5] {
                push_hexadecimal(*byte, &mut id.0);
            }
            JobId(id.0.as_str().into())
        })
    }
}

thread_local! {
    /// Where a spec's JSON is written to be hashed. A plan has a million of them.
    static JSON: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// Where an id is put together.
    static ID: RefCell<Slug> = const { RefCell::new(Slug(String::new())) };
}

/// Text of segments that are usable as file names and in shells.
#[derive(Default)]
struct Slug(String);

impl Slug {
    fn segment(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push('/');
        }
        self.push(text);
    }

    fn push(&mut self, text: &str) {
        let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"._-=+".contains(&byte);
        if text.bytes().all(is_kept) {
            self.0.push_str(text);
            return;
        }
        self.0.extend(text.chars().map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' | '=' | '+' => letter,
            _ => '_',
        }));
    }

    fn settings(&mut self, settings: &ChosenSettings, hidden: &str) {
        for (name, value) in settings.iter().filter(|(name, _)| *name != hidden) {
            self.segment(name);
            self.push("=");
            self.push(&value.written);
        }
    }
}

/// A SHA-256 digest of a spec; as text, 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecDigest(pub [u8; 32]);

fn push_hexadecimal(byte: u8, text: &mut String) {
    for half in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(half.into(), 16));
    }
}

impl fmt::Display for SpecDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for SpecDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl JsonSchema for SpecDigest {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SpecDigest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

impl Serialize for SpecDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SpecDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut digest = [0; 32];
        let good = text.len() == 64
            && text.is_ascii()
            && digest.iter_mut().enumerate().all(|(position, byte)| {
                let pair = &text[position * 2..position * 2 + 2];
                u8::from_str_radix(pair, 16).is_ok_and(|value| {
                    *byte = value;
                    true
                })
            });
        if good {
            Ok(Self(digest))
        } else {
            Err(D::Error::custom(format!("`{text}` is no SHA-256 digest")))
        }
    }
}

/// A node of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Job {
    /// The id.
    pub id: JobId,
    /// The whole digest of the spec.
    pub digest: SpecDigest,
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
    /// For a benchmark that runs, the seconds that it may take: a guess that shards are balanced by,
    /// frozen here so that every machine deals them alike. It is no part of the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub expected_seconds: Option<f64>,
    /// What it is declared to do.
    pub spec: JobSpec,
}

impl Job {
    /// Returns the expected time in whole milliseconds, which are the same whether the plan was read
    /// from a file or not; `None` if nothing is expected.
    #[must_use]
    pub fn expected_milliseconds(&self) -> Option<u64> {
        let milliseconds = (self.expected_seconds? * 1000.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is negative counts as none, and what is too long as the longest"
        )]
        let whole = milliseconds as u64;
        Some(whole)
    }

    /// Makes a job out of a spec.
    #[must_use]
    pub fn new(spec: JobSpec) -> Self {
        let stage = match &spec {
            JobSpec::Verify(verify) => Some(verify.stage),
            _ => None,
        };
        let digest = spec.digest();
        Self {
            id: spec.id_with(&digest),
            digest,
            kind: spec.kind(),
            stage,
            needs: Vec::new(),
            combinations: Vec::new(),
            skip: None,
            expected_seconds: None,
            spec,
        }
    }
}
