//! Every outcome on the page, as a reader sees it.

use super::{records, text};
use crate::support::Place;
use crate::support::journal::{Journal, Start, plan};
use earmark::event::RunEvent;
use earmark::model::{
    FileFinding, Outcome, Phase, Plan, RerunReason, Shard, Verdict, VerifyFinding,
};
use std::fs;

/// Returns the page of a journal as text.
fn page(plan: &Plan, journal: &Journal) -> String {
    let place = Place::new();
    journal.write(&place.path().join("r"), plan);
    place.run(&["report", "r"]).expect_status(0);
    text::of(&fs::read_to_string(place.path().join("r/report.html")).unwrap())
}

fn verified(journal: &mut Journal, plan: &Plan) {
    let complete = VerifyFinding::plain(Verdict::Complete, "");
    journal.end(&plan.jobs[0].id, &Outcome::Completed, Some(complete));
    for id in plan.audio.keys() {
        journal.audio(id, "0");
    }
}

/// A run of two benchmarks, of which the second ends in some way.
fn second(outcome: &Outcome) -> String {
    let plan = plan(2);
    let mut journal = records::begin(&plan);
    verified(&mut journal, &plan);
    journal.measure(&plan.jobs[1], &Outcome::Completed);
    match outcome {
        Outcome::Skipped { .. } => journal.end(&plan.jobs[2].id, outcome, None),
        _ => {
            journal.begin(&plan.jobs[2].id, 0, 1);
            journal.trial(&plan.jobs[2].id, "clip-1", (0, 1, 0));
            let log = "first line of its log\nlast line of its log";
            let job = &plan.jobs[2].id;
            records::attempt_ended(&mut journal, job, 0, outcome, (None, log));
            journal.end(&plan.jobs[2].id, outcome, None);
        }
    }
    journal.over(false);
    page(&plan, &journal)
}

#[test]
fn completed() {
    let (plan, journal) = records::engines();
    insta::assert_snapshot!("completed", page(&plan, &journal));
}

#[test]
fn failed() {
    insta::assert_snapshot!(
        "failed",
        second(&Outcome::Failed {
            phase: Phase::Load,
            reason: "the weights have 12 layers and `config.json` says 6".into(),
        })
    );
}

#[test]
fn timed_out() {
    insta::assert_snapshot!(
        "timed-out",
        second(&Outcome::TimedOut {
            phase: Phase::Trial,
            limit_seconds: 60.0,
        })
    );
}

#[test]
fn crashed() {
    insta::assert_snapshot!(
        "crashed",
        second(&Outcome::Crashed {
            phase: Phase::Trial,
            signal: Some(11),
            exit_code: None,
            stderr_tail: "out of memory".into(),
        })
    );
}

#[test]
fn protocol_violation() {
    insta::assert_snapshot!(
        "protocol-violation",
        second(&Outcome::ProtocolViolation {
            phase: Phase::Start,
            reason: "no hello, but `Hello, world!`".into(),
        })
    );
}

#[test]
fn cancelled() {
    insta::assert_snapshot!(
        "cancelled",
        second(&Outcome::Cancelled {
            reason: "interrupted by SIGINT".into(),
        })
    );
}

#[test]
fn skipped_because_of_another_job_and_by_the_plan() {
    let mut plan = plan(3);
    plan.jobs[3].skip = Some("the engine `other` is not installed".into());
    let mut journal = records::begin(&plan);
    let finding = VerifyFinding {
        files: vec![FileFinding {
            name: "model.bin".into(),
            verdict: "missing".into(),
            reason: "it is not there".into(),
            bytes_present: 0,
            bytes_expected: Some(75_000_000),
            seconds: 0.0001,
        }],
        ..VerifyFinding::plain(Verdict::Missing, "model.bin is not there")
    };
    journal.end(&plan.jobs[0].id, &Outcome::Completed, Some(finding));
    for job in [1, 2] {
        let skipped = Outcome::Skipped {
            reason: "the verify says missing".into(),
            because_of: Some(plan.jobs[0].id.clone()),
        };
        journal.end(&plan.jobs[job].id, &skipped, None);
    }
    let planned = Outcome::Skipped {
        reason: "the engine `other` is not installed".into(),
        because_of: None,
    };
    journal.end(&plan.jobs[3].id, &planned, None);
    journal.over(false);
    insta::assert_snapshot!("skipped", page(&plan, &journal));
}

#[test]
fn not_needed() {
    let plan = plan(1);
    let mut journal = records::begin(&plan);
    let not_needed = Outcome::NotNeeded {
        reason: "the verdict before the downloads still holds".into(),
    };
    let complete = VerifyFinding::plain(Verdict::Complete, "");
    journal.end(&plan.jobs[0].id, &not_needed, Some(complete));
    journal.audio("clip-0", "0");
    journal.measure(&plan.jobs[1], &Outcome::Completed);
    journal.over(false);
    insta::assert_snapshot!("not-needed", page(&plan, &journal));
}

