//! Several run folders of one plan as one.

use crate::support::journal::{Journal, Start, plan};
use crate::support::{Place, fake_matrix};
use earmark::model::{Outcome, Phase, Plan, Shard, Verdict, VerifyFinding};
use earmark::record::{MergeSource, Merged, RunFolder, fold, merge, missing};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Returns every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// A shard's journal: its machine's verdict, and some benchmarks.
struct Part<'a> {
    plan: &'a Plan,
    start: Start,
    date: u32,
    outcome: Outcome,
    clips: &'a [usize],
}

impl Part<'_> {
    fn journal(&self) -> Journal {
        let mut journal = Journal::at(self.date);
        journal.start(self.plan, &self.start);
        journal.artifact("weights");
        let complete = VerifyFinding::plain(Verdict::Complete, "");
        journal.end(&self.plan.jobs[0].id, &Outcome::Completed, Some(complete));
        for clip in self.clips {
            journal.measure(&self.plan.jobs[clip + 1], &self.outcome);
        }
        journal.over(false);
        journal
    }
}

fn part<'a>(plan: &'a Plan, machine: &str, attempt: u32, clips: &'a [usize]) -> Part<'a> {
    Part {
        plan,
        start: Start {
            run_id: format!("on-{machine}"),
            machine: machine.into(),
            attempt,
            shard: Some(Shard::new(1, 2)),
            resumed: false,
        },
        date: attempt * 100,
        outcome: Outcome::Completed,
        clips,
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        phase: Phase::Trial,
        reason: "no".into(),
    }
}

#[test]
fn shards_of_two_machines_become_a_run_folder_like_any_other() {
    let place = Place::new();
    let plan = plan(4);
    for (name, machine, clips) in [("a", "one", [0, 2]), ("b", "two", [1, 3])] {
        let journal = part(&plan, machine, 1, &clips).journal();
        journal.write(&place.path().join(name), &plan);
    }
    let ran = place
        .run(&["merge", "a", "b", "--out", "m"])
        .expect_status(0);
    assert!(
        ran.stderr.contains("2 runs on 2 machines"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("m/report.html"), "{}", ran.stdout);
    let rows = place.table("m/results.csv");
    let machines: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["machine_id"].as_str(), row["run_id"].as_str()))
        .collect();
    let (one, two) = (("one", "on-one"), ("two", "on-two"));
    assert_eq!(machines, [one, two, one, two]);
    // A verdict belongs to a machine.
    let jobs = place.table("m/jobs.csv");
    let verifies: Vec<(&str, &str)> = jobs
        .iter()
        .filter(|row| row["kind"] == "verify")
        .map(|row| (row["machine_id"].as_str(), row["verdict"].as_str()))
        .collect();
    assert_eq!(verifies, [("one", "complete"), ("two", "complete")]);
    assert_eq!(jobs.len(), 6);
    // Machines are never averaged.
    let summary = place.table("m/summary.csv");
    let summary: Vec<(&str, &str, &str)> = summary
        .iter()
        .map(|row| {
            (
                row["machine_id"].as_str(),
                row["n"].as_str(),
                row["n_planned"].as_str(),
            )
        })
        .collect();
    assert_eq!(summary, [("one", "2", "4"), ("two", "2", "4")]);
    let page = fs::read_to_string(place.path().join("m/report.html")).unwrap();
    for host in ["host-one", "host-two"] {
        assert!(page.contains(host), "{host} is missing");
    }
    let before = files(&place.path().join("m"));
    place.run(&["report", "m"]).expect_status(0);
    assert_eq!(files(&place.path().join("m")), before);
    // The order does not matter, nor does what is merged already.
    place
        .run(&["merge", "b", "a", "--out", "n"])
        .expect_status(0);
    place
        .run(&["merge", "b", "m", "a", "a", "--out", "o"])
        .expect_status(0);
    for other in ["n", "o"] {
        assert_eq!(files(&place.path().join(other)), before, "{other}");
    }
    assert!(!before.contains_key("lock"));
}

