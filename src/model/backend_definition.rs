//! Backends that a matrix defines: any program.

use super::requirement::Requirements;
use super::setting::SettingDeclaration;
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
    /// The program is an engine that speaks Earmark's protocol: it stays, loads a model once, and
    /// answers each recording (`bridges/README.md`).
    Protocol,
}

/// What counts as failure although a process ended with status 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FailureRule {
    /// Texts of which none may stand in a line of standard error; upper and lower case are two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stderr: Vec<String>,
    /// The same for standard output, where that is not the transcript.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stdout: Vec<String>,
    /// A transcript without a letter counts as failure; without this it is one in which nothing was
    /// heard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
}

impl FailureRule {
    /// Whether it names nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A backend that a matrix defines: any program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// What counts as failure beside a status other than 0 and a text that is not there.
    #[serde(default, skip_serializing_if = "FailureRule::is_nothing")]
    pub fails: FailureRule,
    /// The settings of an engine that speaks the protocol; a command's are what it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingDeclaration>,
    /// What a machine must have for it.
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requires: Requirements,
    /// Working directory: the folder of the file that defines it.
    pub directory: PathBuf,
}

impl BackendDefinition {
    /// Whether it is an engine that speaks the protocol, and no command of one process a trial.
    #[must_use]
    pub fn speaks_protocol(&self) -> bool {
        self.output == OutputRule::Protocol
    }
}
