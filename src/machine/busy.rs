//! How busy the machine is.

use super::files::SystemFiles;
use crate::model::LoadAverage;
use std::fs;

/// Returns the load averages at this moment, if the system tells.
#[must_use]
pub fn load_average() -> Option<LoadAverage> {
    load_of(&SystemFiles::of_this_system())
}

/// Returns the load averages that a system tells.
pub(super) fn load_of(files: &SystemFiles) -> Option<LoadAverage> {
    let text = files.text("/proc/loadavg")?;
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
