//! `earmark calibrate`: a thing against itself.

use crate::support::invalid::validator;
use crate::support::{Place, fake_matrix};

/// Twenty real pairs of a thing that takes longer than what matters to nobody. How coarse they are
/// depends on how busy the machine is; that they are the same does not.
#[test]
fn twenty_real_pairs_of_one_thing_are_the_same() {
    let place = Place::new();
    place.write(
        "m.yaml",
        &fake_matrix("", "settings: {repeat: 2, fake-seconds: 0.04}"),
    );
    let ran = place
        .run(&[
            "calibrate",
            "m.yaml",
            "--launches",
            "3",
            "--pairs",
            "20",
            "--out",
            "c",
            "--format",
            "json",
        ])
        .expect_status(0);
    let found = ran.json();
    let validator = validator("calibration");
    assert!(
        validator.is_valid(&found),
        "{:?}",
        validator.iter_errors(&found).next()
    );
    let row = &found["rows"][0];
    assert_eq!(row["pairs"].as_array().unwrap().len(), 20);
    let of = |verdict: &str| found["verdicts"][verdict].as_u64().unwrap_or(0);
    assert!(of("same") >= 19, "{}", found["verdicts"]);
    assert_eq!(
        of("same") + of("inconclusive") + of("better") + of("worse"),
        20
    );
    for pair in row["pairs"].as_array().unwrap() {
        assert!(
            pair["resolution"].as_f64().unwrap() >= 0.05 - 1e-9,
            "{pair}"
        );
    }
    // Every launch is a process of its own, and belongs to one pair.
    assert_eq!(place.table("c/results.csv")[0]["launches"], "120");
    assert_eq!(row["by_launches"][0]["launches"], 3);
    assert!(place.path().join("c/report.html").exists());
    assert!(place.path().join("c/journal.jsonl").exists());
}

#[test]
fn a_matrix_is_calibrated_row_by_row_without_its_gates() {
    let place = Place::new();
    place.write(
        "m.yaml",
        &fake_matrix(
            "  beam-size: [1, 2]\n  launches: [1, 2]",
            "settings: {repeat: 2}\ngates:\n  - {metric: wer, max: 0}",
        ),
    );
    let ran = place
        .run(&["calibrate", "m.yaml", "--launches", "3", "--out", "c"])
        .expect_status(0);
    // What differed in its launches alone is one benchmark here.
    assert_eq!(
        ran.stdout.matches("A against A, 3 launches a side").count(),
        2,
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("NOISE FLOOR"), "{}", ran.stdout);
    assert!(ran.stdout.contains("All 2 pairs: "), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_calibrated_is_refused_before_anything_runs() {
    let place = Place::new();
    let ran = place
        .run(&["calibrate", "--backend", "nobody"])
        .expect_status(2);
    assert!(
        ran.stderr.contains("there is no engine `nobody`"),
        "{}",
        ran.stderr
    );
    place.write("m.yaml", &fake_matrix("  exclude: [{backend: fake}]", ""));
    let ran = place.run(&["calibrate", "m.yaml"]).expect_status(2);
    assert!(
        ran.stderr.contains("measures nothing here"),
        "{}",
        ran.stderr
    );
    assert!(!place.path().join("runs").exists());
}
