//! The machine: what it is, how busy it is, and its clocks.

use super::finding::Finding;
use crate::model::MachineFacts;
use crate::model::units::show_bytes;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// The load for each core from which on a measurement is not believed.
const BUSY: f64 = 0.5;
/// 2025-01-01T00:00:00Z, before which this program was not there.
const BEFORE_US: u64 = 1_735_689_600;
/// Clock sources of Linux that are read without a system call.
const FAST_SOURCES: [&str; 5] = [
    "tsc",
    "kvm-clock",
    "arch_sys_counter",
    "hyperv_clocksource_tsc_page",
    "riscv_clocksource",
];

pub(super) fn findings(machine: &MachineFacts) -> Vec<Finding> {
    vec![
        Finding::ok(
            "machine",
            "system",
            format!("{}, kernel {}", machine.system, machine.kernel),
        ),
        Finding::ok(
            "machine",
            "processor",
            format!(
                "{}, {} cores of which {} are physical",
                machine.cpu, machine.cores, machine.physical_cores
            ),
        ),
        memory(machine),
        governor(machine.governor.as_deref()),
        load(machine),
        wall_clock(),
        clock_source(),
    ]
}

fn memory(machine: &MachineFacts) -> Finding {
    let free = available_memory();
    let installed = show_bytes(machine.memory_bytes);
    match free {
        Some(free) if free < (1 << 30) => Finding::note(
            "machine",
            "memory",
            format!("{} of {installed} are free", show_bytes(free)),
            "end other programs: a model that does not fit is measured with the disk",
        ),
        Some(free) => Finding::ok(
            "machine",
            "memory",
            format!("{} of {installed} are free", show_bytes(free)),
        ),
        None => Finding::ok("machine", "memory", installed),
    }
}

/// Reads how much memory can be had without swapping: `MemAvailable`, `proc_meminfo(5)`.
fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn governor(governor: Option<&str>) -> Finding {
    match governor {
        Some("performance") | None => Finding::ok(
            "machine",
            "governor",
            governor.unwrap_or("the system tells none, as in a virtual machine"),
        ),
        Some(other) => Finding::note(
            "machine",
            "governor",
            format!("{other}: the clock of the cores changes while something is measured"),
            "`sudo cpupower frequency-set -g performance`, and back afterwards",
        ),
    }
}

fn load(machine: &MachineFacts) -> Finding {
    let Some(load) = &machine.load_before else {
        return Finding::ok("machine", "load", "the system does not tell");
    };
    let found = format!(
        "{:.2}, {:.2}, {:.2} over 1, 5 and 15 minutes",
        load.0, load.1, load.2
    );
    if load.0 > BUSY * f64::from(machine.cores) {
        let mend = "measure when nothing else runs, or let `quiet:` in the matrix wait for that";
        Finding::note("machine", "load", found, mend)
    } else {
        Finding::ok("machine", "load", found)
    }
}

fn wall_clock() -> Finding {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let found = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    if now < BEFORE_US {
        Finding::problem(
            "machine",
            "clock",
            format!("{found}, which is long ago"),
            "set the clock: certificates are refused, and runs are dated by it",
        )
    } else {
        Finding::ok("machine", "clock", found)
    }
}

fn clock_source() -> Finding {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    match fs::read_to_string(path) {
        Ok(source) if FAST_SOURCES.contains(&source.trim()) => {
            Finding::ok("machine", "clock source", source.trim())
        }
        Ok(source) => Finding::note(
            "machine",
            "clock source",
            format!("{}: reading the time takes a system call", source.trim()),
            "times of whole trials do not suffer; those below a millisecond do",
        ),
        Err(_) => Finding::ok("machine", "clock source", "the system's"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use crate::model::LoadAverage;

    #[test]
    fn a_busy_machine_and_a_changing_clock_are_to_know() {
        let machine = |load| MachineFacts {
            cores: 4,
            load_before: Some(LoadAverage(load, 0.0, 0.0)),
            ..MachineFacts::default()
        };
        assert_eq!(load(&machine(0.5)).state, State::Ok);
        assert_eq!(load(&machine(2.5)).state, State::Note);
        assert_eq!(governor(Some("powersave")).state, State::Note);
        assert_eq!(governor(None).state, State::Ok);
    }
}
