//! Facts about this machine, read from the system: what it is, and how busy it is at a moment.

use crate::model::{LoadAverage, MachineFacts};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;

/// Returns the cores that this process may use, and the physical cores among them.
#[must_use]
pub fn cores() -> (u32, u32) {
    let logical = std::thread::available_parallelism()
        .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
    (
        logical,
        physical_cores().map_or(logical, |physical| physical.clamp(1, logical)),
    )
}

/// Counts the different (package, core) pairs that `/proc/cpuinfo` lists.
fn physical_cores() -> Option<u32> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
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

/// Reads what this machine tells of itself.
#[must_use]
pub fn machine_facts() -> MachineFacts {
    let (logical, physical) = cores();
    let names = rustix::system::uname();
    let text = |c: &std::ffi::CStr| c.to_string_lossy().into_owned();
    let mut facts = MachineFacts {
        id: String::new(),
        host: text(names.nodename()),
        system: operating_system().unwrap_or_else(|| text(names.sysname())),
        kernel: text(names.release()),
        cpu: field_of("/proc/cpuinfo", "model name").unwrap_or_else(|| text(names.machine())),
        cores: logical,
        physical_cores: physical,
        memory_bytes: field_of("/proc/meminfo", "MemTotal")
            .and_then(|value| value.strip_suffix("kB")?.trim().parse::<u64>().ok())
            .map_or(0, |kib| kib * 1024),
        governor: governor(),
        load_before: load_average(),
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
    facts
}

/// Returns the frequency governor of the first core, if the system tells.
#[must_use]
pub fn governor() -> Option<String> {
    fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        .ok()
        .map(|governor| governor.trim().to_owned())
}

/// Returns the load averages at this moment, if the system tells.
#[must_use]
pub fn load_average() -> Option<LoadAverage> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let mut numbers = text.split(' ').map_while(|field| field.parse().ok());
    Some(LoadAverage(
        numbers.next()?,
        numbers.next()?,
        numbers.next()?,
    ))
}

/// How much time the CPUs of this machine have spent, since it was started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuTimes {
    busy: f64,
    total: f64,
    cpus: f64,
}

impl CpuTimes {
    /// Reads the counters, if the system tells them. Source: the first line of `/proc/stat`,
    /// `proc_stat(5)`.
    #[must_use]
    pub fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let fields: Vec<f64> = lines
            .next()?
            .strip_prefix("cpu ")?
            .split_ascii_whitespace()
            .map_while(|field| field.parse().ok())
            // What guests used is in the first two already.
            .take(8)
            .collect();
        let cpus = lines.take_while(|line| line.starts_with("cpu")).count();
        // The fourth is idle, the fifth waits for a disk.
        let idle = fields.get(3)? + fields.get(4)?;
        let total: f64 = fields.iter().sum();
        Some(Self {
            busy: total - idle,
            total,
            #[expect(clippy::cast_precision_loss, reason = "CPUs are few")]
            cpus: cpus as f64,
        })
    }

    /// Returns how many CPUs were busy on average since `earlier`.
    #[must_use]
    pub fn busy_since(&self, earlier: &Self) -> f64 {
        let total = self.total - earlier.total;
        if total <= 0.0 {
            return 0.0;
        }
        ((self.busy - earlier.busy) / total).clamp(0.0, 1.0) * self.cpus
    }
}

fn operating_system() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}

fn field_of(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_cpus_are_those_that_neither_idle_nor_wait_for_a_disk() {
        let before =
            CpuTimes::parse("cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 1\ncpu1 1\nintr 5\n").unwrap();
        let after =
            CpuTimes::parse("cpu  60 0 10 120 10 0 0 0 50 0\ncpu0 1\ncpu1 1\nintr 5\n").unwrap();
        // Of 100 ticks 50 were busy, on two CPUs.
        assert!((after.busy_since(&before) - 1.0).abs() < 1e-9);
        assert!(after.busy_since(&after) < 1e-9);
        assert!(CpuTimes::parse("intr 5\n").is_none());
    }
}
