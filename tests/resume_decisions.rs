//! What a resumed run does again, and why.

use crate::support::journal::{Journal, Start, benchmark, plan};
use earmark::event::RunEvent;
use earmark::model::{
    Job, JobProgress, JobSpec, Outcome, Phase, Plan, RerunReason, Verdict, VerifyFinding,
};
use earmark::record::{Present, Rerun, fold, progress};
use proptest::prelude::*;
use std::collections::HashMap;

fn failed() -> Outcome {
    Outcome::Failed {
        phase: Phase::Trial,
        reason: "no".into(),
    }
}

fn timed_out() -> Outcome {
    Outcome::TimedOut {
        phase: Phase::Load,
        limit_seconds: 2.0,
    }
}

fn cancelled() -> Outcome {
    Outcome::Cancelled {
        reason: "interrupted by SIGINT".into(),
    }
}

fn skipped(because_of: Option<&Job>) -> Outcome {
    Outcome::Skipped {
        reason: "not here".into(),
        because_of: because_of.map(|job| job.id.clone()),
    }
}

fn crashed() -> Outcome {
    Outcome::Crashed {
        phase: Phase::Load,
        signal: Some(11),
        exit_code: None,
        stderr_tail: String::new(),
    }
}

/// What is true on the machine of the journals here.
fn present() -> Present {
    Present {
        machine_id: "here".into(),
        engine_versions: HashMap::from([("fake".into(), Some("1".into()))]),
        artifacts: HashMap::from([(("tiny.en".into(), "ggml-f16".into()), "weights".into())]),
        audio: HashMap::from([("clip-0".into(), "sound".into())]),
    }
}

/// Returns what becomes of the one benchmark of a plan after it ended so.
fn after(outcome: &Outcome, present: &Present, rerun: &[Rerun]) -> JobProgress {
    let plan = plan(1);
    let mut journal = Journal::of(&plan);
    journal.artifact("weights");
    journal.audio("clip-0", "sound");
    journal.measure(&plan.jobs[1], outcome);
    let id = plan.jobs[1].id.clone();
    let record = fold(plan.clone(), journal.events).unwrap();
    progress(&record, &plan, present, rerun)
        .jobs
        .remove(&id)
        .unwrap()
}

fn reason(progress: &JobProgress) -> Option<(RerunReason, &str)> {
    let (reason, detail) = progress.rerun.as_ref()?;
    Some((*reason, detail))
}

#[test]
fn an_end_good_or_bad_stands() {
    let violation = Outcome::ProtocolViolation {
        phase: Phase::Trial,
        reason: "what".into(),
    };
    for outcome in [
        Outcome::Completed,
        failed(),
        timed_out(),
        crashed(),
        violation,
    ] {
        let job = after(&outcome, &present(), &[]);
        assert_eq!((job.outcome.as_ref(), &job.rerun), (Some(&outcome), &None));
        assert_eq!(job.launches[&0].trials.len(), 3);
        assert_eq!(job.launches[&0].completed, outcome == Outcome::Completed);
    }
}

#[test]
fn what_was_not_carried_out_goes_on_behind_its_last_trial() {
    let plan = plan(1);
    for outcome in [cancelled(), skipped(None), skipped(Some(&plan.jobs[0]))] {
        let job = after(&outcome, &present(), &[]);
        assert_eq!(job.outcome, None);
        assert_eq!(
            reason(&job),
            Some((RerunReason::NotFinished, outcome.reason().as_str()))
        );
        assert_eq!(job.launches[&0].trials.len(), 3);
        assert_eq!(job.launches[&0].attempts, 1);
    }
}

#[test]
fn what_is_asked_for_starts_anew() {
    let failed_ones = || vec![Rerun::Failed];
    let timed_out_ones = || vec![Rerun::TimedOut];
    let both = || vec![Rerun::Failed, Rerun::TimedOut];
    let all = || {
        vec![Rerun::Matching(Box::new(|job: &Job| {
            job.id.0.contains("clip-0")
        }))]
    };
    let none = || vec![Rerun::Matching(Box::new(|_: &Job| false))];
    let some = |reason, detail| Some((reason, detail));
    let table = [
        (
            failed(),
            failed_ones(),
            some(RerunReason::Failed, "trial: no"),
        ),
        (
            crashed(),
            failed_ones(),
            some(RerunReason::Failed, "ended by signal 11 in phase load"),
        ),
        (timed_out(), failed_ones(), None),
        (Outcome::Completed, both(), None),
        (
            timed_out(),
            timed_out_ones(),
            some(
                RerunReason::TimedOut,
                "load took longer than its limit of 2 s",
            ),
        ),
        (failed(), timed_out_ones(), None),
        (failed(), both(), some(RerunReason::Failed, "trial: no")),
        (Outcome::Completed, all(), some(RerunReason::Asked, "")),
        (timed_out(), all(), some(RerunReason::Asked, "")),
        (cancelled(), all(), some(RerunReason::Asked, "")),
        (failed(), none(), None),
    ];
    for (outcome, rerun, expected) in table {
        let job = after(&outcome, &present(), &rerun);
        assert_eq!(reason(&job), expected, "{outcome:?} {rerun:?}");
        if expected.is_some() {
            let launch = &job.launches[&0];
            // Numbers of attempts go on: a log must not be written over.
            assert!(launch.trials.is_empty() && !launch.completed && launch.attempts == 1);
            assert_eq!(job.outcome, None);
        }
    }
}

