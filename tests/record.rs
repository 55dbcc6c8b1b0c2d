//! Records: what a run leaves can be read, and what is broken is refused by its place.

use crate::support::journal::{Journal, Start, plan};
use crate::support::{Place, fake_matrix};
use earmark::model::{JobId, Outcome, Phase, RerunReason};
use earmark::record::{RecordError, RunFolder, RunRecord, fold};
use earmark::report::write_reports;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_torn_journal_still_makes_a_report_of_what_is_there() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix("  beam-size: [1, 2]", "order: matrix"),
    );
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let path = place.path().join("r/journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let ends: Vec<usize> = journal
        .match_indices("\"event\":\"job-ended\"")
        .map(|(position, _)| position + journal[position..].find('\n').unwrap())
        .collect();
    // Right after the first benchmark has ended, in the middle of the next line.
    fs::write(&path, &journal[..ends[2] + 20]).unwrap();
    place.run(&["report", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    assert_eq!(rows[0]["status"], "completed");
    assert_eq!(rows[1]["status"], "not-run");
    fs::write(
        &path,
        journal.replacen("\"sequence\":3", "\"sequence\":4", 1),
    )
    .unwrap();
    let ran = place.run(&["report", "r"]).expect_status(2);
    assert!(ran.stderr.contains("line 4"), "{}", ran.stderr);
}

/// Returns where each line of a text begins, and its end.
fn line_starts(text: &str) -> Vec<usize> {
    let feeds = text.match_indices('\n').map(|(position, _)| position + 1);
    [0].into_iter().chain(feeds).collect()
}

#[test]
fn a_journal_cut_anywhere_in_its_last_lines_still_reports() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", "settings: {repeat: 2}"));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let folder = place.path().join("r");
    let path = folder.join("journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let starts = line_starts(&journal);
    let last = starts.len() - 1;
    for cut in starts[last - 3]..=journal.len() {
        fs::write(&path, &journal[..cut]).unwrap();
        let record = RunFolder::read(&folder).unwrap();
        let whole = starts.iter().filter(|start| **start <= cut).count() - 1;
        assert_eq!(record.next_sequence, whole as u64);
        assert_eq!(record.seconds.is_some(), cut == journal.len());
    }
    fs::write(&path, &journal[..journal.len() - 1]).unwrap();
    place.run(&["report", "r"]).expect_status(0);
    assert_eq!(place.table("r/results.csv")[0]["status"], "completed");
}

#[test]
fn every_broken_line_is_refused_by_its_number() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", "settings: {repeat: 2}"));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let folder = place.path().join("r");
    let path = folder.join("journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let starts = line_starts(&journal);
    for (number, pair) in starts.windows(2).enumerate() {
        let (start, end) = (pair[0], pair[1]);
        let half = start.midpoint(end);
        // A line that lost its second half, one that is gone, one that is there twice.
        for (from, to) in [(half, end - 1), (start, end), (start, start)] {
            let twice = if from == to { &journal[start..end] } else { "" };
            let text = format!("{}{twice}{}", &journal[..from], &journal[to..]);
            if from == start && end == journal.len() {
                // A journal whose last line is gone is one of a run that was killed.
                continue;
            }
            fs::write(&path, text).unwrap();
            let problem = RunFolder::read(&folder).unwrap_err().to_string();
            let line = number + if from == to { 2 } else { 1 };
            assert!(problem.contains(&format!("line {line}: ")), "{problem}");
        }
    }
    let ran = place.run(&["report", "r"]).expect_status(2);
    assert!(
        ran.stderr.contains("put a copy of it back"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_run_that_was_killed_reports_what_it_finished() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &fake_matrix("  fake-fault: [none, hang-trial]", "order: matrix"),
    );
    let mut run = place
        .command(&["run", "a.yaml", "--out", "r", "--format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Events are told after the journal has them.
    let mut told = std::io::BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    let is_hanging = |line: &str| line.contains("attempt-started") && line.contains("hang-trial");
    while !is_hanging(&line) {
        line.clear();
        assert_ne!(
            std::io::BufRead::read_line(&mut told, &mut line).unwrap(),
            0
        );
    }
    run.kill().unwrap();
    run.wait().unwrap();
    place.run(&["report", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    assert_eq!(rows[0]["status"], "completed");
    assert_eq!(rows[1]["status"], "not-run");
    // The lock died with its holder: what is left of it is in nobody's way.
    let (_, _, record) = RunFolder::reopen(&place.path().join("r")).unwrap();
    assert_eq!(record.seconds, None);
}

#[test]
fn a_copy_of_a_folder_that_may_not_be_written_reports() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    fs::create_dir(place.path().join("copy")).unwrap();
    for entry in fs::read_dir(place.path().join("r")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
            let copy = place.path().join("copy").join(path.file_name().unwrap());
            fs::copy(&path, copy).unwrap();
        }
    }
    place.run(&["report", "copy"]).expect_status(0);
    assert_eq!(
        place.table("copy/results.csv"),
        place.table("r/results.csv")
    );
}

#[test]
fn a_full_disk_ends_the_run_and_what_was_written_is_whole() {
    let place = Place::new();
    // The recording is decoded before, so that the journal is what grows.
    place.write("a.yaml", &fake_matrix("", ""));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let repeats = "settings: {repeat: 400, launches: 3}\norder: matrix";
    place.write("b.yaml", &fake_matrix("  beam-size: [1, 2]", repeats));
    let run = place.command(&["run", "b.yaml", "--out", "full"]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\""])
        .arg(run.get_program())
        .args(run.get_args())
        .current_dir(place.path())
        .env("EARMARK_HOME", place.path().join("home"));
    let ran = crate::support::Ran::from(limited.output().unwrap()).expect_status(4);
    assert!(
        ran.stderr.contains("full/journal.jsonl cannot be written"),
        "{}",
        ran.stderr
    );
    let journal = fs::read(place.path().join("full/journal.jsonl")).unwrap();
    assert_eq!(journal.last(), Some(&b'\n'), "a line was left torn");
    assert!(journal.len() > 100_000);
    place.run(&["report", "full"]).expect_status(0);
    assert_eq!(place.table("full/results.csv").len(), 2);
    assert!(place.table("full/samples.csv").len() > 100);
}

#[test]
fn a_second_runner_on_a_folder_is_refused_and_touches_nothing() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    let folder = place.path().join("r");
    let (_, journal) = RunFolder::create(&folder, &plan(1)).unwrap();
    let ran = place.run(&["run", "a.yaml", "--out", "r"]).expect_status(2);
    let pid = format!("in use by process {}", std::process::id());
    assert!(
        ran.stderr.contains(&pid) && ran.stderr.contains("the run folder r "),
        "{}",
        ran.stderr
    );
    assert!(matches!(
        RunFolder::reopen(&folder),
        Err(RecordError::InUse { .. })
    ));
    drop(journal);
    // Nothing holds it now; it is taken all the same, because it has a journal.
    let ran = place.run(&["run", "a.yaml", "--out", "r"]).expect_status(2);
    assert!(ran.stderr.contains("holds a run already"), "{}", ran.stderr);
    assert!(!folder.join("lock").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_before_anything_starts() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    place.write("file", "");
    let ran = place
        .run(&["run", "a.yaml", "--out", "file/r"])
        .expect_status(2);
    assert!(
        ran.stderr.contains("file/r cannot be written") && ran.stderr.contains("--out"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_journal_goes_on_behind_what_was_torn() {
    let place = Place::new();
    let folder = place.path().join("r");
    let plan = plan(1);
    let mut journal = Journal::of(&plan);
    journal.measure(&plan.jobs[1], &Outcome::Completed);
    journal.write(&folder, &plan);
    let path = folder.join("journal.jsonl");
    let whole = journal.text();
    fs::write(&path, whole.clone() + "{\"v\":1,\"seq\0\0\0").unwrap();
    let (_, mut writer, record) = RunFolder::reopen(&folder).unwrap();
    assert_eq!(record.next_sequence, journal.events.len() as u64);
    assert!(
        (record.elapsed_seconds - (f64::from(u32::try_from(record.next_sequence).unwrap()) - 1.0))
            .abs()
            < 1e-9
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    let resumed = Start {
        resumed: true,
        ..Start::default()
    };
    journal.start(&plan, &resumed);
    earmark::event::EventSink::emit(&mut writer, journal.events.last().unwrap()).unwrap();
    drop(writer);
    let record = RunFolder::read(&folder).unwrap();
    assert_eq!(record.sessions.len(), 2);
    assert!(record.sessions[1].resumed && record.sessions[1].run == 0);
    assert_eq!(record.seconds, None);
}

#[test]
fn a_new_plan_and_the_journals_word_for_it_are_never_apart() {
    let place = Place::new();
    let folder = place.path().join("r");
    let (old, new) = (plan(1), plan(2));
    let digest = |folder: &Path| RunFolder::read(folder).unwrap().plan.digest;
    Journal::of(&old).write(&folder, &old);
    let (run, writer, _) = RunFolder::reopen(&folder).unwrap();
    run.propose_plan(&new).unwrap();
    // Wherever it ends, the plan that the journal names is found.
    assert_eq!(digest(&folder), old.digest);
    let mut journal = Journal::of(&old);
    let resumed = Start {
        resumed: true,
        ..Start::default()
    };
    journal.start(&new, &resumed);
    fs::write(run.journal(), journal.text()).unwrap();
    assert_eq!(digest(&folder), new.digest);
    drop(writer);
    // The next run finishes what the last one could not.
    drop(RunFolder::reopen(&folder).unwrap());
    assert!(!run.next_plan().exists());
    assert_eq!(digest(&folder), new.digest);
    run.propose_plan(&new).unwrap();
    run.adopt_plan().unwrap();
    assert_eq!(digest(&folder), new.digest);
    fs::write(run.plan(), serde_json::to_string(&old).unwrap()).unwrap();
    let problem = RunFolder::read(&folder).unwrap_err().to_string();
    assert!(
        problem.contains(&old.digest) && problem.contains(&new.digest),
        "{problem}"
    );
}

#[test]
fn the_latest_run_is_the_one_that_began_last() {
    let place = Place::new();
    let runs = place.path().join("runs");
    assert_eq!(RunFolder::latest(&runs), None);
    let plan = plan(1);
    for (name, date) in [("b", 5), ("a", 90), ("c", 7)] {
        let mut journal = Journal::at(date);
        journal.start(&plan, &Start::default());
        journal.write(&runs.join(name), &plan);
    }
    fs::create_dir_all(runs.join("z-empty")).unwrap();
    fs::write(runs.join("file"), "").unwrap();
    fs::create_dir_all(runs.join("y-broken")).unwrap();
    fs::write(runs.join("y-broken/journal.jsonl"), "{}\n").unwrap();
    assert_eq!(RunFolder::latest(&runs), Some(runs.join("a")));
}

/// A run that was killed in the second of two benchmarks, and went on.
fn resumed(keeps_trials: bool) -> (RunRecord, JobId) {
    let plan = plan(2);
    let (first, second) = (&plan.jobs[1], plan.jobs[2].id.clone());
    let mut journal = Journal::of(&plan);
    journal.measure(first, &Outcome::Completed);
    journal.begin(&second, 0, 1);
    journal.trial(&second, "clip-1", (0, 1, 0));
    journal.trial(&second, "clip-1", (0, 1, 1));
    let resumed = Start {
        resumed: true,
        ..Start::default()
    };
    journal.start(&plan, &resumed);
    journal.say(earmark::event::RunEvent::JobReopened {
        job: second.clone(),
        reason: RerunReason::NotFinished,
        detail: String::new(),
        keeps_trials,
    });
    journal.begin(&second, 0, 2);
    journal.trial(&second, "clip-1", (0, 2, 0));
    journal.trial(&second, "clip-1", (0, 2, 2));
    journal.finish(&second, 0, 2, &Outcome::Completed);
    journal.end(&second, &Outcome::Completed, None);
    journal.over(false);
    (fold(plan, journal.events).unwrap(), second)
}

#[test]
fn a_resumed_run_keeps_trials_and_the_later_of_two() {
    let (record, id) = resumed(true);
    let job = record.job(&id).unwrap();
    let trials: Vec<(u32, u32)> = job
        .samples
        .iter()
        .map(|sample| (sample.trial, sample.attempt))
        .collect();
    // The warm-up was done again, and stands where it would stand without the break.
    assert_eq!(trials, [(0, 2), (1, 1), (2, 2)]);
    assert!(job.attempts[0].lost && job.attempts[0].outcome.is_none());
    assert!(!job.attempts[0].superseded && job.attempts[1].session == 1);
    assert_eq!(job.current_sessions().len(), 2);
    assert_eq!(job.reopened[0].reason, RerunReason::NotFinished);
    assert!(record.seconds.is_some() && !record.interrupted);
}

#[test]
fn trials_that_are_not_good_any_more_are_gone() {
    let (record, id) = resumed(false);
    let job = record.job(&id).unwrap();
    let attempts: Vec<u32> = job.samples.iter().map(|sample| sample.attempt).collect();
    assert_eq!(attempts, [2, 2]);
    assert!(job.attempts[0].superseded);
    assert_eq!(job.current_attempts().count(), 1);
}

#[test]
fn a_retry_is_told_with_what_went_before() {
    let plan = plan(1);
    let job = plan.jobs[1].id.clone();
    let crashed = Outcome::Crashed {
        phase: Phase::Trial,
        signal: Some(9),
        exit_code: None,
        stderr_tail: "out of memory".into(),
    };
    let mut journal = Journal::of(&plan);
    journal.begin(&job, 0, 1);
    journal.trial(&job, "clip-0", (0, 1, 0));
    journal.finish(&job, 0, 1, &crashed);
    journal.say(earmark::event::RunEvent::RetryPlanned {
        job: job.clone(),
        launch: 0,
        attempt: 2,
        delay_seconds: 2.0,
    });
    journal.begin(&job, 0, 2);
    for trial in 0..3 {
        journal.trial(&job, "clip-0", (0, 2, trial));
    }
    journal.finish(&job, 0, 2, &Outcome::Completed);
    journal.end(&job, &Outcome::Completed, None);
    let folder = tempfile::tempdir().unwrap();
    let record = fold(plan, journal.events).unwrap();
    let found = record.job(&job).unwrap();
    assert_eq!(found.attempts[0].outcome, Some(crashed));
    assert_eq!(found.attempts[0].retry.unwrap().attempt, 2);
    assert!(found.samples.iter().all(|sample| sample.attempt == 2));
    write_reports(&record, folder.path()).unwrap();
}

/// Writing a thousand short jobs down costs little beside doing them; the bound is loose, because a
/// machine may be busy and its disk slow.
#[test]
fn a_thousand_short_jobs_are_soon_written() {
    let plan = plan(1000);
    let mut journal = Journal::of(&plan);
    for job in &plan.jobs[1..] {
        journal.begin(&job.id, 0, 1);
        journal.finish(&job.id, 0, 1, &Outcome::Completed);
        journal.end(&job.id, &Outcome::Completed, None);
    }
    for event in &mut journal.events {
        if let earmark::event::RunEvent::JobEnded { seconds, .. } = &mut event.event {
            *seconds = 0.002;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (_, mut writer) = RunFolder::create(&folder.path().join("r"), &plan).unwrap();
    let began = std::time::Instant::now();
    for event in &journal.events {
        earmark::event::EventSink::emit(&mut writer, event).unwrap();
    }
    writer.flush().unwrap();
    let took = began.elapsed();
    println!("{} events written in {took:?}", journal.events.len());
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}
