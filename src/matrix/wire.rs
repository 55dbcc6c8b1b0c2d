//! The matrix file as it is written. These types parse it and make `schemas/matrix.json`.

use super::wire_deadlines::DeadlinesWire;
use super::wire_matrix::MatrixSection;
use super::wire_policies::{CpuNumber, QuietWire, RetriesWire};
use crate::catalog::{AudioWire, BackendWire, ModelWire, RecipeWire};
use crate::model::{DownloadPolicy, Gate, Isolation, NormalizerId, Order, VerifyPolicy};
use crate::yaml::{AnyScalar, AnyValue, Located};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema};

/// A matrix file: which engine, model, audio and settings to measure, and how.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "Earmark matrix", transform = axes_here_or_extended)]
pub struct MatrixFile {
    // This and `matrix` may be missing here, so that everything else is looked at all the same.
    /// Version of this format: 1.
    #[schemars(with = "u64", range(min = 1, max = 1))]
    pub version: Option<Located<u64>>,
    /// Another matrix file, relative to this one: what this one does not say is taken from there.
    #[serde(default)]
    pub extends: Option<Located<String>>,
    /// The matrix's name in reports; default: the file's name without its ending.
    #[serde(default)]
    pub name: Option<Located<String>>,
    /// The question that this matrix answers.
    #[serde(default)]
    pub description: Option<String>,
    /// The axes, and what to leave out of and add to their combinations.
    #[schemars(with = "MatrixSection")]
    pub matrix: Option<Located<MatrixSection>>,
    /// The value of every setting that is not an axis.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, AnyScalar>")]
    pub settings: IndexMap<String, Located<AnyValue>>,
    /// The limits that jobs run under.
    #[serde(default)]
    pub deadlines: DeadlinesWire,
    /// The order of timed work.
    #[serde(default)]
    pub order: Order,
    /// Seed of the random order within rounds.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Whether an engine's process serves one job or the following ones of its model too.
    #[serde(default)]
    pub isolation: Isolation,
    /// Whether to wait for a quiet machine before timed work.
    #[serde(default)]
    pub quiet: QuietWire,
    /// How often what may heal is tried again.
    #[serde(default)]
    pub retries: RetriesWire,
    /// The CPUs that timed jobs are bound to, by their numbers from 0; default: none in particular.
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub pin_cpus: Option<Located<Vec<Located<CpuNumber>>>>,
    /// Whether anything may be fetched.
    #[serde(default)]
    pub download: DownloadPolicy,
    /// Which verdicts a benchmark needs.
    #[serde(default)]
    pub verify_policy: VerifyPolicy,
    /// How accuracy is counted.
    #[serde(default)]
    pub score: ScoreWire,
    /// Bounds that decide the exit status.
    #[serde(default)]
    pub gates: Vec<Located<Gate>>,
    /// Models beside, or over, the built-in catalog.
    #[serde(default)]
    pub models: IndexMap<String, Located<ModelWire>>,
    /// Clips and data sets of your own.
    #[serde(default)]
    pub audio: IndexMap<String, Located<AudioWire>>,
    /// Engines of your own: any command-line program.
    #[serde(default)]
    pub backends: IndexMap<String, Located<BackendWire>>,
    /// Commands that make artifacts.
    #[serde(default)]
    pub recipes: IndexMap<String, Located<RecipeWire>>,
}

/// A file that extends another may leave out what that one says.
fn axes_here_or_extended(schema: &mut Schema) {
    if let Some(required) = schema
        .get_mut("required")
        .and_then(serde_json::Value::as_array_mut)
    {
        required.retain(|key| key != "matrix");
    }
    schema.insert(
        "anyOf".into(),
        serde_json::json!([
            { "required": ["extends"] },
            {
                "required": ["matrix"],
                "properties": { "matrix": { "required": super::NAMED_AXES } },
            },
        ]),
    );
}

/// How accuracy is counted.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScoreWire {
    /// `whisper-en`, `basic` or `none`; the first is the headline. Default: `whisper-en` for
    /// English, else `basic`.
    #[serde(default)]
    #[schemars(with = "Vec<NormalizerId>")]
    pub normalizers: Vec<Located<String>>,
}
