//! Parts that stop before all of them is done: at their own faults, or when their own time is over.

use super::slurm::Cluster;
use crate::support::fake_matrix;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// A cluster with a part on each of two kinds of machine. On the first, two of four benchmarks cannot be loaded;
/// on the second, one of three.
fn with_faults() -> Cluster {
    let cluster = Cluster::new();
    let text = fake_matrix(
        "  requires: [\"label:a\", \"label:b\"]\n  fake-fault: [fail-load, none]\n  beam-size: [1, 2]\n  \
         exclude: [{requires: \"label:b\", fake-fault: fail-load, beam-size: 2}]",
        "settings: {warmup: 0, repeat: 1}\norder: matrix",
    );
    cluster.place.write("m.yaml", &text);
    cluster
}

/// Returns how many benchmarks of a kind of machine ended how.
fn ends(cluster: &Cluster, label: &str) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for row in cluster.place.table("run/results.csv") {
        if row["job_id"].contains(&format!("label_{label}")) {
            *ends.entry(row["status"].clone()).or_default() += 1;
        }
    }
    ends
}

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts
        .into_iter()
        .map(|(status, count)| (status.to_owned(), count))
        .collect()
}

/// Returns what was written down of when the parts of a submission stop.
fn recorded(cluster: &Cluster, number: u32) -> Value {
    let path = format!("run/submissions/{number}.json");
    let text = fs::read_to_string(cluster.place.path().join(path)).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["stops"].clone()
}

#[test]
fn each_part_stops_at_its_own_first_fault_and_what_is_sent_again_does_so_too() {
    let cluster = with_faults();
    let ran = cluster.on(&["--fail-fast"]).expect_status(3);
    assert!(
        ran.stderr.contains("each part has --fail-fast for itself"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        ends(&cluster, "a"),
        counts([("failed", 1), ("cancelled", 3)])
    );
    assert_eq!(
        ends(&cluster, "b"),
        counts([("failed", 1), ("cancelled", 2)])
    );
    for told in [
        "5 of 9 jobs missing: left out",
        "left out    5: another job failed, and --fail-fast was given",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    // Nothing is said of it now, and what failed stays failed.
    cluster.run(&["run", "--resume", "run"]).expect_status(3);
    assert_eq!(recorded(&cluster, 2), recorded(&cluster, 1));
    assert_eq!(
        ends(&cluster, "a"),
        counts([("failed", 2), ("cancelled", 2)])
    );
    assert_eq!(
        ends(&cluster, "b"),
        counts([("failed", 1), ("completed", 2)])
    );
    // What is said anew replaces it.
    cluster
        .run(&["run", "--resume", "run", "--keep-going"])
        .expect_status(3);
    assert_eq!(recorded(&cluster, 3)["fail-fast"], false);
    assert_eq!(
        ends(&cluster, "a"),
        counts([("failed", 2), ("completed", 2)])
    );
}

#[test]
fn each_part_stops_after_so_many_faults_of_its_own() {
    let cluster = with_faults();
    let ran = cluster.on(&["--max-failures", "2"]).expect_status(3);
    assert_eq!(
        ends(&cluster, "a"),
        counts([("failed", 2), ("cancelled", 2)])
    );
    assert_eq!(
        ends(&cluster, "b"),
        counts([("failed", 1), ("completed", 2)])
    );
    assert!(
        ran.stderr
            .contains("left out    2: 2 jobs failed, and --max-failures 2 was given"),
        "{}",
        ran.stderr
    );
    let resumed = ["run", "--resume", "run", "--fail-fast"];
    cluster.run(&resumed).expect_status(3);
    assert_eq!(recorded(&cluster, 2)["fail-fast"], true);
    assert_eq!(recorded(&cluster, 2)["max-failures"], Value::Null);
}

#[test]
fn launches_that_a_part_has_no_time_for_are_told_and_measured_with_more_time() {
    let cluster = Cluster::new();
    let text = fake_matrix(
        "  requires: [\"label:a\", \"label:b\"]",
        "settings: {warmup: 0, repeat: 1, launches: 4}",
    );
    cluster.place.write("m.yaml", &text);
    let trials = || -> Vec<String> {
        let rows = cluster.place.table("run/results.csv").into_iter();
        rows.map(|row| row["n"].clone()).collect()
    };
    let ran = cluster.on(&["--time-budget", "1ms"]).expect_status(0);
    assert_eq!(trials(), ["1", "1"], "each part has one round");
    for told in [
        "2 benchmarks have fewer launches than planned: the time budget of 1.0 ms left out the others",
        "--time-budget LONGER",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    // In the same time it would come to the same.
    let before = cluster.calls("sbatch");
    cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert_eq!(cluster.calls("sbatch"), before);
    let ran = cluster
        .run(&["run", "--resume", "run", "--time-budget", "1h 30m"])
        .expect_status(0);
    assert_eq!(trials(), ["4", "4"]);
    assert_eq!(recorded(&cluster, 2)["time-budget"], "1h30m");
    assert!(
        !ran.stderr.contains("left out the others"),
        "{}",
        ran.stderr
    );
    // What is whole stays, however little time there would be.
    cluster
        .run(&["run", "--resume", "run", "--time-budget", "1ms"])
        .expect_status(0);
    assert_eq!(trials(), ["4", "4"]);
}

#[test]
fn what_would_stop_parts_is_shown_and_nothing_is_handed_over() {
    let cluster = with_faults();
    let shown = "each part has --max-failures 3 --time-budget 2h for itself: it knows only its own faults and \
                 its own time";
    let asked = ["--max-failures", "3", "--time-budget", "2h"];
    let ran = cluster
        .on(&[&asked[..], &["--dry-run"]].concat())
        .expect_status(0);
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    let ran = cluster.on(&["--dry-run"]).expect_status(0);
    assert!(!ran.stdout.contains("each part"), "{}", ran.stdout);
    // So is what would be sent again.
    cluster.on(&["--fail-fast"]).expect_status(3);
    let before = cluster.calls("sbatch");
    let again = ["run", "--resume", "run", "--dry-run"];
    let ran = cluster.run(&again).expect_status(0);
    assert!(
        ran.stdout.contains("each part has --fail-fast for itself"),
        "{}",
        ran.stdout
    );
    assert_eq!(cluster.calls("sbatch"), before);
    assert!(!cluster.place.path().join("run/submissions/2.json").exists());
}

#[test]
fn parts_that_the_scheduler_has_are_not_told_otherwise() {
    let cluster = Cluster::new();
    let text = fake_matrix(
        "  requires: [\"label:a\"]\n  beam-size: [1, 2, 3]",
        "settings: {warmup: 0, repeat: 2, fake-seconds: 5}",
    );
    cluster.place.write("m.yaml", &text);
    cluster.on(&["--detach", "--fail-fast"]).expect_status(0);
    let ran = cluster
        .run(&["run", "--resume", "run", "--max-failures", "2"])
        .expect_status(2);
    for told in ["were handed over with --fail-fast", "attach", "--cancel"] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert_eq!(recorded(&cluster, 1)["fail-fast"], true);
    assert!(!cluster.place.path().join("run/submissions/2.json").exists());
    // The same again is no other.
    let same = ["run", "--resume", "run", "--fail-fast", "--detach"];
    cluster.run(&same).expect_status(0);
    // Nothing may have been measured yet that could be reported.
    cluster.run(&["attach", "run", "--cancel"]);
    assert!(cluster.calls("scancel") >= 1);
}
