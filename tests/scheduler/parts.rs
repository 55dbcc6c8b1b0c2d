//! What is known of parts: from what they leave first, and from the scheduler only whether something may still
//! come.

use super::slurm::{Cluster, matrix};
use crate::support::eventually;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs;
use std::process::{Child, Command, Stdio};

/// A cluster on which the rows of one part take some time.
fn slow(seconds: &str) -> Cluster {
    let cluster = Cluster::new();
    let text = matrix("[\"label:a\"]")
        .replace("repeat: 2", &format!("repeat: 2, fake-seconds: {seconds}"));
    cluster.place.write("m.yaml", &text);
    cluster
}

fn read(cluster: &Cluster, name: &str) -> String {
    fs::read_to_string(cluster.place.path().join(name)).unwrap_or_default()
}

/// Starts the program; what it says goes into the file `log`.
fn start(cluster: &Cluster, arguments: &[&str]) -> Child {
    cluster
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(fs::File::create(cluster.place.path().join("log")).unwrap())
        .spawn()
        .unwrap()
}

fn signal(name: &str, process: &str) {
    let sent = Command::new("kill").args([name, process]).status().unwrap();
    assert!(sent.success());
}

fn a_row_is_done(cluster: &Cluster) -> bool {
    let log = read(cluster, "log");
    log.contains("1 of 3 benchmarks") || log.contains("2 of 3 benchmarks")
}

const JOURNAL: &str = "run/attempts/1-g1-1-of-1.attempt-1/journal.jsonl";

#[test]
fn a_part_that_was_ended_by_a_signal_waits_when_slurm_starts_it_again() {
    let cluster = slow("0.3");
    cluster.on(&["--detach"]).expect_status(0);
    eventually("it measures", || {
        read(&cluster, JOURNAL).contains("attempt-started")
    });
    let script = read(&cluster, "state/process.101");
    // Not by the program `kill`: some of its versions take a group for all processes that there are.
    let group = Pid::from_raw(script.trim().parse().unwrap()).unwrap();
    assert!(!group.is_init());
    kill_process_group(group, Signal::TERM).unwrap();
    eventually("it has ended", || {
        read(&cluster, JOURNAL).contains("\"interrupted\":true")
    });
    let job = fs::read_dir(cluster.place.path().join("state/jobs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("101.1.")
        })
        .unwrap();
    eventually("Slurm knows", || {
        !fs::read_to_string(&job).unwrap().contains("RUNNING")
    });
    fs::write(&job, "PENDING|BeginTime|\n").unwrap();
    let mut attached = start(&cluster, &["attach", "run"]);
    eventually("it is told how it stands", || {
        read(&cluster, "log").contains("parts: ")
    });
    eventually("it waits", || {
        read(&cluster, "log").contains("parts: 1 waiting (BeginTime)")
    });
    // It is given up only when Slurm does.
    fs::write(&job, "CANCELLED|None|\n").unwrap();
    assert_eq!(attached.wait().unwrap().code(), Some(3));
    assert!(read(&cluster, "log").contains("lost: part 1 of group 1: CANCELLED"));
    cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert_eq!(cluster.rows("run"), cluster.unbroken());
}

#[test]
fn a_part_whose_journal_is_damaged_is_sent_again() {
    let cluster = Cluster::new();
    cluster.on(&[]).expect_status(0);
    let expected = cluster.rows("run");
    fs::remove_file(cluster.place.path().join("run/journal.jsonl")).unwrap();
    let text = read(&cluster, JOURNAL);
    let mut lines: Vec<&str> = text.lines().collect();
    lines[5] = "{\"torn";
    cluster.place.write(JOURNAL, &(lines.join("\n") + "\n"));
    // This one is whole, and nobody can tell what plan it is of.
    let other = "run/attempts/1-g2-1-of-1.attempt-1/plan.json";
    fs::remove_file(cluster.place.path().join(other)).unwrap();
    let ran = cluster.run(&["run", "--resume", "run"]).expect_status(0);
    for told in ["6 benchmarks missing", "line 6"] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert_eq!(cluster.rows("run"), expected);
    // The damaged one lies there still, and nothing is sent for it again.
    let before = cluster.calls("sbatch");
    cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert_eq!(cluster.calls("sbatch"), before);
}

const ON: [&str; 8] = [
    "run",
    "m.yaml",
    "--on",
    "slurm",
    "--site",
    "site.yaml",
    "--out",
    "run",
];

/// Has the next calls of a command take that many seconds.
fn dawdle(cluster: &Cluster, command: &str, seconds: &str) {
    cluster
        .place
        .write(&format!("state/slow/{command}"), seconds);
}

