//! Attempts at a part of a plan: a later one does what earlier ones have not done, and ends them.

use crate::support::{Place, eventually, fake_matrix};
use std::collections::BTreeSet;
use std::fs;

/// A place with a plan of six rows that take some time.
fn planned(seconds: &str) -> Place {
    let place = Place::new();
    let text = fake_matrix(
        "  requires: [none, \"label:a\"]\n  beam-size: [1, 2, 3]",
        &format!("settings: {{warmup: 0, repeat: 1, fake-seconds: {seconds}}}"),
    );
    place.write("m.yaml", &text);
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0);
    place.write("plan.json", &plan.stdout);
    place
}

const PART: [&str; 6] = ["run", "plan.json", "--shard", "1/1", "--requires", "none"];

fn part<'a>(out: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    [&PART[..], &["--no-history", "--out", out], further].concat()
}

/// Returns the benchmarks that a run did.
fn did(place: &Place, run: &str) -> BTreeSet<String> {
    let rows = place.table(&format!("{run}/samples.csv"));
    rows.into_iter().map(|row| row["job_id"].clone()).collect()
}

#[test]
fn a_part_is_of_what_requires_just_that() {
    let place = planned("0");
    place.run(&part("a", &[])).expect_status(0);
    let rows = did(&place, "a");
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter().all(|job| !job.contains("requires=")),
        "{rows:?}"
    );
    let other = [
        "run",
        "plan.json",
        "--shard",
        "1/1",
        "--requires",
        "gpu:cuda",
    ];
    let ran = place.run(&other).expect_status(2);
    assert!(
        ran.stderr
            .contains("requires just `gpu:cuda`; its benchmarks require `none`, `label:a`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_list_names_what_is_dealt_and_what_the_plan_does_not_have_is_refused() {
    let place = planned("0");
    place.run(&part("a", &[])).expect_status(0);
    let all: Vec<String> = did(&place, "a").into_iter().collect();
    place.write("list.txt", &format!("{}\n\n{}\n", all[0], all[2]));
    place
        .run(&part("b", &["--jobs", "list.txt"]))
        .expect_status(0);
    assert_eq!(
        did(&place, "b").into_iter().collect::<Vec<_>>(),
        [all[0].clone(), all[2].clone()]
    );
    // It goes on by a further attempt, and not by itself: the list may be gone.
    let ran = place.run(&["run", "--resume", "b"]).expect_status(2);
    assert!(ran.stderr.contains("further attempt"), "{}", ran.stderr);
    place.write("list.txt", "benchmark/other/0123456789\n");
    let ran = place
        .run(&part("c", &["--jobs", "list.txt"]))
        .expect_status(2);
    assert!(
        ran.stderr
            .contains("names 1 job that the plan does not have"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_second_attempt_does_what_the_first_did_not() {
    let place = planned("0");
    place.run(&part("p.attempt-1", &[])).expect_status(0);
    // The first was killed while it wrote the end of its second row.
    let journal = place.path().join("p.attempt-1/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let second = text.match_indices("\"trial-ended\"").nth(1).unwrap().0;
    fs::write(&journal, &text[..second + 30]).unwrap();
    place.run(&part("p.attempt-2", &[])).expect_status(0);
    assert_eq!(did(&place, "p.attempt-2").len(), 2);
    // Nothing is left for a third.
    place.run(&part("p.attempt-3", &[])).expect_status(0);
    assert_eq!(did(&place, "p.attempt-3").len(), 0);
    let merged = ["merge", ".", "--out", "merged", "--no-history"];
    // The other half of the plan is missing.
    place.run(&merged).expect_status(3);
    assert_eq!(did(&place, "merged").len(), 3);
    // An earlier merge is taken in, and changes nothing.
    let before = fs::read(place.path().join("merged/journal.jsonl")).unwrap();
    place
        .run(&[&merged[..], &["--replace"]].concat())
        .expect_status(3);
    assert_eq!(
        fs::read(place.path().join("merged/journal.jsonl")).unwrap(),
        before
    );
    let ran = place.run(&merged).expect_status(2);
    assert!(ran.stderr.contains("holds a run already"), "{}", ran.stderr);
}

/// Returns the workers below a process.
fn workers_of(runner: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut above = vec![runner];
    while let Some(parent) = above.pop() {
        let tasks = fs::read_dir(format!("/proc/{parent}/task"))
            .into_iter()
            .flatten()
            .flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            above.extend(
                children
                    .split_whitespace()
                    .map(|child| child.parse::<u32>().unwrap()),
            );
        }
        let command = fs::read(format!("/proc/{parent}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
        if words.get(1).is_some_and(|verb| *verb == b"__worker") {
            found.push(parent);
        }
    }
    found
}

#[test]
fn what_is_ended_together_with_its_runner_did_not_crash() {
    let place = planned("20");
    let mut child = place
        .command(&part("p.attempt-1", &[]))
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = place.path().join("p.attempt-1/journal.jsonl");
    let text = || fs::read_to_string(&journal).unwrap_or_default();
    eventually("a model is loaded", || text().contains("\"model-loaded\""));
    // As a scheduler and a service manager do it: to every process, in no order.
    for process in workers_of(child.id()).into_iter().chain([child.id()]) {
        std::process::Command::new("kill")
            .args(["-TERM", &process.to_string()])
            .status()
            .unwrap();
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let text = text();
    assert!(!text.contains("\"crashed\""), "{text}");
    assert!(text.contains("interrupted by SIGTERM"), "{text}");
}

#[test]
fn an_attempt_stands_down_for_a_later_one_and_for_a_file() {
    for later in ["p.attempt-2", "taken.json"] {
        let place = planned("0.3");
        let mut child = place
            .command(&part("p.attempt-1", &["--stand-down", "taken.json"]))
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let journal = place.path().join("p.attempt-1/journal.jsonl");
        let text = || fs::read_to_string(&journal).unwrap_or_default();
        eventually("a row is begun", || {
            text().contains("\"attempt-started\",\"job\":\"benchmark")
        });
        fs::create_dir(place.path().join(later)).unwrap();
        child.wait().unwrap();
        let text = text();
        assert!(text.contains("run-ended"), "it ended in order");
        let reason = if later == "taken.json" {
            "handed out again"
        } else {
            "attempt 2 has taken"
        };
        assert!(text.contains(reason), "{text}");
        assert!(did(&place, "p.attempt-1").len() < 3, "{later}");
    }
}