#[test]
fn what_was_measured_with_something_else_starts_anew() {
    let changed = |change: &dyn Fn(&mut Present)| {
        let mut present = present();
        change(&mut present);
        present
    };
    let key = || ("tiny.en".to_owned(), "ggml-f16".to_owned());
    let table = [
        (
            changed(&|now| now.machine_id = "there".into()),
            RerunReason::MachineChanged,
            "machine: was here, is there",
        ),
        (
            changed(&|now| {
                now.engine_versions.insert("fake".into(), Some("2".into()));
            }),
            RerunReason::EngineVersionChanged,
            "fake: was 1, is 2",
        ),
        (
            changed(&|now| {
                now.artifacts.insert(key(), "other".into());
            }),
            RerunReason::ArtifactChanged,
            "ggml-f16 of tiny.en: was weights, is other",
        ),
        (
            changed(&|now| {
                now.audio.insert("clip-0".into(), "noise".into());
            }),
            RerunReason::AudioChanged,
            "clip-0: was sound, is noise",
        ),
    ];
    for (present, expected, detail) in table {
        for outcome in [Outcome::Completed, failed(), cancelled()] {
            let job = after(&outcome, &present, &[]);
            assert_eq!(reason(&job), Some((expected, detail)));
            assert!(job.outcome.is_none() && job.launches[&0].trials.is_empty());
        }
    }
    // What is not known now is not held against it.
    let unknown = Present {
        machine_id: "here".into(),
        engine_versions: HashMap::from([("fake".into(), None)]),
        ..Present::default()
    };
    assert_eq!(reason(&after(&Outcome::Completed, &unknown, &[])), None);
}

#[test]
fn verdicts_are_asked_again_and_planned_skips_stand() {
    let mut plan = plan(2);
    plan.jobs[1].skip = Some("not here".into());
    let (verify, skip, other) = (
        plan.jobs[0].id.clone(),
        plan.jobs[1].id.clone(),
        plan.jobs[2].id.clone(),
    );
    let mut journal = Journal::of(&plan);
    let complete = VerifyFinding::plain(Verdict::Complete, "");
    journal.end(&skip, &skipped(None), None);
    journal.end(&verify, &Outcome::Completed, Some(complete));
    let record = fold(plan.clone(), journal.events).unwrap();
    let done = progress(&record, &plan, &present(), &[]).jobs;
    assert_eq!(reason(&done[&verify]), Some((RerunReason::Verdict, "")));
    assert_eq!(done[&skip].outcome, Some(skipped(None)));
    assert_eq!(done[&skip].rerun, None);
    assert!(!done.contains_key(&other), "it was never begun");
    plan.jobs[1].skip = None;
    let done = progress(&record, &plan, &present(), &[]).jobs;
    assert_eq!(
        reason(&done[&skip]),
        Some((RerunReason::NotFinished, "not here"))
    );
}

#[test]
fn another_plan_tells_what_changed_from_what_is_new() {
    let old = plan(2);
    let mut new = plan(3);
    new.digest = "another".into();
    // The same clip, measured more often: the same readable id.
    new.jobs[1] = benchmark("clip-0", 5);
    let mut journal = Journal::of(&old);
    journal.measure(&old.jobs[1], &Outcome::Completed);
    journal.measure(&old.jobs[2], &Outcome::Completed);
    let record = fold(old.clone(), journal.events).unwrap();
    let done = progress(&record, &new, &present(), &[]).jobs;
    let was = format!("was {}", old.jobs[1].id);
    assert_eq!(
        reason(&done[&new.jobs[1].id]),
        Some((RerunReason::SpecChanged, was.as_str()))
    );
    assert_eq!(done[&new.jobs[2].id].outcome, Some(Outcome::Completed));
    assert_eq!(
        reason(&done[&new.jobs[3].id]),
        Some((RerunReason::NewInPlan, ""))
    );
}

#[test]
fn other_settings_of_the_same_model_and_clip_are_a_change() {
    let old = plan(1);
    let mut new = plan(1);
    new.digest = "another".into();
    let JobSpec::Benchmark(mut spec) = old.jobs[1].spec.clone() else {
        panic!("a benchmark")
    };
    spec.quantization = "q5_1".into();
    new.jobs[1] = Job::new(JobSpec::Benchmark(spec));
    let record = fold(old, Journal::of(&plan(1)).events).unwrap();
    let done = progress(&record, &new, &present(), &[]).jobs;
    let (reason, _) = reason(&done[&new.jobs[1].id]).unwrap();
    assert_eq!(reason, RerunReason::SpecChanged);
}

