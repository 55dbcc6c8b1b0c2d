//! `isolation: model`: one process serves the jobs that want the same of it, and each of them is still a job
//! of its own.

use crate::support::{Place, eventually, project};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A place with the engine of these tests, which commits a fault on recordings longer than some seconds.
fn place(fault: &str, rest: &str) -> Place {
    let place = Place::new();
    let engine = project().join("tests/isolation/engine.py");
    let once = place.path().join("once").display().to_string();
    let matrix = format!(
        "version: 1
name: kept
matrix:
  backend: [kept]
  model: [any]
  audio: [jfk, sonnet-1, arctic-a0007]
  verify-method: [cache-check]
backends:
  kept:
    command: [python3, -S, '{}', '{fault}', '20', '{once}']
    output: protocol
    settings:
      beam-size: {{kind: {{integer: {{minimum: 1, maximum: 5}}}}, default: 1, description: Hypotheses.}}
isolation: model
order: matrix
{rest}
",
        engine.display()
    );
    place.write("m.yaml", &matrix);
    place
}

fn events(place: &Place, folder: &str, name: &str) -> Vec<Value> {
    let path = place.path().join(folder).join("journal.jsonl");
    let journal = std::fs::read_to_string(path).unwrap_or_default();
    journal
        .lines()
        // The last line of a run that goes on may be torn.
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["event"] == name)
        .collect()
}

/// What each trial said of its process, in their order: the job's recording, and the process.
fn processes(place: &Place, folder: &str) -> Vec<(String, String)> {
    events(place, folder, "trial-ended")
        .iter()
        .map(|event| {
            let sample = &event["sample"];
            let process = sample["text"].as_str().unwrap().split(' ').nth(1).unwrap();
            (
                sample["utterance"].as_str().unwrap().to_owned(),
                process.to_owned(),
            )
        })
        .collect()
}

fn distinct(processes: &[(String, String)]) -> usize {
    processes
        .iter()
        .map(|(_, process)| process)
        .collect::<BTreeSet<_>>()
        .len()
}

fn by_audio(rows: Vec<BTreeMap<String, String>>) -> BTreeMap<String, BTreeMap<String, String>> {
    rows.into_iter()
        .map(|row| (row["audio"].clone(), row))
        .collect()
}

#[test]
fn one_process_a_launch_serves_all_jobs_of_a_model_and_the_rows_say_so() {
    let place = place("none", "settings: {repeat: 2, launches: 2}");
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let said = processes(&place, "r");
    assert_eq!(said.len(), 3 * 2 * (2 + 1));
    assert_eq!(distinct(&said), 2, "{said:?}");
    for half in [&said[..9], &said[9..]] {
        assert_eq!(
            distinct(half),
            1,
            "a launch has a process of its own: {said:?}"
        );
    }
    let rows = by_audio(place.table("r/results.csv"));
    assert_eq!(rows.len(), 3);
    for (audio, row) in &rows {
        assert_eq!(row["status"], "completed", "{audio}");
        assert_eq!(
            (row["isolation"].as_str(), row["n"].as_str()),
            ("model", "4")
        );
        assert_eq!(row["backend_version"], "7", "{audio}");
        assert_eq!(row["network_wall"], rows["jfk"]["network_wall"]);
        assert!(!row["network_wall"].is_empty());
        // They are those of a process that served others too.
        for column in [
            "peak_rss_bytes",
            "peak_anonymous_bytes",
            "process_cpu_seconds",
        ] {
            assert_eq!(row[column], "", "{audio}: {column}");
        }
    }
    let page = std::fs::read_to_string(place.path().join("r/report.html")).unwrap();
    assert!(page.contains("its memory is no single row’s"));
    // Only the job that the process was started for waited for its start and load.
    assert_eq!(rows["jfk"]["load_seconds"], "0.25");
    assert!(!rows["jfk"]["start_seconds"].is_empty());
    assert_eq!(rows["sonnet-1"]["load_seconds"], "");
    assert_eq!(rows["sonnet-1"]["start_seconds"], "");
}

