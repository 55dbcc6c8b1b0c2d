//! What a record says of the machine, of this program and of the repository: read from a made-up
//! system, and out of a run.

use crate::support::journal::{self, Journal};
use crate::support::{Place, fake_matrix};
use earmark::event::RunEvent;
use earmark::machine::{
    SystemFiles, checked_out_commit, facts_of, facts_of_one_named, machine_state,
};
use earmark::model::{FrequencyLimits, LoadAverage, MachineState, Outcome};
use earmark::record::fold;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Writes the files in which a system tells of itself.
fn system(files: &[(&str, &str)]) -> (tempfile::TempDir, SystemFiles) {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }
    let files = SystemFiles::under(root.path());
    (root, files)
}

const LAPTOP: [(&str, &str); 22] = [
    ("/etc/os-release", "NAME=x\nPRETTY_NAME=\"Some Linux 1\""),
    (
        "/proc/cpuinfo",
        "model name : Some CPU\nflags : fpu vme hypervisor",
    ),
    ("/proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 512 kB"),
    ("/proc/loadavg", "0.50 0.25 0.10 1/200 3000"),
    (
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "powersave",
    ),
    (
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq",
        "400000",
    ),
    (
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq",
        "3000000",
    ),
    (
        "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq",
        "4000000",
    ),
    ("/sys/devices/system/cpu/intel_pstate/no_turbo", "1"),
    (
        "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
        "3",
    ),
    (
        "/sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count",
        "4",
    ),
    (
        "/sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count",
        "5",
    ),
    ("/sys/class/thermal/thermal_zone0/type", "x86_pkg_temp"),
    ("/sys/class/thermal/thermal_zone0/temp", "61500"),
    ("/sys/class/thermal/thermal_zone1/type", "acpitz"),
    ("/sys/class/thermal/thermal_zone1/temp", "40000"),
    ("/sys/class/power_supply/AC/type", "Mains"),
    ("/sys/class/power_supply/AC/online", "0"),
    ("/sys/class/power_supply/BAT0/type", "Battery"),
    ("/sys/class/power_supply/BAT0/status", "Discharging"),
    ("/sys/class/power_supply/BAT0/capacity", "77"),
    ("/sys/class/dmi/id/sys_vendor", "Some Maker"),
];

#[test]
fn a_system_is_read_as_it_tells_of_itself() {
    let (_root, files) = system(&LAPTOP);
    let facts = facts_of(&files);
    assert_eq!(facts.system, "Some Linux 1");
    assert_eq!(facts.cpu, "Some CPU");
    assert_eq!(facts.memory_bytes, 1 << 20);
    assert_eq!(facts.memory_available_bytes, Some(1 << 19));
    assert_eq!(facts.load_before, Some(LoadAverage(0.5, 0.25, 0.1)));
    assert_eq!(facts.governor.as_deref(), Some("powersave"));
    assert_eq!(facts.turbo, Some(false));
    assert_eq!(
        facts.frequency,
        Some(FrequencyLimits {
            minimum_hz: Some(400_000_000),
            maximum_hz: Some(3_000_000_000),
            capable_hz: Some(4_000_000_000),
        })
    );
    assert_eq!(facts.throttles, Some(12));
    let zones: Vec<(&str, f64)> = (facts.thermal.iter())
        .map(|zone| (zone.zone.as_str(), zone.celsius))
        .collect();
    assert_eq!(zones, [("x86_pkg_temp", 61.5), ("acpitz", 40.0)]);
    assert_eq!(facts.on_battery, Some(true));
    assert_eq!(facts.battery_percent, Some(77.0));
    assert_eq!(facts.virtualization.as_deref(), Some("Some Maker"));
    let state = machine_state(&files);
    assert_eq!(state.celsius, Some(61.5));
    assert_eq!(state.throttles, Some(12));
    assert_eq!(state.on_battery, Some(true));
}

#[test]
fn what_a_system_does_not_tell_is_not_made_up() {
    let (_root, files) = system(&[]);
    let facts = serde_json::to_value(facts_of(&files)).unwrap();
    for fact in [
        "memory-available-bytes",
        "governor",
        "turbo",
        "frequency",
        "throttles",
        "on-battery",
        "battery-percent",
        "virtualization",
        "container",
        "load-before",
    ] {
        assert_eq!(facts.get(fact), Some(&Value::Null), "{fact}");
    }
    assert!(machine_state(&files).is_empty());
}

