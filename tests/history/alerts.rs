//! A change point is told once, in the run in which it is first seen.

use super::nights::{Night, nights, noise, put};
use crate::support::Place;
use earmark::history::{Alert, History, Metric, Seen, Watch};
use std::path::Path;

fn alerts(database: &Path, seen: &Seen) -> Vec<Alert> {
    History::with(database, |history| history.alerts(&Watch::default(), seen)).unwrap()
}

/// Twenty nights, twelve that take 30 % longer, twelve that are as before.
fn up_and_down() -> Vec<f64> {
    (0..44)
        .map(|day| {
            let level = if (20..32).contains(&day) { 0.65 } else { 0.5 };
            level + 0.01 * noise(day)
        })
        .collect()
}

#[test]
fn each_change_is_told_in_one_night_and_in_no_other() {
    let place = Place::new();
    let database = place.path().join("history.db");
    let mut told = Vec::new();
    for (day, folder) in nights(place.path(), &up_and_down()).iter().enumerate() {
        let key = put(&database, folder);
        let new = alerts(&database, &Seen::In(key.clone()));
        // Asking again changes nothing.
        assert_eq!(alerts(&database, &Seen::In(key)).len(), new.len());
        assert_eq!(alerts(&database, &Seen::Newest).len(), new.len());
        told.extend(new.into_iter().map(|alert| (day, alert)));
    }
    let days: Vec<usize> = told.iter().map(|(day, _)| *day).collect();
    assert_eq!(days, [22, 34], "each in its third night");
    let (up, down) = (&told[0].1, &told[1].1);
    assert!(up.is_regression() && !down.is_regression());
    assert_eq!(up.metric, Metric::Seconds);
    assert_eq!(
        (up.last.run_id.as_str(), up.first.run_id.as_str()),
        ("night-019", "night-020")
    );
    assert_eq!(down.first.run_id, "night-032");
    assert_ne!(up.id, down.id);
    // Both are found again by when they were first seen, with the names that they had.
    let since = alerts(&database, &Seen::Since("2026-01-20".into()));
    let ids: Vec<&String> = since.iter().map(|alert| &alert.id).collect();
    assert_eq!(ids, [&up.id, &down.id]);
    let since = alerts(&database, &Seen::Since("2026-02-01".into()));
    assert_eq!(since.len(), 1);
}

/// An engine that hears nothing right any more is no question of statistics.
#[test]
fn other_texts_are_told_in_their_second_night() {
    let place = Place::new();
    let database = place.path().join("history.db");
    let mut told = Vec::new();
    for day in 0..12 {
        let text = if day < 7 { "a b c" } else { "x y z" };
        let night = Night {
            text: text.into(),
            ..Night::of(day, 0.5 + 0.01 * noise(day))
        };
        let folder = place.path().join(format!("night-{day:03}"));
        night.write(&folder);
        let key = put(&database, &folder);
        let new = alerts(&database, &Seen::In(key));
        told.extend(new.into_iter().map(|alert| (day, alert)));
    }
    assert_eq!(told.len(), 1, "{told:?}");
    let (day, alert) = &told[0];
    assert_eq!((*day, alert.metric), (8, Metric::Wer));
    assert_eq!(alert.first.run_id, "night-007");
    assert!(alert.is_regression() && alert.before < 1e-9 && alert.after > 0.99);
}

#[test]
fn after_a_rebuilding_nothing_old_is_told_as_new() {
    let place = Place::new();
    let database = place.path().join("history.db");
    let folders = nights(place.path(), &up_and_down());
    for (last, expected) in [(25, 0), (22, 1), (44, 0), (34, 1)] {
        History::with(&database, |history| {
            history.rebuild(&folders[..=last.min(43)])
        })
        .unwrap();
        let new = alerts(&database, &Seen::Newest);
        assert_eq!(new.len(), expected, "with {last} nights");
        std::fs::remove_file(&database).unwrap();
        std::fs::remove_file(database.with_extension("jsonl")).unwrap();
    }
}

#[test]
fn check_is_1_for_what_is_worse_and_tells_what_else_changed() {
    let place = Place::new();
    for day in 0..23 {
        let worse = day >= 20;
        Night {
            seconds: if worse { 0.65 } else { 0.5 } + 0.01 * noise(day),
            version: if worse { "2" } else { "1" }.into(),
            ..Night::of(day, 0.0)
        }
        .write(&place.path().join(format!("runs/night-{day:03}")));
    }
    // The start of a journal tells the commit of the matrix's repository, where there is one.
    for (night, commit) in [(19, "1".repeat(40)), (20, "2".repeat(40))] {
        let journal = place
            .path()
            .join(format!("runs/night-{night:03}/journal.jsonl"));
        let text = std::fs::read_to_string(&journal).unwrap();
        let (start, rest) = text.split_once('\n').unwrap();
        let mut start: serde_json::Value = serde_json::from_str(start).unwrap();
        start["repository"] = serde_json::json!({"commit": commit, "clean": true});
        std::fs::write(&journal, format!("{start}\n{rest}")).unwrap();
    }
    place.run(&["history", "check"]).expect_status(2);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let told = place.run(&["history", "check"]).expect_status(1);
    assert!(
        told.stdout
            .starts_with("worse: time to transcribe of benchmark/fake/tiny.en/f16/clip-0/")
            && told.stdout.contains(" on host-here: ")
            && told.stdout.contains("since night-020, 2026-01-21 00:00")
            && told.stdout.contains("engine's version: 1 → 2")
            && told.stdout.contains("commit: 111111111111 → 222222222222"),
        "{}",
        told.stdout
    );
    assert_eq!(told.stdout.lines().count(), 1);
    let json = place
        .run(&["history", "check", "--format", "json"])
        .expect_status(1)
        .json();
    let point = &json["change_points"][0];
    assert_eq!(point["regression"], true);
    assert_eq!(point["metric"], "transcribe_seconds_median");
    assert_eq!(point["since_run"], "night-020");
    let markdown = place
        .run(&["history", "check", "--format", "markdown"])
        .expect_status(1);
    assert!(
        markdown.stdout.starts_with("### Worse: "),
        "{}",
        markdown.stdout
    );
    // A change that does not matter to whoever asks is none.
    let least = [
        "history",
        "check",
        "--least",
        "transcribe_seconds_median=50%",
    ];
    let calm = place.run(&least).expect_status(0);
    assert_eq!(calm.stderr, "nothing has changed\n");
    // The next night says nothing new, whoever asked before.
    Night::of(23, 0.65).write(&place.path().join("runs/night-023"));
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    place.run(&["history", "check"]).expect_status(0);
    place
        .run(&["history", "check", "--since", "2026-01-20"])
        .expect_status(1);
}