#[test]
fn not_run_because_the_run_was_interrupted() {
    let plan = plan(2);
    let mut journal = records::begin(&plan);
    verified(&mut journal, &plan);
    journal.measure(&plan.jobs[1], &Outcome::Completed);
    journal.over(true);
    insta::assert_snapshot!("interrupted", page(&plan, &journal));
}

#[test]
fn nothing_was_planned() {
    let mut plan = plan(0);
    plan.jobs.clear();
    let mut journal = records::begin(&plan);
    journal.over(false);
    insta::assert_snapshot!("empty", page(&plan, &journal));
}

/// A change point is told with the run since which it is, and everything else stays as it is without.
#[test]
fn changed_since_earlier_runs() {
    let place = Place::new();
    let folder = place.path().join("r");
    let page = || {
        place.run(&["report", "r"]).expect_status(0);
        fs::read_to_string(folder.join("report.html")).unwrap()
    };
    let plan = plan(2);
    let mut journal = records::begin(&plan);
    verified(&mut journal, &plan);
    for job in &plan.jobs[1..] {
        journal.measure(job, &Outcome::Completed);
    }
    journal.over(false);
    journal.write(&folder, &plan);
    let before = page();
    assert!(!before.contains("Since earlier runs"));

    let mut history = records::history(&plan.jobs[1].id);
    history.write(&folder).unwrap();
    let changed = page();
    insta::assert_snapshot!("changed-since-earlier-runs", text::of(&changed));
    assert!(changed.contains("<li><a href=\"#changes\" class=\"bad\">"));
    // Made again, it is the same; the style and the script are those of every page.
    assert_eq!(changed, page());
    let policy = |page: &str| {
        let (_, rest) = page.split_once("http-equiv").unwrap();
        rest.split_once('>').unwrap().0.to_owned()
    };
    assert_eq!(policy(&before), policy(&changed));

    history.changes.clear();
    history.write(&folder).unwrap();
    let calm = page();
    assert!(
        calm.contains("No change of level is new in this run, among 4 trends of 2 rows."),
        "{calm}"
    );
    // What stands there and is none of ours is told, and keeps nobody from the report.
    fs::write(folder.join("history.json"), "{\"version\": 2}").unwrap();
    let ran = place.run(&["report", "r"]).expect_status(0);
    assert!(
        ran.stderr.contains("warning: r/history.json: ") && ran.stderr.contains("remove it"),
        "{}",
        ran.stderr
    );
    fs::remove_file(folder.join("history.json")).unwrap();
    assert_eq!(before, page(), "without a history nothing is told of one");
}

#[test]
fn merged_from_two_machines() {
    let place = Place::new();
    let plan = plan(2);
    for (index, machine) in [(1, "one"), (2, "two")] {
        let mut journal = Journal::at(index * 100);
        journal.start(
            &plan,
            &Start {
                shard: Some(Shard::new(index, 2)),
                ..records::on(machine, &format!("on-{machine}"))
            },
        );
        verified(&mut journal, &plan);
        let job = usize::try_from(index).unwrap();
        journal.measure(&plan.jobs[job], &Outcome::Completed);
        journal.over(false);
        journal.write(&place.path().join(machine), &plan);
    }
    place
        .run(&["merge", "one", "two", "--out", "m"])
        .expect_status(0);
    let page = fs::read_to_string(place.path().join("m/report.html")).unwrap();
    insta::assert_snapshot!("merged", text::of(&page));
}

#[test]
fn resumed() {
    let plan = plan(2);
    let mut journal = records::begin(&plan);
    verified(&mut journal, &plan);
    journal.measure(&plan.jobs[1], &Outcome::Completed);
    let second = plan.jobs[2].id.clone();
    journal.begin(&second, 0, 1);
    journal.trial(&second, "clip-1", (0, 1, 0));
    journal.start(
        &plan,
        &Start {
            resumed: true,
            ..Start::default()
        },
    );
    journal.say(RunEvent::JobReopened {
        job: second.clone(),
        reason: RerunReason::NotFinished,
        detail: "the run ended while it ran".into(),
        keeps_trials: true,
    });
    journal.begin(&second, 0, 2);
    for trial in 0..3 {
        journal.trial(&second, "clip-1", (0, 2, trial));
    }
    journal.finish(&second, 0, 2, &Outcome::Completed);
    journal.end(&second, &Outcome::Completed, None);
    journal.over(false);
    insta::assert_snapshot!("resumed", page(&plan, &journal));
}
