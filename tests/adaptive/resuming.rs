//! Rows that go on in a later session: where they were, and no look twice.

use super::looked_at;
use crate::support::{Place, eventually, fake_matrix};
use earmark::model::RepeatDecision;
use std::fs;
use std::process::Stdio;

/// A row that goes to the most: five launches of six trials.
fn noisy() -> Place {
    let place = Place::new();
    let matrix = fake_matrix(
        "",
        "settings: {fake-seconds: 0.02, fake-jitter: 3, repeat: {min: 6, max: 30, until: 5%}}",
    );
    place.write("m.yaml", &matrix);
    place
}

/// Counts events of a kind in a journal.
fn count(place: &Place, folder: &str, kind: &str) -> usize {
    let path = place.path().join(folder).join("journal.jsonl");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.matches(&format!("\"event\":\"{kind}\"")).count()
}

/// Holds that a run has gone to its most, with one look after each launch.
fn is_whole(place: &Place, folder: &str) {
    let record = looked_at(place, folder);
    let job = record
        .jobs
        .values()
        .find(|job| !job.looks.is_empty())
        .unwrap();
    let trials: Vec<u32> = job.looks.iter().map(|look| look.trials).collect();
    assert_eq!(trials, [6, 12, 18, 24, 30], "{folder}");
    assert_eq!(job.looks[4].decision, RepeatDecision::MaximumReached);
    let row = &place.table(&format!("{folder}/results.csv"))[0];
    assert_eq!((row["n"].as_str(), row["launches"].as_str()), ("30", "5"));
}

#[test]
fn a_runner_killed_at_any_moment_goes_on_where_it_was() {
    let place = noisy();
    for (kind, number) in [
        ("trial-ended", 3),
        ("trial-ended", 17),
        ("attempt-ended", 2),
        ("repeat-judged", 1),
        ("repeat-judged", 3),
        ("repeat-judged", 5),
        ("job-ended", 3),
    ] {
        let folder = format!("{kind}-{number}");
        let mut child = place
            .command(&["run", "m.yaml", "--out", &folder])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the event, or the end", || {
            count(&place, &folder, kind) >= number || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        place.run(&["run", "--resume", &folder]).expect_status(0);
        is_whole(&place, &folder);
    }
}

#[test]
fn a_look_that_was_due_is_taken_before_anything_is_measured() {
    let place = noisy();
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let path = place.path().join("r/journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    // The runner was killed between the end of the last launch and the look at it.
    let last = text.rfind("{\"v\":1,").unwrap();
    assert!(text[last..].contains("run-ended"));
    let due = text
        .match_indices("\"event\":\"repeat-judged\"")
        .last()
        .map(|(at, _)| text[..at].rfind('\n').unwrap() + 1)
        .unwrap();
    fs::write(&path, &text[..due]).unwrap();
    let trials = count(&place, "r", "trial-ended");
    place.run(&["run", "--resume", "r"]).expect_status(0);
    assert_eq!(
        count(&place, "r", "trial-ended"),
        trials,
        "nothing was left to do"
    );
    is_whole(&place, "r");
}

#[test]
fn a_row_that_has_stopped_is_left_as_it_is() {
    let place = Place::new();
    let settings = "settings: {fake-seconds: 0.04, repeat: {min: 6, max: 30, until: 90%}}";
    place.write("m.yaml", &fake_matrix("", settings));
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let trials = count(&place, "r", "trial-ended");
    assert!(trials < 30, "{trials}");
    place.run(&["run", "--resume", "r"]).expect_status(0);
    assert_eq!(count(&place, "r", "trial-ended"), trials);
    let record = looked_at(&place, "r");
    let job = record
        .jobs
        .values()
        .find(|job| !job.looks.is_empty())
        .unwrap();
    assert!(job.reopened.is_empty());
    // Asked for again, it begins anew: no look of before counts.
    place
        .run(&["run", "--resume", "r", "--rerun", "backend=fake"])
        .expect_status(0);
    let record = looked_at(&place, "r");
    let job = record
        .jobs
        .values()
        .find(|job| !job.looks.is_empty())
        .unwrap();
    assert_eq!(job.looks[0].trials, 6);
    assert!(job.looks.last().unwrap().decision.stops());
}

#[test]
fn a_time_budget_leaves_out_rounds_and_a_later_session_does_them() {
    let place = noisy();
    place
        .run(&["run", "m.yaml", "--out", "r", "--time-budget", "1ms"])
        .expect_status(0);
    let record = looked_at(&place, "r");
    let job = record
        .jobs
        .values()
        .find(|job| !job.looks.is_empty())
        .unwrap();
    assert_eq!(job.looks.len(), 1);
    assert_eq!(job.looks[0].decision, RepeatDecision::GoOn);
    let notes = place.table("r/results.csv")[0]["notes"].clone();
    assert!(
        notes.contains("1 of at most 5 launches: the time budget left out the others"),
        "{notes}"
    );
    assert!(!notes.contains("stopped at"), "{notes}");
    let resumed = place.run(&["run", "--resume", "r"]).expect_status(0);
    assert!(
        resumed.stderr.contains("1 of at most 5 launches were done"),
        "{}",
        resumed.stderr
    );
    is_whole(&place, "r");
    let notes = place.table("r/results.csv")[0]["notes"].clone();
    assert!(!notes.contains("time budget"), "{notes}");
}
