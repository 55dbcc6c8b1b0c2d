//! Deadlines, faults and hostile children: nothing outlives its limit, and every end has its row.

use crate::support::{Place, fake_matrix, processes_with};
use std::time::Instant;

/// Runs a matrix of the fake engine that commits a fault in its first row and none in its second.
fn fault(fault: &str, deadlines: &str) -> (Place, Vec<std::collections::BTreeMap<String, String>>) {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix(
            &format!("  fake-fault: [{fault}, none]"),
            &format!("order: matrix\n{deadlines}"),
        ),
    );
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(3);
    let rows = place.table("r/results.csv");
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[1]["status"], "completed",
        "the other row is not touched"
    );
    (place, rows)
}

#[test]
fn a_load_that_hangs_is_ended_at_its_limit() {
    let started = Instant::now();
    let (_, rows) = fault("hang-load", "deadlines: {load: 300ms, grace: 100ms}");
    assert!(started.elapsed().as_secs() < 30);
    assert_eq!(rows[0]["status"], "timed-out");
    assert_eq!(rows[0]["error"], "load took longer than its limit of 0.3 s");
}

#[test]
fn a_trial_that_hangs_is_ended_at_its_limit() {
    let (_, rows) = fault(
        "hang-trial",
        "deadlines: {benchmark: {floor: 300ms, per-audio-second: 0s}, grace: 100ms}",
    );
    assert_eq!(rows[0]["status"], "timed-out");
    assert!(
        rows[0]["error"].starts_with("trial took longer"),
        "{}",
        rows[0]["error"]
    );
    assert_eq!(rows[0]["n"], "0");
    assert_eq!(rows[0]["rtfx"], "", "no number is invented");
}

#[test]
fn a_crash_has_its_signal_and_a_refusal_its_words() {
    let (_, rows) = fault("crash-trial", "");
    assert_eq!(rows[0]["status"], "crashed");
    assert!(
        rows[0]["error"].contains("signal 6"),
        "{}",
        rows[0]["error"]
    );
    let (_, rows) = fault("fail-load", "");
    assert_eq!(rows[0]["status"], "failed");
    assert_eq!(rows[0]["error"], "load: the fake engine was told to fail");
}

#[test]
fn fail_fast_stops_at_the_first_fault() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix("  fake-fault: [fail-load, none]", "order: matrix"),
    );
    place
        .run(&["run", "a.yaml", "--out", "r", "--fail-fast"])
        .expect_status(3);
    let rows = place.table("r/results.csv");
    assert_eq!(rows[1]["status"], "cancelled");
    assert!(
        rows[1]["error"].contains("--fail-fast"),
        "{}",
        rows[1]["error"]
    );
}

/// A recipe that ignores the request to end, forks twice, leaves its session and holds its output.
const HOSTILE: &str = "#!/bin/sh\n\
    trap '' TERM INT HUP\n\
    (trap '' TERM INT HUP; setsid sh -c \"trap '' TERM INT HUP; while :; do sleep 1000; done\" &)\n\
    setsid sh -c \"trap '' TERM; (trap '' TERM; sleep 1000) & sleep 1000\" &\n\
    echo started >&2\n\
    while :; do sleep 1000; done\n";

#[test]
fn nothing_of_a_hostile_child_is_left_after_its_deadline() {
    let place = Place::new();
    place.write("hostile.sh", HOSTILE);
    let mark = format!("earmark-hostile-{}", std::process::id());
    place.write(
        "a.yaml",
        &format!(
            "version: 1\nname: hostile\nmatrix:\n  backend: [whisper-cpp]\n  model: [mine]\n  \
             audio: [jfk]\n  verify-method: [cache-check]\nmodels:\n  mine:\n    size: tiny\n    \
             artifacts:\n      ggml-f16: {{files: {{m.bin: {{bytes: 5}}}}, sources: [{{recipe: r}}]}}\n\
             recipes:\n  r: {{command: [sh, ./hostile.sh, {mark}], produces: {{mine: [ggml-f16]}}}}\n\
             deadlines: {{download: {{total: 2s}}, grace: 300ms}}\n"
        ),
    );
    let started = Instant::now();
    let ran = place
        .command(&["run", "a.yaml", "--out", "r"])
        .env("TZ", &mark)
        .output()
        .map(crate::support::Ran::from)
        .unwrap()
        .expect_status(3);
    let took = started.elapsed().as_secs_f64();
    assert!(
        processes_with(&mark).is_empty(),
        "{:?} live",
        processes_with(&mark)
    );
    assert!(took < 20.0, "took {took} s");
    assert!(
        ran.stderr.contains("started"),
        "what it said is kept: {}",
        ran.stderr
    );
    let jobs = place.table("r/jobs.csv");
    let download = jobs.iter().find(|job| job["kind"] == "download").unwrap();
    assert_eq!(download["status"], "timed-out");
    let after = jobs.iter().find(|job| job["stage"] == "after").unwrap();
    assert_eq!(after["verdict"], "missing");
    let row = &place.table("r/results.csv")[0];
    assert_eq!(row["status"], "skipped");
    assert!(
        row["error"].contains("could not be fetched"),
        "{}",
        row["error"]
    );
    // The lock of a recipe stays, because another may be about to take it; nothing is in it.
    let inside = |folder: std::path::PathBuf| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let locks = place.store().join(".partial");
    let left: Vec<_> = (inside(place.store()).into_iter())
        .filter(|path| *path != locks)
        .chain(inside(locks.clone()))
        .filter(|path| path.metadata().unwrap().len() > 0)
        .collect();
    assert!(left.is_empty(), "a temporary place is left: {left:?}");
}

