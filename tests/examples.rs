//! The reports under `reports/examples`, which `make matrices` writes: every question has its answer,
//! and the answers hold what is claimed of the engines.

use crate::support::project;
use std::collections::BTreeMap;
use std::fs;

type Row = BTreeMap<String, String>;

fn table(question: &str, file: &str) -> Vec<Row> {
    let path = project().join("reports/examples").join(question).join(file);
    let mut reader = csv::Reader::from_path(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make matrices`", path.display()));
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let cells = header.iter().map(str::to_owned);
            cells.zip(row.iter().map(str::to_owned)).collect()
        })
        .collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// Returns the error rate of a configuration on everything that a question names.
fn wer(question: &str, wanted: &[(&str, &str)]) -> f64 {
    let rows = table(question, "summary.csv");
    let row = rows
        .iter()
        .find(|row| wanted.iter().all(|(column, value)| row[*column] == *value));
    number(
        row.unwrap_or_else(|| panic!("no row with {wanted:?}")),
        "wer",
    )
}

#[test]
fn every_question_has_an_answer_in_which_every_job_completed() {
    let makefile = fs::read_to_string(project().join("Makefile")).unwrap();
    let (_, rest) = makefile.split_once("QUESTIONS :=").unwrap();
    let (questions, _) = rest.split_once("\n\n").unwrap();
    let questions: Vec<&str> = questions
        .split_whitespace()
        .filter(|w| *w != "\\")
        .collect();
    assert!(questions.len() >= 7);
    for question in questions {
        assert!(
            project()
                .join("matrices")
                .join(format!("{question}.yaml"))
                .exists()
        );
        let rows = table(question, "results.csv");
        assert!(!rows.is_empty());
        for row in rows {
            assert_eq!(row["status"], "completed", "{question}: {}", row["job_id"]);
            assert_eq!(row["synthetic"], "false");
            assert_eq!(row["build_profile"], "release");
        }
        let folder = project().join("reports/examples").join(question);
        let page = fs::read_to_string(folder.join("report.html")).unwrap();
        assert!(
            page.contains("Fastest with WER"),
            "{question} has no answer"
        );
        // Nothing of the machine that is no fact about it: the page writes a slash as `&#x2f;`.
        let jobs = fs::read_to_string(folder.join("jobs.csv")).unwrap();
        for private in ["/home/", "/root/", "/tmp/", "/models/"] {
            assert!(!jobs.contains(private), "{question}: {private}");
            assert!(
                !page.contains(&private.replace('/', "&#x2f;")),
                "{question}: {private}"
            );
        }
    }
}

#[test]
fn both_engines_hear_english_and_hear_nearly_the_same() {
    let of = |backend| {
        wer(
            "which-engine",
            &[("backend", backend), ("data_set", "english")],
        )
    };
    let (whisper_cpp, candle) = (of("whisper-cpp"), of("candle"));
    assert!(
        whisper_cpp < 0.10 && candle < 0.10,
        "{whisper_cpp} {candle}"
    );
    assert!(
        (whisper_cpp - candle).abs() < 0.02,
        "{whisper_cpp} {candle}"
    );
}

#[test]
fn base_holds_in_spanish() {
    for backend in ["whisper-cpp", "candle"] {
        let wer = wer(
            "other-languages",
            &[("backend", backend), ("language", "es")],
        );
        assert!(wer < 0.30, "{backend}: {wer}");
    }
}

#[test]
fn the_long_recording_is_heard_whole_and_no_line_twice() {
    for row in table("long-audio", "results.csv") {
        let (deletions, words) = (number(&row, "deletions"), number(&row, "reference_words"));
        assert!(
            deletions / words < 0.05,
            "{}: {deletions} of {words} are missing",
            row["job_id"]
        );
        assert!(
            !row["notes"].contains("repeats itself"),
            "{}: {}",
            row["job_id"],
            row["notes"]
        );
        assert!(number(&row, "audio_seconds") > 50.0);
    }
}

#[test]
fn the_quickstart_measures_for_less_than_two_minutes() {
    let jobs = table("quickstart", "jobs.csv");
    let seconds: f64 = jobs
        .iter()
        .filter(|job| job["kind"] == "benchmark")
        .map(|job| number(job, "seconds"))
        .sum();
    assert!(seconds < 120.0, "{seconds}");
    assert!(jobs.iter().all(|job| job["status"] != "skipped"));
}
