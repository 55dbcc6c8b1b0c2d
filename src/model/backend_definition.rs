//! Backends that a matrix defines: any program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the text of a command backend is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutputRule {
    /// All of standard output.
    Text,
    /// The values that a JSON path selects in standard output, joined by spaces.
    Jsonpath(String),
    /// The text of a file that the command writes.
    File(String),
}

/// A backend that a matrix defines: any program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BackendDefinition {
    /// The id.
    pub id: String,
    /// Program and arguments with `{{ … }}` for what a job fills in.
    pub command: Vec<String>,
    /// How its text is found.
    pub output: OutputRule,
    /// The artifact it reads.
    pub artifact: Option<String>,
    /// The command that tells its version.
    pub version: Option<Vec<String>>,
    /// Working directory: the folder of the file that defines it.
    pub directory: PathBuf,
}
