//! Backends that a matrix defines: what is planned of them, and that nothing of them is executed.

use crate::support::{Place, Ran, fake_matrix};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Two programs: one that reads a model and has settings, and one that is told nothing but a file.
const TWO: &str = "version: 1
name: commands
description: Is the other program faster?
matrix:
  backend: [good-cli, plain-cli]
  model: [tiny.en]
  audio: [jfk]
  verify-method: [checksum]
  beam-size: [1, 5]
settings: {compute-type: int8}
backends:
  good-cli:
    command: [./good, -m, \"{{ model.path }}\", -f, \"{{ audio.wav }}\", -bs, \"{{ settings.beam-size }}\",
              -t, \"{{ threads }}\", -c, \"{{ settings.compute-type }}\", -o, \"{{ output }}\"]
    output: {file: \"{{ output }}/text.json\"}
    artifact: ggml-f16
    version: [./good, --version]
  plain-cli:
    command: [./plain, \"{{ audio.wav }}\"]
    output: {jsonpath: \"$.transcription[*].text\"}
";

/// A place with two programs that would leave a trace if they were started.
fn place() -> Place {
    let place = Place::new();
    for name in ["good", "plain"] {
        place.write(name, "#!/bin/sh\ntouch \"$(dirname \"$0\")\"/RAN\n");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(place.path().join(name), mode).unwrap();
    }
    place
}

/// Runs the program and expects that no command was started.
fn look(place: &Place, arguments: &[&str]) -> Ran {
    let ran = place.run(arguments).expect_status(0);
    assert!(!place.path().join("RAN").exists(), "{arguments:?}");
    ran
}

fn jobs<'p>(plan: &'p Value, kind: &str) -> Vec<&'p Value> {
    let jobs = plan["jobs"].as_array().unwrap().iter();
    jobs.filter(|job| job["kind"] == kind).collect()
}

#[test]
fn two_backends_as_a_reviewer_sees_them() {
    let place = place();
    place.write("m.yaml", TWO);
    let mut text = String::new();
    for arguments in [
        &["check", "m.yaml"][..],
        &["plan", "m.yaml"],
        &["plan", "m.yaml", "--format", "markdown"],
        &["plan", "m.yaml", "--why"],
    ] {
        let ran = look(&place, arguments);
        text.push_str(&format!(
            "── {}\n{}{}\n",
            arguments.join(" "),
            ran.stderr,
            ran.stdout
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_command_has_the_settings_that_it_names_and_refuses_others() {
    let place = place();
    place.write("m.yaml", TWO);
    let plan = look(&place, &["plan", "m.yaml", "--format", "json"]).json();
    let benchmarks = jobs(&plan, "benchmark");
    assert_eq!(benchmarks.len(), 4);
    assert_eq!(
        benchmarks[0]["spec"]["settings"],
        json!({"compute-type": "int8"})
    );
    assert_eq!(
        benchmarks[1]["spec"]["settings"],
        json!({"beam-size": 5, "compute-type": "int8"})
    );
    assert_eq!(benchmarks[0]["skip"], Value::Null);
    for refused in &benchmarks[2..] {
        assert_eq!(refused["skip"], "`plain-cli` has no setting `beam-size`");
    }
    let facts = &plan["engines"]["good-cli"];
    let names: Vec<&str> = facts["settings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|setting| setting["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["threads", "beam-size", "compute-type"]);
    assert_eq!(facts["availability"]["state"], "ready");
    assert_eq!(facts["artifacts"], json!({"f16": "ggml-f16"}));
}

#[test]
fn a_setting_without_a_value_is_a_planned_skip() {
    let place = place();
    place.write(
        "m.yaml",
        &TWO.replace("settings: {compute-type: int8}\n", ""),
    );
    let plan = look(&place, &["plan", "m.yaml", "--format", "json"]).json();
    let skip = jobs(&plan, "benchmark")[0]["skip"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        skip.contains("`settings.compute-type`") && skip.contains("under `settings:`"),
        "{skip}"
    );
}

#[test]
fn a_program_that_is_not_there_is_a_planned_skip_and_a_stale_plan() {
    let place = place();
    place.write("m.yaml", TWO);
    let kept = look(&place, &["plan", "m.yaml", "--format", "json"]).stdout;
    place.write("plan.json", &kept);
    assert_eq!(look(&place, &["plan", "plan.json"]).stderr, "");
    fs::remove_file(place.path().join("good")).unwrap();
    let plan = look(&place, &["plan", "m.yaml", "--format", "json"]).json();
    let skip = jobs(&plan, "benchmark")[0]["skip"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(skip.contains("there is no program `./good`"), "{skip}");
    place.run(&["check", "--strict", "m.yaml"]).expect_status(2);
    let stale = look(&place, &["plan", "plan.json"]).stderr;
    assert!(
        stale.contains("the engine `good-cli` cannot run here any more: there is no program"),
        "{stale}"
    );
    place.run(&["run", "plan.json"]).expect_status(2);
    assert!(!place.path().join("RAN").exists());
    let ready = look(
        &place,
        &["plan", "m.yaml", "--assume-ready", "--format", "json"],
    )
    .json();
    assert_eq!(jobs(&ready, "benchmark")[0]["skip"], Value::Null);
}

#[test]
fn a_command_is_not_asked_to_load_and_that_is_told_once() {
    let place = place();
    for (axis, arguments) in [
        ("[load, transcribe, cache-check]", &[][..]),
        ("[cache-check]", &["--verify-method", "transcribe"]),
    ] {
        place.write("m.yaml", &TWO.replace("[checksum]", axis));
        let mut all = vec!["plan", "m.yaml", "--format", "json"];
        all.extend(arguments);
        let ran = look(&place, &all);
        for id in ["good-cli", "plain-cli"] {
            let told = format!("`{id}` is a command and has no load phase");
            assert_eq!(ran.stderr.matches(&told).count(), 1, "{}", ran.stderr);
        }
        let plan = ran.json();
        let verifies = jobs(&plan, "verify");
        assert_eq!(verifies.len(), 2);
        for verify in verifies {
            assert_eq!(verify["spec"]["method"], "cache-check");
        }
    }
}

#[test]
fn a_command_without_an_artifact_takes_any_model() {
    let place = place();
    let text = TWO
        .replace("[good-cli, plain-cli]", "[plain-cli]")
        .replace("[tiny.en]", "[some-model-of-mine]")
        .replace("  beam-size: [1, 5]\nsettings: {compute-type: int8}\n", "");
    place.write("m.yaml", &text);
    let ran = look(&place, &["check", "--strict", "m.yaml"]);
    assert_eq!(
        ran.stdout,
        "m.yaml: 1 combination, 2 verifies, 0 downloads, 1 benchmark\n"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_limit_of_a_trial_covers_a_process() {
    let place = place();
    let text = TWO
        .replace("[good-cli, plain-cli]", "[plain-cli]")
        .replace("  beam-size: [1, 5]\nsettings: {compute-type: int8}\n", "")
        + "deadlines: {benchmark: {floor: 20s, per-audio-second: 0s}, grace: 1s, start: 1h, load: 1h}\n";
    place.write("m.yaml", &text);
    // Seven processes of at most twenty seconds, a second each to end, and one for the last of all.
    let shown = look(&place, &["plan", "m.yaml"]).stdout;
    assert!(shown.contains("2 min 28 s by the deadlines"), "{shown}");
}

#[test]
fn values_of_the_environment_are_filled_in_to_find_a_program_and_never_told() {
    let place = place();
    let rest =
        "backends:\n  mine: {command: [\"${env:EARMARK_TEST_BIN}/good\", \"{{ audio.wav }}\"]}";
    place.write("m.yaml", &fake_matrix("", rest).replace("[fake]", "[mine]"));
    let plan = |value: &std::path::Path| {
        let mut command = place.command(&["plan", "m.yaml", "--format", "json"]);
        command.env("EARMARK_TEST_BIN", value);
        Ran::from(command.output().unwrap()).expect_status(0)
    };
    let found = plan(place.path());
    assert_eq!(jobs(&found.json(), "benchmark")[0]["skip"], Value::Null);
    let missing = plan(std::path::Path::new("/no/such-secret-place"));
    assert!(!missing.stdout.contains("such-secret-place"));
    let plan = missing.json();
    let skip = jobs(&plan, "benchmark")[0]["skip"].as_str().unwrap();
    assert!(skip.contains("`${env:EARMARK_TEST_BIN}/good`"), "{skip}");
}

/// A program that fails with status 0 fails where the matrix says how one sees it.
#[test]
fn what_counts_as_failure_is_a_failed_trial_that_names_it() {
    let place = Place::new();
    let backend = |script: &str, fails: &str| {
        format!("{{command: [sh, -c, '{script}'], output: text, fails: {fails}}}")
    };
    let matrix = format!(
        "version: 1\nname: failing\nsettings: {{repeat: 1, warmup: 0}}\nbackends:\n  complains: {}\n  \
         mumbles: {}\n  is-silent: {}\n  may-be-silent: {}\nmatrix:\n  backend: [complains, mumbles, \
         is-silent, may-be-silent]\n  model: [m]\n  audio: [jfk]\n  verify-method: [cache-check]\n",
        backend(
            "echo words; echo error: no model >&2; echo later >&2",
            "{stderr: [\"error:\"]}"
        ),
        backend("echo words; printf cannot >&2", "{stderr: [never, cannot]}"),
        backend("echo ...", "{empty: true}"),
        backend("true", "{stderr: [never]}"),
    );
    place.write("m.yaml", &matrix);
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(3);
    let rows = place.table("r/results.csv");
    let status: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["backend"].as_str(), row["status"].as_str()))
        .collect();
    assert_eq!(
        status,
        [
            ("complains", "failed"),
            ("mumbles", "failed"),
            ("is-silent", "failed"),
            ("may-be-silent", "completed")
        ]
    );
    assert!(
        rows[0]["error"].contains("wrote `error:` on standard error"),
        "{}",
        rows[0]["error"]
    );
    assert!(
        rows[1]["error"].contains("wrote `cannot`"),
        "{}",
        rows[1]["error"]
    );
    assert!(
        rows[2]["error"].contains("has no letter"),
        "{}",
        rows[2]["error"]
    );
    assert!(
        rows[3]["notes"].contains("start and load cannot be told apart"),
        "{}",
        rows[3]["notes"]
    );
    assert_eq!(rows[3]["load_seconds"], "");
}
