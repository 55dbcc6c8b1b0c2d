//! The index of runs: filled by every run, safe when several end together, made anew from run folders.

use super::nights::{Night, nights, put};
use crate::support::journal::{Journal, Start, plan};
use crate::support::{Place, fake_matrix};
use earmark::history::{History, RunQuery};
use earmark::model::{Outcome, Shard};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;

fn list(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["history", "--format", "json"];
    all.extend(arguments);
    let listed = place.run(&all).expect_status(0).json();
    listed["runs"].as_array().unwrap().clone()
}

#[test]
fn every_run_is_in_the_history_when_it_has_ended() {
    let place = Place::new();
    let none = place.run(&["history"]).expect_status(0);
    assert!(
        none.stderr.contains("no run is known yet"),
        "{}",
        none.stderr
    );
    place.write("a.yaml", &fake_matrix("", ""));
    place
        .run(&["run", "a.yaml", "--out", "one"])
        .expect_status(0);
    place
        .run(&["run", "a.yaml", "--out", "two"])
        .expect_status(0);
    place
        .run(&["run", "a.yaml", "--out", "three", "--no-history"])
        .expect_status(0);
    let runs = list(&place, &[]);
    assert_eq!(runs.len(), 2);
    let newest = &runs[0];
    assert_eq!(newest["run_id"], "two");
    assert_eq!(newest["name"], "test");
    assert_eq!(newest["outcomes"]["completed"], 2);
    assert_eq!(newest["rows"], 1);
    // The fake engine measures nothing, and the history says so wherever it shows it.
    assert_eq!(newest["synthetic"], true);
    assert_eq!(newest["gone"], false);
    let table = place.run(&["history"]).expect_status(0).stdout;
    assert!(table.contains("test (synthetic)"), "{table}");
    assert_eq!(list(&place, &["--limit", "1"]).len(), 1);
    assert_eq!(list(&place, &["--name", "other"]).len(), 0);
    assert_eq!(list(&place, &["--since", "1h"]).len(), 2);
    assert_eq!(list(&place, &["--since", "2999-01-01"]).len(), 0);
    let shown = place.run(&["history", "show", "fake"]).expect_status(0);
    assert!(shown.stdout.contains("synthetic"), "{}", shown.stdout);
    // Whatever a table of the run says, the history says too.
    let row = place.table("two/results.csv").remove(0);
    let arguments = ["history", "show", &row["job_id"], "--format", "json"];
    let shown = place.run(&arguments).expect_status(0).json();
    let value = |metric: &str| {
        let series = shown["series"].as_array().unwrap();
        let series = series
            .iter()
            .find(|series| series["metric"] == metric)
            .unwrap();
        series["points"][1]["value"].as_f64().unwrap()
    };
    for metric in [
        "transcribe_seconds_median",
        "rtfx",
        "wer",
        "cer",
        "peak_rss_bytes",
    ] {
        let cell: f64 = row[metric].parse().unwrap();
        // Cells of tables have six places.
        assert!((value(metric) - cell).abs() < 1e-6, "{metric}");
    }
}

#[test]
fn the_history_can_be_elsewhere() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    place
        .run(&["run", "a.yaml", "--out", "one", "--history", "mine.db"])
        .expect_status(0);
    assert!(list(&place, &[]).is_empty());
    assert_eq!(list(&place, &["--history", "mine.db"]).len(), 1);
    let mut named = place.command(&["history", "--format", "json"]);
    let output = named.env("EARMARK_HISTORY", "mine.db").output().unwrap();
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_history_that_cannot_be_written_fails_no_run() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    place.write("file", "");
    place.write("notes.txt", "what somebody wrote, and no database of ours");
    for history in ["file/history.db", "notes.txt"] {
        let out = format!("run-{}", history.len());
        let ran = place
            .run(&["run", "a.yaml", "--out", &out, "--history", history])
            .expect_status(0);
        let warning = format!("`earmark history rebuild {out}` puts it there");
        assert!(
            ran.stderr
                .contains("warning: the run is not in the history: ")
                && ran.stderr.contains(&warning),
            "{}",
            ran.stderr
        );
    }
    // A file that was named by mistake is as it was.
    let notes = fs::read_to_string(place.path().join("notes.txt")).unwrap();
    assert!(notes.starts_with("what somebody wrote"));
    // Later it can be put there.
    place.run(&["history", "rebuild", "run-9"]).expect_status(0);
    assert_eq!(list(&place, &[]).len(), 1);
}

