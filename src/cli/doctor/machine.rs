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
        turbo(machine),
        heat(machine),
        power(machine),
        guest(machine),
        load(machine),
        wall_clock(),
        clock_source(),
    ]
}

fn memory(machine: &MachineFacts) -> Finding {
    let installed = show_bytes(machine.memory_bytes);
    match machine.memory_available_bytes {
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

/// Turbo, with the frequencies that the first core may run at.
fn turbo(machine: &MachineFacts) -> Finding {
    let gigahertz = |hertz: Option<u64>| {
        #[expect(clippy::cast_precision_loss, reason = "for people, to a tenth")]
        let text = hertz.map(|hertz| format!("{:.1} GHz", hertz as f64 / 1e9));
        text.unwrap_or_else(|| "?".to_owned())
    };
    let limits = machine.frequency.map_or_else(String::new, |limits| {
        format!(
            ", {} to {}, capable of {}",
            gigahertz(limits.minimum_hz),
            gigahertz(limits.maximum_hz),
            gigahertz(limits.capable_hz)
        )
    });
    match machine.turbo {
        Some(true) => Finding::ok(
            "machine",
            "turbo",
            format!("on: how fast the cores are depends on how warm they are{limits}"),
        ),
        Some(false) => Finding::ok("machine", "turbo", format!("off{limits}")),
        None => Finding::ok(
            "machine",
            "turbo",
            format!("the system does not tell{limits}"),
        ),
    }
}

fn heat(machine: &MachineFacts) -> Finding {
    let hottest =
        (machine.thermal.iter()).max_by(|one, other| one.celsius.total_cmp(&other.celsius));
    let zone = hottest.map(|zone| format!("{:.0} °C in {}", zone.celsius, zone.zone));
    let throttles = machine.throttles.map(|count| match count {
        0 => "never slowed down for heat since the start".to_owned(),
        _ => format!("slowed down for heat since the start, counted {count} times"),
    });
    let told: Vec<String> = zone.into_iter().chain(throttles).collect();
    let found = match told.as_slice() {
        [] => "the system tells neither temperatures nor throttling".to_owned(),
        told => told.join("; "),
    };
    if machine.throttles.is_some_and(|count| count > 0) {
        let mend = "cool it, or leave longer pauses: a row that was slowed down says so";
        Finding::note("machine", "heat", found, mend)
    } else {
        Finding::ok("machine", "heat", found)
    }
}

fn power(machine: &MachineFacts) -> Finding {
    let charge = machine
        .battery_percent
        .map_or_else(String::new, |percent| format!(", {percent:.0} % charged"));
    match machine.on_battery {
        Some(true) => Finding::note(
            "machine",
            "power",
            format!("on its battery{charge}: the system may slow it down to save power"),
            "plug it in before measuring",
        ),
        Some(false) => Finding::ok("machine", "power", format!("plugged in{charge}")),
        None => Finding::ok("machine", "power", "no battery is told of"),
    }
}

fn guest(machine: &MachineFacts) -> Finding {
    let virtual_machine = (machine.virtualization.as_ref()).map(|kind| format!("a guest: {kind}"));
    let container = (machine.container.as_ref()).map(|kind| format!("in a container: {kind}"));
    let told: Vec<String> = virtual_machine.into_iter().chain(container).collect();
    let found = match told.as_slice() {
        [] => "neither a guest nor in a container, as far as it is told".to_owned(),
        told => told.join("; "),
    };
    Finding::ok("machine", "runs as", found)
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

    #[test]
    fn heat_and_batteries_are_to_know_where_they_are_told() {
        let silent = MachineFacts::default();
        for finding in [
            turbo(&silent),
            heat(&silent),
            power(&silent),
            guest(&silent),
        ] {
            assert_eq!(finding.state, State::Ok);
        }
        let hot = MachineFacts {
            throttles: Some(3),
            on_battery: Some(true),
            battery_percent: Some(80.0),
            ..MachineFacts::default()
        };
        assert_eq!(heat(&hot).state, State::Note);
        assert_eq!(power(&hot).state, State::Note);
        assert!(power(&hot).found.contains("80 %"));
    }
}
