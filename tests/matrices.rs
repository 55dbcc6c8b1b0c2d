//! Every matrix that ships is sound, for the parser and for the schema.

use crate::support::invalid::{as_json, validator};
use crate::support::{Place, project};
use earmark::lockfile::is_lock_file;
use std::fs;

#[test]
fn every_matrix_passes_check_and_its_schema() {
    let validator = validator("matrix");
    let mut count = 0;
    for entry in fs::read_dir(project().join("matrices")).unwrap() {
        let path = entry.unwrap().path();
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml");
        if !is_yaml || is_lock_file(&path) {
            continue;
        }
        count += 1;
        // A build without the engines skips their jobs, which is strictly a mistake.
        // So does a machine without engines that must be installed.
        let wants_others = ["nine-engines", "every-engine"]
            .iter()
            .any(|name| path.file_stem().is_some_and(|stem| stem == *name));
        let strict = cfg!(all(feature = "whisper-cpp", feature = "candle")) && !wants_others;
        let arguments = ["check", path.to_str().unwrap(), "--strict"];
        Place::new()
            .run(&arguments[..if strict { 3 } else { 2 }])
            .expect_status(0);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("description:"),
            "{} asks no question",
            path.display()
        );
        let value = as_json(&text).unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    }
    assert!(count >= 2);
}

#[test]
fn the_smoke_matrix_measures_every_row() {
    let place = Place::new();
    let matrix = project().join("matrices/smoke.yaml");
    place
        .run(&["run", matrix.to_str().unwrap(), "--out", "run"])
        .expect_status(0);
    let rows = place.table("run/results.csv");
    assert!(rows.len() >= 6);
    for row in &rows {
        assert_eq!(
            (row["status"].as_str(), row["synthetic"].as_str()),
            ("completed", "true")
        );
        assert_eq!(row["n"], "12");
    }
    let page = fs::read_to_string(place.path().join("run/report.html")).unwrap();
    assert!(page.contains("synthetic"));
}

/// What runs at night is what was agreed on, until somebody writes the lock file again.
#[test]
fn the_night_is_locked_and_its_lock_file_holds() {
    let place = Place::new();
    let matrix = project().join("matrices/nightly.yaml");
    let matrix = matrix.to_str().unwrap();
    place
        .run(&[
            "plan",
            matrix,
            "--locked",
            "--assume-ready",
            "--format",
            "json",
        ])
        .expect_status(0);
    place
        .run(&["lock", matrix, "--out", "again.lock.yaml"])
        .expect_status(0);
    let path = project().join("matrices/nightly.lock.yaml");
    let committed = fs::read_to_string(path).unwrap();
    let again = fs::read_to_string(place.path().join("again.lock.yaml")).unwrap();
    assert_eq!(
        again, committed,
        "write it again: `earmark lock matrices/nightly.yaml`"
    );
    let validator = validator("lock");
    assert!(validator.is_valid(&as_json(&committed).unwrap()));
}