#[test]
fn what_is_better_is_told_and_fails_only_when_asked() {
    let place = Place::new();
    let seconds: Vec<f64> = (0..23)
        .map(|day| if day < 20 { 0.5 } else { 0.3 } + 0.01 * noise(day))
        .collect();
    nights(&place.path().join("runs"), &seconds);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let told = place.run(&["history", "check"]).expect_status(0);
    assert!(told.stdout.starts_with("better: "), "{}", told.stdout);
    place.run(&["history", "check", "--both"]).expect_status(1);
}

/// Words that were heard and then are not any more.
#[test]
fn errors_are_watched_too() {
    let place = Place::new();
    for day in 0..24 {
        Night {
            text: if day < 20 { "a b c" } else { "a b" }.into(),
            ..Night::of(day, 0.5)
        }
        .write(&place.path().join(format!("runs/night-{day:03}")));
    }
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let told = place
        .run(&["history", "check", "--since", "2026-01-20"])
        .expect_status(1);
    assert!(
        told.stdout.contains("worse: WER") && told.stdout.contains("(+33.33 points)"),
        "{}",
        told.stdout
    );
}

#[test]
fn machines_are_never_mixed() {
    let place = Place::new();
    // One machine is twice as fast as the other; they take turns, and then only one is left.
    for day in 0..40 {
        let fast = day % 2 == 0 || day > 25;
        Night {
            machine: if fast { "fast" } else { "slow" }.into(),
            ..Night::of(day, if fast { 0.25 } else { 0.5 } + 0.01 * noise(day))
        }
        .write(&place.path().join(format!("runs/night-{day:03}")));
    }
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    place
        .run(&["history", "check", "--since", "2026-01-01", "--both"])
        .expect_status(0);
    let shown = place
        .run(&["history", "show", "backend=fake", "--format", "json"])
        .expect_status(0)
        .json();
    let seconds: Vec<(String, usize)> = shown["series"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|series| series["metric"] == "transcribe_seconds_median")
        .map(|series| {
            let machine = series["machine"].as_str().unwrap().to_owned();
            (machine, series["points"].as_array().unwrap().len())
        })
        .collect();
    assert_eq!(seconds, [("fast".into(), 27), ("slow".into(), 13)]);
}

#[test]
fn a_row_that_did_not_end_well_is_no_point() {
    let place = Place::new();
    for day in 0..4 {
        Night {
            outcome: if day == 2 {
                earmark::model::Outcome::Failed {
                    phase: earmark::model::Phase::Load,
                    reason: "x".into(),
                }
            } else {
                earmark::model::Outcome::Completed
            },
            ..Night::of(day, 0.5)
        }
        .write(&place.path().join(format!("runs/night-{day:03}")));
    }
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let arguments = [
        "history", "show", "fake", "--metric", "rtfx", "--format", "csv",
    ];
    let shown = place.run(&arguments).expect_status(0);
    let cells: Vec<(&str, &str)> = shown
        .stdout
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[5], cells[6])
        })
        .collect();
    assert_eq!(
        cells,
        [
            ("2", "completed"),
            ("2", "completed"),
            ("", "failed"),
            ("2", "completed")
        ]
    );
}

/// Real runs come after nights that were slower, on the same machine and of the same job.
#[test]
fn a_run_tells_what_has_changed_with_it_and_its_status_stays() {
    let place = Place::new();
    place.write("a.yaml", &crate::support::fake_matrix("", ""));
    let run = |name: &str| {
        place
            .run(&["run", "a.yaml", "--out", name])
            .expect_status(0)
            .stderr
    };
    assert!(!run("first").contains("history: "));
    let journal = std::fs::read_to_string(place.path().join("first/journal.jsonl")).unwrap();
    let plan = std::fs::read_to_string(place.path().join("first/plan.json")).unwrap();
    for day in 1..=28 {
        let name = format!("nights/night-{day:02}");
        let lines: Vec<String> = journal
            .lines()
            .map(|line| {
                let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
                event["at"] = format!("2026-01-{day:02}T00:00:00.000Z").into();
                if let Some(seconds) = event.pointer_mut("/sample/transcribe-seconds") {
                    *seconds = (30.0 + noise(day)).into();
                }
                format!("{event}\n")
            })
            .collect();
        place.write(&format!("{name}/journal.jsonl"), &lines.concat());
        place.write(&format!("{name}/plan.json"), &plan);
    }
    place
        .run(&["history", "rebuild", "nights"])
        .expect_status(0);
    // The second or the third of them, and only one.
    let told = run("second") + &run("third");
    assert_eq!(
        told.matches("history: better: time to transcribe of benchmark/fake/")
            .count(),
        1,
        "{told}"
    );
    assert!(told.contains("(synthetic: no measurement)"), "{told}");
    assert!(!run("fourth").contains("history: "));
}
