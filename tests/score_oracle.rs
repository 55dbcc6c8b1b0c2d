//! Scores beside the programs that they promise to equal: `whisper-normalizer` and `jiwer`, which are
//! installed from `oracle/requirements.txt` into an environment of the target folder.
//!
//! `EARMARK_ORACLE_LINES` sets the number of random lines for each normalizer; without it they are
//! 10,000, and with it every code point is compared too. A million takes about ten minutes of a core.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use earmark::score::{Normalizer, ScoringUnit, TextPair, UtteranceScore, score_all, score_set};
use serde_json::Value;

#[path = "oracle/environment.rs"]
mod environment;

/// The interpreter of an environment with the reference programs.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(environment::interpreter);

/// Runs one verb of the oracle script and returns its lines.
fn oracle(arguments: &[&str], input: &str) -> Vec<String> {
    let mut child = Command::new(&*PYTHON)
        .arg("-B")
        .arg(environment::script())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
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
    text.split_terminator('\n').map(str::to_owned).collect()
}

/// Whether the interpreter knows the Unicode that the normalizers are pinned to.
fn has_pinned_unicode() -> bool {
    oracle(&["unicode"], "") == ["true"]
}

#[test]
fn whisper_en_equals_the_reference() {
    assert_equals_the_reference(Normalizer::WhisperEnglish, "1");
}

#[test]
fn basic_equals_the_reference() {
    assert_equals_the_reference(Normalizer::Basic, "2");
}

#[track_caller]
fn assert_equals_the_reference(normalizer: Normalizer, seed: &str) {
    let asked = std::env::var("EARMARK_ORACLE_LINES").ok();
    let count = asked.as_deref().unwrap_or("10000");
    let mut lines = oracle(&["lines", count, seed], "");
    if asked.is_some() && has_pinned_unicode() {
        lines.extend(oracle(&["characters"], ""));
    }
    let expected = oracle(&["normalize", normalizer.id()], &lines.join("\n"));
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

#[test]
fn character_table_is_that_of_python() {
    if has_pinned_unicode() {
        let table = include_str!("../src/score/normalize/character_classes.tsv");
        assert!(
            table
                .lines()
                .eq(oracle(&["classes"], "").iter().map(String::as_str))
        );
    }
}

#[test]
fn scores_equal_jiwer() {
    let lines = oracle(&["pairs", "10000", "3"], "");
    let texts: Vec<(String, String)> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let pairs: Vec<_> = texts
        .iter()
        .map(|(reference, hypothesis)| TextPair {
            reference,
            hypothesis,
            language: "en",
        })
        .collect();
    for normalizer in Normalizer::ALL {
        let expected = oracle(&["score", normalizer.id()], &lines.join("\n"));
        let scores = score_all(&pairs, normalizer);
        let (total, each) = expected.split_last().unwrap();
        assert_eq!(each.len(), scores.len());
        // Alignments of the same least cost may differ in hits, and with them in MER, WIL and WIP.
        let mut same: Vec<(&str, &UtteranceScore)> = Vec::new();
        for ((score, expected), line) in scores.iter().zip(each).zip(&lines) {
            if assert_same(score, expected, line) {
                same.push((line, score));
            }
        }
        assert_same(score_set(&scores), total, "all pairs");
        let (lines, scores): (Vec<&str>, Vec<&UtteranceScore>) = same.into_iter().unzip();
        assert!(
            lines.len() > 7000,
            "only {} have the same hits",
            lines.len()
        );
        let expected = oracle(&["score", normalizer.id()], &lines.join("\n"));
        let total = expected.last().unwrap();
        assert!(assert_same(
            score_set(scores),
            total,
            "all with the same hits"
        ));
    }
}

/// In languages without spaces a word is a character, so the oracle is given spaces between them.
#[test]
fn characters_as_words_equal_jiwer() {
    let lines = oracle(&["pairs", "2000", "4"], "");
    let mut spaced = Vec::new();
    let mut scores = Vec::new();
    for line in &lines {
        let texts: (String, String) = serde_json::from_str(line).unwrap();
        let apart = |text: &str| ScoringUnit::Characters.split(text).join(" ");
        spaced.push(serde_json::to_string(&(apart(&texts.0), apart(&texts.1))).unwrap());
        let pair = TextPair {
            reference: &texts.0,
            hypothesis: &texts.1,
            language: "th",
        };
        scores.extend(score_all(&[pair], Normalizer::None));
    }
    let expected = oracle(&["score", "none"], &spaced.join("\n"));
    for ((score, expected), line) in scores.iter().zip(&expected).zip(&lines) {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(score.reference_words, expected["reference_words"], "{line}");
        assert_eq!(score.words.errors(), expected["errors"], "{line}");
    }
}

/// Compares counts and rates with those of jiwer, under the names that both use. Returns whether the
/// hits are the same, and so are all rates.
fn assert_same(score: impl serde::Serialize, expected: &str, name: &str) -> bool {
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
    let same_hits = score["hits"] == expected["hits"];
    for rate in ["mer", "wil", "wip"].into_iter().filter(|_| same_hits) {
        assert_same_number(number(&score, rate), number(&expected, rate), rate, name);
    }
    same_hits
}

fn assert_same_number(one: f64, other: f64, what: &str, name: &str) {
    assert!(
        (one - other).abs() < 1e-12,
        "{what} {one} is not {other} for {name}"
    );
}
