//! `merge --replace`: what an earlier merge left is never lost.

use crate::support::journal::{Journal, Start, plan};
use crate::support::{Place, Ran};
use earmark::model::{Outcome, Plan};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// Writes the run of a machine that measured one clip.
fn run_on(place: &Place, plan: &Plan, machine: &str, clip: usize) {
    let mut journal = Journal::at(100);
    let start = Start {
        run_id: format!("on-{machine}"),
        machine: machine.into(),
        ..Start::default()
    };
    journal.start(plan, &start);
    journal.measure(&plan.jobs[clip + 1], &Outcome::Completed);
    journal.over(false);
    journal.write(&place.path().join(machine), plan);
}

/// Returns a place with three runs, of which `m` is the merge of the first.
fn merged() -> Place {
    let place = Place::new();
    let plan = plan(3);
    for (clip, machine) in ["one", "two", "three"].into_iter().enumerate() {
        run_on(&place, &plan, machine, clip);
    }
    place.run(&["merge", "one", "--out", "m"]).expect_status(3);
    place
}

#[test]
fn an_earlier_merge_that_cannot_be_read_is_left_alone_and_told() {
    let place = merged();
    // It is all that is left of the run.
    fs::remove_dir_all(place.path().join("one")).unwrap();
    let journal = place.path().join("m/journal.jsonl");
    let whole = fs::read_to_string(&journal).unwrap();
    let second = whole.lines().nth(1).unwrap();
    for (damaged, told) in [
        (whole.replace(second, "{\"torn"), "line 2: EOF"),
        (
            whole.replace(second, &second.replace("\"v\":1", "\"v\":2")),
            "line 2: version 2",
        ),
    ] {
        fs::write(&journal, &damaged).unwrap();
        let ran = place.run(&["merge", "two", "--out", "m", "--replace"]);
        let ran = ran.expect_status(2);
        for wanted in [
            told,
            "m holds a merge that cannot be read",
            "move it away to merge",
        ] {
            assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
        }
        assert_eq!(fs::read_to_string(&journal).unwrap(), damaged);
    }
    fs::write(&journal, &whole).unwrap();
    let plan = place.path().join("m/plan.json");
    fs::rename(&plan, place.path().join("plan.json")).unwrap();
    let ran = place.run(&["merge", "two", "--out", "m", "--replace"]);
    let ran = ran.expect_status(2);
    assert!(
        ran.stderr.contains("plan.json: No such file"),
        "{}",
        ran.stderr
    );
    fs::rename(place.path().join("plan.json"), &plan).unwrap();
    let ran = place.run(&["merge", "two", "--out", "m", "--replace"]);
    let ran = ran.expect_status(3);
    assert!(
        ran.stderr.contains("2 runs on 2 machines"),
        "{}",
        ran.stderr
    );
}

/// What another adds while this one waits for the folder.
#[test]
fn of_two_who_add_to_a_merge_neither_loses_the_others() {
    let place = merged();
    place
        .run(&["merge", "m", "two", "--out", "other"])
        .expect_status(3);
    let lock = File::create(place.path().join("m/lock")).unwrap();
    lock.lock().unwrap();
    let mut merging = place
        .command(&["merge", "three", "--out", "m", "--replace"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(merging.stderr.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("waiting     m is in use by another process") {
        assert_ne!(told.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    fs::rename(
        place.path().join("other/journal.jsonl"),
        place.path().join("m/journal.jsonl"),
    )
    .unwrap();
    drop(lock);
    told.read_to_string(&mut lines).unwrap();
    let ran = Ran {
        status: merging.wait().unwrap().code().unwrap(),
        stdout: String::new(),
        stderr: lines,
    };
    assert!(
        ran.stderr.contains("3 runs on 3 machines"),
        "{}",
        ran.stderr
    );
    // Nobody measured anything but the clips: the verify is still missing.
    assert!(ran.expect_status(3).stderr.contains("1 of 4 jobs missing"));
}

#[test]
fn what_is_refused_leaves_nothing_behind_and_a_folder_of_another_plan_as_it_was() {
    let place = merged();
    let other = plan(2);
    run_on(&place, &other, "four", 0);
    let ran = place.run(&["merge", "one", "four", "--out", "n", "--replace"]);
    let ran = ran.expect_status(2);
    assert!(ran.stderr.contains("are of two plans"), "{}", ran.stderr);
    assert!(!place.path().join("n").exists());
    // A run that was prepared, and of which nothing is there yet.
    fs::remove_file(place.path().join("four/journal.jsonl")).unwrap();
    let ran = place.run(&["merge", "one", "--out", "four", "--replace"]);
    let ran = ran.expect_status(2);
    assert!(
        ran.stderr.contains("four and one are of two plans"),
        "{}",
        ran.stderr
    );
    assert!(!place.path().join("four/journal.jsonl").exists());
}

#[test]
fn reports_that_could_not_be_written_can_be_written_later() {
    let place = merged();
    place.write("n/summary.csv.new/in-the-way", "");
    let ran = place
        .run(&["merge", "one", "two", "--out", "n"])
        .expect_status(4);
    for wanted in [
        "summary.csv cannot be written",
        "make room",
        "`earmark report n`",
    ] {
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    }
    fs::remove_dir_all(place.path().join("n/summary.csv.new")).unwrap();
    place.run(&["report", "n"]).expect_status(0);
    assert_eq!(place.table("n/summary.csv").len(), 3);
}