#[test]
fn a_long_name_is_cut_and_still_another_machines() {
    let (_root, files) = system(&LAPTOP);
    let named = |name: &str| facts_of_one_named(&files, Some(name));
    let long = "n".repeat(5000);
    let (one, other) = (named(&long), named(&format!("{long}x")));
    assert_eq!(one.host, format!("{}…", "n".repeat(100)));
    assert_eq!(one.host, other.host);
    assert_ne!(one.id, other.id);
    assert_eq!(named(" rack-7 ").host, "rack-7");
    assert_eq!(named(" ").host, facts_of(&files).host);
}

#[test]
fn power_is_told_apart_from_what_only_looks_like_it() {
    let mouse = [
        ("/sys/class/power_supply/mouse/type", "Battery"),
        ("/sys/class/power_supply/mouse/scope", "Device"),
        ("/sys/class/power_supply/mouse/status", "Discharging"),
        ("/sys/class/power_supply/mouse/capacity", "5"),
    ];
    let (_root, files) = system(&mouse);
    let facts = facts_of(&files);
    assert_eq!((facts.on_battery, facts.battery_percent), (None, None));
    let plugged = [
        ("/sys/class/power_supply/AC/type", "Mains"),
        ("/sys/class/power_supply/AC/online", "1"),
        ("/sys/class/power_supply/BAT0/type", "Battery"),
        ("/sys/class/power_supply/BAT0/status", "Not charging"),
        ("/sys/devices/system/cpu/cpufreq/boost", "1"),
        ("/run/.containerenv", ""),
    ];
    let (_root, files) = system(&plugged);
    let facts = facts_of(&files);
    assert_eq!(facts.on_battery, Some(false));
    assert_eq!(facts.turbo, Some(true));
    assert_eq!(facts.container.as_deref(), Some("podman"));
}

/// Runs git in a folder; `None` if there is none.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let ended = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .ok()?;
    assert!(ended.status.success(), "git {arguments:?}: {ended:?}");
    Some(String::from_utf8(ended.stdout).unwrap().trim().to_owned())
}

/// Returns the start of the only session of a run.
fn start_of(place: &Place, folder: &str) -> Value {
    let text = fs::read_to_string(place.path().join(folder).join("journal.jsonl")).unwrap();
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

#[test]
fn a_record_names_the_commit_of_the_matrix_and_whether_it_is_clean() {
    let place = Place::new();
    place.write("in/m.yaml", &fake_matrix("", "settings: {repeat: 1}"));
    place
        .run(&["run", "in/m.yaml", "--out", "none"])
        .expect_status(0);
    assert_eq!(start_of(&place, "none")["repository"], Value::Null);
    if git(place.path(), &["init", "--quiet"]).is_none() {
        eprintln!("skipped: there is no git");
        return;
    }
    place.write("in/other.txt", "as it was");
    git(place.path(), &["add", "in"]);
    git(place.path(), &["commit", "--quiet", "--message", "first"]);
    let commit = git(place.path(), &["rev-parse", "HEAD"]).unwrap();
    place
        .run(&["run", "in/m.yaml", "--out", "clean"])
        .expect_status(0);
    let clean = json!({ "commit": commit, "clean": true });
    assert_eq!(start_of(&place, "clean")["repository"], clean);
    place.write("in/other.txt", "changed");
    place
        .run(&["run", "in/m.yaml", "--out", "dirty"])
        .expect_status(0);
    let dirty = json!({ "commit": commit, "clean": false });
    assert_eq!(start_of(&place, "dirty")["repository"], dirty);
    // Without git the commit is known and nothing else.
    let mut alone = place.command(&["run", "in/m.yaml", "--out", "alone"]);
    let ended = alone
        .env("PATH", place.path().join("nowhere"))
        .output()
        .unwrap();
    assert!(ended.status.success());
    let unknown = json!({ "commit": commit, "clean": null });
    assert_eq!(start_of(&place, "alone")["repository"], unknown);
    // A matrix that was never committed is not what the commit holds.
    place.write("in/other.txt", "as it was");
    place.write("in/new.yaml", &fake_matrix("", "settings: {repeat: 1}"));
    place
        .run(&["run", "in/new.yaml", "--out", "new"])
        .expect_status(0);
    assert_eq!(start_of(&place, "new")["repository"], dirty);
}

#[test]
fn a_commit_is_found_wherever_git_keeps_it() {
    let place = Place::new();
    if git(place.path(), &["init", "--quiet", "main"]).is_none() {
        eprintln!("skipped: there is no git");
        return;
    }
    let main = place.path().join("main");
    assert_eq!(checked_out_commit(&main), None, "nothing is committed");
    place.write("main/sub/file", "a");
    git(&main, &["add", "."]);
    git(&main, &["commit", "--quiet", "--message", "first"]);
    let commit = git(&main, &["rev-parse", "HEAD"]);
    assert_eq!(checked_out_commit(&main.join("sub")), commit);
    git(&main, &["pack-refs", "--all"]);
    assert_eq!(checked_out_commit(&main), commit);
    git(&main, &["worktree", "add", "--quiet", "../beside"]);
    let beside = place.path().join("beside");
    assert_eq!(checked_out_commit(&beside), commit);
    git(&beside, &["checkout", "--quiet", "--detach"]);
    assert_eq!(checked_out_commit(&beside), commit);
    assert_eq!(checked_out_commit(place.path()), None);
}

#[test]
fn a_record_holds_machine_crates_command_line_and_matrix() {
    let place = Place::new();
    let matrix = fake_matrix("", "settings: {repeat: 1}  # as it was written");
    place.write("m.yaml", &matrix);
    place
        .run(&["run", "m.yaml", "--out", "out"])
        .expect_status(0);
    let start = start_of(&place, "out");
    assert!(start["machine"]["cores"].as_u64().unwrap() > 0);
    assert!(start["machine"].get("turbo").is_some(), "{start}");
    assert!(start["crates"]["symphonia"].is_string(), "{start}");
    let told = start["command-line"].as_array().unwrap();
    assert!(told.contains(&json!("m.yaml")), "{start}");
    let plan = fs::read_to_string(place.path().join("out/plan.json")).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["matrix-text"], matrix);
}