#[test]
fn a_run_that_went_on_is_one_run_and_so_is_one_that_was_moved() {
    let place = Place::new();
    let plan = plan(2);
    let mut journal = Journal::of(&plan);
    journal.measure(&plan.jobs[1], &Outcome::Completed);
    let folder = place.path().join("run");
    journal.write(&folder, &plan);
    let database = place.path().join("home/history.db");
    let key = put(&database, &folder);
    assert_eq!(list(&place, &[])[0]["outcomes"]["not-run"], 2);
    journal.start(
        &plan,
        &Start {
            resumed: true,
            ..Start::default()
        },
    );
    journal.measure(&plan.jobs[2], &Outcome::Completed);
    journal.over(false);
    journal.write(&folder, &plan);
    assert_eq!(put(&database, &folder), key);
    let runs = list(&place, &[]);
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["outcomes"]["completed"], 2);
    fs::rename(&folder, place.path().join("moved")).unwrap();
    assert_eq!(list(&place, &[])[0]["gone"], true);
    put(&database, &place.path().join("moved"));
    let runs = list(&place, &[]);
    assert_eq!((runs.len(), &runs[0]["gone"]), (1, &Value::Bool(false)));
}

#[test]
fn what_shards_and_their_merge_hold_alike_counts_once() {
    let place = Place::new();
    let plan = plan(2);
    for (index, machine) in [(1, "a"), (2, "b")] {
        let mut journal = Journal::at(index * 100);
        journal.start(
            &plan,
            &Start {
                run_id: format!("on-{machine}"),
                machine: machine.into(),
                shard: Some(Shard::new(index, 2)),
                ..Start::default()
            },
        );
        journal.measure(&plan.jobs[index as usize], &Outcome::Completed);
        journal.over(false);
        journal.write(&place.path().join(format!("runs/on-{machine}")), &plan);
    }
    place
        .run(&["merge", "runs/on-a", "runs/on-b", "--out", "runs/both"])
        .expect_status(3);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    assert_eq!(list(&place, &[]).len(), 3);
    let arguments = [
        "history", "show", "fake", "--metric", "rtfx", "--format", "json",
    ];
    let shown = place.run(&arguments).expect_status(0).json();
    let points: Vec<usize> = shown["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| series["points"].as_array().unwrap().len())
        .collect();
    assert_eq!(points, [1, 1]);
}

#[test]
fn what_two_machines_measured_of_one_job_are_two_trends() {
    let place = Place::new();
    let plan = plan(1);
    for (index, machine) in [(1, "a"), (2, "b")] {
        let mut journal = Journal::at(index * 100);
        let start = Start {
            run_id: format!("on-{machine}"),
            machine: machine.into(),
            ..Start::default()
        };
        journal.start(&plan, &start);
        journal.measure(&plan.jobs[1], &Outcome::Completed);
        journal.over(false);
        journal.write(&place.path().join(format!("runs/on-{machine}")), &plan);
    }
    place
        .run(&["merge", "runs/on-a", "runs/on-b", "--out", "merged"])
        .expect_status(3);
    // Only the merge is known, and it holds both.
    place
        .run(&["history", "rebuild", "merged"])
        .expect_status(0);
    let arguments = [
        "history", "show", "fake", "--metric", "rtfx", "--format", "json",
    ];
    let shown = place.run(&arguments).expect_status(0).json();
    let series: Vec<(String, usize)> = shown["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| {
            let machine = series["machine"].as_str().unwrap().to_owned();
            (machine, series["points"].as_array().unwrap().len())
        })
        .collect();
    assert_eq!(series, [("a".to_owned(), 1), ("b".to_owned(), 1)]);
}

