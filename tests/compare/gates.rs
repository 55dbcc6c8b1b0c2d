//! Gates: what fails a run, a merge and a comparison.

use super::{Made, make, plan_of};
use crate::support::{Place, fake_matrix};
use earmark::model::{Outcome, Phase};

const REGRESSION: &str = r#"[{"metric": "transcribe_seconds_median", "max-regression": {"absolute": 0.01, "relative": "5%"}}]"#;

#[test]
fn an_allowed_regression_is_the_larger_of_two() {
    let place = Place::new();
    let plan = plan_of(1, 3, REGRESSION);
    make(&place, "a", &plan, &Made::default());
    // Five hundredths of half a second are 25 ms.
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 1.04,
            ..Made::default()
        },
    );
    make(
        &place,
        "c",
        &plan,
        &Made {
            factor: 1.06,
            ..Made::default()
        },
    );
    place.run(&["compare", "a", "b", "--gate"]).expect_status(0);
    let ran = place.run(&["compare", "a", "c", "--gate"]).expect_status(1);
    assert!(
        ran.stderr.contains(
            "gate: fake/tiny.en/f16/clip-0: transcribe_seconds_median went from 0.5060 to 0.5364, and a \
             rise of 0.0253 is allowed"
        ),
        "{}",
        ran.stderr
    );
    // It became faster: no regression.
    place.run(&["compare", "c", "a", "--gate"]).expect_status(0);
    // Without the wish nothing fails.
    place.run(&["compare", "a", "c"]).expect_status(0);
}

/// A gate that passes because it cannot see is worse than none.
#[test]
fn a_gate_that_the_runs_are_too_noisy_for_has_no_power_and_says_so() {
    let place = Place::new();
    let plan = plan_of(1, 3, REGRESSION);
    let noisy = |factor: f64| Made {
        factor,
        launches_differ: 0.2,
        ..Made::default()
    };
    make(&place, "a", &plan, &noisy(1.0));
    make(&place, "b", &plan, &noisy(0.999));
    let ran = place.run(&["compare", "a", "b", "--gate"]).expect_status(1);
    assert!(
        ran.stdout.contains("As fast to within ") && ran.stdout.contains("same, to within "),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr
            .contains("no power: transcribe_seconds_median went from")
            && ran
                .stderr
                .contains("by their noise the runs cannot tell less than")
            && ran.stderr.contains("measure with more launches"),
        "{}",
        ran.stderr
    );
    // What is worse than allowed is no question of power, and what is better for certain passes.
    make(&place, "slow", &plan, &noisy(5.0));
    let ran = place
        .run(&["compare", "a", "slow", "--gate"])
        .expect_status(1);
    assert!(!ran.stderr.contains("no power"), "{}", ran.stderr);
    place
        .run(&["compare", "slow", "a", "--gate"])
        .expect_status(0);
    // A bound that these runs can tell is judged, and so is the very same run.
    let wide = REGRESSION.replace("5%", "200%");
    let plan = plan_of(1, 3, &wide);
    make(&place, "wide", &plan, &noisy(1.0));
    make(&place, "wider", &plan, &noisy(1.02));
    let found = place
        .run(&["compare", "wide", "wider", "--gate", "--format", "json"])
        .expect_status(0)
        .json();
    let message = found["against"][0]["gates"][0]["message"].as_str().unwrap();
    assert!(message.ends_with("on, the runs can tell it"), "{message}");
    place.run(&["compare", "a", "a", "--gate"]).expect_status(0);
    // One launch tells of no change below a tenth.
    let single = plan_of(1, 1, REGRESSION);
    make(&place, "one", &single, &Made::default());
    make(
        &place,
        "other",
        &single,
        &Made {
            factor: 1.01,
            ..Made::default()
        },
    );
    let ran = place
        .run(&["compare", "one", "other", "--gate"])
        .expect_status(1);
    assert!(ran.stderr.contains("no power"), "{}", ran.stderr);
}

/// Where a plan allows no regression in numbers, a passed gate says how much it could have seen.
#[test]
fn the_noise_is_told_with_a_gate_that_is_passed() {
    let place = Place::new();
    let plan = plan_of(1, 3, "[]");
    let noisy = |factor: f64| Made {
        factor,
        launches_differ: 0.05,
        ..Made::default()
    };
    make(&place, "a", &plan, &noisy(1.0));
    make(&place, "b", &plan, &noisy(1.01));
    let found = place
        .run(&["compare", "a", "b", "--gate", "--format", "json"])
        .expect_status(0)
        .json();
    let message = found["against"][0]["gates"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("none of 1 is, to within "), "{message}");
    let speed = &found["against"][0]["rows"][0]["speed"];
    assert_eq!(speed["resolution"], speed["noise_floor"]);
    for format in ["text", "markdown", "html"] {
        let shown = place
            .run(&["compare", "a", "b", "--format", format])
            .expect_status(0)
            .stdout;
        assert!(shown.contains("same, to within "), "{format}: {shown}");
        assert!(shown.contains("could hide the 5 % that matter"), "{shown}");
    }
}