#[test]
fn a_recipe_that_makes_what_is_wanted_is_run_once_and_never_again() {
    let place = Place::new();
    place.write(
        "make.sh",
        "mkdir -p \"$1/mine/ggml-f16\" && printf hello > \"$1/mine/ggml-f16/m.bin\"\n",
    );
    let text = "version: 1\nname: recipe\nmatrix:\n  backend: [whisper-cpp]\n  model: [mine]\n  \
        audio: [jfk]\n  verify-method: [checksum]\nmodels:\n  mine:\n    size: tiny\n    artifacts:\n      \
        ggml-f16:\n        files: {m.bin: {bytes: 5, sha256: \
        2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824}}\n        \
        sources: [{recipe: r}]\nrecipes:\n  r: {command: [sh, ./make.sh, \"{{ destination }}\"], \
        produces: {mine: [ggml-f16]}}\n";
    place.write("a.yaml", text);
    place.run(&["download", "a.yaml"]).expect_status(0);
    let file = place.store().join("mine/ggml-f16/m.bin");
    assert_eq!(std::fs::read(&file).unwrap(), b"hello");
    // With the files there, the recipe is not run: it could not even be found.
    std::fs::remove_file(place.path().join("make.sh")).unwrap();
    place.run(&["download", "a.yaml"]).expect_status(0);
    // A flipped byte is found, and nothing wrong is put in its place.
    std::fs::write(&file, "hallo").unwrap();
    let ran = place.run(&["verify", "a.yaml"]).expect_status(3);
    assert!(ran.stdout.contains("corrupt") && ran.stdout.contains("SHA-256 is d3751d33"));
    place.write(
        "make.sh",
        "mkdir -p \"$1/mine/ggml-f16\" && printf hullo > \"$1/mine/ggml-f16/m.bin\"\n",
    );
    let ran = place.run(&["download", "a.yaml"]).expect_status(3);
    assert!(
        ran.stderr.contains("is not what was expected"),
        "{}",
        ran.stderr
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"hallo");
}

#[test]
fn a_recording_that_cannot_be_read_fails_its_row_only() {
    let place = Place::new();
    place.write("noise.wav", "this is no sound");
    let text = fake_matrix("", "audio: {mine: {file: noise.wav}}").replace("[jfk]", "[jfk, mine]");
    place.write("a.yaml", &text);
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(3);
    let rows = place.table("r/results.csv");
    assert_eq!(rows[0]["status"], "completed");
    assert_eq!(rows[1]["status"], "failed");
    assert!(
        rows[1]["error"].contains("noise.wav"),
        "{}",
        rows[1]["error"]
    );
}

#[test]
fn a_timed_process_is_bound_to_the_cpus_that_the_matrix_names() {
    let place = Place::new();
    let matrix = |cpus: &str| {
        format!(
            "version: 1\nname: pinned\nmatrix:\n  backend: [count]\n  model: [none]\n  \
             audio: [jfk]\n  verify-method: [cache-check]\nbackends:\n  \
             count: {{command: [nproc], output: text}}\nsettings: {{warmup: 0, repeat: 1}}\n\
             pin-cpus: [{cpus}]\n"
        )
    };
    place.write("a.yaml", &matrix("0"));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    assert_eq!(place.table("r/results.csv")[0]["hypothesis"], "1");
    place.write("a.yaml", &matrix("0, 1000"));
    place.run(&["run", "a.yaml", "--out", "s"]).expect_status(3);
    let row = &place.table("s/results.csv")[0];
    assert_eq!(row["status"], "failed");
    assert!(row["error"].contains("1000"), "{}", row["error"]);
}
