//! Bootstrap intervals beside those of scipy.
//!
//! This test does nothing unless the environment variable `EARMARK_SCIPY_PYTHON` names a Python
//! interpreter that has numpy and scipy.

use earmark::score::EditCounts;
use earmark::score::bootstrap::{
    Estimate, Resampling, ratio_of_medians, word_error_rate, word_error_rate_difference,
};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Numbers that look random and are the same everywhere, from 0 to 1.
fn noise(position: u32) -> f64 {
    let mixed = position.wrapping_mul(0x9E37_79B1).rotate_left(13) ^ 0x5bd1_e995;
    f64::from(mixed.wrapping_mul(0x85EB_CA6B) >> 8) / f64::from(1_u32 << 24)
}

/// Times of launches that differ, and of trials that differ less.
fn launches(count: u32, trials: u32, level: f64, seed: u32) -> Vec<Vec<f64>> {
    (0..count)
        .map(|launch| {
            let own = level * (1.0 + 0.08 * noise(seed + launch));
            let trial = |trial| own * (1.0 + 0.03 * noise(seed * 31 + launch * 97 + trial));
            (0..trials).map(trial).collect()
        })
        .collect()
}

fn utterances(count: u32, most_errors: f64, seed: u32) -> Vec<EditCounts> {
    (0..count)
        .map(|position| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small numbers above zero"
            )]
            let up_to = |most: f64, seed| (noise(position * 7 + seed) * most) as u64;
            EditCounts {
                hits: 10 - up_to(most_errors, seed),
                substitutions: up_to(most_errors, seed),
                ..EditCounts::default()
            }
        })
        .collect()
}

fn errors(utterances: &[EditCounts]) -> Vec<u64> {
    utterances.iter().map(|counts| counts.errors()).collect()
}

fn words(utterances: &[EditCounts]) -> Vec<u64> {
    let words = |counts: &EditCounts| counts.reference_words();
    utterances.iter().map(words).collect()
}

#[test]
fn intervals_are_those_of_scipy() {
    let Some(python) = std::env::var_os("EARMARK_SCIPY_PYTHON") else {
        return;
    };
    let resampling = Resampling::default();
    let mut cases: Vec<(Value, Estimate)> = Vec::new();
    for (count, trials, seed) in [
        (1, 8, 1),
        (2, 15, 2),
        (3, 6, 3),
        (5, 5, 4),
        (6, 6, 5),
        (10, 3, 6),
    ] {
        let (base, new) = (
            launches(count, trials, 1.0, seed),
            launches(count, trials, 1.1, seed + 50),
        );
        let found = ratio_of_medians(&base, &new, resampling).unwrap();
        cases.push((json!({"kind": "ratio", "base": base, "new": new}), found));
    }
    for (count, seed) in [(6, 1), (20, 2), (200, 3), (2000, 4)] {
        let (base, new) = (
            utterances(count, 4.0, seed),
            utterances(count, 5.0, seed + 9),
        );
        let found = word_error_rate(&base, resampling).unwrap();
        let question = json!({"kind": "rate", "errors": errors(&base), "words": words(&base)});
        cases.push((question, found));
        let found = word_error_rate_difference(&base, &new, resampling).unwrap();
        cases.push((
            json!({"kind": "difference", "base": errors(&base), "new": errors(&new), "words": words(&base)}),
            found,
        ));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/bootstrap_oracle.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for (question, _) in &cases {
        writeln!(stdin, "{question}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<[f64; 2]> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), cases.len());
    for ((question, found), [low, high]) in cases.iter().zip(answers) {
        // Both draw at random: an end moves by a small part of the width.
        let allowed = 0.06 * (high - low) + 1e-12;
        assert!(
            (found.low - low).abs() <= allowed && (found.high - high).abs() <= allowed,
            "{found:?} and not {low} to {high} for {question}"
        );
    }
}
