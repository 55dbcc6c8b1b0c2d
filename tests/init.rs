//! What newcomers and packagers ask for: a first matrix, completions, the manual.

use crate::support::Place;
use std::fs;
use std::process::Command;

const PATTERNS: [&str; 4] = ["", "smoke", "compare-quantization", "nightly"];

fn init(place: &Place, pattern: &str) -> String {
    let mut arguments = vec!["init"];
    if !pattern.is_empty() {
        arguments.extend(["--from", pattern]);
    }
    let ran = place.run(&arguments).expect_status(0);
    let file = ran.stdout.trim_end().to_owned();
    assert!(ran.stderr.contains(&format!("earmark run {file}")));
    file
}

#[test]
fn what_init_writes_passes_check_without_a_warning() {
    let place = Place::new();
    let schema: serde_json::Value =
        serde_json::from_str(&earmark::schema::schema("matrix").unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for pattern in PATTERNS {
        let file = init(&place, pattern);
        let ran = place.run(&["check", "--strict", &file]).expect_status(0);
        assert_eq!(ran.stderr, "", "{pattern}");
        assert!(!ran.stdout.contains("skipped"), "{pattern}: {}", ran.stdout);
        let text = fs::read_to_string(place.path().join(&file)).unwrap();
        assert!(
            text.starts_with("# "),
            "{pattern} does not open with its question"
        );
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert!(validator.is_valid(&value), "{pattern}");
    }
}

#[test]
fn the_smoke_matrix_of_init_runs() {
    let place = Place::new();
    let file = init(&place, "smoke");
    place.run(&["run", &file, "--out", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["status"] == "completed"));
}

/// Without an engine of its own the program still writes something that runs, and says so.
#[cfg(not(any(feature = "whisper-cpp", feature = "candle")))]
#[test]
fn without_engines_the_fake_one_stands_in() {
    let place = Place::new();
    for pattern in PATTERNS {
        let file = init(&place, pattern);
        let text = fs::read_to_string(place.path().join(&file)).unwrap();
        assert_eq!(
            text.contains("so the fake engine stands in"),
            pattern != "smoke"
        );
        assert!(
            text.contains("# Not here: whisper-cpp (this build"),
            "{text}"
        );
        place
            .run(&[
                "run",
                &file,
                "--out",
                &format!("r-{file}"),
                "--format",
                "json",
            ])
            // The gate of the nightly one is above what the fake engine hears.
            .expect_status(i32::from(pattern == "nightly"));
    }
}

/// Names each engine that is built in, and only models that can be had.
#[cfg(feature = "whisper-cpp")]
#[test]
fn init_names_what_is_ready() {
    let place = Place::new();
    let file = init(&place, "compare-quantization");
    let text = fs::read_to_string(place.path().join(&file)).unwrap();
    assert!(text.contains("backend: [whisper-cpp]"), "{text}");
    assert!(text.contains("quantization: [f16, q8_0, q5_1, q5_0, q4_0]"));
    // Without Python no model can be made, and none is here.
    let ran = place
        .command(&["init", "bare.yaml"])
        .env("PATH", place.path())
        .status()
        .unwrap();
    assert!(ran.success());
    let text = fs::read_to_string(place.path().join("bare.yaml")).unwrap();
    assert!(text.contains("no model that it reads is here"), "{text}");
    assert!(text.contains("backend: [fake]"), "{text}");
}

#[test]
fn a_file_is_overwritten_only_by_force() {
    let place = Place::new();
    place.write("mine.yaml", "precious");
    let ran = place.run(&["init", "mine.yaml"]).expect_status(2);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(
        fs::read_to_string(place.path().join("mine.yaml")).unwrap(),
        "precious"
    );
    place
        .run(&["init", "mine.yaml", "--force"])
        .expect_status(0);
    place.run(&["check", "mine.yaml"]).expect_status(0);
    place
        .run(&["init", "matrices/a.yaml", "--from", "smoke"])
        .expect_status(0);
    place.run(&["init", "."]).expect_status(2);
    place.run(&["init", "--from", "nosuch"]).expect_status(2);
}

#[test]
fn completions_know_verbs_and_values() {
    let place = Place::new();
    for (shell, word) in [
        ("bash", "--verify-method"),
        ("zsh", "_earmark"),
        ("fish", "complete -c earmark"),
        ("elvish", "earmark"),
        ("powershell", "earmark"),
    ] {
        let script = place.run(&["completions", shell]).expect_status(0).stdout;
        for word in [word, "completions", "init"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
        // clap completes values in these.
        if ["bash", "zsh", "fish"].contains(&shell) {
            assert!(script.contains("cache-check") && script.contains("mermaid"));
        }
        if shell == "bash" {
            let file = place.write("earmark.bash", &script);
            let read = Command::new("bash")
                .args(["-n", &file])
                .current_dir(place.path())
                .status();
            assert!(read.unwrap().success());
        }
    }
    place.run(&["completions", "tcsh"]).expect_status(2);
}

#[test]
fn the_manual_has_a_page_for_every_verb() {
    let place = Place::new();
    let page = place.run(&["man"]).expect_status(0).stdout;
    assert!(page.contains(".TH earmark 1"), "{page}");
    assert!(page.contains("EARMARK_HOME"));
    assert!(page.contains("earmark\\-plan(1)"));
    place.run(&["man", "--out", "pages"]).expect_status(0);
    for verb in earmark::cli::command().get_subcommands() {
        let page = place
            .path()
            .join(format!("pages/earmark-{}.1", verb.get_name()));
        assert!(page.is_file(), "{}", page.display());
    }
}
