//! The processor: how many cores there are, how fast they may run, and whether they were slowed down.

use super::files::SystemFiles;
use crate::model::FrequencyLimits;
use std::collections::BTreeSet;

/// Where Linux tells of its CPUs.
const CPUS: &str = "/sys/devices/system/cpu";

/// Returns the cores that this process may use, and the physical cores among them.
#[must_use]
pub fn cores() -> (u32, u32) {
    let logical = std::thread::available_parallelism()
        .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
    let physical = physical_cores(&SystemFiles::of_this_system());
    (
        logical,
        physical.map_or(logical, |physical| physical.clamp(1, logical)),
    )
}

/// Counts the different (package, core) pairs that `/proc/cpuinfo` lists.
fn physical_cores(files: &SystemFiles) -> Option<u32> {
    let text = files.text("/proc/cpuinfo")?;
    let mut pairs = BTreeSet::new();
    let mut package = "";
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.trim() {
            "physical id" => package = value.trim(),
            "core id" => {
                pairs.insert((package, value.trim()));
            }
            _ => {}
        }
    }
    u32::try_from(pairs.len()).ok().filter(|count| *count > 0)
}

/// Returns the frequency governor of the first core.
pub(super) fn governor(files: &SystemFiles) -> Option<String> {
    files.text(&format!("{CPUS}/cpu0/cpufreq/scaling_governor"))
}

/// Returns whether cores may run faster than their nominal frequency. Sources: Linux,
/// `admin-guide/pm/intel_pstate` and `admin-guide/pm/cpufreq`.
pub(super) fn turbo(files: &SystemFiles) -> Option<bool> {
    let switch = |name: &str| files.value::<u8>(&format!("{CPUS}/{name}"));
    if let Some(off) = switch("intel_pstate/no_turbo") {
        return Some(off == 0);
    }
    let on = switch("cpufreq/boost").or_else(|| switch("cpu0/cpufreq/boost"))?;
    Some(on != 0)
}

/// Returns between which frequencies the first core may run.
pub(super) fn frequency(files: &SystemFiles) -> Option<FrequencyLimits> {
    let hertz = |name: &str| {
        let kilohertz: u64 = files.value(&format!("{CPUS}/cpu0/cpufreq/{name}"))?;
        kilohertz.checked_mul(1000)
    };
    let limits = FrequencyLimits {
        minimum_hz: hertz("scaling_min_freq"),
        maximum_hz: hertz("scaling_max_freq"),
        capable_hz: hertz("cpuinfo_max_freq"),
    };
    (limits != FrequencyLimits::default()).then_some(limits)
}

/// Returns how often cores and packages were slowed down because they were too hot.
pub(super) fn throttles(files: &SystemFiles) -> Option<u64> {
    let counts = files.entries(CPUS, "cpu").into_iter().flat_map(|cpu| {
        ["core", "package"].map(|part| {
            files.value::<u64>(&format!("{cpu}/thermal_throttle/{part}_throttle_count"))
        })
    });
    counts.flatten().fold(None, |sum, count| {
        Some(sum.unwrap_or(0u64).saturating_add(count))
    })
}
