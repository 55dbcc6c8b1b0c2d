//! Verbs, exit statuses, and what is on which stream.

use crate::support::{Place, fake_matrix};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn check_says_what_a_file_makes() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("  beam-size: [1, 2, 4]", ""));
    let ran = place.run(&["check", "a.yaml"]).expect_status(0);
    assert_eq!(
        ran.stdout,
        "a.yaml: 3 combinations, 2 verifies, 0 downloads, 3 benchmarks\n"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn wrong_input_is_status_2_and_nothing_is_started() {
    let place = Place::new();
    let cases = [
        (
            "unknown engine",
            fake_matrix("", "").replace("[fake]", "[wisper-cpp]"),
            "whisper-cpp",
        ),
        (
            "missing audio",
            fake_matrix("", "").replace("[jfk]", "[jfkk]"),
            "did you mean `jfk`?",
        ),
        (
            "wrong key",
            fake_matrix("", "setings: {}"),
            "did you mean `settings`?",
        ),
        (
            "wrong type",
            fake_matrix("", "settings: {repeat: [6]}"),
            "write one value",
        ),
        (
            "no unit",
            fake_matrix("", "deadlines: {load: 5}"),
            "with its unit",
        ),
        (
            "out of range",
            fake_matrix("", "settings: {repeat: 0}"),
            "from 1 to 10000",
        ),
        (
            "missing key",
            "version: 1\nname: x\n".into(),
            "add `matrix: …`",
        ),
        (
            "missing file",
            fake_matrix("", "audio: {mine: {file: no.wav}}"),
            "no audio file",
        ),
    ];
    for (name, text, remedy) in cases {
        place.write("bad.yaml", &text);
        for verb in ["check", "plan", "run"] {
            let ran = place.run(&[verb, "bad.yaml"]).expect_status(2);
            assert!(ran.stderr.contains(remedy), "{name}: {}", ran.stderr);
            assert!(
                ran.stderr.contains("bad.yaml:"),
                "{name} has no place: {}",
                ran.stderr
            );
            assert_eq!(ran.stdout, "", "{name}");
        }
        assert!(
            !place.path().join("runs").exists(),
            "{name}: a run folder was made"
        );
    }
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    for arguments in [
        vec!["measure", "a.yaml"],
        vec!["run"],
        vec!["run", "a.yaml", "--filter", "beam"],
        vec!["run", "a.yaml", "--filter", "colour=red"],
        vec!["run", "nosuch.yaml"],
        vec!["report", "."],
        vec!["schema", "matirx"],
    ] {
        let ran = place.run(&arguments).expect_status(2);
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_finished_run_folder_is_not_written_again() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let ran = place.run(&["run", "a.yaml", "--out", "r"]).expect_status(2);
    assert!(ran.stderr.contains("holds a run already"), "{}", ran.stderr);
}

#[test]
fn reports_come_again_from_the_record_byte_for_byte() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("  tag.note: [\"=1+1\"]", ""));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let names = [
        "results.csv",
        "samples.csv",
        "jobs.csv",
        "combinations.csv",
        "report.html",
    ];
    let read = || names.map(|name| std::fs::read(place.path().join("r").join(name)).unwrap());
    let first = read();
    for name in names {
        std::fs::remove_file(place.path().join("r").join(name)).unwrap();
    }
    place.run(&["report", "r"]).expect_status(0);
    assert!(first == read());
    assert_eq!(place.table("r/combinations.csv")[0]["tag.note"], "'=1+1");
}

#[test]
fn a_plan_can_be_saved_and_run() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    let plan = place
        .run(&["plan", "a.yaml", "--format", "json"])
        .expect_status(0);
    place.write("plan.json", &plan.stdout);
    place
        .run(&["run", "plan.json", "--filter", "colour=red"])
        .expect_status(2);
    place
        .run(&["run", "plan.json", "--verify-method", "load"])
        .expect_status(2);
    place
        .run(&["run", "plan.json", "--out", "r"])
        .expect_status(0);
    assert_eq!(place.table("r/results.csv")[0]["status"], "completed");
}

#[test]
fn events_are_json_lines_on_standard_output() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    let ran = place
        .run(&["run", "a.yaml", "--out", "r", "--format", "json"])
        .expect_status(0);
    let events: Vec<serde_json::Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "run-started");
    assert_eq!(events.last().unwrap()["event"], "run-ended");
    let journal = std::fs::read_to_string(place.path().join("r/journal.jsonl")).unwrap();
    assert_eq!(journal, ran.stdout);
}

#[test]
fn a_gate_that_is_not_passed_is_status_1() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix("", "gates: [{metric: wer, max: 0.2}]"),
    );
    let ran = place.run(&["run", "a.yaml", "--out", "r"]).expect_status(1);
    assert!(
        ran.stderr.contains("above the gate's 0.2"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_interrupt_ends_in_order_with_a_report_and_status_130() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix(
            "  beam-size: [1, 2]",
            "settings: {fake-fault: hang-trial}\norder: matrix",
        ),
    );
    let mut child = place
        .command(&["run", "a.yaml", "--out", "r", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pid = rustix::process::Pid::from_child(&child);
    for line in lines {
        // The first engine is loaded: its first trial hangs now.
        if line.unwrap().contains("\"model-loaded\"") {
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let rows = place.table("r/results.csv");
    assert!(
        rows.iter().all(|row| row["status"] == "cancelled"),
        "{rows:?}"
    );
    assert!(place.path().join("r/report.html").exists());
}

#[test]
fn verify_answers_in_json_and_leaves_nothing_behind() {
    let place = Place::new();
    let text = fake_matrix("", "").replace("[fake]", "[whisper-cpp]");
    place.write("a.yaml", &text);
    let ran = place
        .run(&["verify", "a.yaml", "--format", "json"])
        .expect_status(3);
    let verify = &ran.json()["verifies"][0];
    assert_eq!(verify["verdict"], "missing");
    assert_eq!(verify["bytes_expected"], 77_704_715);
    assert_eq!(verify["files"][0]["name"], "ggml-tiny.en.bin");
    assert!(!place.store().exists());
    assert!(!place.path().join("runs").exists());
}

/// The older tool's `check-models`: engines and models by name, no matrix.
#[test]
fn models_are_asked_for_by_name() {
    let place = Place::new();
    let ran = place
        .run(&["verify", "--backend", "fake", "--model", "tiny.en"])
        .expect_status(0);
    assert!(ran.stdout.contains("complete"), "{}", ran.stdout);
    let unknown = place
        .run(&["check-models", "--backend", "fakes", "--model", "tiny.en"])
        .expect_status(2);
    assert!(
        unknown.stderr.contains("did you mean `fake`?"),
        "{}",
        unknown.stderr
    );
    place.run(&["verify", "--backend", "fake"]).expect_status(2);
}

/// Who names an engine that has no such model gets an answer, and not an empty table.
#[test]
fn what_an_engine_cannot_read_is_unsupported() {
    let place = Place::new();
    let arguments = [
        "verify",
        "--backend",
        "candle",
        "--model",
        "tiny.en",
        "--quantization",
        "q4_0",
        "--format",
        "json",
    ];
    let answer = place.run(&arguments).expect_status(3).json();
    let verify = &answer["verifies"][0];
    assert_eq!(verify["verdict"], "unsupported");
    assert_eq!(verify["job"], serde_json::Value::Null);
    assert!(verify["reason"].as_str().unwrap().len() > 10);
}
