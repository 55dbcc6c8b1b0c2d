//! Engines that are programs of their own and speak the protocol: the bridges that come with Earmark.

use super::audio::AudioInput;
use super::setting::SettingDeclaration;
use indexmap::IndexMap;
use serde::Deserialize;

/// What is known of a bridge without starting anything, as `bridges/engines.yaml` has it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BridgeDefinition {
    /// One sentence for people.
    pub description: String,
    /// The file that hosts it, in the folder of the bridges.
    pub file: String,
    /// The Python distribution whose version is the engine's; `None`: the program itself is asked.
    pub package: Option<String>,
    /// The version of it that the lock pins.
    pub version: Option<String>,
    /// The environment that it is installed into, shared by all that name it; `None`: Python alone is
    /// enough.
    pub environment: Option<String>,
    /// The systems that it runs on, as Rust calls them: `linux`, `macos`.
    pub platforms: Vec<String>,
    /// Programs that must be on PATH.
    pub commands: Vec<String>,
    /// The families of the models that it reads: one format stands for different things in different
    /// families.
    pub families: Vec<String>,
    /// Which artifact each `quantization` reads; the first is the default. Empty: no artifact.
    pub artifacts: IndexMap<String, String>,
    /// Takes any model name, because it reads none.
    pub any_model: bool,
    /// What it wants to be handed a recording as.
    pub audio: AudioInput,
    /// What it computes on, where that can be known without starting it.
    pub device: String,
    /// It transcribes through a network.
    pub network: bool,
    /// Loading cannot be told apart from transcribing: its program is started for each recording.
    pub loads_each_trial: bool,
    /// About how many bytes its environment takes up on disk.
    pub install_bytes: u64,
    /// Its settings.
    pub settings: Vec<SettingDeclaration>,
}
