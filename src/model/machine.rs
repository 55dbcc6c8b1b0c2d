//! Facts about the machine a run happened on, and about what lay under it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The load averages over 1, 5 and 15 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadAverage(pub f64, pub f64, pub f64);

/// A machine, as far as it tells. What it does not tell is `null`; records of earlier versions, which
/// did not ask for all of it, are read the same way.
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
    /// The kind of the CPU, such as `x86_64` or `aarch64`.
    #[serde(default)]
    pub architecture: Option<String>,
    /// The CPU's name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: u32,
    /// Physical cores among them: the default number of threads.
    pub physical_cores: u32,
    /// Installed memory in bytes.
    pub memory_bytes: u64,
    /// Memory that could be had without swapping before the run, in bytes.
    #[serde(default)]
    pub memory_available_bytes: Option<u64>,
    /// The frequency governor, if the system tells.
    pub governor: Option<String>,
    /// Whether cores may run faster than their nominal frequency (turbo, boost).
    #[serde(default)]
    pub turbo: Option<bool>,
    /// Between which frequencies the first core may run.
    #[serde(default)]
    pub frequency: Option<FrequencyLimits>,
    /// How often cores and packages were slowed down because they were too hot, since the system was
    /// started. What threads and cores share is counted with each, so it tells that it rose, and no
    /// more.
    #[serde(default)]
    pub throttles: Option<u64>,
    /// The thermal zones before the run.
    #[serde(default)]
    pub thermal: Vec<ThermalZone>,
    /// Whether it ran on its battery before the run; `null` without one, too.
    #[serde(default)]
    pub on_battery: Option<bool>,
    /// What the battery held before the run, in percent.
    #[serde(default)]
    pub battery_percent: Option<f64>,
    /// What it is a guest of, if it is a virtual machine and tells.
    #[serde(default)]
    pub virtualization: Option<String>,
    /// The kind of container that this process is in, if that is told.
    #[serde(default)]
    pub container: Option<String>,
    /// Load before the run.
    pub load_before: Option<LoadAverage>,
}

/// Between which frequencies a core may run, in hertz.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FrequencyLimits {
    /// The least that is set.
    pub minimum_hz: Option<u64>,
    /// The most that is set.
    pub maximum_hz: Option<u64>,
    /// The most that the core is capable of.
    pub capable_hz: Option<u64>,
}

/// A place whose temperature the system tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ThermalZone {
    /// What it is, as the system calls it.
    pub zone: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// What of a machine may change while a run goes on. What the system does not tell is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MachineState {
    /// Whether cores may run faster than their nominal frequency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turbo: Option<bool>,
    /// The most that the first core may run at, in hertz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_hz: Option<u64>,
    /// How often cores and packages were slowed down because they were too hot, since the system was
    /// started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttles: Option<u64>,
    /// The hottest of the thermal zones, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub celsius: Option<f64>,
    /// Whether it runs on its battery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_battery: Option<bool>,
}

impl MachineState {
    /// Returns whether nothing is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The repository that the matrix lies in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RepositoryFacts {
    /// The commit that is checked out.
    pub commit: Option<String>,
    /// Whether every file of the commit is as it was committed, and the matrix is one of them. `null`
    /// if there is no `git` to ask, or it gave no answer in time.
    pub clean: Option<bool>,
}