#[test]
fn other_settings_are_another_process() {
    let place = place("none", "settings: {repeat: 1, warmup: 0}");
    let matrix = std::fs::read_to_string(place.path().join("m.yaml")).unwrap();
    let matrix = matrix.replace("  verify-method", "  beam-size: [1, 2]\n  verify-method");
    place.write("m.yaml", &matrix);
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let said = processes(&place, "r");
    assert_eq!((said.len(), distinct(&said)), (6, 2), "{said:?}");
    place.write(
        "m.yaml",
        &matrix.replace("isolation: model", "isolation: job"),
    );
    place.run(&["run", "m.yaml", "--out", "s"]).expect_status(0);
    assert_eq!(distinct(&processes(&place, "s")), 6);
    assert_eq!(place.table("s/results.csv")[0]["isolation"], "job");
}

#[test]
fn a_fault_is_that_of_the_job_whose_turn_it_is_and_those_after_it_get_a_new_process() {
    let place = place("crash", "settings: {repeat: 1, warmup: 0}");
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(3);
    let rows = by_audio(place.table("r/results.csv"));
    assert_eq!(rows["jfk"]["status"], "completed");
    assert_eq!(rows["sonnet-1"]["status"], "crashed");
    assert_eq!(rows["arctic-a0007"]["status"], "completed");
    // Once in the process that had served another, and once in its own.
    let crashes = events(&place, "r", "attempt-ended");
    let crashes = crashes
        .iter()
        .filter(|end| end["outcome"]["status"] == "crashed");
    assert_eq!(crashes.count(), 2);
    let said = processes(&place, "r");
    assert_eq!((said.len(), distinct(&said)), (2, 2), "{said:?}");
}

