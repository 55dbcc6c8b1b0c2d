//! An installed bridge that does what it should, and that does not.

use super::{install, on_this_machine};
use crate::support::{Place, project};
use std::collections::BTreeMap;
use std::fs;

const MATRIX: &str = "version: 1
name: bridge
matrix:
  backend: [moonshine]
  model: [moonshine-mine]
  audio: [jfk]
  verify-method: [cache-check]
  vad: [true]
settings: {repeat: 1, warmup: 0}
deadlines: {start: 60s, load: LIMIT, grace: 100ms}
models:
  moonshine-mine:
    family: moonshine
    size: tiny
    artifacts:
      moonshine-ort:
        files: {m.ort: {bytes: 4}}
        sources: [{path: store}]
";

/// Runs a matrix of one bridge that does what `action` says, and returns its only result.
fn run(action: &str, limit: &str, status: i32) -> (Place, BTreeMap<String, String>) {
    let place = Place::new();
    let python = on_this_machine("python3");
    let stand_in = project().join("tests/bridges/stand_in.py");
    let text = format!(
        "#!/bin/sh\nexec '{}' -B '{}' {action}\n",
        python.display(),
        stand_in.display()
    );
    install(&place, "moonshine", &text);
    place.write("store/m.ort", "data");
    place.write("m.yaml", &MATRIX.replace("LIMIT", limit));
    place
        .run(&["run", "m.yaml", "--out", "r"])
        .expect_status(status);
    let mut rows = place.table("r/results.csv");
    assert_eq!(rows.len(), 1);
    let row = rows.remove(0);
    (place, row)
}

#[test]
fn a_good_one_is_measured_with_what_it_says_is_in_effect() {
    let (place, row) = run("good", "60s", 0);
    assert_eq!(row["status"], "completed");
    assert_eq!(row["backend_version"], "0.0.73");
    assert_eq!(row["artifact"], "moonshine-ort");
    assert_eq!(row["threads"], "1");
    assert_eq!(row["load_seconds"], "0.5");
    assert_eq!(row["hypothesis"], "heard f32 file=None");
    if cfg!(target_os = "linux") {
        assert_eq!(row["network_wall"], "seccomp");
    }
    let verify = place.run(&[
        "verify",
        "m.yaml",
        "--verify-method",
        "load",
        "--format",
        "json",
    ]);
    let verify = verify.expect_status(0).json();
    assert_eq!(verify["verifies"][0]["verdict"], "complete", "{verify}");
}

#[test]
fn what_it_prints_is_its_log_and_never_an_answer() {
    let (place, row) = run("prints", "60s", 0);
    assert_eq!(row["hypothesis"], "heard f32 file=None");
    let logs = fs::read_dir(place.path().join("r/logs")).unwrap();
    let logged: String = logs
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(logged.contains(r#"{"reply": "done"}"#), "{logged}");
}

#[test]
fn one_that_lies_about_what_it_is_is_named() {
    let (_place, row) = run("other-engine", "60s", 3);
    assert_eq!(row["status"], "protocol-violation");
    assert!(row["error"].contains("`other`") && row["error"].contains("`moonshine`"));
    let (_place, row) = run("other-version", "60s", 3);
    assert_eq!(row["status"], "protocol-violation");
    assert!(row["error"].contains("`9.9`") && row["error"].contains("`0.0.73`"));
}

#[test]
fn garbage_is_shown() {
    let (_place, row) = run("garbage", "60s", 3);
    assert_eq!(row["status"], "protocol-violation");
    assert!(
        row["error"].contains("Loading model..."),
        "{}",
        row["error"]
    );
}

#[test]
fn one_that_dies_or_hangs_while_it_loads_is_ended_and_named() {
    let (_place, row) = run("dies", "60s", 3);
    assert_eq!(row["status"], "crashed");
    assert!(row["error"].contains("no such tensor"), "{}", row["error"]);
    let (_place, row) = run("hangs", "300ms", 3);
    assert_eq!(row["status"], "timed-out");
}
