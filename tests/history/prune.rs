//! Old run folders go, and nothing else does.

use super::nights::{Night, nights};
use crate::support::Place;
use std::fs::{self, File};
use std::path::Path;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn points(place: &Place) -> usize {
    let arguments = [
        "history", "show", "fake", "--metric", "rtfx", "--format", "json",
    ];
    let shown = place.run(&arguments).expect_status(0).json();
    shown["series"][0]["points"].as_array().unwrap().len()
}

#[test]
fn old_folders_go_and_their_trend_stays_also_over_a_rebuilding() {
    let place = Place::new();
    nights(&place.path().join("runs"), &[0.5; 5]);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let told = place
        .run(&["history", "prune", "--keep-runs", "2", "--dry-run"])
        .expect_status(0);
    assert_eq!(told.stdout.matches("would remove").count(), 3);
    assert_eq!(names(&place.path().join("runs")).len(), 5);
    place
        .run(&["history", "prune", "--keep-runs", "2"])
        .expect_status(0);
    assert_eq!(
        names(&place.path().join("runs")),
        ["night-003", "night-004"]
    );
    assert_eq!(points(&place), 5);
    place.run(&["history", "rebuild"]).expect_status(0);
    assert_eq!(points(&place), 5);
    // All of them are years old; the newest stays.
    place
        .run(&["history", "prune", "--keep", "1d"])
        .expect_status(0);
    assert_eq!(names(&place.path().join("runs")), ["night-004"]);
    assert_eq!(points(&place), 5);
    place
        .run(&["history", "prune", "--keep", "1d", "--forget"])
        .expect_status(0);
    assert_eq!(points(&place), 1);
    place.run(&["history", "rebuild"]).expect_status(0);
    assert_eq!(points(&place), 1);
}

#[test]
fn what_somebody_put_into_a_run_folder_stays_and_is_told() {
    let place = Place::new();
    let runs = place.path().join("runs");
    nights(&runs, &[0.5; 2]);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    place
        .run(&[
            "report",
            "runs/night-000",
            "--to",
            "csv,html,junit,markdown,json,hypotheses",
        ])
        .expect_status(0);
    place.write("runs/night-000/notes.txt", "mine");
    place.write("runs/night-000/plots/a.svg", "mine");
    let told = place
        .run(&["history", "prune", "--keep", "0s", "--dry-run"])
        .expect_status(0);
    let left = "night-000: notes.txt, plots, which no run has put there";
    assert!(told.stderr.contains(left), "{}", told.stderr);
    let told = place
        .run(&["history", "prune", "--keep", "0s"])
        .expect_status(0);
    assert!(told.stderr.contains(left), "{}", told.stderr);
    assert_eq!(names(&runs.join("night-000")), ["notes.txt", "plots"]);
    assert!(runs.join("night-000/plots/a.svg").exists());
    // The newest run stays, and that is told.
    assert!(
        told.stderr
            .contains("night-001: it is the newest run of its matrix"),
        "{}",
        told.stderr
    );
    assert_eq!(names(&runs), ["night-000", "night-001"]);
    // Nothing of ours is left to be removed.
    let told = place
        .run(&["history", "prune", "--keep", "0s"])
        .expect_status(0);
    assert_eq!(told.stdout, "");
}

#[test]
fn what_is_in_use_elsewhere_or_another_run_stays() {
    let place = Place::new();
    let runs = place.path().join("runs");
    nights(&runs, &[0.5; 6]);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    // Not known to the history.
    Night::of(0, 0.5).write(&runs.join("unknown"));
    place.write("runs/mine/thesis.txt", "x");
    // In use.
    let lock = File::create(runs.join("night-000/lock")).unwrap();
    lock.lock().unwrap();
    // A link out of the place of runs.
    fs::rename(runs.join("night-001"), place.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place.path().join("elsewhere"), runs.join("night-001")).unwrap();
    // By now another run.
    fs::remove_dir_all(runs.join("night-002")).unwrap();
    Night::of(50, 0.5).write(&runs.join("night-002"));
    // Its journal is gone.
    fs::remove_file(runs.join("night-003/journal.jsonl")).unwrap();
    // A link inside of what is removed leads out of it.
    place.write("precious/a.txt", "x");
    std::os::unix::fs::symlink(place.path().join("precious"), runs.join("night-004/logs")).unwrap();
    let told = place
        .run(&["history", "prune", "--keep", "1d"])
        .expect_status(0);
    assert_eq!(
        names(&runs),
        [
            "mine",
            "night-000",
            "night-001",
            "night-002",
            "night-003",
            "night-005",
            "unknown"
        ],
        "{}",
        told.stderr
    );
    assert!(place.path().join("precious/a.txt").exists());
    assert!(place.path().join("elsewhere/journal.jsonl").exists());
    for reason in [
        "is in use by",
        "does not lie below runs",
        "another run by now",
    ] {
        assert!(told.stderr.contains(reason), "{reason}: {}", told.stderr);
    }
    // Another place is another place.
    place.write("other/x", "");
    let told = place
        .run(&["history", "prune", "--keep", "1d", "--runs", "other"])
        .expect_status(0);
    assert_eq!(told.stdout, "");
}

#[test]
fn prune_asks_what_to_keep() {
    let place = Place::new();
    place.run(&["history", "prune"]).expect_status(2);
    place
        .run(&["history", "prune", "--keep", "90"])
        .expect_status(2);
    place
        .run(&["history", "prune", "--keep", "90d"])
        .expect_status(0);
}
