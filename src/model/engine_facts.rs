//! What is known of an engine before anything is started.

use super::requirement::Requirements;
use super::setting::SettingDeclaration;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an engine can run on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state", content = "reason")]
pub enum Availability {
    /// It can run.
    Ready,
    /// It cannot, and why, with what would help.
    Unavailable(String),
}

/// An engine as the planner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EngineFacts {
    /// The backend's id in a matrix, such as `whisper-cpp`.
    pub id: String,
    /// One sentence for people.
    pub description: String,
    /// The version, where it can be known without starting anything.
    pub version: Option<String>,
    /// Whether it can run here.
    pub availability: Availability,
    /// Which artifact each `quantization` reads; the first is the default. Empty: no artifact.
    pub artifacts: IndexMap<String, String>,
    /// The families of the models that it reads; empty: it reads whatever has the artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<String>,
    /// What a machine must have for it, whatever the model.
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requires: Requirements,
    /// Its settings.
    pub settings: Vec<SettingDeclaration>,
    /// Takes any model name, because it reads none.
    pub any_model: bool,
    /// Its rows are no measurements of speech recognition.
    pub synthetic: bool,
    /// One process does everything: no load phase of its own.
    pub command: bool,
}

impl EngineFacts {
    /// Returns the names of the settings without which a command cannot be filled in. Language and
    /// threads follow from the recording and the machine.
    pub fn needed_settings(&self) -> impl Iterator<Item = &str> {
        self.settings
            .iter()
            .filter(|declaration| self.command && declaration.default.is_none())
            .map(|declaration| declaration.name.as_str())
            .filter(|name| !["language", "threads"].contains(name))
    }

    /// Returns the declaration of a setting.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&SettingDeclaration> {
        self.settings
            .iter()
            .find(|declaration| declaration.name == name)
    }
}