#[test]
fn runs_that_end_together_are_all_there() {
    let place = Place::new();
    nights(&place.path().join("runs"), &[0.5; 10]);
    // Half of them find no database, the other half one that is broken.
    let start = |range: std::ops::Range<usize>| {
        let children: Vec<_> = range
            .map(|number| {
                let folder = format!("runs/night-{number:03}");
                let mut command = place.command(&["history", "rebuild", &folder]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    };
    start(0..5);
    assert_eq!(list(&place, &[]).len(), 5);
    let database = place.path().join("home/history.db");
    fs::write(&database, [0x55; 8192]).unwrap();
    start(5..10);
    let ids: Vec<Value> = list(&place, &[])
        .iter()
        .map(|run| run["run_id"].clone())
        .collect();
    let expected: Vec<Value> = (0..10)
        .rev()
        .map(|number| format!("night-{number:03}").into())
        .collect();
    assert_eq!(ids, expected);
    let lines = fs::read_to_string(database.with_extension("jsonl")).unwrap();
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}

#[test]
fn real_runs_that_end_together_are_all_there() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    let children: Vec<_> = (0..4)
        .map(|number| {
            let out = format!("run-{number}");
            let mut command = place.command(&["run", "a.yaml", "--out", &out]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !told.contains("warning"),
            "{told}"
        );
    }
    assert_eq!(list(&place, &[]).len(), 4);
}

#[test]
fn a_damaged_index_or_one_of_another_version_is_made_anew() {
    let place = Place::new();
    nights(&place.path().join("runs"), &[0.5, 0.5, 0.5]);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let before = list(&place, &[]);
    assert_eq!(before.len(), 3);
    // One of the folders is gone: what is known of it is kept.
    fs::remove_dir_all(place.path().join("runs/night-001")).unwrap();
    let database = place.path().join("home/history.db");
    let whole = fs::read(&database).unwrap();
    let mut torn = whole.clone();
    torn[4096..].fill(0xaa);
    let mut other = whole.clone();
    // The version that a program gives its tables stands here, by SQLite's file format.
    other[60..64].copy_from_slice(&99_u32.to_be_bytes());
    let cases: [(&str, Option<&[u8]>); 5] = [
        ("cut", Some(&whole[..whole.len() / 2])),
        ("torn", Some(&torn)),
        ("other", Some(&other)),
        ("empty", Some(&[])),
        ("gone", None),
    ];
    for (case, bytes) in cases {
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path().join(format!("home/history.db{ending}")));
        }
        match bytes {
            Some(bytes) => fs::write(&database, bytes).unwrap(),
            None => fs::remove_file(&database).unwrap(),
        }
        let told = place.run(&["history"]).expect_status(0);
        let is_damaged = matches!(case, "cut" | "torn");
        let words = "it was damaged; what it was is ";
        assert_eq!(
            told.stderr.contains(words),
            is_damaged,
            "{case}: {}",
            told.stderr
        );
        assert_eq!(
            told.stderr.contains("history.db.damaged by now"),
            is_damaged,
            "{case}"
        );
        assert!(
            told.stderr.contains("was made anew, because")
                && told
                    .stderr
                    .contains("2 read from folders, 1 kept whose folders are gone"),
            "{case}: {}",
            told.stderr
        );
        assert!(
            told.stdout.contains("night-001 (gone)"),
            "{case}: {}",
            told.stdout
        );
        let after = list(&place, &[]);
        let ids =
            |runs: &[Value]| -> Vec<Value> { runs.iter().map(|run| run["key"].clone()).collect() };
        assert_eq!(ids(&after), ids(&before), "{case}");
    }
}

#[test]
fn lines_that_are_torn_or_of_a_newer_version_harm_nothing() {
    let place = Place::new();
    let folders = nights(&place.path().join("runs"), &[0.5, 0.5]);
    let database = place.path().join("home/history.db");
    put(&database, &folders[0]);
    let lines = database.with_extension("jsonl");
    let mut text = fs::read_to_string(&lines).unwrap();
    text.push_str("{\"v\":2,\"what\":\"nobody knows yet\"}\nnonsense\n{\"v\":1,\"torn");
    fs::write(&lines, &text).unwrap();
    put(&database, &folders[1]);
    let told = place.run(&["history", "rebuild"]).expect_status(0);
    assert!(
        told.stderr.contains("line 3, 4 is no run"),
        "{}",
        told.stderr
    );
    assert_eq!(list(&place, &[]).len(), 2);
    place
        .run(&[
            "history", "prune", "--keep", "1d", "--forget", "--runs", "runs",
        ])
        .expect_status(0);
    let kept = fs::read_to_string(&lines).unwrap();
    assert!(kept.contains("nobody knows yet"), "{kept}");
    assert_eq!(list(&place, &[]).len(), 1);
}

#[test]
fn a_history_is_carried_to_another_machine_by_its_lines() {
    let place = Place::new();
    let folders = nights(&place.path().join("runs"), &[0.5, 0.6]);
    let there = place.path().join("there/history.db");
    for folder in &folders {
        put(&there, folder);
    }
    fs::remove_dir_all(place.path().join("runs")).unwrap();
    place
        .run(&["history", "rebuild", "there/history.jsonl"])
        .expect_status(0);
    let runs = list(&place, &[]);
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run["gone"] == true));
    let refused = place
        .run(&["history", "rebuild", "nosuch"])
        .expect_status(2);
    assert!(refused.stderr.contains("nosuch"), "{}", refused.stderr);
}

