//! The matrix language beyond one file and one machine: `extends`, the machine's facts, values of
//! the environment, and the text that was written, from the file to the page.

use crate::support::{Place, fake_matrix, project};
use std::fs;

const BASE: &str = "version: 1\nname: base\ndescription: What all have in common.\nmatrix:\n  \
    backend: [fake]\n  model: [tiny.en]\n  audio: [jfk]\n  verify-method: [cache-check]\n  \
    beam-size: [1, 2]\nsettings: {repeat: 2, warmup: 0}\ndeadlines: {load: 5s, grace: 1s}\n";

#[test]
fn a_matrix_is_laid_over_another_axis_by_axis() {
    let place = Place::new();
    place.write("common/base.yaml", BASE);
    place.write(
        "m.yaml",
        "version: 1\nextends: common/base.yaml\nmatrix:\n  beam-size: [4]\n  tag.a: [x, y]\n\
         settings: {repeat: 3}\ndeadlines: {load: 9s}\n",
    );
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    assert_eq!(plan["name"], "m");
    assert_eq!(plan["description"], "What all have in common.");
    // Axes come in the order of the base, then the new ones.
    assert_eq!(
        plan["axes"],
        serde_json::json!([
            "backend",
            "model",
            "audio",
            "verify-method",
            "beam-size",
            "tag.a"
        ])
    );
    assert_eq!(plan["combinations"].as_array().unwrap().len(), 2);
    let benchmark = plan["jobs"].as_array().unwrap().last().unwrap();
    assert_eq!(benchmark["spec"]["repeat"], 3);
    assert_eq!(benchmark["spec"]["warmup"], 0);
    assert_eq!(plan["deadlines"]["load"], 9);
    assert_eq!(plan["deadlines"]["grace"], 1);
    // Every value tells where it comes from.
    assert_eq!(
        plan["origins"]["beam-size"],
        serde_json::json!([{"value": 4, "file": "m.yaml", "line": 4}])
    );
    assert_eq!(
        plan["origins"]["audio"],
        serde_json::json!([{"value": "jfk", "file": "common/base.yaml", "line": 7}])
    );
    assert_eq!(plan["extends"]["common/base.yaml"], BASE);
    // The plan is the same from another folder.
    let elsewhere = place
        .command(&["plan", "../m.yaml", "--format", "json"])
        .current_dir(place.path().join("common"))
        .output()
        .unwrap();
    let elsewhere: serde_json::Value = serde_json::from_slice(&elsewhere.stdout).unwrap();
    assert_eq!(elsewhere, plan);
}