#[test]
fn without_a_gate_on_regressions_a_row_that_is_worse_fails() {
    let place = Place::new();
    let plan = plan_of(2, 5, "[]");
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 1.2,
            ..Made::default()
        },
    );
    place.run(&["compare", "a", "a", "--gate"]).expect_status(0);
    let ran = place.run(&["compare", "a", "b", "--gate"]).expect_status(1);
    assert_eq!(ran.stderr.matches("gate: ").count(), 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("speed: worse, 20.0 % slower"),
        "{}",
        ran.stderr
    );
    make(
        &place,
        "heard",
        &plan,
        &Made {
            text: "x y z",
            ..Made::default()
        },
    );
    let ran = place
        .run(&["compare", "a", "heard", "--gate"])
        .expect_status(1);
    assert!(ran.stderr.contains("accuracy: worse"), "{}", ran.stderr);
}

#[test]
fn a_gate_without_data_fails() {
    let place = Place::new();
    let plan = plan_of(1, 3, REGRESSION);
    make(&place, "a", &plan, &Made::default());
    let failed = Made {
        outcome: Outcome::Failed {
            phase: Phase::Load,
            reason: "no".into(),
        },
        ..Made::default()
    };
    // Its row measured something before it failed; a set of other rows has nothing at all.
    let wer = plan_of(
        1,
        3,
        r#"[{"metric": "first_segment_seconds", "max-regression": {"relative": 1}}]"#,
    );
    make(&place, "b", &wer, &Made::default());
    let ran = place.run(&["compare", "a", "b", "--gate"]).expect_status(1);
    assert!(
        ran.stderr.contains("no first_segment_seconds was measured"),
        "{}",
        ran.stderr
    );
    // A row that the base has not.
    let two = plan_of(2, 3, REGRESSION);
    make(&place, "two", &two, &Made::default());
    let ran = place
        .run(&["compare", "a", "two", "--gate"])
        .expect_status(1);
    assert!(
        ran.stderr.contains("clip-1: the base has no such row"),
        "{}",
        ran.stderr
    );
    // Nothing in common, and a row that failed, where no gate says what is allowed.
    let none = plan_of(1, 3, "[]");
    make(&place, "failed", &none, &failed);
    make(&place, "whole", &none, &Made::default());
    let ran = place
        .run(&["compare", "whole", "failed", "--gate"])
        .expect_status(1);
    assert!(
        ran.stderr.contains("speed: no data, new: failed"),
        "{}",
        ran.stderr
    );
    // Not like for like is no data either.
    make(
        &place,
        "other",
        &plan,
        &Made {
            weights: "sha256:ffff",
            ..Made::default()
        },
    );
    let ran = place
        .run(&["compare", "a", "other", "--gate"])
        .expect_status(1);
    assert!(ran.stderr.contains("not like for like"), "{}", ran.stderr);
}

/// What is not measured any more cannot be said not to have become worse.
#[test]
fn a_row_that_only_the_base_has_fails() {
    let place = Place::new();
    for gates in ["[]", REGRESSION] {
        make(&place, "a", &plan_of(3, 3, gates), &Made::default());
        make(&place, "b", &plan_of(1, 3, gates), &Made::default());
        let ran = place.run(&["compare", "a", "b", "--gate"]).expect_status(1);
        assert_eq!(ran.stderr.matches("gate: ").count(), 2, "{}", ran.stderr);
        for clip in ["clip-1", "clip-2"] {
            let wanted = format!(
                "gate: fake/tiny.en/f16/{clip}: the base measured it, and this run has no such row"
            );
            assert!(ran.stderr.contains(&wanted), "{}", ran.stderr);
        }
        place.run(&["compare", "a", "b"]).expect_status(0);
    }
    // What the base did not measure either is no loss.
    let failed = Made {
        outcome: Outcome::Failed {
            phase: Phase::Load,
            reason: "no".into(),
        },
        ..Made::default()
    };
    make(&place, "failed", &plan_of(2, 3, "[]"), &failed);
    make(&place, "one", &plan_of(1, 3, "[]"), &Made::default());
    place
        .run(&["compare", "failed", "one", "--gate"])
        .expect_status(0);
}

