//! What a run does with a rule.

use super::{looked_at, rows_by};
use crate::support::{Place, fake_matrix};
use earmark::model::RepeatDecision;
use std::collections::BTreeMap;

/// A row that always takes the same, and one whose trials take from one to four times as long.
fn quiet_and_noisy(settings: &str) -> Place {
    let place = Place::new();
    let matrix = fake_matrix(
        "  fake-jitter: [0, 3]",
        &format!("settings: {{fake-seconds: 0.04, {settings}}}"),
    );
    place.write("m.yaml", &matrix);
    place
}

#[test]
fn a_quiet_row_stops_early_and_a_noisy_one_goes_to_the_most() {
    let place = quiet_and_noisy("repeat: {min: 6, max: 30, until: 10%}");
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let record = looked_at(&place, "r");
    let rows = rows_by(&place, "r", "setting.fake-jitter");
    let number = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<f64>().unwrap();
    let (quiet, noisy) = (&rows["0"], &rows["3"]);
    let n = number(quiet, "n");
    assert!((6.0..30.0).contains(&n) && n % 6.0 == 0.0, "{n}");
    let stopped = format!("stopped at n = {n}: interval within ");
    assert!(quiet["notes"].contains(&stopped), "{}", quiet["notes"]);
    let half = (number(quiet, "transcribe_seconds_ci_high")
        - number(quiet, "transcribe_seconds_ci_low"))
        / 2.0
        / number(quiet, "transcribe_seconds_median");
    assert!(half <= 0.1, "{half}");
    assert_eq!(noisy["n"], "30");
    assert_eq!(noisy["launches"], "5");
    assert!(
        noisy["notes"].contains("reached max 30 at "),
        "{}",
        noisy["notes"]
    );
    // Whole rounds: nobody begins a launch before all have done the one before.
    let mut begun: Vec<(f64, u32)> = (record.jobs.iter())
        .filter(|(id, _)| id.0.starts_with("benchmark/"))
        .flat_map(|(_, job)| &job.attempts)
        .map(|attempt| (attempt.started_at, attempt.launch))
        .collect();
    begun.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert!(begun.is_sorted_by_key(|(_, launch)| *launch), "{begun:?}");
}

#[test]
fn launches_share_the_trials_of_a_set() {
    let place = quiet_and_noisy("launches: 3, repeat: {min: 6, max: 20, until: 0.0001%}");
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let record = looked_at(&place, "r");
    let rows = rows_by(&place, "r", "setting.fake-jitter");
    let noisy = &rows["3"];
    // Three launches of two trials are a set, and three sets fit into twenty.
    assert_eq!(
        (noisy["launches"].as_str(), noisy["n"].as_str()),
        ("9", "18")
    );
    assert!(
        noisy["notes"].contains("reached max 20 (n = 18 in whole rounds) at "),
        "{}",
        noisy["notes"]
    );
    for job in record.jobs.values().filter(|job| !job.looks.is_empty()) {
        assert!(job.looks.iter().all(|look| look.launches % 3 == 0));
        let measured = job.samples.iter().filter(|sample| !sample.warmup);
        assert_eq!(measured.count(), job.looks.last().unwrap().trials as usize);
    }
}

#[test]
fn a_row_that_fails_ends_as_ever_and_says_nothing_of_looks() {
    let place = Place::new();
    let matrix = fake_matrix(
        "  fake-fault: [crash-trial]",
        "settings: {repeat: {min: 6, max: 12, until: 5%}}\nretries: {crash: 1, backoff: 10ms}",
    );
    place.write("m.yaml", &matrix);
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(3);
    let record = looked_at(&place, "r");
    let row = &place.table("r/results.csv")[0];
    assert_eq!(
        (row["status"].as_str(), row["notes"].as_str()),
        ("crashed", "")
    );
    assert!(record.jobs.values().all(|job| job.looks.is_empty()));
}

#[test]
fn a_command_is_measured_by_a_rule_too() {
    let place = Place::new();
    place.write(
        "m.yaml",
        "version: 1\nname: test\nmatrix:\n  backend: [say]\n  model: [none]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\nbackends:\n  say: {command: [sh, -c, 'sleep 0.05; echo a'], \
         output: text}\nsettings: {warmup: 0, repeat: {min: 6, max: 12, until: 90%}}\n",
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    looked_at(&place, "r");
    let row = &place.table("r/results.csv")[0];
    assert!(["6", "12"].contains(&row["n"].as_str()), "{row:?}");
    assert!(row["notes"].contains("at n = ") || row["notes"].contains("reached max 12"));
}

#[test]
fn shards_decide_each_row_by_itself() {
    let place = quiet_and_noisy("repeat: {min: 6, max: 12, until: 10%}");
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0);
    place.write("plan.json", &plan.stdout);
    for shard in ["1/2", "2/2"] {
        let folder = format!("part-{}", &shard[..1]);
        place
            .run(&["run", "plan.json", "--shard", shard, "--out", &folder])
            .expect_status(0);
    }
    place
        .run(&["merge", "part-1", "part-2", "--out", "whole"])
        .expect_status(0);
    let record = looked_at(&place, "whole");
    let ends: Vec<RepeatDecision> = (record.jobs.values())
        .filter_map(|job| Some(job.looks.last()?.decision))
        .collect();
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|decision| decision.stops()), "{ends:?}");
    let rows = rows_by(&place, "whole", "setting.fake-jitter");
    assert!(
        rows["3"]["notes"].contains("reached max 12 at "),
        "{:?}",
        rows["3"]
    );
}
