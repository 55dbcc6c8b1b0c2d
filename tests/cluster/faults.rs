//! What is killed, torn or lost in the middle ends, after a resume, in the record of an unbroken run.

use super::lab::{Lab, Row, eventually, matrix};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// Rows that take a second each, on two nodes.
const ON_TWO: &str = "[\"label:rack\", \"label:mini\"]";

fn on<'a>(run: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    let words = [
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--out",
        run,
    ];
    [&words[..], further].concat()
}

/// Returns what an unbroken run of the same matrix comes to.
fn unbroken(lab: &Lab) -> BTreeMap<String, Row> {
    lab.run(&["run", "m.yaml", "--out", "unbroken", "--no-history"])
        .expect_status(0);
    let rows = lab.rows("unbroken");
    assert!(rows.values().all(|row| row.status == "completed"));
    rows
}

/// Returns how many benchmarks of a group have come to their end.
fn ended(lab: &Lab, run: &str, part: &str) -> usize {
    let attempts = fs::read_dir(lab.path(run).join("attempts"))
        .into_iter()
        .flatten()
        .flatten();
    let names = attempts.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.contains(part))
        .map(|name| {
            let events = lab.events(&format!("{run}/attempts/{name}/journal.jsonl"));
            let is_end = |event: &&serde_json::Value| {
                event["event"] == "job-ended"
                    && event["job"]
                        .as_str()
                        .is_some_and(|job| job.starts_with("benchmark/"))
            };
            events.iter().filter(is_end).count()
        })
        .sum()
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn a_node_is_killed_in_the_middle_and_what_goes_on_there_stands_down() {
    let lab = Lab::new();
    lab.place
        .write("m.yaml", &matrix("[none]", 40, "fake-seconds: 1"));
    lab.run(&on("run", &["--detach"])).expect_status(0);
    eventually("some rows are done", || {
        ended(&lab, "run", "attempt-1") >= 2
    });
    let first = "run/attempts/1-g1-1-of-1.attempt-1/journal.jsonl";
    let second = "run/attempts/1-g1-1-of-1.attempt-2/journal.jsonl";
    let node = lab.host(first);
    lab.kill_node(&node);
    eventually("Slurm has seen it", || {
        lab.slurm(&["sinfo", "-h", "-N", "-n", &node, "-o", "%t"])
            .contains("down")
    });
    // The controller starts the part again, but not at once; whoever runs the cluster may hurry it.
    let submitted = fs::read_to_string(lab.path("run/submissions/1.submitted.json")).unwrap();
    let submitted: serde_json::Value = serde_json::from_str(&submitted).unwrap();
    let id = submitted["arrays"]["1"].as_str().unwrap();
    lab.slurm(&[
        "scontrol",
        "update",
        &format!("JobId={id}"),
        "StartTime=now",
    ]);
    eventually("it is started again elsewhere", || {
        lab.path(second).exists()
    });
    // What runs on the node that was only cut off is still at it, and sees that.
    eventually("the first attempt stands down", || {
        lab.events(first)
            .iter()
            .any(|event| event["event"] == "run-ended")
    });
    let text = fs::read_to_string(lab.path(first)).unwrap();
    assert!(
        text.contains("attempt 2 has taken the place of this one"),
        "{text}"
    );
    lab.run(&["attach", "run"]).expect_status(0);
    assert_ne!(lab.host(second), node);
    let done_again = ended(&lab, "run", "attempt-2");
    assert!(done_again < 40, "what was done is not done again");
    assert_eq!(lab.rows("run"), unbroken(&lab));
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn whoever_looks_after_it_is_killed_and_somebody_else_goes_on() {
    let lab = Lab::new();
    lab.place
        .write("m.yaml", &matrix(ON_TWO, 4, "fake-seconds: 1"));
    let expected = unbroken(&lab);
    let mut runner = lab.start(&on("run", &[]), "run.log");
    eventually("a row is done", || ended(&lab, "run", "g1-") >= 1);
    Command::new("kill")
        .args(["-KILL", &runner.id().to_string()])
        .status()
        .unwrap();
    runner.wait().unwrap();
    let ran = lab.run(&["run", "--resume", "run"]).expect_status(0);
    assert!(
        !ran.stderr.contains("Slurm job"),
        "nothing was handed over twice: {}",
        ran.stderr
    );
    assert_eq!(lab.rows("run"), expected);
    assert_eq!(fs::read_dir(lab.path("run/attempts")).unwrap().count(), 2);
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn whoever_hands_over_is_killed_before_writing_down_what_became_of_it() {
    let lab = Lab::new();
    lab.place
        .write("m.yaml", &matrix(ON_TWO, 3, "fake-seconds: 1"));
    let expected = unbroken(&lab);
    lab.run(&on("run", &["--detach"])).expect_status(0);
    // As if it had been killed between `sbatch` and the file.
    fs::remove_file(lab.path("run/submissions/1.submitted.json")).unwrap();
    let ran = lab.run(&["run", "--resume", "run"]).expect_status(0);
    assert_eq!(
        ran.stderr.matches("found again").count(),
        2,
        "{}",
        ran.stderr
    );
    assert!(
        !ran.stderr.contains("benchmarks ("),
        "nothing was handed over twice: {}",
        ran.stderr
    );
    assert_eq!(lab.rows("run"), expected);
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn a_result_file_is_torn_and_only_what_it_lost_is_sent_again() {
    let lab = Lab::new();
    lab.place
        .write("m.yaml", &matrix(ON_TWO, 4, "fake-seconds: 0"));
    let expected = unbroken(&lab);
    lab.run(&on("run", &["--detach"])).expect_status(0);
    lab.run(&["attach", "run"]).expect_status(0);
    // One journal is cut in the middle of a line, and what was made of it is gone; the other is gone.
    fs::remove_file(lab.path("run/journal.jsonl")).unwrap();
    let torn = lab.path("run/attempts/1-g1-1-of-1.attempt-1/journal.jsonl");
    let text = fs::read_to_string(&torn).unwrap();
    let ends: Vec<usize> = text
        .match_indices("\"job-ended\"")
        .filter(|(at, _)| text[*at..].lines().next().unwrap().contains("benchmark/"))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(ends.len(), 4);
    fs::write(&torn, &text[..ends[2] + 5]).unwrap();
    fs::remove_dir_all(lab.path("run/attempts/1-g2-1-of-1.attempt-1")).unwrap();
    let ran = lab.run(&["run", "--resume", "run"]).expect_status(0);
    assert!(
        ran.stderr.contains("6 benchmarks missing"),
        "{}",
        ran.stderr
    );
    let list = fs::read_to_string(lab.path("run/submissions/2.jobs.txt")).unwrap();
    assert_eq!(list.lines().count(), 6);
    assert_eq!(lab.rows("run"), expected);
}
