//! Summaries of times beside scipy, which comes from the package index that pip is set up for.

use crate::support::project;
use crate::support::python::with_packages;
use earmark::score::statistics::{
    OUTLIER_SCORE, by_launch, median, median_interval, outliers, percentile,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Deserialize;
use std::io::Write;
use std::process::{Command, Stdio};

/// What scipy says of a list of numbers.
#[derive(Debug, Deserialize)]
struct Told {
    median: f64,
    interval: Option<(f64, f64)>,
    coverage: Option<f64>,
    /// From the first to the hundredth.
    percentiles: Vec<f64>,
    scores: Vec<f64>,
}

/// Asks scipy about lists of numbers.
fn ask(lists: &[Vec<f64>]) -> Vec<Told> {
    let python = with_packages("scipy-1.17.1", "tests/oracle/statistics_requirements.txt");
    let mut child = Command::new(python)
        .arg(project().join("tests/oracle/statistics_oracle.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = lists
        .iter()
        .map(|list| serde_json::to_string(list).unwrap() + "\n")
        .collect();
    let writing = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Makes lists like times are: skewed, some with equal values, some with values far out, of every length
/// up to some hundred.
fn lists() -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut uniform = move || f64::from(random.next_u32()) / f64::from(u32::MAX);
    (0..900usize)
        .map(|number| {
            let length = number % 150 + 1;
            (0..length)
                .map(|_| {
                    let skewed = 1.0 - (1.0 - 0.999 * uniform()).ln();
                    match number / 150 {
                        0 | 1 => skewed,
                        // Clocks that tick rarely.
                        2 | 3 => (skewed * 4.0).round() / 4.0,
                        4 => skewed * if uniform() < 0.1 { 40.0 } else { 1.0 },
                        // More than half of them are equal.
                        _ if uniform() < 0.7 => 2.0,
                        _ => skewed,
                    }
                })
                .collect()
        })
        .collect()
}

/// Equal to the last digits, which depend on the order of sums.
fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-12 * one.abs().max(1.0)
}

#[test]
fn medians_intervals_percentiles_and_outliers_are_those_of_scipy() {
    let lists = lists();
    let told = ask(&lists);
    assert_eq!(told.len(), lists.len());
    let (mut with_interval, mut flagged) = (0, 0);
    for (values, told) in lists.iter().zip(&told) {
        assert_eq!(median(values), Some(told.median), "{values:?}");
        let interval = median_interval(values);
        let ends = interval.map(|interval| (interval.low, interval.high));
        assert_eq!(ends, told.interval, "{values:?}");
        match (interval, told.coverage) {
            (Some(interval), Some(coverage)) => {
                assert!(is_same(interval.coverage, coverage), "{}", values.len());
                with_interval += 1;
            }
            (None, None) => assert!(values.len() < 6),
            (ours, theirs) => panic!("{ours:?} is not {theirs:?} for {} values", values.len()),
        }
        for (percent, expected) in (1..=100).zip(&told.percentiles) {
            let fewest = match percent {
                1..=90 => 1,
                91..=95 => 20,
                _ => 100,
            };
            let expected = Some(*expected).filter(|_| values.len() >= fewest);
            assert_eq!(
                percentile(values, percent),
                expected,
                "p{percent} of {values:?}"
            );
        }
        if values.len() >= 3 {
            for (is_odd, score) in outliers(values).into_iter().zip(&told.scores) {
                // What lies on the line falls to either side.
                let is_clear = (score - OUTLIER_SCORE).abs() > 1e-9;
                assert!(
                    !is_clear || is_odd == (*score > OUTLIER_SCORE),
                    "{values:?}"
                );
                flagged += usize::from(is_odd);
            }
        }
    }
    assert!(
        with_interval > 800 && flagged > 100,
        "{with_interval} {flagged}"
    );
}

#[test]
fn intervals_by_launch_are_those_of_scipy_over_the_medians_of_launches() {
    let lists = lists();
    let launches: Vec<&[Vec<f64>]> = (3..40).map(|count| &lists[count * 7..][..count]).collect();
    let medians: Vec<Vec<f64>> = launches
        .iter()
        .map(|launches| {
            launches
                .iter()
                .map(|launch| median(launch).unwrap())
                .collect()
        })
        .collect();
    for ((launches, medians), told) in launches.iter().zip(&medians).zip(ask(&medians)) {
        let summary = by_launch(launches).unwrap();
        assert_eq!(summary.launches, medians.len());
        assert_eq!(Some(summary.median), Some(told.median));
        if let (Some(ends), Some(coverage)) = (told.interval, told.coverage) {
            assert_eq!((summary.interval.low, summary.interval.high), ends);
            assert!(is_same(summary.interval.coverage, coverage));
        } else {
            // Too few to reach 95 %: the whole range, with what it covers.
            assert!(medians.len() < 6);
            let whole = 1.0 - 2.0 * 0.5_f64.powi(i32::try_from(medians.len()).unwrap());
            assert!(is_same(summary.interval.coverage, whole));
        }
    }
}