#[test]
fn a_gate_over_a_set_and_one_on_speed_up() {
    let place = Place::new();
    let gates = r#"[{"metric": "rtfx", "max-regression": {"relative": 0.1}, "scope": "set"},
                    {"metric": "wer", "max": 0.5, "scope": "set"}]"#;
    let plan = plan_of(3, 3, gates);
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 1.05,
            ..Made::default()
        },
    );
    make(
        &place,
        "c",
        &plan,
        &Made {
            factor: 1.3,
            text: "x y z",
            ..Made::default()
        },
    );
    place.run(&["compare", "a", "b", "--gate"]).expect_status(0);
    let ran = place.run(&["compare", "a", "c", "--gate"]).expect_status(1);
    assert!(
        ran.stderr.contains("all-clips (en): rtfx went from"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("a loss of"), "{}", ran.stderr);
    // The matrix's own bound holds here too.
    assert!(
        ran.stderr.contains("wer is 1.0000, above the gate's 0.5"),
        "{}",
        ran.stderr
    );
}

#[test]
fn gates_decide_the_status_of_a_run_a_resumed_run_and_a_merge() {
    let place = Place::new();
    let matrix = fake_matrix(
        "",
        "settings: {repeat: 2}\ngates:\n  - {metric: load_seconds, max: 0}",
    );
    place.write("m.yaml", &matrix);
    let ran = place.run(&["run", "m.yaml", "--out", "r"]).expect_status(1);
    assert!(ran.stderr.contains("load_seconds is"), "{}", ran.stderr);
    place.run(&["run", "--resume", "r"]).expect_status(1);
    let ran = place
        .run(&["merge", "r", "--out", "merged"])
        .expect_status(1);
    assert!(ran.stderr.contains("load_seconds is"), "{}", ran.stderr);
}

#[test]
fn every_metric_of_a_gate_is_measured_or_says_that_it_is_not() {
    let place = Place::new();
    for metric in earmark::model::GATE_METRICS {
        // Memory is sampled: a process that is gone in a moment has none.
        let settings = match metric {
            "peak_anonymous_bytes" => "repeat: 2, fake-seconds: 0.3",
            _ => "repeat: 2",
        };
        let gate = format!("settings: {{{settings}}}\ngates:\n  - {{metric: {metric}, min: 0}}");
        place.write("m.yaml", &fake_matrix("", &gate));
        let folder = format!("runs/{metric}");
        let ran = place.run(&["run", "m.yaml", "--out", &folder]);
        if metric == "insertions_on_silence" {
            // None of its recordings is silent.
            assert!(
                ran.stderr.contains("no recording without speech"),
                "{}",
                ran.stderr
            );
            ran.expect_status(1);
        } else {
            ran.expect_status(0);
        }
    }
    // Over sets, and with a silence to hear something in.
    let jfk = std::fs::read(crate::support::project().join("corpus/jfk.flac")).unwrap();
    std::fs::write(place.path().join("a.flac"), jfk).unwrap();
    let audio = "audio:\n  silence: {file: a.flac, reference: \"\", language: en}\nsettings: {repeat: 2}\ngates:\n";
    for metric in earmark::model::SET_GATE_METRICS {
        let gate = format!("{audio}  - {{metric: {metric}, min: 0, scope: set}}");
        place.write(
            "m.yaml",
            &fake_matrix("", &gate).replace("[jfk]", "[silence]"),
        );
        place
            .run(&["run", "m.yaml", "--out", &format!("runs/set-{metric}")])
            .expect_status(0);
    }
    let gate = format!("{audio}  - {{metric: insertions_on_silence, max: 3}}");
    place.write(
        "m.yaml",
        &fake_matrix("", &gate).replace("[jfk]", "[silence]"),
    );
    let ran = place
        .run(&["run", "m.yaml", "--out", "runs/heard"])
        .expect_status(1);
    assert!(
        ran.stderr.contains("insertions_on_silence is"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_run_judges_regressions_only_with_a_base() {
    let place = Place::new();
    let gates = "settings: {repeat: 2}\ngates:\n  - {metric: wer, max-regression: {absolute: 0.005, relative: 5%}}";
    place.write("m.yaml", &fake_matrix("", gates));
    let ran = place
        .run(&["run", "m.yaml", "--out", "runs/a"])
        .expect_status(0);
    assert!(
        ran.stderr
            .contains("gates: 1 on what became worse not judged")
            && ran.stderr.contains("earmark compare BASE runs/a --gate"),
        "{}",
        ran.stderr
    );
    let ran = place
        .run(&["run", "m.yaml", "--base", "latest", "--out", "runs/b"])
        .expect_status(0);
    assert!(!ran.stderr.contains("not judged"), "{}", ran.stderr);
    // A base without the row.
    place.write(
        "n.yaml",
        &fake_matrix("", gates).replace("[jfk]", "[arctic-a0007]"),
    );
    let ran = place
        .run(&["run", "n.yaml", "--base", "runs/a", "--out", "runs/c"])
        .expect_status(1);
    assert!(
        ran.stderr.contains("the base has no such row"),
        "{}",
        ran.stderr
    );
    // Nothing is started with a base that is none.
    place
        .run(&["run", "n.yaml", "--base", "nowhere", "--out", "runs/d"])
        .expect_status(2);
    assert!(!place.path().join("runs/d").exists());
}
