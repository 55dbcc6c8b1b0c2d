//! The keys that say in which surroundings jobs run, for how long, and how often they are tried.

use crate::support::{Place, fake_matrix};
use serde_json::{Value, json};

/// Plans a matrix of the fake engine with other lines after it.
fn planned(place: &Place, rest: &str) -> Value {
    place.write("m.yaml", &fake_matrix("", rest));
    place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json()
}

const ALL: &str = "quiet: {load: 0.5, wait: 1m}
retries: {download: 0, crash: 3, backoff: 500ms}
pin-cpus: [1, 0]
deadlines:
  slow: 0.25
  job: 30m
  overrides: [{backend: fake, job: 0s}]
";

#[test]
fn a_plan_holds_what_the_matrix_says() {
    let place = Place::new();
    let plan = planned(&place, ALL);
    assert_eq!(plan["quiet"], json!({"load": 0.5, "wait": 60}));
    assert_eq!(
        plan["retries"],
        json!({"download": 0, "crash": 3, "backoff": 0.5})
    );
    assert_eq!(plan["pin-cpus"], json!([1, 0]));
    assert_eq!(plan["deadlines"]["slow"], 0.25);
    assert_eq!(plan["deadlines"]["job"], 1800);
    assert_eq!(plan["deadlines"]["overrides"][0]["job"], 0);
    let quiet = planned(&place, "quiet: {load: 0, wait: 0s}");
    assert_eq!(quiet["quiet"], json!({"load": 0.0, "wait": 0}));
}

#[test]
fn what_is_not_said_is_not_written_so_that_older_seals_hold() {
    let place = Place::new();
    let silent = planned(&place, "");
    for key in ["quiet", "retries", "pin-cpus"] {
        assert!(silent.get(key).is_none(), "{key}");
    }
    for key in ["slow", "job"] {
        assert!(silent["deadlines"].get(key).is_none(), "{key}");
    }
    let said = planned(
        &place,
        "quiet: off\nretries: {download: 2, crash: 0, backoff: 1s}\ndeadlines: {slow: 0.5}",
    );
    assert_eq!(said["retries"], silent["retries"]);
    assert_eq!(said["deadlines"], silent["deadlines"]);
    assert_eq!(said["jobs"], silent["jobs"]);
}

#[test]
fn a_change_by_hand_breaks_the_seal() {
    let place = Place::new();
    let plan = planned(&place, ALL);
    let edits: [fn(&mut Value); 5] = [
        |plan| plan["quiet"]["load"] = json!(4.0),
        |plan| plan["retries"]["crash"] = json!(0),
        |plan| plan["pin-cpus"] = json!([0]),
        |plan| plan["deadlines"]["slow"] = json!(1.0),
        |plan| plan["deadlines"]["job"] = json!(60),
    ];
    place.write("plan.json", &plan.to_string());
    place.run(&["plan", "plan.json"]).expect_status(0);
    for edit in edits {
        let mut changed = plan.clone();
        edit(&mut changed);
        place.write("plan.json", &changed.to_string());
        let ran = place.run(&["run", "plan.json"]).expect_status(2);
        assert!(ran.stderr.contains("changed"), "{}", ran.stderr);
    }
}

#[test]
fn a_comparison_tells_what_changed_in_words() {
    let place = Place::new();
    place.write("old.yaml", &fake_matrix("", "quiet: {load: 0.5, wait: 1m}"));
    let new = "quiet: {load: 0.5, wait: 2m}\nretries: {crash: 1, backoff: 2s}\npin-cpus: [0]\n\
               deadlines: {slow: 0.8, job: 30m}";
    place.write("new.yaml", &fake_matrix("", new));
    let shown = place
        .run(&["plan", "new.yaml", "--diff", "old.yaml"])
        .expect_status(0)
        .stdout;
    for line in [
        "~ deadlines.job: unset → 30 min 00 s",
        "~ deadlines.slow: 0.5 → 0.8",
        "~ quiet.wait: 1 min 00 s → 2 min 00 s",
        "~ retries.crash: 0 → 1",
        "~ retries.backoff: 1.00 s → 2.00 s",
        "~ pin-cpus: none → 0",
    ] {
        assert!(shown.contains(line), "no `{line}` in\n{shown}");
    }
}

#[test]
fn the_longest_time_counts_the_whole_limit_and_further_attempts() {
    let place = Place::new();
    let longest = |rest: &str| {
        place.write("m.yaml", &fake_matrix("", rest));
        let text = place.run(&["plan", "m.yaml"]).expect_status(0).stdout;
        let line = text.lines().find(|line| line.contains("by the deadlines"));
        line.unwrap().trim().to_owned()
    };
    let limits = "deadlines: {job: 100s, grace: 0s}";
    assert_eq!(longest(limits), "at most    1 min 40 s by the deadlines");
    // Three attempts, and pauses of five and ten seconds between them.
    let again = format!("{limits}\nretries: {{crash: 2, backoff: 5s}}");
    assert_eq!(longest(&again), "at most    5 min 15 s by the deadlines");
}

#[test]
fn cpus_that_do_not_fit_are_told_and_do_not_stop() {
    let place = Place::new();
    place.write("m.yaml", &fake_matrix("  threads: [2]", "pin-cpus: [1023]"));
    let ran = place.run(&["check", "m.yaml"]).expect_status(0);
    assert!(
        ran.stderr.contains("CPU 1023 is not among the"),
        "{}",
        ran.stderr
    );
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert!(
            ran.stderr
                .contains("2 threads on the one CPU of `pin-cpus`"),
            "{}",
            ran.stderr
        );
    }
}
