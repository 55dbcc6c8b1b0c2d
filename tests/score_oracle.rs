//! Scores beside the programs that they promise to equal: `whisper-normalizer` and `jiwer`.
//!
//! These tests do nothing unless the environment variable `EARMARK_ORACLE_PYTHON` names a Python
//! 3.11 interpreter that has both packages. `EARMARK_ORACLE_LINES` sets the number of lines for
//! each normalizer; 20,000 if it is not set.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use earmark::score::{Normalizer, TextPair, score_all, score_set};
use serde_json::Value;

/// Runs one verb of the oracle script and returns its lines; `None` if no interpreter is named.
fn oracle(arguments: &[&str], input: &str) -> Option<Vec<String>> {
    let python = std::env::var_os("EARMARK_ORACLE_PYTHON")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/score_oracle.py");
    let mut child = Command::new(python)
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the interpreter that EARMARK_ORACLE_PYTHON names starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            stdin
                .write_all(input.as_bytes())
                .expect("the oracle reads its input");
        });
        child.wait_with_output().expect("the oracle ends")
    });
    assert!(output.status.success(), "the oracle failed: {arguments:?}");
    let text = String::from_utf8(output.stdout).expect("the oracle writes UTF-8");
    Some(text.split_terminator('\n').map(str::to_owned).collect())
}

fn line_count() -> String {
    std::env::var("EARMARK_ORACLE_LINES").unwrap_or_else(|_| "20000".to_owned())
}

#[test]
fn normalizers_equal_the_reference() {
    for (normalizer, seed) in [(Normalizer::WhisperEnglish, "1"), (Normalizer::Basic, "2")] {
        let Some(mut lines) = oracle(&["lines", &line_count(), seed], "") else {
            return;
        };
        lines.extend(oracle(&["characters"], "").expect("an interpreter is named"));
        let expected = oracle(&["normalize", normalizer.id()], &lines.join("\n")).unwrap();
        assert_eq!(lines.len(), expected.len());
        for (line, expected) in lines.iter().zip(&expected) {
            let text: String = serde_json::from_str(line).unwrap();
            let expected: String = serde_json::from_str(expected).unwrap();
            assert_eq!(
                normalizer.normalize(&text),
                expected,
                "for {text:?} with {normalizer}"
            );
        }
    }
}

#[test]
fn character_table_is_that_of_python() {
    let Some(lines) = oracle(&["classes"], "") else {
        return;
    };
    let table = include_str!("../src/score/normalize/character_classes.tsv");
    assert!(table.lines().eq(lines.iter().map(String::as_str)));
}

#[test]
fn scores_equal_jiwer() {
    let Some(lines) = oracle(&["pairs", "10000", "3"], "") else {
        return;
    };
    let texts: Vec<(String, String)> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let pair = |(reference, hypothesis)| TextPair {
        reference,
        hypothesis,
        language: "en",
    };
    let pairs: Vec<_> = texts
        .iter()
        .map(|(one, other)| pair((one.as_str(), other.as_str())))
        .collect();
    for normalizer in Normalizer::ALL {
        let expected = oracle(&["score", normalizer.id()], &lines.join("\n")).unwrap();
        let scores = score_all(&pairs, normalizer);
        let (total, each) = expected.split_last().unwrap();
        assert_eq!(each.len(), scores.len());
        for ((score, expected), line) in scores.iter().zip(each).zip(&lines) {
            assert_same(score, expected, line);
        }
        assert_same(score_set(&scores), total, "all pairs");
    }
}

/// Compares counts and rates with those of jiwer, under the names that both use.
fn assert_same(score: impl serde::Serialize, expected: &str, name: &str) {
    let score = serde_json::to_value(score).expect("a score is a record of numbers");
    let expected: Value = serde_json::from_str(expected).expect("the oracle writes JSON");
    for count in ["reference_words", "hypothesis_words", "character_errors"] {
        assert_eq!(score[count], expected[count], "{count} of {name}");
    }
    let number = |record: &Value, field: &str| record[field].as_f64().expect("a number");
    let errors: f64 = ["substitutions", "deletions", "insertions"]
        .map(|kind| number(&score, kind))
        .iter()
        .sum();
    assert_same_number(errors, number(&expected, "errors"), "errors", name);
    for rate in ["wer", "cer"] {
        assert_same_number(number(&score, rate), number(&expected, rate), rate, name);
    }
    // Alignments of the same least cost may differ in hits, on which these rates depend.
    if score["hits"] == expected["hits"] {
        for rate in ["mer", "wil", "wip"] {
            assert_same_number(number(&score, rate), number(&expected, rate), rate, name);
        }
    }
}

fn assert_same_number(one: f64, other: f64, what: &str, name: &str) {
    assert!(
        (one - other).abs() < 1e-12,
        "{what} {one} is not {other} for {name}"
    );
}