#[test]
fn a_session_that_goes_on_counts_its_attempts_on() {
    let plan = plan(1);
    let id = plan.jobs[1].id.clone();
    let mut journal = Journal::of(&plan);
    journal.begin(&id, 0, 1);
    journal.trial(&id, "clip-0", (0, 1, 0));
    let resumed = Start {
        resumed: true,
        ..Start::default()
    };
    journal.start(&plan, &resumed);
    journal.begin(&id, 0, 2);
    journal.trial(&id, "clip-0", (0, 2, 0));
    journal.trial(&id, "clip-0", (0, 2, 1));
    let record = fold(plan.clone(), journal.events).unwrap();
    let done = progress(&record, &plan, &present(), &[]);
    let launch = &done.jobs[&id].launches[&0];
    assert_eq!((launch.attempts, launch.completed), (2, false));
    let trials: Vec<u32> = launch.trials.iter().map(|(_, trial)| *trial).collect();
    assert_eq!(trials, [0, 1]);
    assert_eq!(done.next_sequence, record.next_sequence);
}

/// A journal of a run in which the benchmarks end so.
fn journal_of(plan: &Plan, outcomes: &[Outcome]) -> Journal {
    let mut journal = Journal::of(plan);
    for (job, outcome) in plan.jobs[1..].iter().zip(outcomes) {
        journal.measure(job, outcome);
    }
    journal.over(false);
    journal
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nothing that was told to have ended is done again, and nothing else is left out.
    #[test]
    fn a_job_stands_exactly_if_its_end_was_written(
        kinds in proptest::collection::vec(0..6_usize, 1..5),
        cut in 0.0..1.0_f64,
    ) {
        let plan = plan(kinds.len());
        let outcomes: Vec<Outcome> = kinds
            .iter()
            .map(|kind| match kind {
                0 => failed(),
                1 => timed_out(),
                2 => crashed(),
                3 => cancelled(),
                4 => skipped(Some(&plan.jobs[0])),
                _ => Outcome::Completed,
            })
            .collect();
        let mut events = journal_of(&plan, &outcomes).events;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a position among a few events"
        )]
        let length = 1 + (cut * (events.len() - 1) as f64) as usize;
        events.truncate(length);
        let standing: Vec<_> = events
            .iter()
            .filter_map(|event| match &event.event {
                RunEvent::JobEnded { job, outcome, .. } => Some((job.clone(), outcome.clone())),
                _ => None,
            })
            .filter(|(_, outcome)| {
                !matches!(outcome, Outcome::Cancelled { .. } | Outcome::Skipped { .. })
            })
            .collect();
        let trials = events
            .iter()
            .filter(|event| matches!(event.event, RunEvent::TrialEnded { .. }))
            .count();
        let record = fold(plan.clone(), events).unwrap();
        let done = progress(&record, &plan, &present(), &[]);
        for job in &plan.jobs[1..] {
            let found = done.jobs.get(&job.id).and_then(|job| job.outcome.clone());
            let told = standing.iter().find(|(id, _)| *id == job.id);
            prop_assert_eq!(found, told.map(|(_, outcome)| outcome.clone()));
        }
        let kept: usize = done
            .jobs
            .values()
            .flat_map(|job| job.launches.values())
            .map(|launch| launch.trials.len())
            .sum();
        prop_assert_eq!(kept, trials, "no trial is done twice");
    }
}

/// Seconds of CPU time that this process has had: other work on the machine is not in it.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a few seconds of a test")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// Reads a record of so many finished jobs and decides about each; returns what that took, in seconds
/// of CPU time.
fn decide(jobs: usize) -> f64 {
    let plan = plan(jobs);
    let journal = journal_of(&plan, &vec![Outcome::Completed; jobs]);
    let folder = tempfile::tempdir().unwrap();
    journal.write(folder.path(), &plan);
    let began = cpu_seconds();
    let record = earmark::record::RunFolder::read(folder.path()).unwrap();
    let done = progress(&record, &plan, &present(), &[]);
    let took = cpu_seconds() - began;
    let finished = done.jobs.values().filter(|job| job.outcome.is_some());
    assert_eq!(finished.count(), jobs);
    took
}

/// Ten thousand finished jobs are read and decided about in well under a second. How long it takes
/// depends on the machine and on what else it does; that ten times as many jobs take about ten times
/// as long does not.
#[test]
fn many_finished_jobs_are_soon_decided_about() {
    // The first time pays for what is made once.
    decide(1_000);
    let few = (0..3).map(|_| decide(1_000)).fold(f64::INFINITY, f64::min);
    let many = decide(10_000);
    println!("1,000 jobs {few:.3} s of CPU time, 10,000 jobs {many:.3} s");
    assert!(
        many < few * 40.0,
        "ten times as many jobs took {:.0} times as long: {few} s and {many} s",
        many / few
    );
}
