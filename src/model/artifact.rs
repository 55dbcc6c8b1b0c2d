//! Models, the artifacts they come in, and where an artifact can be had.

use super::requirement::Requirements;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The size class of a model. It is data of the model, never read out of a name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ModelSize {
    /// About 39 million parameters.
    Tiny,
    /// About 74 million parameters.
    Base,
    /// About 244 million parameters.
    Small,
    /// About 769 million parameters.
    Medium,
    /// More than a thousand million parameters, or the encoder of such a model.
    Large,
}

/// One file of an artifact, with what is expected of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ArtifactFile {
    /// Expected length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Expected SHA-256 digest, 64 lower-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Expected id as a blob of git, 40 lower-case hexadecimal digits: SHA-1 of `blob LENGTH\0` and
    /// the bytes. Hubs tell it for small files, of which they have no SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_blob: Option<String>,
}

impl ArtifactFile {
    /// Returns whether the content can be checked, and not only the length.
    #[must_use]
    pub fn has_digest(&self) -> bool {
        self.sha256.is_some() || self.git_blob.is_some()
    }
}

/// Where an artifact can be had. Sources are tried in the order written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A folder of this machine, used where it lies.
    Path(PathBuf),
    /// A repository of a Hugging Face hub.
    Hub {
        /// `owner/name`.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
        /// What is expected of files that are other bytes here than from the other sources: the
        /// same weights, written by another program.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        files: IndexMap<String, ArtifactFile>,
    },
    /// What lies behind a URL: the one file of the artifact, or, ending with `/`, the folder of its
    /// files.
    Url(String),
    /// A recipe by its id.
    Recipe(String),
}

/// A set of files that one kind of engine reads, such as `ggml-f16`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Artifact {
    /// The model's id.
    pub model: String,
    /// The artifact's id within the model.
    pub id: String,
    /// Files by their names relative to the artifact's folder.
    pub files: IndexMap<String, ArtifactFile>,
    /// Globs of further files, whose names and sizes the repository's own list tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// About how many bytes all of it has, where that is not known file by file. It is shown as a
    /// cost, and nothing is ever held to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approximate_bytes: Option<u64>,
    /// Where it can be had.
    pub sources: Vec<Source>,
    /// Whether this program defines it, and not the matrix.
    pub built_in: bool,
    /// Whether its files are those of a lock file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
}

impl Artifact {
    /// Returns the sum of the expected lengths, if all are known.
    #[must_use]
    pub fn expected_bytes(&self) -> Option<u64> {
        if !self.names_all_files() {
            return None;
        }
        self.files.values().map(|file| file.bytes).sum()
    }

    /// Returns whether its files are known without the list of a repository.
    #[must_use]
    pub fn names_all_files(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Returns what is expected of its files if they come from one of its sources.
    #[must_use]
    pub fn files_from(&self, source: &Source) -> IndexMap<String, ArtifactFile> {
        let mut files = self.files.clone();
        if let Source::Hub { files: other, .. } = source {
            for (name, file) in other {
                files.insert(name.clone(), file.clone());
            }
        }
        files
    }
}

/// A model of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Model {
    /// The id in a matrix, such as `tiny.en`.
    pub id: String,
    /// The family, such as `whisper`.
    pub family: String,
    /// The size class, which decides deadlines.
    pub size: ModelSize,
    /// How many parameters it has, as published, which is rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Language codes it knows; empty means it is multilingual.
    pub languages: Vec<String>,
    /// What a machine must have for it, whatever the engine.
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requires: Requirements,
    /// Its artifacts by id.
    pub artifacts: IndexMap<String, Artifact>,
    /// Whether this program defines family, size and languages, and not the matrix.
    pub built_in: bool,
}

/// A command that makes artifacts out of something that can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Recipe {
    /// The recipe's id.
    pub id: String,
    /// Program and arguments; `{{ destination }}` stands for the folder to fill.
    pub command: Vec<String>,
    /// Working directory: the folder of the file that defines it. `None`: built in.
    pub directory: Option<PathBuf>,
    /// Artifact ids by model id.
    pub produces: IndexMap<String, Vec<String>>,
}
