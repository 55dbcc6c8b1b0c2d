//! Plans that are shown, kept, compared, and carried out later.

use crate::support::{Place, fake_matrix};
use serde_json::Value;

/// A matrix with a download, a skip and two engines, planned as if all engines were here.
const MIXED: &str = "version: 1
name: quants
description: Does quantizing cost accuracy?
matrix:
  backend: [whisper-cpp, fake]
  model: [tiny.en]
  audio: [jfk, mls-es-13697]
  verify-method: [load]
  quantization: [f16, q5_1]
  exclude: [{backend: fake, quantization: f16}]
settings: {language: en}
";

fn shown(place: &Place, arguments: &[&str]) -> String {
    let mut all = vec!["plan", "--assume-ready"];
    all.extend(arguments);
    place.run(&all).expect_status(0).stdout
}

/// A change of a plan by hand.
type Edit = fn(&mut Value);

/// Writes a matrix's plan to `plan.json`.
fn keep(place: &Place, matrix: &str) -> Value {
    let plan = place
        .run(&["plan", matrix, "--format", "json"])
        .expect_status(0);
    place.write("plan.json", &plan.stdout);
    plan.json()
}

#[test]
fn every_format_of_a_plan() {
    let place = Place::new();
    place.write("m.yaml", &MIXED.replace("settings: {language: en}\n", ""));
    let mut text = String::new();
    for format in ["table", "markdown", "dot", "mermaid", "github"] {
        text.push_str(&format!(
            "── {format}\n{}\n",
            shown(&place, &["m.yaml", "--format", format])
        ));
    }
    text.push_str(&format!("── why\n{}", shown(&place, &["m.yaml", "--why"])));
    insta::assert_snapshot!(text);
}