#[test]
fn real_runs_can_be_merged_and_a_torn_end_costs_what_it_tore() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix("  beam-size: [1, 2]", "order: matrix"),
    );
    let plan = place.run(&["plan", "a.yaml", "--format", "json"]).stdout;
    place.write("plan.json", &plan);
    place
        .run(&["run", "plan.json", "--out", "a"])
        .expect_status(0);
    let journal = fs::read_to_string(place.path().join("a/journal.jsonl")).unwrap();
    let last_end = journal.rfind("\"event\":\"job-ended\"").unwrap();
    fs::write(place.path().join("a/journal.jsonl"), &journal[..last_end]).unwrap();
    let ran = place.run(&["merge", "a", "--out", "m"]).expect_status(3);
    assert!(
        ran.stderr.contains("1 of ") && ran.stderr.contains("missing     benchmark/fake"),
        "{}",
        ran.stderr
    );
    // What is there is reported all the same.
    let status = |row: usize| place.table("m/results.csv")[row]["status"].clone();
    assert_eq!(
        (status(0), status(1)),
        ("completed".into(), "not-run".into())
    );
    place
        .run(&["run", "plan.json", "--out", "b"])
        .expect_status(0);
    let ran = place
        .run(&["merge", "a", "b", "--out", "whole"])
        .expect_status(0);
    assert!(
        ran.stderr.contains("2 results were dropped")
            || ran.stderr.contains("1 result was dropped"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_cannot_be_merged_is_refused_by_name() {
    let place = Place::new();
    let (plan, other) = (plan(1), plan(2));
    part(&plan, "one", 1, &[0])
        .journal()
        .write(&place.path().join("a"), &plan);
    part(&other, "two", 1, &[1])
        .journal()
        .write(&place.path().join("b"), &other);
    let ran = place
        .run(&["merge", "b", "a", "--out", "m"])
        .expect_status(2);
    for wanted in ["a and b are of two plans", &plan.digest, &other.digest] {
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    }
    let mut journal = part(&plan, "three", 1, &[0]).journal();
    journal.artifact("other weights");
    journal.write(&place.path().join("c"), &plan);
    let ran = place
        .run(&["merge", "c", "a", "--out", "m"])
        .expect_status(2);
    for wanted in ["ggml-f16 of tiny.en is weights in a", "other weights in c"] {
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    }
    let ran = place
        .run(&["merge", "a", "none", "--out", "m"])
        .expect_status(2);
    assert!(
        ran.stderr.contains("none is no run folder"),
        "{}",
        ran.stderr
    );
    assert!(!place.path().join("m").exists());
    let ran = place.run(&["merge", "a", "--out", "a"]).expect_status(2);
    assert!(ran.stderr.contains("holds a run already"), "{}", ran.stderr);
    place.run(&["merge", "a"]).expect_status(2);
}

#[test]
fn a_long_list_of_what_is_missing_is_cut() {
    let place = Place::new();
    let plan = plan(60);
    part(&plan, "one", 1, &[0])
        .journal()
        .write(&place.path().join("a"), &plan);
    let ran = place.run(&["merge", "a", "--out", "m"]).expect_status(3);
    assert!(
        ran.stderr.contains("59 of 61 jobs missing"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("and 40 more"), "{}", ran.stderr);
    assert!(ran.stderr.lines().count() <= 23, "{}", ran.stderr);
}

fn merged(plan: &Plan, journals: &[&Journal]) -> Merged {
    let sources = journals
        .iter()
        .enumerate()
        .map(|(number, journal)| MergeSource {
            path: format!("folder-{number}").into(),
            plan: plan.clone(),
            events: journal.events.clone(),
        });
    merge(sources.collect()).unwrap()
}

#[test]
fn the_newest_attempt_that_ended_counts() {
    let plan = plan(1);
    let id = plan.jobs[1].id.clone();
    let counts = |journals: &[&Journal]| {
        let record = fold(plan.clone(), merged(&plan, journals).events).unwrap();
        let job = record.job(&id).unwrap();
        let attempt = record.session_of(job).unwrap().attempt;
        (attempt, job.outcome.clone(), record.duplicates)
    };
    let first = part(&plan, "one", 1, &[0]).journal();
    let second = Part {
        outcome: failed(),
        ..part(&plan, "one", 2, &[0])
    }
    .journal();
    // A newer failure is not hidden by an older success.
    assert_eq!(counts(&[&second, &first]), (2, Some(failed()), 1));
    let third = Part {
        outcome: Outcome::Cancelled {
            reason: "interrupted".into(),
        },
        ..part(&plan, "one", 3, &[0])
    }
    .journal();
    assert_eq!(counts(&[&first, &third]).0, 1);
    let mut begun = Journal::at(900);
    begun.start(&plan, &part(&plan, "one", 4, &[]).start);
    begun.begin(&id, 0, 1);
    assert_eq!(counts(&[&begun, &first]), (1, Some(Outcome::Completed), 0));
    // Equal attempts: the one that began later.
    let later = Part {
        date: 5000,
        outcome: failed(),
        ..part(&plan, "one", 1, &[0])
    }
    .journal();
    assert_eq!(counts(&[&later, &first]), (1, Some(failed()), 1));
}

/// Returns a run of the whole plan.
fn whole<'a>(plan: &'a Plan, machine: &str, attempt: u32, clips: &'a [usize]) -> Part<'a> {
    let mut whole = part(plan, machine, attempt, clips);
    whole.start.shard = None;
    whole
}

/// The machines that have a row for a clip, with how it ended there, and how many records were dropped.
fn rows_of(
    plan: &Plan,
    clip: usize,
    journals: &[&Journal],
) -> (Vec<(String, &'static str)>, usize) {
    let record = fold(plan.clone(), merged(plan, journals).events).unwrap();
    let rows = earmark::report::result_rows(&record);
    let of_clip = rows
        .iter()
        .filter(|row| row.job.id == plan.jobs[clip + 1].id)
        .map(|row| (row.machine.unwrap_or_default().to_owned(), row.status()));
    (of_clip.collect(), record.duplicates)
}

#[test]
fn what_two_machines_measured_is_a_row_of_each() {
    let plan = plan(2);
    let one = whole(&plan, "one", 1, &[0, 1]).journal();
    let two = Part {
        date: 5000,
        ..whole(&plan, "two", 1, &[0])
    }
    .journal();
    let both = |first: &str, second: &str| {
        vec![
            (first.to_owned(), "completed"),
            (second.to_owned(), "completed"),
        ]
    };
    for journals in [[&one, &two], [&two, &one]] {
        assert_eq!(rows_of(&plan, 0, &journals), (both("one", "two"), 0));
        assert_eq!(
            rows_of(&plan, 1, &journals).0,
            [("one".to_owned(), "completed")]
        );
    }
    // One machine again: the newer one counts, and the other machine's row stays.
    let again = Part {
        date: 9000,
        outcome: failed(),
        ..whole(&plan, "one", 1, &[0])
    }
    .journal();
    assert_eq!(
        rows_of(&plan, 0, &[&again, &two, &one]),
        (
            vec![
                ("two".to_owned(), "completed"),
                ("one".to_owned(), "failed")
            ],
            1
        )
    );
    // What another machine only began is no row beside one that ended.
    let mut begun = Journal::at(7000);
    begun.start(&plan, &whole(&plan, "three", 1, &[]).start);
    begun.begin(&plan.jobs[1].id, 0, 1);
    begun.trial(&plan.jobs[1].id, "clip-0", (0, 1, 0));
    assert_eq!(
        rows_of(&plan, 0, &[&begun, &one, &two]),
        (both("one", "two"), 1)
    );
    assert_eq!(
        rows_of(&plan, 0, &[&begun]).0,
        [("three".to_owned(), "not-run")]
    );
}

/// A killed node's part is begun again elsewhere, while its own process may go on.
#[test]
fn a_later_attempt_at_a_part_stands_for_the_earlier_one_on_whatever_machine() {
    let plan = plan(2);
    let killed = part(&plan, "one", 1, &[0]).journal();
    let again = part(&plan, "two", 2, &[0, 1]).journal();
    let on_two = [("two".to_owned(), "completed")];
    for journals in [[&killed, &again], [&again, &killed]] {
        assert_eq!(rows_of(&plan, 0, &journals), (on_two.to_vec(), 1));
        assert_eq!(rows_of(&plan, 1, &journals).0, on_two);
    }
    // The killed one went on, and did what the later attempt did not get to.
    let went_on = Part {
        date: 4000,
        ..part(&plan, "one", 1, &[0, 1])
    }
    .journal();
    let cut = part(&plan, "two", 2, &[0]).journal();
    assert_eq!(rows_of(&plan, 0, &[&went_on, &cut]), (on_two.to_vec(), 1));
    assert_eq!(
        rows_of(&plan, 1, &[&went_on, &cut]).0,
        [("one".to_owned(), "completed")]
    );
    // Another part, another matter: nobody began that again.
    let mut other = part(&plan, "one", 1, &[0]);
    other.start.shard = Some(Shard::new(2, 2));
    other.date = 8000;
    assert_eq!(rows_of(&plan, 0, &[&other.journal(), &again]).0.len(), 2);
}

#[test]
fn every_report_keeps_two_machines_apart() {
    let place = Place::new();
    let mut plan = plan(2);
    plan.gates = serde_json::from_value(serde_json::json!([
        {"metric": "wer", "max": 0.5, "scope": "row"},
        {"metric": "wer", "max": 0.5, "scope": "set"},
    ]))
    .unwrap();
    for (name, machine, clips) in [("a", "one", [0, 1].as_slice()), ("b", "two", &[0])] {
        let journal = Part {
            date: if name == "a" { 100 } else { 5000 },
            ..whole(&plan, machine, 1, clips)
        }
        .journal();
        journal.write(&place.path().join(name), &plan);
    }
    // The second machine did one of the two recordings, so its set is not whole.
    let ran = place
        .run(&["merge", "a", "b", "--out", "m"])
        .expect_status(1);
    assert!(
        ran.stderr.contains(
            "on host-two: no wer was measured: 1 of the 2 recordings were measured on this machine"
        ) && !ran.stderr.contains("on host-one: no wer"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("dropped"), "{}", ran.stderr);
    let all = "csv,html,junit,markdown,json,hypotheses";
    place.run(&["report", "m", "--to", all]).expect_status(0);
    let machines = |file: &str, column: &str| -> Vec<String> {
        let rows = place.table(file);
        rows.iter().map(|row| row[column].clone()).collect()
    };
    assert_eq!(
        machines("m/results.csv", "machine_id"),
        ["one", "two", "one"]
    );
    assert_eq!(
        machines("m/results.csv", "machine"),
        ["host-one", "host-two", "host-one"]
    );
    assert_eq!(
        machines("m/summary.csv", "machine"),
        ["host-one", "host-two"]
    );
    assert_eq!(machines("m/summary.csv", "n"), ["2", "1"]);
    // A recording that both heard is one recording.
    assert_eq!(machines("m/summary.csv", "n_planned"), ["2", "2"]);
    let samples = machines("m/samples.csv", "machine_id");
    assert_eq!(samples.iter().filter(|id| *id == "two").count(), 3);
    assert_eq!(machines("m/combinations.csv", "status").len(), 0);
    let read = |file: &str| fs::read_to_string(place.path().join("m").join(file)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    let of = |rows: &serde_json::Value| -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["machine"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of(&json["results"]), ["host-one", "host-two", "host-one"]);
    assert_eq!(of(&json["summary"]), ["host-one", "host-two"]);
    assert_eq!(json["machines"].as_array().unwrap().len(), 2);
    let markdown = read("report.md");
    assert!(
        markdown.contains("| configuration | machine | recordings |")
            && markdown.contains("| `host-one` |")
            && markdown.contains("| `host-two` |"),
        "{markdown}"
    );
    let junit = read("junit.xml");
    for host in ["host-one", "host-two"] {
        assert!(
            junit.contains(&format!("clip-0 on {host}")) || junit.contains(&format!("on {host}\"")),
            "{junit}"
        );
    }
    let heard = read("hypotheses.jsonl");
    assert_eq!(heard.matches("\"machine_id\":\"two\"").count(), 2);
    let page = read("report.html");
    for wanted in [
        "On host-one: ",
        "On host-two: ",
        "Numbers of two machines are never compared as engines.",
        "Single clips · en · host-one",
        "Single clips · en · host-two",
        "id=\"machines\"",
        "<option>machine</option>",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing");
    }
}

/// A killed writer leaves a line that is not whole, anywhere.
#[test]
fn a_journal_that_was_cut_at_any_byte_of_its_last_lines_is_merged_as_far_as_it_goes() {
    let place = Place::new();
    let plan = plan(4);
    // Two attempts at one shard, of which the first was killed, and another shard elsewhere.
    let killed = part(&plan, "one", 1, &[0, 1]).journal();
    let again = part(&plan, "two", 2, &[1]).journal();
    let mut elsewhere = part(&plan, "three", 1, &[2, 3]);
    elsewhere.start.shard = Some(Shard::new(2, 2));
    let elsewhere = elsewhere.journal();
    again.write(&place.path().join("again"), &plan);
    elsewhere.write(&place.path().join("elsewhere"), &plan);
    let folder = place.path().join("killed");
    killed.write(&folder, &plan);
    let text = killed.text();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let first = text.len()
        - lines[lines.len() - 4..]
            .iter()
            .map(|line| line.len())
            .sum::<usize>();
    let read = |name: &str| MergeSource::read(&place.path().join(name)).unwrap();
    for length in first..=text.len() {
        fs::write(folder.join("journal.jsonl"), &text[..length]).unwrap();
        let all = merge(vec![read("killed"), read("again"), read("elsewhere")]).unwrap();
        let whole_lines = text[..length].matches('\n').count();
        let mut prefix = Journal::at(0);
        prefix.events = killed.events[..whole_lines].to_vec();
        assert_eq!(
            all,
            merged(&plan, &[&prefix, &again, &elsewhere]),
            "at {length}"
        );
        let turned = merge(vec![read("elsewhere"), read("killed"), read("again")]).unwrap();
        assert_eq!(all, turned, "at {length}");
        let record = fold(plan.clone(), all.events).unwrap();
        assert!(missing(&record).is_empty(), "at {length}");
        // The later attempt at a shard counts wherever it got to.
        assert_eq!(
            (rows_of_record(&record, 0), rows_of_record(&record, 1)),
            (vec!["one".to_owned()], vec!["two".to_owned()]),
            "at {length}"
        );
    }
}

fn rows_of_record(record: &earmark::record::RunRecord, clip: usize) -> Vec<String> {
    let rows = earmark::report::result_rows(record);
    rows.iter()
        .filter(|row| row.job.id == record.plan.jobs[clip + 1].id)
        .map(|row| row.machine.unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_folder_whose_run_never_started_is_no_hindrance() {
    let plan = plan(1);
    let all = part(&plan, "one", 1, &[0]).journal();
    let none = Journal::at(0);
    let record = fold(plan.clone(), merged(&plan, &[&none, &all]).events).unwrap();
    assert!(missing(&record).is_empty());
    let source = MergeSource {
        path: "a".into(),
        plan,
        events: Vec::new(),
    };
    assert!(merge(vec![source]).is_err());
}

#[test]
fn a_copy_that_went_on_elsewhere_is_kept_beside_the_other() {
    let plan = plan(2);
    let first = plan.jobs[1].clone();
    let went_on = |machine: &str, job: usize| {
        let mut journal = Journal::of(&plan);
        journal.measure(&first, &Outcome::Completed);
        let resumed = Start {
            machine: machine.into(),
            resumed: true,
            ..Start::default()
        };
        journal.start(&plan, &resumed);
        journal.measure(&plan.jobs[job], &Outcome::Completed);
        journal
    };
    let mut stopped = Journal::of(&plan);
    stopped.measure(&first, &Outcome::Completed);
    let (here, there) = (went_on("here", 2), went_on("there", 1));
    let all = merged(&plan, &[&there, &stopped, &here]);
    assert_eq!(all, merged(&plan, &[&here, &there]));
    assert_eq!(
        all.events.len(),
        here.events.len() + there.events.len(),
        "what both have in common stands in both, and what was before in neither"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the order, however often, cut anywhere: a merge is the same.
    #[test]
    fn a_merge_depends_on_what_is_merged_alone(
        parts in proptest::collection::vec(
            (0..3_u32, 1..4_u32, proptest::collection::vec(0..4_usize, 0..4), 0..3_usize, 1..60_usize),
            1..5,
        ),
        turn in 0..5_usize,
    ) {
        let plan = plan(4);
        let journals: Vec<Journal> = parts
            .iter()
            .map(|(machine, attempt, clips, outcome, length)| {
                let machine = ["one", "two", "three"][*machine as usize];
                let outcome = [Outcome::Completed, failed(), Outcome::Cancelled {
                    reason: "interrupted".into(),
                }][*outcome].clone();
                let mut journal = Part { outcome, ..part(&plan, machine, *attempt, clips) }.journal();
                journal.events.truncate(*length);
                journal
            })
            .collect();
        let all: Vec<&Journal> = journals.iter().collect();
        let whole = merged(&plan, &all);
        let mut turned = all.clone();
        turned.rotate_left(turn % all.len());
        turned.reverse();
        prop_assert_eq!(&merged(&plan, &turned), &whole);
        // Itself, with its parts, and in two steps.
        let mut again = Journal::at(0);
        again.events.clone_from(&whole.events);
        prop_assert_eq!(&merged(&plan, &[&again]), &whole);
        let mut with_parts = all.clone();
        with_parts.insert(turn % all.len(), &again);
        prop_assert_eq!(&merged(&plan, &with_parts), &whole);
        let mut half = Journal::at(0);
        half.events = merged(&plan, &all[..1]).events;
        let mut in_steps = all[1..].to_vec();
        in_steps.push(&half);
        prop_assert_eq!(&merged(&plan, &in_steps), &whole);
        // Nothing that ended is missing.
        let ended = |journal: &Journal| {
            let record = fold(plan.clone(), journal.events.clone()).unwrap();
            missing(&record).into_iter().map(|job| job.id.clone()).collect::<Vec<_>>()
        };
        let left = ended(&again);
        for job in &plan.jobs {
            let by_all = journals.iter().all(|journal| ended(journal).contains(&job.id));
            prop_assert_eq!(left.contains(&job.id), by_all);
        }
    }
}

#[test]
fn a_merged_folder_can_be_read_and_gone_on_with() {
    let plan = plan(2);
    let one = part(&plan, "one", 1, &[0]).journal();
    let two = part(&plan, "two", 1, &[1]).journal();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    merged(&plan, &[&one, &two]).write(&path).unwrap();
    let (_, _, record) = RunFolder::reopen(&path).unwrap();
    assert_eq!(record.sessions.len(), 2);
    assert_eq!(record.machines().len(), 2);
    assert_eq!(
        record.next_sequence,
        (one.events.len() + two.events.len()) as u64
    );
}
