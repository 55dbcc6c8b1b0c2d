//! Many rows: what a cluster costs beside the engines, and what handing over costs.

use super::lab::{Lab, eventually, matrix};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

/// Returns the seconds that the jobs of a run took, all together.
fn engine_seconds(lab: &Lab, run: &str) -> f64 {
    let rows = lab.place.table(&format!("{run}/jobs.csv"));
    let seconds = rows
        .iter()
        .filter(|row| row["kind"] == "benchmark")
        .map(|row| row["seconds"].parse::<f64>().unwrap());
    seconds.sum()
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn a_thousand_rows_over_three_nodes_cost_little_more_than_on_one() {
    let lab = Lab::new();
    // Waiting, as a busy accelerator would have it: three nodes share the two cores of this machine.
    let rows = |requires: &str, rows| matrix(requires, rows, "fake-seconds: 0.05");
    lab.place.write("m.yaml", &rows("[none]", 999));
    lab.place.write(
        "site.yaml",
        &super::lab::SITE.replace("poll: 1s", "poll: 1s\n    shard-time: 20s"),
    );
    lab.run(&[
        "run",
        "m.yaml",
        "--out",
        "one",
        "--no-history",
        "--to",
        "csv",
    ])
    .expect_status(0);
    let ran = lab.run(&[
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--out",
        "three",
        "--to",
        "csv",
    ]);
    let ran = ran.expect_status(0);
    let (one, three) = (engine_seconds(&lab, "one"), engine_seconds(&lab, "three"));
    eprintln!(
        "{three:.1} s on three nodes, {one:.1} s on one: {:.2}",
        three / one
    );
    assert!(
        three <= 1.3 * one,
        "{three} s on three nodes, {one} s on one\n{}",
        ran.stderr
    );
    let used: std::collections::BTreeSet<String> =
        lab.nodes("three").into_values().flatten().collect();
    assert_eq!(used.len(), 3, "{used:?}");
    assert_eq!(lab.rows("one").len(), lab.rows("three").len());
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn ten_thousand_combinations_are_handed_over_in_moments_and_asked_after_with_one_question() {
    let lab = Lab::new();
    let text = matrix(
        "[\"label:rack\", \"gpu:cuda\", \"label:mini\", none, \"label:rack,os:linux\"]",
        1000,
        "fake-seconds: 0",
    );
    lab.place.write(
        "m.yaml",
        &text.replace(
            "  beam-size:",
            "  flash-attention: [true, false]\n  beam-size:",
        ),
    );
    lab.place.write(
        "site.yaml",
        &super::lab::SITE.replace("poll: 1s", "poll: 2s\n    longest: 1000h"),
    );
    let site = fs::read_to_string(lab.path("site.yaml")).unwrap();
    fs::write(
        lab.path("site.yaml"),
        site + "      \"os:linux\": {constraint: linux}\n",
    )
    .unwrap();
    // Stand-ins in front of Slurm's commands that write down when each was called.
    let bin = lab.path("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["squeue", "sacct", "sbatch", "scancel", "scontrol"] {
        let real =
            String::from_utf8(Command::new("which").arg(name).output().unwrap().stdout).unwrap();
        let path = bin.join(name);
        let log = lab.path("calls.log");
        fs::write(
            &path,
            format!(
                "#!/bin/sh\necho \"{name} $(date +%s.%N)\" >> {}\nexec {} \"$@\"\n",
                log.display(),
                real.trim()
            ),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(lab.path("calls.log"), "").unwrap();
    fs::set_permissions(lab.path("calls.log"), fs::Permissions::from_mode(0o666)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = lab.command(&[
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--out",
        "run",
        "--detach",
    ]);
    let before = children_cpu();
    let ran =
        crate::support::Ran::from(command.env("PATH", &path).output().unwrap()).expect_status(0);
    let cpu = children_cpu().saturating_sub(before);
    eprintln!(
        "handed over with {cpu:.1?} of CPU, Slurm's commands included\n{}",
        ran.stderr
    );
    assert!(cpu < Duration::from_secs(5), "{cpu:?}");
    let plan: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(lab.path("run/plan.json")).unwrap()).unwrap();
    assert_eq!(plan["combinations"].as_array().unwrap().len(), 10_000);

    fs::write(lab.path("calls.log"), "").unwrap();
    let mut attached = lab
        .command(&["attach", "run"])
        .env("PATH", &path)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let calls = || -> Vec<f64> {
        let text = fs::read_to_string(lab.path("calls.log")).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("squeue") || line.starts_with("sacct"));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect()
    };
    eventually("it was asked after four times", || calls().len() >= 4);
    Command::new("kill")
        .args(["-INT", &attached.id().to_string()])
        .status()
        .unwrap();
    let calls = calls();
    for pair in calls[..4].windows(2) {
        assert!(
            pair[1] - pair[0] >= 1.9,
            "more than one question a poll: {calls:?}"
        );
    }
    attached.wait().unwrap();
}

/// Returns the processor time of the children that have ended.
fn children_cpu() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name, which may hold anything; times of children are the 16th and 17th field of all.
    let (_, fields) = text.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = fields[13..15]
        .iter()
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}