#[test]
fn an_interruption_while_parts_are_handed_over_calls_back_what_was() {
    let cluster = slow("5");
    let text = read(&cluster, "m.yaml");
    let text = text.replace("[\"label:a\"]", "[\"label:a\", \"label:b\"]");
    cluster.place.write("m.yaml", &text);
    dawdle(&cluster, "sbatch", "1");
    let mut child = start(&cluster, &ON);
    eventually("the first is handed over", || {
        read(&cluster, "state/last").contains("101")
    });
    signal("-INT", &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let log = read(&cluster, "log");
    assert!(log.contains("calling back"), "{log}");
    assert!(!read(&cluster, "state/last").contains("103"));
    assert!(read(&cluster, "state/calls").contains("scancel 101"));
}

#[test]
fn a_terminal_that_is_gone_calls_back_and_reports_what_is_done() {
    let cluster = slow("0.5");
    let mut child = start(&cluster, &ON);
    eventually("a row is done", || a_row_is_done(&cluster));
    signal("-HUP", &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(cluster.calls("scancel"), 1);
    assert!(cluster.place.path().join("run/report.html").exists());
}

#[test]
fn an_interruption_does_not_wait_for_slurms_answer() {
    let cluster = slow("20");
    dawdle(&cluster, "squeue", "600");
    let mut child = start(&cluster, &ON);
    eventually("it asks", || {
        read(&cluster, "state/calls").contains("squeue")
    });
    signal("-INT", &child.id().to_string());
    eventually("it calls back", || {
        read(&cluster, "state/calls").contains("scancel")
    });
    // Nor does the second, and it says what it leaves.
    signal("-INT", &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let log = read(&cluster, "log");
    assert!(log.contains("Slurm may still have jobs 101, 102"), "{log}");
    assert!(log.contains("--cancel"), "{log}");
}

#[test]
fn what_cannot_be_called_back_is_told_and_what_is_done_is_reported() {
    let cluster = slow("0.5");
    cluster.fail(
        "scancel",
        &"scancel: error: Unable to contact slurm controller\n".repeat(2),
    );
    let mut child = start(&cluster, &ON);
    eventually("a row is done", || a_row_is_done(&cluster));
    signal("-INT", &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let log = read(&cluster, "log");
    for told in [
        "Unable to contact",
        "Slurm may still have jobs 101, 102",
        "--cancel",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    assert!(cluster.place.path().join("run/report.html").exists());
    let ran = cluster.run(&["attach", "run", "--cancel"]).expect_status(4);
    assert!(
        ran.stderr.contains("Slurm may still have"),
        "{}",
        ran.stderr
    );
    cluster.run(&["attach", "run", "--cancel"]);
}

#[test]
fn answers_without_a_part_that_goes_on_send_nothing_again() {
    let cluster = slow("0.5");
    cluster.on(&["--detach"]).expect_status(0);
    let before = (cluster.calls("sbatch"), cluster.calls("scancel"));
    cluster.place.write("state/empty", &"nothing\n".repeat(5));
    let ran = cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert!(
        ran.stderr
            .contains("does not have 1 part, which says nothing"),
        "{}",
        ran.stderr
    );
    assert_eq!(cluster.calls("sbatch"), before.0, "{}", ran.stderr);
    // The merge is called back in the end, because whoever looks does that.
    assert!(cluster.calls("scancel") <= before.1 + 1);
    assert_eq!(cluster.rows("run"), cluster.unbroken());
}

#[test]
fn what_slurm_says_it_does_not_have_is_sent_again_soon() {
    let cluster = slow("0.3");
    cluster.on(&["--detach"]).expect_status(0);
    eventually("it measures", || {
        read(&cluster, JOURNAL).contains("attempt-started")
    });
    cluster.run(&["attach", "run", "--cancel"]);
    let ran = cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert!(ran.stderr.contains("missing"), "{}", ran.stderr);
    assert_eq!(cluster.rows("run"), cluster.unbroken());
}

#[test]
fn a_name_of_the_machine_that_hands_over_is_none_of_a_nodes() {
    let cluster = Cluster::new();
    let mut command = cluster.command(&ON);
    let ran = command.env("EARMARK_MACHINE", "here").output().unwrap();
    crate::support::Ran::from(ran).expect_status(0);
    let events = read(&cluster, "run/journal.jsonl");
    assert!(events.contains("\"node1\"") && !events.contains("\"here\""));
}

#[test]
fn of_two_that_resume_at_once_one_hands_over() {
    let cluster = Cluster::new();
    cluster.on(&[]).expect_status(0);
    let expected = cluster.rows("run");
    fs::remove_file(cluster.place.path().join("run/journal.jsonl")).unwrap();
    fs::remove_dir_all(cluster.place.path().join("run/attempts")).unwrap();
    dawdle(&cluster, "sbatch", "1");
    let before = cluster.calls("sbatch");
    let mut both: Vec<Child> = (0..2)
        .map(|_| {
            let mut command = cluster.command(&["run", "--resume", "run"]);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let ended: Vec<_> = both
        .drain(..)
        .map(|child| crate::support::Ran::from(child.wait_with_output().unwrap()))
        .collect();
    for ran in &ended {
        let told = &ran.stderr;
        match ran.status {
            0 => {}
            2 => assert!(told.contains("another program"), "{told}"),
            other => panic!("{other}: {told}"),
        }
    }
    assert!(ended.iter().any(|ran| ran.status == 0));
    assert_eq!(cluster.calls("sbatch") - before, 3);
    assert_eq!(cluster.rows("run"), expected);
}

#[test]
fn a_resumed_run_shows_what_it_would_hand_over_and_refuses_what_it_would_pass_over() {
    let cluster = Cluster::new();
    cluster.on(&[]).expect_status(0);
    fs::remove_file(cluster.place.path().join("run/journal.jsonl")).unwrap();
    let lost = "run/attempts/1-g2-1-of-1.attempt-1";
    fs::remove_dir_all(cluster.place.path().join(lost)).unwrap();
    let resume =
        |further: &[&str]| cluster.run(&[&["run", "--resume", "run"][..], further].concat());
    let before = (cluster.calls("sbatch"), cluster.calls("scancel"));
    let ran = resume(&["--dry-run"]).expect_status(0);
    for told in ["label:b", "--constraint=b", "nothing was handed over"] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    for further in [
        &["--filter", "beam-size=1"][..],
        &["--download", "never"],
        &["--format", "json"],
        &["--strict"],
        &["--locked"],
        &["--verify-method", "checksum"],
    ] {
        let ran = resume(further).expect_status(2);
        assert!(ran.stderr.contains(further[0]), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("a run that a scheduler has"),
            "{}",
            ran.stderr
        );
    }
    // The matrix that it was made of is no other plan, and one that was changed is.
    let again = ["run", "m.yaml", "--resume", "run", "--dry-run"];
    cluster.run(&again).expect_status(0);
    cluster.place.write("m.yaml", &matrix("[\"label:a\"]"));
    let ran = cluster.run(&again).expect_status(2);
    assert!(ran.stderr.contains("is another plan"), "{}", ran.stderr);
    let after = (cluster.calls("sbatch"), cluster.calls("scancel"));
    assert_eq!(after, before);
    assert!(!cluster.place.path().join("run/submissions/2.json").exists());
    let shown = resume(&[]).expect_status(0);
    assert!(
        shown.stderr.contains("3 benchmarks missing"),
        "{}",
        shown.stderr
    );
    let ran = resume(&["--dry-run"]).expect_status(0);
    assert!(ran.stdout.contains("nothing is missing"), "{}", ran.stdout);
}

#[test]
fn a_merge_that_slurm_does_not_take_stops_no_part() {
    let cluster = Cluster::new();
    cluster.place.write("state/refuse", ".merge");
    let ran = cluster.on(&[]).expect_status(0);
    for told in [
        "puts results together",
        "QOSMaxSubmit",
        "jobs 101, 102",
        "earmark attach",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert_eq!(cluster.rows("run"), cluster.unbroken());
}

#[test]
fn a_part_that_slurm_does_not_take_is_told_with_what_it_has() {
    let cluster = Cluster::new();
    cluster.place.write("state/refuse", ".g2");
    let ran = cluster.on(&[]).expect_status(4);
    for told in ["QOSMaxSubmit", "Slurm may still have job 101", "--resume"] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
}

#[test]
fn words_for_a_scheduler_without_one_are_refused() {
    let cluster = Cluster::new();
    for words in [&["--site", "site.yaml"][..], &["--detach"]] {
        let ran = cluster
            .run(&[&["run", "m.yaml", "--out", "here"][..], words].concat())
            .expect_status(2);
        assert!(ran.stderr.contains(words[0]), "{}", ran.stderr);
        assert!(ran.stderr.contains("--on slurm"), "{}", ran.stderr);
    }
    assert!(!cluster.place.path().join("here").exists());
}

#[test]
fn what_is_missing_is_fetched_once_before_anything_is_handed_over() {
    let cluster = Cluster::new();
    cluster.place.write(
        "make.sh",
        "mkdir -p \"$1/mine/ggml-f16\" && printf hello > \"$1/mine/ggml-f16/m.bin\"\n",
    );
    let text = "version: 1\nname: recipe\nmatrix:\n  backend: [whisper-cpp]\n  model: [mine]\n  \
        audio: [jfk]\n  verify-method: [checksum]\nmodels:\n  mine:\n    size: tiny\n    artifacts:\n      \
        ggml-f16:\n        files: {m.bin: {bytes: 5, sha256: \
        2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824}}\n        \
        sources: [{recipe: r}]\nrecipes:\n  r: {command: [sh, ./make.sh, \"{{ destination }}\"], \
        produces: {mine: [ggml-f16]}}\n";
    cluster.place.write("m.yaml", text);
    // No part comes to it.
    cluster.place.write("state/refuse", ".g1");
    let file = cluster.place.store().join("mine/ggml-f16/m.bin");
    let words = ["--assume-ready", "--download"];
    cluster
        .on(&[&words[..], &["missing"]].concat())
        .expect_status(4);
    assert_eq!(fs::read_to_string(file).unwrap(), "hello");
}
