//! An engine of one's own that speaks the protocol: it is named in a file, and no code knows it.

use crate::support::{Place, project};

const JFK: &str = "and so my fellow americans ask not what your country can do for you ask what you \
                   can do for your country";

/// Returns a file that defines the bridge of the conformance tests with a fault as the engine `id`.
fn catalog(id: &str, fault: &str) -> String {
    let bridge = project().join("tests/conformance/bridge.py");
    format!(
        "version: 1
backends:
  {id}:
    command: [python3, -S, '{}', {fault}, '{JFK}']
    output: protocol
    settings:
      beam-size:
        kind: {{integer: {{minimum: 1, maximum: 5}}}}
        default: 1
        description: Hypotheses.
",
        bridge.display()
    )
}

fn matrix(id: &str) -> String {
    format!(
        "version: 1
name: own
matrix:
  backend: [{id}]
  model: [any]
  audio: [jfk]
  verify-method: [load]
  beam-size: [1, 3]
settings: {{repeat: 2, warmup: 1}}
deadlines: {{benchmark: {{floor: 2s, per-audio-second: 0s}}, grace: 100ms}}
"
    )
}

#[test]
fn it_is_measured_like_any_other() {
    let place = Place::new();
    place.write("catalog.yaml", &catalog("test", "none"));
    place.write("m.yaml", &matrix("test"));
    place
        .run(&["run", "m.yaml", "--catalog", "catalog.yaml", "--out", "r"])
        .expect_status(0);
    let rows = place.table("r/results.csv");
    let seen: Vec<(&str, &str, &str, &str)> = rows
        .iter()
        .map(|row| {
            (
                row["beam_size"].as_str(),
                row["status"].as_str(),
                row["n"].as_str(),
                row["backend_version"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("1", "completed", "2", "1"), ("3", "completed", "2", "1")]
    );
    place.write("m.yaml", &matrix("test").replace("[1, 3]", "[1, 9]"));
    let refused = place
        .run(&["check", "m.yaml", "--catalog", "catalog.yaml"])
        .expect_status(2);
    assert!(refused.stderr.contains("from 1 to 5"), "{}", refused.stderr);
    assert!(!rows[0]["load_seconds"].is_empty());
    // The engine was asked, behind the wall, and not only its files looked for.
    let verdicts = place.table("r/jobs.csv");
    let verify = verdicts.iter().find(|row| row["kind"] == "verify").unwrap();
    assert_eq!(
        (&*verify["verdict"], &*verify["status"]),
        ("complete", "completed")
    );
}

#[test]
fn one_that_hangs_is_ended_at_its_limit_and_one_of_another_name_is_refused() {
    let place = Place::new();
    place.write("catalog.yaml", &catalog("test", "hangs"));
    place.write("m.yaml", &matrix("test"));
    let run = ["run", "m.yaml", "--catalog", "catalog.yaml", "--out"];
    place.run(&[&run[..], &["r"]].concat()).expect_status(3);
    assert_eq!(place.table("r/results.csv")[0]["status"], "timed-out");
    place.write("catalog.yaml", &catalog("other", "none"));
    place.write("m.yaml", &matrix("other"));
    place.run(&[&run[..], &["s"]].concat()).expect_status(3);
    let jobs = place.table("s/jobs.csv");
    assert!(
        jobs.iter()
            .any(|job| job["reason"].contains("`test`") && job["reason"].contains("`other`")),
        "{jobs:?}"
    );
}

#[test]
fn it_is_listed_with_those_that_are_built_in_and_its_mistakes_are_told() {
    let place = Place::new();
    place.write("catalog.yaml", &catalog("test", "none"));
    let list = ["engines", "--catalog", "catalog.yaml"];
    let shown = place.run(&list).expect_status(0).stdout;
    let row = shown.lines().find(|line| line.contains("test")).unwrap();
    assert!(row.contains("ready"), "{shown}");
    assert!(shown.contains("whisper-cpp"), "{shown}");
    place.write("catalog.yaml", &catalog("fake", "none"));
    let refused = place.run(&list).expect_status(2);
    assert!(
        refused.stderr.contains("is a built-in engine"),
        "{}",
        refused.stderr
    );
}

#[test]
fn the_kit_checks_it() {
    let place = Place::new();
    place.write("catalog.yaml", &catalog("test", "none"));
    let check = ["engines", "check", "test", "--catalog", "catalog.yaml"];
    let passed = place.run(&check).expect_status(0);
    assert!(passed.stdout.contains(" 0 failed"), "{}", passed.stdout);
    let refused = place
        .run(&[&check[..], &["--setting", "beam-size=9"]].concat())
        .expect_status(2);
    assert!(refused.stderr.contains("from 1 to 5"), "{}", refused.stderr);
    place.write("catalog.yaml", &catalog("test", "prints"));
    place.run(&check).expect_status(3);
}
