//! Facts about this machine, read from the system: what it is, and how busy it is at a moment.
//!
//! All of them come from files in which Linux tells of itself. A system that has no such file tells
//! nothing, and then nothing is made up.

mod busy;
mod files;
mod guest;
mod processor;
mod repository;
mod requirement;
mod state;

pub use busy::{CpuTimes, load_average};
pub use files::SystemFiles;
pub use processor::cores;
pub use repository::checked_out_commit;
pub use requirement::{Here, LABELS_FILE, LABELS_VARIABLE};

use crate::model::{MachineFacts, MachineState};
use sha2::{Digest, Sha256};

/// The environment variable that names this machine in records, where the host's own name says little, or is
/// another one each time.
pub const NAME_VARIABLE: &str = "EARMARK_MACHINE";

/// How many characters of such a name are kept: hosts have 64 at most, and nodes are named alike.
const LONGEST_NAME: usize = 100;

/// Reads what this machine tells of itself. Its name is what `EARMARK_MACHINE` says, if that is set.
#[must_use]
pub fn machine_facts() -> MachineFacts {
    let name = std::env::var(NAME_VARIABLE).ok();
    facts_of_one_named(&SystemFiles::of_this_system(), name.as_deref())
}

/// Reads what a machine tells of itself in some files. Names, cores and kernel are those of this
/// system, which are asked for otherwise.
#[must_use]
pub fn facts_of(files: &SystemFiles) -> MachineFacts {
    facts_of_one_named(files, None)
}

/// Reads what a machine of a name tells of itself; without one it has the host's. Of a name that is long its
/// beginning is kept, and the machine's id tells it from others that begin alike.
#[must_use]
pub fn facts_of_one_named(files: &SystemFiles, name: Option<&str>) -> MachineFacts {
    let (logical, physical) = cores();
    let names = rustix::system::uname();
    let text = |c: &std::ffi::CStr| c.to_string_lossy().into_owned();
    let memory = |field| {
        let value = files.field("/proc/meminfo", field)?;
        let kibibytes: u64 = value.strip_suffix("kB")?.trim().parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    let power = state::power(files);
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let mut facts = MachineFacts {
        id: String::new(),
        host: name.map_or_else(|| text(names.nodename()), str::to_owned),
        system: operating_system(files).unwrap_or_else(|| text(names.sysname())),
        kernel: text(names.release()),
        architecture: Some(text(names.machine())),
        cpu: (files.field("/proc/cpuinfo", "model name")).unwrap_or_else(|| text(names.machine())),
        cores: logical,
        physical_cores: physical,
        memory_bytes: memory("MemTotal").unwrap_or(0),
        memory_available_bytes: memory("MemAvailable"),
        governor: processor::governor(files),
        turbo: processor::turbo(files),
        frequency: processor::frequency(files),
        throttles: processor::throttles(files),
        thermal: state::thermal(files),
        on_battery: power.on_battery,
        battery_percent: power.battery_percent,
        virtualization: guest::virtualization(files),
        container: guest::container(files),
        load_before: busy::load_of(files),
    };
    let fixed = format!(
        "{}\n{}\n{}\n{}\n{}",
        facts.host, facts.system, facts.cpu, facts.cores, facts.memory_bytes
    );
    let digest = Sha256::digest(fixed.as_bytes());
    facts.id = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if facts.host.chars().count() > LONGEST_NAME {
        facts.host = facts.host.chars().take(LONGEST_NAME).collect();
        facts.host.push('…');
    }
    facts
}

/// Returns the frequency governor of the first core, if the system tells.
#[must_use]
pub fn governor() -> Option<String> {
    processor::governor(&SystemFiles::of_this_system())
}

/// Returns what of a machine may change while it measures, as it is at this moment.
#[must_use]
pub fn machine_state(files: &SystemFiles) -> MachineState {
    let zones = state::thermal(files);
    MachineState {
        turbo: processor::turbo(files),
        maximum_hz: processor::frequency(files).and_then(|limits| limits.maximum_hz),
        throttles: processor::throttles(files),
        celsius: zones.iter().map(|zone| zone.celsius).reduce(f64::max),
        on_battery: state::power(files).on_battery,
    }
}

fn operating_system(files: &SystemFiles) -> Option<String> {
    let text = files.text("/etc/os-release")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}