#[test]
fn bytes_that_are_here_are_not_fetched() {
    let place = Place::new();
    let own = "models:
  own: {size: tiny, artifacts: {ggml-f16: {files: {m.bin: {bytes: 2500000}}, sources: [{url: \"https://example.org/m.bin\"}]}}}
";
    let text = fake_matrix("", own)
        .replace("[fake]", "[whisper-cpp]")
        .replace("[tiny.en]", "[own]");
    place.write("m.yaml", &text);
    assert!(shown(&place, &["m.yaml"]).contains("to fetch   2.5 MB, if the verifies"));
    let folder = place.store().join("own/ggml-f16");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("m.bin"), vec![0; 2_500_000]).unwrap();
    assert!(shown(&place, &["m.yaml"]).contains("to fetch   nothing: all of it is here"));
}

#[test]
fn a_limit_counts_the_length_of_the_audio_where_it_is_known() {
    let place = Place::new();
    // Eleven seconds of audio at 100 s each, seven trials, one minute each to start and to load.
    let limits = "deadlines: {benchmark: {floor: 60s, per-audio-second: 100s}, grace: 0s}";
    place.write("m.yaml", &fake_matrix("", limits));
    assert!(shown(&place, &["m.yaml"]).contains("at most    2 h 10 min by the deadlines"));
}

#[test]
fn a_job_matrix_of_github_has_at_most_256_entries_and_only_plain_words() {
    let place = Place::new();
    let threads: Vec<String> = (1..=257).map(|number| number.to_string()).collect();
    let axis = format!("  threads: [{}]", threads.join(", "));
    place.write("many.yaml", &fake_matrix(&axis, ""));
    // More would be too many: then an entry is a part of the plan.
    let parts = place
        .run(&["plan", "many.yaml", "--format", "github"])
        .expect_status(0)
        .json();
    assert_eq!(parts["include"][0]["requires"], "none");
    assert_eq!(
        parts["include"][0]["runs-on"],
        serde_json::json!(["ubuntu-24.04"])
    );
    let some = place
        .run(&[
            "plan",
            "many.yaml",
            "--format",
            "github",
            "--filter",
            "threads=25?",
        ])
        .expect_status(0)
        .json();
    assert_eq!(some["include"].as_array().unwrap().len(), 8);

    place.write(
        "bad.yaml",
        &fake_matrix("", "").replace("[tiny.en]", "[\"$(id)\"]"),
    );
    let ran = place
        .run(&["plan", "bad.yaml", "--format", "github"])
        .expect_status(2);
    assert!(ran.stderr.contains("`model`: \"$(id)\""), "{}", ran.stderr);

    let label = fake_matrix("  tag.note: [\"a; rm -rf `x`\\n::error::\", 3.10]", "");
    place.write("label.yaml", &label);
    let ran = place
        .run(&["plan", "label.yaml", "--format", "github"])
        .expect_status(0);
    assert!(ran.stderr.contains("`tag.note`"), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 1);
    let entries = ran.json()["include"].clone();
    assert_eq!(entries[0]["tag.note"], "a__rm_-rf__x__::error::");
    assert_eq!(entries[1]["tag.note"], "3.10");
}

#[test]
fn a_plan_with_files_of_ones_own_is_the_same_from_any_folder() {
    let place = Place::new();
    place.write("a.wav", "not looked into");
    place.write("list.csv", "file,reference,language\na.wav,hi,en\n");
    place.write("elsewhere/x", "");
    let text = fake_matrix(
        "",
        "audio: {mine: {file: a.wav}, set: {manifest: list.csv}}
models: {own: {size: tiny, artifacts: {ggml-f16: {files: {m.bin: {}}, sources: [{path: store}, {recipe: r}]}}}}
recipes: {r: {command: [make], produces: {own: [ggml-f16]}}}",
    )
    .replace("[jfk]", "[mine, set]")
    .replace("[fake]", "[fake, whisper-cpp]")
    .replace("[tiny.en]", "[own]");
    place.write("m.yaml", &text);
    let arguments = ["plan", "m.yaml", "--format", "json", "--assume-ready"];
    let here = place.run(&arguments).expect_status(0).stdout;
    assert_eq!(here, place.run(&arguments).expect_status(0).stdout);
    for matrix in ["../m.yaml", "../elsewhere/../m.yaml"] {
        let there = place
            .command(&["plan", matrix, "--format", "json", "--assume-ready"])
            .current_dir(place.path().join("elsewhere"))
            .output()
            .unwrap();
        assert_eq!(here, String::from_utf8(there.stdout).unwrap(), "{matrix}");
    }
}

#[test]
fn a_kept_plan_says_the_same_when_it_is_read_again() {
    let place = Place::new();
    place.write(
        "m.yaml",
        &fake_matrix(
            "  tag.release: [3.10, 3.1, 1e3, 0x1F, no, 2.0]\n  threads: [2, 2.0]\n  fake-seconds: [0.0, 0, 0.001]",
            "gates: [{metric: wer, max: 0.12345678901234567}]\ndeadlines: {overrides: [{backend: fake, load: 1500ms}]}",
        ),
    );
    keep(&place, "m.yaml");
    let again = place
        .run(&["plan", "plan.json", "--format", "json"])
        .expect_status(0);
    assert_eq!(again.stderr, "");
    assert_eq!(
        again.stdout,
        std::fs::read_to_string(place.path().join("plan.json")).unwrap()
    );
}

#[test]
fn a_kept_plan_that_is_not_true_any_more_is_refused_and_says_why() {
    let place = Place::new();
    let reset = || {
        place.write("a.wav", "one");
        place.write("list.csv", "file,reference,language\na.wav,hi,en\n");
        let text = fake_matrix(
            "",
            "audio: {mine: {file: a.wav}, set: {manifest: list.csv}}",
        )
        .replace("[jfk]", "[jfk, mine, set]")
        .replace("[fake]", "[fake, whisper-cpp]");
        place.write("m.yaml", &text);
        let plan = place
            .run(&["plan", "m.yaml", "--format", "json"])
            .expect_status(0);
        place.write("plan.json", &plan.stdout);
        plan.json()
    };
    let refused = |reason: &str| {
        for more in [&["--dry-run"][..], &[], &["--filter", "audio=jfk"]] {
            let mut arguments = vec!["run", "plan.json", "--out", "r"];
            arguments.extend(more);
            let ran = place.run(&arguments).expect_status(2);
            assert!(ran.stderr.contains(reason), "{reason}: {}", ran.stderr);
            assert!(ran.stderr.contains("nothing was started"), "{}", ran.stderr);
            assert!(!place.path().join("r").exists());
        }
    };
    reset();
    place.write("a.wav", "two");
    refused("the recording `mine` is not what it was");
    reset();
    place.write("list.csv", "file,reference,language\na.wav,ho,en\n");
    refused("the manifest of `set` is not what it was");
    reset();
    std::fs::remove_file(place.path().join("a.wav")).unwrap();
    refused("the recording `mine` cannot be read");

    let edits: [(Edit, &str); 7] = [
        (
            |plan| plan["engines"]["fake"]["version"] = "0".into(),
            "the engine `fake` has version 1, and had 0",
        ),
        (
            |plan| plan["engines"]["whisper-cpp"]["settings"][2]["description"] = "".into(),
            "the engine `whisper-cpp` takes other values for the setting `beam-size`",
        ),
        (
            |plan| {
                plan["models"]["tiny.en"]["artifacts"]["ggml-f16"]["files"]["ggml-tiny.en.bin"]["bytes"] =
                    1.into();
            },
            "the catalog has another `ggml-f16` of `tiny.en`: size or digest of ggml-tiny.en.bin changed",
        ),
        (
            |plan| plan["models"]["tiny.en"]["size"] = "base".into(),
            "describes the model `tiny.en` in another way",
        ),
        (
            |plan| plan["audio"]["jfk"]["utterances"][0]["reference"] = "And so".into(),
            "the recording `jfk` has another reference text",
        ),
        (
            |plan| plan["audio"]["jfk"]["utterances"][0]["sha256"] = "00".into(),
            "the recording `jfk` is another file",
        ),
        (
            |plan| plan["jobs"][0]["needs"] = serde_json::json!(["x"]),
            "its digest does not hold",
        ),
    ];
    for (edit, reason) in edits {
        let mut plan = reset();
        edit(&mut plan);
        place.write("plan.json", &plan.to_string());
        refused(reason);
    }
    let mut plan = reset();
    plan["version"] = 2.into();
    place.write("plan.json", &plan.to_string());
    let ran = place.run(&["run", "plan.json"]).expect_status(2);
    assert!(ran.stderr.contains("version 2"), "{}", ran.stderr);
}

#[test]
fn what_the_matrix_defines_itself_is_carried_by_the_plan() {
    let place = Place::new();
    place.write("a.wav", "x");
    let own = "models: {tiny.en: {size: small, artifacts: {}}, own: {size: tiny, artifacts: {}}}";
    place.write(
        "m.yaml",
        &fake_matrix("", own).replace("[tiny.en]", "[tiny.en, own]"),
    );
    keep(&place, "m.yaml");
    std::fs::remove_file(place.path().join("m.yaml")).unwrap();
    place
        .run(&["run", "plan.json", "--out", "r"])
        .expect_status(0);
}

#[test]
fn the_plan_in_the_run_folder_is_the_one_that_was_carried_out() {
    let place = Place::new();
    let text = fake_matrix("  beam-size: [1, 2]", "").replace("[tiny.en]", "[tiny.en, base]");
    place.write("m.yaml", &text);
    let kept = keep(&place, "m.yaml");
    let cases: [(&str, &[&str]); 5] = [
        ("m.yaml", &[]),
        ("plan.json", &[]),
        (
            "m.yaml",
            &["--filter", "model=base", "--filter", "beam-size=2"],
        ),
        ("plan.json", &["--filter", "model=base"]),
        (
            "plan.json",
            &["--download", "never", "--filter", "model=base"],
        ),
    ];
    for (number, (file, more)) in cases.into_iter().enumerate() {
        let folder = format!("r{number}");
        let mut arguments = vec!["run", file, "--out", &folder];
        arguments.extend(more);
        place.run(&arguments).expect_status(0);
        let path = format!("{folder}/plan.json");
        let text = std::fs::read_to_string(place.path().join(&path)).unwrap();
        let plan: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            plan["digest"] == kept["digest"],
            more.is_empty(),
            "{more:?}"
        );
        // Its seal holds: it can be carried out once more.
        place
            .run(&["run", &path, "--out", &format!("again{number}")])
            .expect_status(0);
    }
}

#[test]
fn the_command_line_can_change_whether_a_matrix_fetches() {
    let place = Place::new();
    place.write(
        "never.yaml",
        &MIXED.replace("name:", "download: never\nname:"),
    );
    place.write("missing.yaml", MIXED);
    let fetches = |arguments: &[&str]| -> bool {
        let ran = place.run(arguments).expect_status(0);
        ran.stdout.contains("download/recipe")
    };
    for (file, policy, expected) in [
        ("never.yaml", "missing", true),
        ("missing.yaml", "never", false),
    ] {
        // A dry run in a build without engines has no download to show.
        let plan = shown(&place, &[file, "--format", "json"]);
        assert_eq!(plan.contains("download/recipe"), !expected);
        if plan.contains("this build has no") {
            assert_eq!(
                fetches(&["run", file, "--dry-run", "--download", policy]),
                expected
            );
        }
    }
    let plan = place
        .run(&["plan", "never.yaml", "--format", "json"])
        .expect_status(0);
    place.write("plan.json", &plan.stdout);
    let ran = place
        .run(&["run", "plan.json", "--download", "missing"])
        .expect_status(2);
    assert!(ran.stderr.contains("without downloads"), "{}", ran.stderr);
}

#[test]
fn a_strict_run_of_a_kept_plan_refuses_its_skips() {
    let place = Place::new();
    let text = fake_matrix("  beam-size: [1, 900]", "");
    place.write("m.yaml", &text.replace("[fake]", "[fake, whisper-cpp]"));
    keep(&place, "m.yaml");
    let ran = place
        .run(&["run", "plan.json", "--strict"])
        .expect_status(2);
    assert!(ran.stderr.contains("cannot run here"), "{}", ran.stderr);
}

#[test]
fn a_comparison_shows_what_a_reviewer_wants_to_see() {
    let place = Place::new();
    place.write("old.yaml", MIXED);
    let new = MIXED.replace("mls-es-13697", "sonnet-1").replace(
        "{language: en}",
        "{repeat: 9, launches: 2}\ndeadlines: {load: 90s}\ngates: [{metric: wer, max: 0.2}]",
    );
    place.write("new.yaml", &new);
    let mut text = String::new();
    for format in ["table", "markdown", "json"] {
        let diff = shown(
            &place,
            &["new.yaml", "--diff", "old.yaml", "--format", format],
        );
        text.push_str(&format!("── {format}\n{diff}\n"));
    }
    let text: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("\"digest\": "))
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_comparison_tells_changes_of_settings_from_changes_of_combinations() {
    let place = Place::new();
    let diff = |old: &str, new: &str| -> Value {
        place.write("old.yaml", old);
        place.write("new.yaml", new);
        let text = shown(
            &place,
            &["new.yaml", "--diff", "old.yaml", "--format", "json"],
        );
        serde_json::from_str(&text).unwrap()
    };
    let base = fake_matrix("  beam-size: [1, 2]", "");
    let same = diff(&base, &base);
    assert_eq!(
        (&same["same"], &same["jobs"]["kept"]),
        (&true.into(), &4.into())
    );
    // Another order of the axes is no change of what is done.
    let turned = base
        .replace("  audio: [jfk]\n", "")
        .replace("matrix:\n", "matrix:\n  audio: [jfk]\n");
    let found = diff(&base, &turned);
    assert_eq!(found["combinations"]["kept"], 2);
    assert_eq!(found["jobs"]["kept"], 4);
    assert_eq!(found["changes"][0]["path"], "axes");
    // One value more is a combination and a job more.
    let more = diff(&base, &base.replace("[1, 2]", "[1, 2, 4]"));
    assert_eq!(more["combinations"]["added"][0]["beam-size"], 4);
    assert_eq!(more["jobs"]["added"].as_array().unwrap().len(), 1);
    assert_eq!(more["jobs"]["changed"], serde_json::json!([]));
    // A setting changes the jobs of the same combinations.
    let set = diff(&base, &(base.clone() + "settings: {repeat: 7}\n"));
    assert_eq!(set["combinations"]["kept"], 2);
    let changed = &set["jobs"]["changed"];
    assert_eq!(changed.as_array().unwrap().len(), 2);
    assert_eq!(
        changed[0]["changes"],
        serde_json::json!([{"path": "repeat", "old": 6, "new": 7}])
    );
    // A value that is written twice is a combination of its own.
    let twice = diff(&base, &base.replace("[1, 2]", "[1, 2, 2]"));
    assert_eq!(twice["combinations"]["added"].as_array().unwrap().len(), 1);
    assert_eq!(twice["jobs"]["kept"], 4);
}

#[test]
fn two_checkouts_of_one_matrix_are_the_same() {
    let place = Place::new();
    for folder in ["before", "after"] {
        place.write(&format!("{folder}/clips/a.wav"), "x");
        place.write(
            &format!("{folder}/m.yaml"),
            &fake_matrix("", "audio: {mine: {file: clips/a.wav}}").replace("[jfk]", "[mine]"),
        );
    }
    let arguments = [
        "after/m.yaml",
        "--diff",
        "before/m.yaml",
        "--format",
        "json",
    ];
    let same: Value = serde_json::from_str(&shown(&place, &arguments)).unwrap();
    assert_eq!(same["same"], true, "{same}");
    place.write("after/clips/a.wav", "y");
    let other: Value = serde_json::from_str(&shown(&place, &arguments)).unwrap();
    assert_eq!(
        other["changes"][0]["path"],
        "audio.mine.utterances.mine.sha256"
    );
}

#[test]
fn a_comparison_with_a_kept_plan_and_wrong_uses() {
    let place = Place::new();
    place.write("m.yaml", &fake_matrix("", ""));
    keep(&place, "m.yaml");
    let text = place
        .run(&["plan", "m.yaml", "--diff", "plan.json"])
        .expect_status(0)
        .stdout;
    assert_eq!(
        text,
        "no difference: 1 combination, 2 verifies, 0 downloads, 1 benchmark\n"
    );
    place.write("bad.yaml", &fake_matrix("", "setings: {}"));
    for arguments in [
        vec!["plan", "m.yaml", "--diff", "bad.yaml"],
        vec!["plan", "m.yaml", "--diff", "plan.json", "--format", "dot"],
        vec!["plan", "m.yaml", "--diff", "plan.json", "--why"],
        vec!["plan", "m.yaml", "--why", "--format", "json"],
        vec!["plan", "plan.json", "--verify-method", "load"],
        vec!["plan", "plan.json", "--assume-ready"],
    ] {
        let ran = place.run(&arguments).expect_status(2);
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
}