#[test]
fn a_job_has_its_own_limits_in_a_process_that_others_used_before() {
    let limits = "deadlines: {job: 3s, benchmark: {floor: 1m}, grace: 100ms}";
    let place = place(
        "hang",
        &format!("settings: {{repeat: 1, warmup: 0}}\n{limits}"),
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(3);
    let ends = events(&place, "r", "attempt-ended");
    let outcomes: Vec<&str> = ends
        .iter()
        .filter_map(|end| end["outcome"]["status"].as_str())
        .collect();
    assert_eq!(
        outcomes,
        ["completed", "timed-out", "completed"],
        "{ends:?}"
    );
    let hung = ends
        .iter()
        .find(|end| end["outcome"]["status"] == "timed-out")
        .unwrap();
    assert_eq!(hung["outcome"]["phase"], "job");
    assert_eq!(hung["outcome"]["limit_seconds"], 3.0);
    // It had all of its limit, and not what the job before it had left.
    let begun = events(&place, "r", "attempt-started")
        .into_iter()
        .find(|begun| begun["job"] == hung["job"])
        .unwrap();
    let took =
        hung["elapsed-seconds"].as_f64().unwrap() - begun["elapsed-seconds"].as_f64().unwrap();
    assert!(took >= 2.9, "{took}");
}

#[test]
fn what_is_tried_again_begins_anew_and_what_was_done_before_it_stays() {
    let rest = "settings: {repeat: 2, warmup: 1}\nretries: {crash: 1, backoff: 10ms}";
    let place = place("once:crash", rest);
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let rows = by_audio(place.table("r/results.csv"));
    assert!(
        rows.values()
            .all(|row| row["status"] == "completed" && row["n"] == "2")
    );
    let said = processes(&place, "r");
    assert_eq!((said.len(), distinct(&said)), (9, 2), "{said:?}");
    let attempts: Vec<u64> = events(&place, "r", "trial-ended")
        .iter()
        .map(|event| event["sample"]["attempt"].as_u64().unwrap())
        .collect();
    assert_eq!(attempts, [1, 1, 1, 2, 2, 2, 1, 1, 1]);
}

#[test]
fn a_runner_killed_in_the_middle_goes_on_with_the_jobs_that_are_left() {
    let place = place("once:hang", "settings: {repeat: 1, warmup: 0}");
    let mut runner = place
        .command(&["run", "m.yaml", "--out", "r"])
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let ended = |event: &Value| event["outcome"]["status"] == "completed";
    eventually("the second job hangs", || {
        place.path().join("once").exists() && events(&place, "r", "attempt-ended").iter().any(ended)
    });
    runner.kill().unwrap();
    runner.wait().unwrap();
    place.run(&["run", "--resume", "r"]).expect_status(0);
    let said = processes(&place, "r");
    let clips: Vec<&str> = said.iter().map(|(clip, _)| clip.as_str()).collect();
    assert_eq!(
        clips,
        ["jfk", "sonnet-1", "arctic-a0007"],
        "the first is not done again"
    );
    assert_eq!(distinct(&said), 2);
}

#[test]
fn a_command_has_its_own_processes_whatever_is_asked_for() {
    let place = Place::new();
    place.write(
        "m.yaml",
        "version: 1
name: command
matrix: {backend: [say], model: [any], audio: [jfk, arctic-a0007], verify-method: [cache-check]}
backends:
  say: {command: [sh, -c, 'echo what is said'], output: text}
isolation: model
",
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    for row in place.table("r/results.csv") {
        assert_eq!(row["isolation"], "job");
        assert!(!row["peak_rss_bytes"].is_empty());
    }
}

#[test]
fn a_process_that_ends_or_speaks_between_two_jobs_is_given_no_other_one() {
    for fault in ["once:leave", "once:babble"] {
        let place = place(fault, "settings: {repeat: 1, warmup: 0}");
        place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
        let said = processes(&place, "r");
        assert_eq!((said.len(), distinct(&said)), (3, 2), "{fault}: {said:?}");
        let rows = place.table("r/results.csv");
        assert!(
            rows.iter().all(|row| row["status"] == "completed"),
            "{fault}"
        );
    }
}

#[test]
fn what_falls_over_in_a_process_that_served_others_gets_one_of_its_own() {
    let place = place("once:crash", "settings: {repeat: 1, warmup: 0}");
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let rows = by_audio(place.table("r/results.csv"));
    assert!(rows.values().all(|row| row["status"] == "completed"));
    let attempts = events(&place, "r", "attempt-ended");
    let outcomes: Vec<&str> = attempts
        .iter()
        .filter_map(|end| end["outcome"]["status"].as_str())
        .filter(|status| *status == "completed" || *status == "crashed")
        .collect();
    assert!(outcomes.contains(&"crashed"), "it is told: {outcomes:?}");
    // Alone in its process, it has nobody to blame.
    let matrix = std::fs::read_to_string(place.path().join("m.yaml")).unwrap();
    place.write(
        "m.yaml",
        &matrix.replace("[jfk, sonnet-1, arctic-a0007]", "[sonnet-1]"),
    );
    std::fs::remove_file(place.path().join("once")).unwrap();
    place.run(&["run", "m.yaml", "--out", "s"]).expect_status(3);
}

#[test]
fn an_attempt_stands_down_between_two_jobs_of_a_process() {
    let place = place("mark", "settings: {repeat: 1, warmup: 0}");
    let plan = place.run(&["plan", "m.yaml", "--format", "json"]).stdout;
    place.write("plan.json", &plan);
    let part = ["--shard", "1/1", "--stand-down", "once"];
    let arguments = [&["run", "plan.json", "--out", "r"][..], &part].concat();
    let ran = place.run(&arguments);
    assert_eq!(processes(&place, "r").len(), 1, "{}", ran.stderr);
    let ends = events(&place, "r", "job-ended");
    let left = ends
        .iter()
        .filter(|end| end["outcome"]["status"] == "cancelled");
    assert_eq!(left.count(), 2, "{ends:?}");
}

#[test]
fn another_isolation_is_another_measurement() {
    let place = place("none", "settings: {repeat: 1, warmup: 0}");
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let matrix = std::fs::read_to_string(place.path().join("m.yaml")).unwrap();
    place.write(
        "m.yaml",
        &matrix.replace("isolation: model", "isolation: job"),
    );
    let ran = place
        .run(&["run", "m.yaml", "--resume", "r"])
        .expect_status(0);
    assert_eq!(distinct(&processes(&place, "r")), 4, "{}", ran.stderr);
    let rows = place.table("r/results.csv");
    assert!(
        rows.iter()
            .all(|row| row["isolation"] == "job" && !row["load_seconds"].is_empty())
    );
}