#[test]
fn a_trend_is_shown_as_table_and_csv() {
    let place = Place::new();
    for (day, seconds) in [(0, 0.5), (1, 0.25), (2, 1.0)] {
        let folder = place.path().join(format!("runs/=night\u{1b}[31m-{day}"));
        Night::of(day, seconds).write(&folder);
    }
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let shown = place.run(&["history", "show", "fake"]).expect_status(0);
    insta::assert_snapshot!(shown.stdout);
    let arguments = [
        "history", "show", "fake", "--format", "csv", "--metric", "rtfx",
    ];
    let shown = place.run(&arguments).expect_status(0);
    insta::assert_snapshot!(shown.stdout);
    let refused = place.run(&["history", "show", "nosuch"]).expect_status(2);
    assert!(refused.stderr.contains("`nosuch`"), "{}", refused.stderr);
    place
        .run(&["history", "show", "colour=red"])
        .expect_status(2);
}

#[test]
fn another_run_in_the_same_folder_takes_its_place_and_keeps_the_trend() {
    let place = Place::new();
    let database = place.path().join("home/history.db");
    let folder = place.path().join("runs/again");
    for day in 0..3 {
        let _ = fs::remove_dir_all(&folder);
        Night::of(day, 0.5).write(&folder);
        put(&database, &folder);
    }
    let gone: Vec<Value> = list(&place, &[])
        .iter()
        .map(|run| run["gone"].clone())
        .collect();
    assert_eq!(gone, [false, true, true]);
    place.run(&["history", "rebuild"]).expect_status(0);
    assert_eq!(list(&place, &[]).len(), 3);
    let query = RunQuery::default();
    let runs = History::with(Path::new(&database), |history| history.runs(&query)).unwrap();
    assert_eq!(runs.iter().filter(|run| run.is_gone).count(), 2);
}