#[test]
fn journals_of_before_these_facts_are_still_read() {
    let plan = journal::plan(1);
    let mut told = Journal::of(&plan);
    told.measure(&plan.jobs[1], &Outcome::Completed);
    told.over(false);
    let older = told.events.iter().map(|event| {
        let mut event = serde_json::to_value(event).unwrap();
        let members = event.as_object_mut().unwrap();
        for new in ["crates", "repository", "state"] {
            members.remove(new);
        }
        if let Some(machine) = members.get_mut("machine") {
            let known = [
                "id",
                "host",
                "system",
                "kernel",
                "cpu",
                "cores",
                "physical-cores",
                "memory-bytes",
                "governor",
                "load-before",
            ];
            machine
                .as_object_mut()
                .unwrap()
                .retain(|name, _| known.contains(&name.as_str()));
        }
        serde_json::from_value(event).unwrap()
    });
    let record = fold(plan.clone(), older.collect::<Vec<_>>()).unwrap();
    assert_eq!(record, fold(plan, told.events.clone()).unwrap());
}

#[test]
fn what_changed_while_a_row_was_measured_stands_in_its_notes() {
    let place = Place::new();
    let plan = journal::plan(2);
    let mut journal = Journal::of(&plan);
    for job in &plan.jobs[1..] {
        journal.measure(job, &Outcome::Completed);
    }
    journal.over(false);
    let mut is_second = false;
    for stamped in &mut journal.events {
        match &mut stamped.event {
            RunEvent::AttemptStarted {
                job,
                governor,
                state,
                ..
            } => {
                is_second = *job == plan.jobs[2].id;
                *governor = Some("performance".into());
                state.throttles = Some(7);
            }
            RunEvent::AttemptEnded {
                governor, state, ..
            } => {
                *governor = Some(
                    if is_second {
                        "powersave"
                    } else {
                        "performance"
                    }
                    .into(),
                );
                *state = MachineState {
                    throttles: Some(if is_second { 9 } else { 7 }),
                    on_battery: is_second.then_some(true),
                    ..MachineState::default()
                };
            }
            _ => {}
        }
    }
    journal.write(&place.path().join("run"), &plan);
    place.run(&["report", "run"]).expect_status(0);
    let rows = place.table("run/results.csv");
    for words in [
        "the governor changed meanwhile: performance, then powersave",
        "cores were slowed down for heat during 1 process",
        "the machine ran on its battery",
    ] {
        assert!(!rows[0]["notes"].contains(words), "{}", rows[0]["notes"]);
        assert!(rows[1]["notes"].contains(words), "{}", rows[1]["notes"]);
    }
}
