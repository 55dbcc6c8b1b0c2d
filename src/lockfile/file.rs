//! What a lock file holds.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The whole file, sorted by names throughout.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "Earmark lock file")]
pub struct LockFile {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u64,
    /// The file name of the matrix that it belongs to.
    pub matrix: String,
    /// Artifacts by model and by their own id.
    #[serde(default)]
    pub artifacts: BTreeMap<String, BTreeMap<String, LockedArtifact>>,
    /// The versions of engines by their ids.
    #[serde(default)]
    pub engines: BTreeMap<String, String>,
    /// Clips and data sets by their ids.
    #[serde(default)]
    pub audio: BTreeMap<String, LockedAudio>,
}

/// Which bytes an artifact is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedArtifact {
    /// Where they come from.
    pub source: LockedSource,
    /// Every file of it.
    #[schemars(extend("minProperties" = 1))]
    pub files: BTreeMap<String, LockedFile>,
}

/// Where an artifact comes from: exactly one of `hub`, `recipe`, `url` and `path`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedSource {
    /// A repository `owner/name` of a Hugging Face hub.
    #[serde(default)]
    pub hub: Option<String>,
    /// The branch, tag or commit that the definition names.
    #[serde(default)]
    pub revision: Option<String>,
    /// The commit that the revision stood for.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{40}$"))]
    pub commit: Option<String>,
    /// A recipe by its id.
    #[serde(default)]
    pub recipe: Option<String>,
    /// What lies behind a URL.
    #[serde(default)]
    pub url: Option<String>,
    /// A folder of the machine. Where it lies is not locked, for it is another on each machine;
    /// what lies in it is.
    #[serde(default)]
    pub path: Option<bool>,
}

/// One file of an artifact: its length and a digest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedFile {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 digest.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
    /// Id as a blob of git, for a small file of a hub that was locked without being fetched.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{40}$"))]
    pub git_blob: Option<String>,
}

/// Which recordings a clip or data set is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedAudio {
    /// SHA-256 of the manifest, with which the references are locked too.
    #[serde(default)]
    pub manifest: Option<String>,
    /// SHA-256 of each encoded recording by its id.
    pub recordings: BTreeMap<String, String>,
}
