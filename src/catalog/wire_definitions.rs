//! Definitions as they are written: models, clips, engines and recipes of one's own. The built-in
//! catalog is read by the same types.

use crate::model::{Affects, FailureRule, ModelSize, OutputRule, Requirements, SettingKind, Value};
use crate::yaml::Located;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// A model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelWire {
    /// The family, such as `whisper`.
    #[serde(default)]
    pub family: Option<String>,
    /// The size class, which decides deadlines.
    pub size: ModelSize,
    /// How many parameters it has.
    #[serde(default)]
    pub parameters: Option<u64>,
    /// The languages it knows; empty: many.
    #[serde(default)]
    pub languages: Vec<String>,
    /// What a machine must have for it, such as `{memory: 16GiB}`.
    #[serde(default)]
    pub requires: Requirements,
    /// What it comes in, such as `ggml-f16` or `safetensors`.
    pub artifacts: IndexMap<String, Located<ArtifactWire>>,
}

/// A set of files that one kind of engine reads: at least one of `files` and `patterns`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(
    extend("anyOf" = [
        {"required": ["files"], "properties": {"files": {"minProperties": 1}}},
        {"required": ["patterns"], "properties": {"patterns": {"minItems": 1}}}
    ]),
    example = serde_json::json!({"files": {"ggml-tiny.en.bin": {"bytes": 77_704_715}}, "sources": [{"hub": "ggerganov/whisper.cpp"}]}),
    example = serde_json::json!({"patterns": ["openai_whisper-tiny/**"], "sources": [{"hub": "argmaxinc/whisperkit-coreml"}]})
)]
pub struct ArtifactWire {
    /// The files by their names relative to the artifact's folder.
    #[serde(default)]
    pub files: IndexMap<String, Located<ArtifactFileWire>>,
    /// Globs of further files of a repository, whose names and sizes its own list tells; `*` matches
    /// `/` too, as it does for the tools of the hub. Every source is then a `hub`.
    #[serde(default)]
    pub patterns: Vec<Located<String>>,
    /// About how many bytes all of it has, where that is not known file by file; only shown as a
    /// cost.
    #[serde(default)]
    pub approximate_bytes: Option<u64>,
    /// Where it can be had; tried in this order.
    #[serde(default)]
    pub sources: Vec<Located<SourceWire>>,
}

/// What is expected of a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ArtifactFileWire {
    /// Its length.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Its SHA-256 digest.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub sha256: Option<Located<String>>,
    /// Its id as a blob of git, which a hub tells of small files.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{40}$"))]
    pub git_blob: Option<Located<String>>,
}

/// One place where an artifact can be had: exactly one of `path`, `hub`, `url` and `recipe`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(
    extend("oneOf" = [{"required": ["path"]}, {"required": ["hub"]}, {"required": ["url"]}, {"required": ["recipe"]}]),
    extend("dependentRequired" = {"revision": ["hub"], "files": ["hub"]}),
    example = serde_json::json!({"path": "../store/tiny"}),
    example = serde_json::json!({"hub": "ggerganov/whisper.cpp", "revision": "main"})
)]
pub struct SourceWire {
    /// A folder, used where it lies.
    #[serde(default)]
    pub path: Option<String>,
    /// A repository `owner/name` of a Hugging Face hub.
    #[serde(default)]
    #[schemars(regex(pattern = r"\$\{env:|^/*[^/]+/+[^/]+/*$"))]
    pub hub: Option<String>,
    /// Branch, tag or commit of the repository; default: `main`.
    #[serde(default)]
    pub revision: Option<String>,
    /// What is expected of files that are other bytes in this repository than from the other
    /// sources: the same weights, written by another program.
    #[serde(default)]
    pub files: IndexMap<String, Located<ArtifactFileWire>>,
    /// One file behind a URL.
    #[serde(default)]
    #[schemars(regex(pattern = r"^(https?://|\$\{env:)"))]
    pub url: Option<String>,
    /// A recipe by its id.
    #[serde(default)]
    pub recipe: Option<Located<String>>,
}

/// A clip (`file`) or a data set (`manifest`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(
    extend("oneOf" = [{"required": ["file"]}, {"required": ["manifest"]}]),
    example = serde_json::json!({"file": "clips/a.flac", "reference": "what is said in it", "language": "en"}),
    example = serde_json::json!({"manifest": "clips/manifest.csv"})
)]
pub struct AudioWire {
    /// An audio file: FLAC, WAV, MP3, Ogg Vorbis, Opus or M4A.
    #[serde(default)]
    pub file: Option<Located<String>>,
    /// What is said in it.
    #[serde(default)]
    pub reference: Option<String>,
    /// Its language code, such as `en`.
    #[serde(default)]
    pub language: Option<String>,
    /// A CSV or JSON Lines file with at least the columns file, reference and language.
    #[serde(default)]
    pub manifest: Option<Located<String>>,
}

/// An engine of one's own: any command-line program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BackendWire {
    /// Program and arguments; `{{ model.path }}`, `{{ model.directory }}`, `{{ model.id }}`,
    /// `{{ audio.wav }}`, `{{ audio.samples }}`, `{{ audio.id }}`, `{{ language }}`, `{{ threads }}`,
    /// `{{ output }}` and `{{ settings.NAME }}` are filled in. There is no shell.
    #[schemars(length(min = 1))]
    pub command: Located<Vec<Located<String>>>,
    /// How its text is found; default: all of standard output. `protocol`: it is an engine that
    /// speaks Earmark's protocol and is told everything that way.
    #[serde(default)]
    pub output: Option<Located<OutputRule>>,
    /// What counts as failure beside a status other than 0 and a text that is not there.
    #[serde(default)]
    pub fails: Option<Located<FailureRule>>,
    /// The artifact it reads, such as `ggml-f16`.
    #[serde(default)]
    pub artifact: Option<String>,
    /// The command that tells its version.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub version: Option<Located<Vec<Located<String>>>>,
    /// The settings of an engine that speaks the protocol, beside `threads` and `language`.
    #[serde(default)]
    pub settings: Option<Located<IndexMap<String, SettingWire>>>,
    /// What a machine must have for it, such as `{gpu: cuda}`.
    #[serde(default)]
    pub requires: Requirements,
}

/// A setting of an engine that speaks the protocol.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SettingWire {
    /// Type and range.
    pub kind: SettingKind,
    /// What it changes; default: what is decoded.
    #[serde(default = "decode")]
    pub affects: Affects,
    /// The value when nothing is said.
    #[serde(default)]
    pub default: Option<Value>,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
}

fn decode() -> Affects {
    Affects::Decode
}

/// A command that makes artifacts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecipeWire {
    /// Program and arguments; `{{ destination }}` is the folder to fill. There is no shell.
    #[schemars(length(min = 1))]
    pub command: Located<Vec<String>>,
    /// The artifacts it makes, by model.
    pub produces: IndexMap<String, Vec<String>>,
}
