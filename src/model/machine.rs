//! Facts about the machine a run happened on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The load averages over 1, 5 and 15 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadAverage(pub f64, pub f64, pub f64);

/// A machine, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MachineFacts {
    /// A digest of what does not change between runs: name, CPU, cores, memory, system.
    pub id: String,
    /// The host name.
    pub host: String,
    /// Operating system and version.
    pub system: String,
    /// Kernel version.
    pub kernel: String,
    /// The CPU's name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: u32,
    /// Physical cores among them: the default number of threads.
    pub physical_cores: u32,
    /// Installed memory in bytes.
    pub memory_bytes: u64,
    /// The frequency governor, if the system tells.
    pub governor: Option<String>,
    /// Load before the run.
    pub load_before: Option<LoadAverage>,
}