#[test]
fn mistakes_in_an_extended_file_are_told_where_they_are() {
    let place = Place::new();
    place.write("common/base.yaml", &BASE.replace("[1, 2]", "[1, many]"));
    place.write("m.yaml", "version: 1\nextends: common/base.yaml\n");
    let ran = place.run(&["check", "m.yaml"]).expect_status(2);
    assert!(
        ran.stderr.contains("common/base.yaml:9:18"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("matrix.beam-size"), "{}", ran.stderr);
    // What is replaced does no harm.
    place.write(
        "m.yaml",
        "version: 1\nextends: common/base.yaml\nmatrix: {beam-size: [4]}\n",
    );
    place.run(&["check", "m.yaml"]).expect_status(0);
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let place = Place::new();
    place.write("common/a.wav", "not looked into");
    place.write(
        "common/base.yaml",
        &format!("{BASE}audio: {{mine: {{file: a.wav}}}}\n"),
    );
    place.write(
        "m.yaml",
        "version: 1\nextends: common/base.yaml\nmatrix: {audio: [mine]}\n",
    );
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    let file = plan["audio"]["mine"]["utterances"][0]["source"]["file"]
        .as_str()
        .unwrap();
    assert!(file.ends_with("common/a.wav"), "{file}");
}

#[test]
fn what_cannot_be_extended_is_refused() {
    let place = Place::new();
    place.write("a.yaml", "version: 1\nextends: b.yaml\n");
    place.write("b.yaml", "version: 1\nextends: ./a.yaml\n");
    place.write("self.yaml", "version: 1\nextends: self.yaml\n");
    place.write("missing.yaml", "version: 1\nextends: nowhere.yaml\n");
    place.write("folder.yaml", "version: 1\nextends: .\n");
    place.write("old.yaml", "name: old\n");
    place.write("onold.yaml", "version: 1\nextends: old.yaml\n");
    place.write("broken.yaml", "version: 1\nname: [\n");
    place.write("onbroken.yaml", "version: 1\nextends: broken.yaml\n");
    place.write("half.yaml", "version: 1\nmatrix: {backend: [fake]}\n");
    place.write("onhalf.yaml", "version: 1\nextends: half.yaml\n");
    for (file, reason, at) in [
        ("a.yaml", "`./a.yaml` extends this file", "b.yaml:2:10"),
        ("self.yaml", "extends this file", "self.yaml:2:10"),
        (
            "missing.yaml",
            "`nowhere.yaml` cannot be read",
            "missing.yaml:2:10",
        ),
        ("folder.yaml", "it is no file", "folder.yaml:2:10"),
        ("onold.yaml", "says `version: 1` too", "old.yaml:1:1"),
        ("onbroken.yaml", "the `[` is never closed", "broken.yaml:"),
        (
            "onhalf.yaml",
            "the axis `model` is missing",
            "half.yaml:2:1",
        ),
    ] {
        let ran = place.run(&["check", file]).expect_status(2);
        assert!(
            ran.stderr.contains(reason) && ran.stderr.contains(at),
            "{file}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_plan_records_the_facts_that_its_conditions_asked_for() {
    let place = Place::new();
    let text = fake_matrix(
        "  beam-size: [1, {value: 2, if: cores >= 1 and memory > 0}]",
        "",
    );
    place.write("m.yaml", &text);
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    let facts = plan["facts"].as_object().unwrap();
    assert_eq!(facts.keys().collect::<Vec<_>>(), ["cores", "memory"]);
    place.write("m.yaml", &fake_matrix("  beam-size: [1, 2]", ""));
    let without = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    assert_eq!(without["facts"], serde_json::json!({}));
    // The combinations are what matters to a job, not how they came about.
    assert_eq!(plan["jobs"], without["jobs"]);
}

const WITH_VARIABLES: &str = "version: 1\nname: variables\nmatrix:\n  backend: [whisper-cpp]\n  \
    model: [mine]\n  audio: [clip]\n  verify-method: [checksum]\nmodels:\n  mine:\n    size: tiny\n    \
    artifacts:\n      ggml-f16: {files: {m.bin: {bytes: 5}}, sources: [{recipe: r}]}\nrecipes:\n  r:\n    \
    command: [sh, \"${env:EARMARK_TEST_FOLDER}/make.sh\", \"{{ destination }}\", \
    \"${env:EARMARK_TEST_TOKEN}\"]\n    produces: {mine: [ggml-f16]}\naudio:\n  clip: {file: \
    \"${env:EARMARK_TEST_FOLDER}/a.wav\"}\n";

#[test]
fn values_of_the_environment_are_filled_in_and_recorded_by_name() {
    let place = Place::new();
    place.write("m.yaml", WITH_VARIABLES);
    place.write("secret-place/a.wav", "not looked into");
    place.write(
        "secret-place/make.sh",
        "test \"$2\" = s3cret-token || exit 1\necho token $2 >&2\necho told $2\n\
         mkdir -p \"$1/mine/ggml-f16\" && printf hello > \"$1/mine/ggml-f16/m.bin\"\n",
    );
    let folder = place.path().join("secret-place");
    let run = |arguments: &[&str]| {
        crate::support::Ran::from(
            place
                .command(arguments)
                .env("EARMARK_TEST_FOLDER", &folder)
                .env("EARMARK_TEST_TOKEN", "s3cret-token")
                .output()
                .unwrap(),
        )
    };
    let planned = run(&["plan", "m.yaml", "--format", "json"]).expect_status(0);
    let plan = planned.json();
    assert_eq!(
        plan["environment"],
        serde_json::json!(["EARMARK_TEST_FOLDER", "EARMARK_TEST_TOKEN"])
    );
    place.write("saved/plan.json", &planned.stdout);
    // The benchmark cannot run without its engine, so the download is what uses them.
    let text = WITH_VARIABLES.replace("[whisper-cpp]", "[whisper-cpp, fake]");
    place.write("m.yaml", &text);
    let ran = run(&["run", "m.yaml", "--out", "r"]);
    assert!(ran.status == 0 || ran.status == 3, "{}", ran.stderr);
    let mut files = vec![place.path().join("saved/plan.json")];
    let mut folders = vec![place.path().join("r")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    assert!(files.len() > 5);
    for file in files {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        for secret in ["s3cret-token", "secret-place"] {
            assert!(!text.contains(secret), "{} holds {secret}", file.display());
        }
    }
    for secret in ["s3cret-token", "secret-place"] {
        assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
    }
}

#[test]
fn variables_that_are_not_set_are_told() {
    let place = Place::new();
    let text = WITH_VARIABLES.replace("clip", "jfk").replace(
        "audio:\n  jfk: {file: \"${env:EARMARK_TEST_FOLDER}/a.wav\"}\n",
        "backends: {other: {command: [x, \"${env:EARMARK_TEST_TOKEN}\"]}}\n",
    );
    place.write("m.yaml", &text);
    let ran = place.run(&["check", "m.yaml"]).expect_status(0);
    assert!(
        ran.stderr.contains("`EARMARK_TEST_TOKEN` is not set here"),
        "{}",
        ran.stderr
    );
    place.run(&["check", "--strict", "m.yaml"]).expect_status(2);
    let ran = place.run(&["run", "m.yaml", "--out", "r"]).expect_status(2);
    assert!(
        ran.stderr.contains("`EARMARK_TEST_TOKEN` is not set here"),
        "{}",
        ran.stderr
    );
    assert!(!place.path().join("r").exists(), "nothing is started");
    // Recordings are looked up when the plan is made.
    place.write("m.yaml", WITH_VARIABLES);
    let ran = place.run(&["check", "m.yaml"]).expect_status(2);
    assert!(!ran.stderr.contains("unknown clip"), "{}", ran.stderr);
}

#[test]
fn variables_stand_only_where_they_decide_nothing_that_is_measured() {
    let place = Place::new();
    for (axes, rest) in [
        ("  tag.a: [\"${env:HOME}\", b]", ""),
        ("  include: [{tag.a: \"${env:HOME}\"}]", ""),
        ("", "settings: {beam-size: \"${env:HOME}\"}"),
        (
            "",
            "audio: {mine: {file: a.wav, reference: \"${env:HOME}\"}}",
        ),
    ] {
        place.write("a.wav", "");
        place.write("m.yaml", &fake_matrix(axes, rest));
        let ran = place.run(&["check", "m.yaml"]).expect_status(2);
        assert!(
            ran.stderr
                .contains("a value of the environment may not stand here"),
            "{}",
            ran.stderr
        );
    }
    place.write(
        "m.yaml",
        &fake_matrix("", "description: What of ${env:HOME}?"),
    );
    place.run(&["check", "--strict", "m.yaml"]).expect_status(0);
}

#[test]
fn values_keep_the_text_that_was_written() {
    let place = Place::new();
    let written = ["3.10", "1e3", "0x1F", "no", "12:30"];
    let axes = format!(
        "  tag.release: [{}]\n  beam-size: [0x1F, 31]\n  fake-seconds: [1e-3, 0.0010]",
        written.join(", ")
    );
    place.write(
        "m.yaml",
        &fake_matrix(&axes, "settings: {repeat: 0x2, warmup: 0}"),
    );
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    let combinations = plan["combinations"].as_array().unwrap();
    assert_eq!(combinations.len(), 20);
    let labels: Vec<&str> = combinations
        .iter()
        .step_by(4)
        .map(|combination| combination["tag.release"].as_str().unwrap())
        .collect();
    assert_eq!(labels, written);
    assert_eq!(combinations[0]["beam-size"], "0x1F");
    assert_eq!(combinations[0]["fake-seconds"], "1e-3");
    assert_eq!(combinations[1]["fake-seconds"], "0.0010");
    // Numeric settings are numbers: all of it is one job.
    let benchmarks: Vec<_> = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["kind"] == "benchmark")
        .collect();
    assert_eq!(benchmarks.len(), 1);
    assert_eq!(benchmarks[0]["spec"]["settings"]["beam-size"], 31);
    assert_eq!(benchmarks[0]["spec"]["repeat"], 2);

    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let row = &place.table("r/results.csv")[0];
    assert_eq!(row["beam_size"], "0x1F");
    assert_eq!(row["setting.fake-seconds"], "1e-3");
    assert_eq!(row["n"], "2");
    let table = place.table("r/combinations.csv");
    let column = |name: &str| -> Vec<String> {
        table
            .iter()
            .step_by(4)
            .map(|row| row[name].clone())
            .collect()
    };
    assert_eq!(column("tag.release"), written);
    assert_eq!(table[2]["beam-size"], "31");
    let page = fs::read_to_string(place.path().join("r/report.html")).unwrap();
    for text in ["0x1F", "1e-3"] {
        assert!(
            page.contains(&format!(">{text}<")),
            "the page shows no {text}"
        );
    }
}

#[test]
fn what_an_engine_refuses_is_not_taken_for_what_it_can_do() {
    let place = Place::new();
    let text = fake_matrix("  beam-size: [1, 4096]", "");
    place.write("m.yaml", &text);
    let ran = place.run(&["check", "m.yaml"]).expect_status(2);
    assert!(ran.stderr.contains("from 1 to 1024"), "{}", ran.stderr);
    // Two engines, of which one takes it: the other's default is still measured.
    let text = fake_matrix("  beam-size: [1, 1000]", "").replace("[fake]", "[fake, candle]");
    place.write("m.yaml", &text);
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    let benchmarks = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["kind"] == "benchmark");
    assert_eq!(benchmarks.count(), 4);
}

/// Every example of the format's page is laid over a small matrix and checked.
#[test]
fn the_examples_of_the_format_are_sound() {
    let place = Place::new();
    let page = fs::read_to_string(project().join("matrices/README.md")).unwrap();
    place.write("base.yaml", &fake_matrix("", ""));
    place.write("clips/a.flac", "not looked into");
    let mut count = 0;
    for block in page.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        count += 1;
        let extends = if block.contains("extends:") {
            ""
        } else {
            "extends: base.yaml\n"
        };
        place.write("m.yaml", &format!("version: 1\n{extends}{block}"));
        let ran = place.run(&["check", "m.yaml"]);
        assert_eq!(ran.status, 0, "{block}\n{}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{block}\n{}", ran.stderr);
    }
    assert!(count >= 9, "{count} examples");
}
