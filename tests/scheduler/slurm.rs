//! `run --on slurm`, `attach` and `--resume`.

use crate::support::{Place, Ran, project};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

pub const SITE: &str = "version: 1
schedulers:
  slurm:
    shared: true
    poll: 50ms
    labels:
      \"label:a\": {constraint: a}
      \"label:b\": {constraint: b}
";

/// A place with a stand-in for Slurm.
pub struct Cluster {
    pub place: Place,
}

impl Cluster {
    pub fn new() -> Self {
        let place = Place::new();
        for name in ["sbatch", "squeue", "scancel", "scontrol", "sacct"] {
            fs::create_dir_all(place.path().join("bin")).unwrap();
            symlink(
                project().join("tests/scheduler/slurm.sh"),
                place.path().join("bin").join(name),
            )
            .unwrap();
        }
        for folder in ["state/jobs", "state/fail"] {
            fs::create_dir_all(place.path().join(folder)).unwrap();
        }
        place.write("site.yaml", SITE);
        place.write("m.yaml", &matrix("[\"label:a\", \"label:b\"]"));
        Self { place }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        let path = std::env::var("PATH").unwrap();
        command
            .env(
                "PATH",
                format!("{}:{path}", self.place.path().join("bin").display()),
            )
            .env("STAND_IN", self.place.path().join("state"))
            .env_remove("EARMARK_LABELS");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    pub fn on(&self, further: &[&str]) -> Ran {
        let words = [
            "run",
            "m.yaml",
            "--on",
            "slurm",
            "--site",
            "site.yaml",
            "--out",
            "run",
        ];
        self.run(&[&words[..], further].concat())
    }

    /// Has a command fail as often as there are lines, with what they say.
    pub fn fail(&self, command: &str, lines: &str) {
        self.place.write(&format!("state/fail/{command}"), lines);
    }

    pub fn calls(&self, command: &str) -> usize {
        let text = fs::read_to_string(self.place.path().join("state/calls")).unwrap_or_default();
        let begins = |line: &&str| line.starts_with(command) && !line.contains("--test-only");
        text.lines().filter(begins).count()
    }

    /// Returns what a run came to, without what only time decides.
    pub fn rows(&self, run: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
        let mut rows = BTreeMap::new();
        for cells in self.place.table(&format!("{run}/results.csv")) {
            rows.insert(
                cells["job_id"].clone(),
                (cells["status"].clone(), BTreeSet::new()),
            );
        }
        for cells in self.place.table(&format!("{run}/samples.csv")) {
            let heard = format!(
                "{} {} {}",
                cells["utterance"], cells["trial"], cells["hypothesis"]
            );
            rows.get_mut(&cells["job_id"]).unwrap().1.insert(heard);
        }
        rows
    }

    pub fn unbroken(&self) -> BTreeMap<String, (String, BTreeSet<String>)> {
        self.run(&["run", "m.yaml", "--out", "unbroken", "--no-history"])
            .expect_status(0);
        self.rows("unbroken")
    }
}

pub fn matrix(requires: &str) -> String {
    crate::support::fake_matrix(
        &format!("  requires: {requires}\n  beam-size: [1, 2, 3]"),
        "settings: {warmup: 0, repeat: 2}",
    )
}

#[test]
fn what_is_handed_over_comes_back_as_one_record_as_from_one_machine() {
    let cluster = Cluster::new();
    let ran = cluster.on(&[]).expect_status(0);
    assert!(ran.stderr.contains("6 of 6 benchmarks"), "{}", ran.stderr);
    assert_eq!(cluster.rows("run"), cluster.unbroken());
    assert_eq!(
        cluster.calls("sbatch"),
        3,
        "two groups and what puts them together"
    );
    let hosts: BTreeSet<String> = cluster
        .place
        .table("run/results.csv")
        .into_iter()
        .map(|row| row["machine_id"].clone())
        .collect();
    assert_eq!(
        hosts.len(),
        1,
        "both groups have one part, on the first node"
    );
    // Once more is nothing more.
    let ran = cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert!(!ran.stderr.contains("Slurm job"), "{}", ran.stderr);
    cluster.run(&["attach", "run"]).expect_status(0);
    assert_eq!(cluster.rows("run"), cluster.rows("unbroken"));
}

#[test]
fn the_newest_run_that_was_handed_over_is_attached_to_by_that_word() {
    let cluster = Cluster::new();
    let ran = cluster.run(&["attach", "latest"]).expect_status(2);
    assert!(
        ran.stderr.contains("no run under runs was handed over"),
        "{}",
        ran.stderr
    );
    let words = [
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--detach",
    ];
    cluster.run(&words).expect_status(0);
    let ran = cluster.run(&["attach", "latest"]).expect_status(0);
    assert!(ran.stderr.contains("6 of 6 benchmarks"), "{}", ran.stderr);
    let ran = cluster.run(&["attach", "bin"]).expect_status(2);
    assert!(
        ran.stderr.contains("was handed over to no scheduler"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_would_be_handed_over_is_shown_and_nothing_is() {
    let cluster = Cluster::new();
    let ran = cluster.on(&["--dry-run"]).expect_status(0);
    for part in [
        "label:a",
        "--constraint=b --exclusive --time=",
        "Slurm 99.0",
    ] {
        assert!(ran.stdout.contains(part), "{}", ran.stdout);
    }
    assert_eq!(cluster.calls("sbatch"), 0);
    assert!(!cluster.place.path().join("run").exists());
}

#[test]
fn a_requirement_without_a_word_and_a_refusal_of_slurms_start_nothing() {
    let cluster = Cluster::new();
    cluster.place.write(
        "m.yaml",
        &matrix("[\"label:a\", \"gpu:cuda\", {os: macos}]"),
    );
    let ran = cluster.on(&[]).expect_status(2);
    for part in [
        "3 benchmarks of the plan need gpu:cuda",
        "need os:macos",
        "site file",
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    cluster.place.write("m.yaml", &matrix("[\"label:a\"]"));
    let refused = "sbatch: error: Batch job submission failed: Invalid account";
    cluster.fail("sbatch", refused);
    let ran = cluster.on(&[]).expect_status(2);
    assert!(
        ran.stderr.contains("Invalid account") && ran.stderr.contains("mend"),
        "{}",
        ran.stderr
    );
    assert!(!cluster.place.path().join("run").exists());
    assert_eq!(cluster.calls("sbatch"), 0);
}

#[test]
fn without_slurm_it_is_said_where_it_would_be() {
    let place = Place::new();
    place.write("m.yaml", &matrix("[none]"));
    let mut command = place.command(&["run", "m.yaml", "--on", "slurm"]);
    let ran = Ran::from(command.env("PATH", place.path()).output().unwrap()).expect_status(2);
    assert!(
        ran.stderr.contains("no `scontrol` on PATH") && ran.stderr.contains("login node"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_controller_that_gives_no_answer_for_a_while_loses_nothing() {
    let cluster = Cluster::new();
    cluster.on(&["--detach"]).expect_status(0);
    cluster.fail(
        "squeue",
        &"slurm_load_jobs error: Unable to contact slurm controller\n".repeat(4),
    );
    let ran = cluster.run(&["attach", "run"]).expect_status(0);
    assert_eq!(cluster.rows("run"), cluster.unbroken(), "{}", ran.stderr);
}

#[test]
fn a_part_that_could_not_be_handed_over_is_when_the_run_goes_on() {
    let cluster = Cluster::new();
    cluster.place.write("state/refuse", ".g2");
    let ran = cluster.on(&[]).expect_status(4);
    assert!(
        ran.stderr.contains("QOSMaxSubmitJobPerUserLimit"),
        "{}",
        ran.stderr
    );
    fs::remove_file(cluster.place.path().join("state/refuse")).unwrap();
    cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert_eq!(cluster.rows("run"), cluster.unbroken());
}

#[test]
fn whoever_was_killed_between_handing_over_and_writing_it_down_hands_nothing_over_twice() {
    let cluster = Cluster::new();
    cluster.on(&["--detach"]).expect_status(0);
    fs::remove_file(
        cluster
            .place
            .path()
            .join("run/submissions/1.submitted.json"),
    )
    .unwrap();
    let before = cluster.calls("sbatch");
    let ran = cluster.run(&["attach", "run"]).expect_status(0);
    assert_eq!(
        ran.stderr.matches("found again").count(),
        2,
        "{}",
        ran.stderr
    );
    assert_eq!(cluster.calls("sbatch"), before);
    assert_eq!(cluster.rows("run"), cluster.unbroken());
}

#[test]
fn what_a_part_lost_is_sent_again_and_nothing_else() {
    let cluster = Cluster::new();
    cluster.on(&[]).expect_status(0);
    let expected = cluster.rows("run");
    fs::remove_file(cluster.place.path().join("run/journal.jsonl")).unwrap();
    fs::remove_dir_all(
        cluster
            .place
            .path()
            .join("run/attempts/1-g2-1-of-1.attempt-1"),
    )
    .unwrap();
    let ran = cluster.run(&["run", "--resume", "run"]).expect_status(0);
    assert!(
        ran.stderr.contains("3 benchmarks missing"),
        "{}",
        ran.stderr
    );
    let list = fs::read_to_string(cluster.place.path().join("run/submissions/2.jobs.txt")).unwrap();
    assert_eq!(list.lines().count(), 3);
    assert!(list.lines().all(|line| line.contains("label_b")), "{list}");
    assert_eq!(cluster.rows("run"), expected);
}

#[test]
fn a_part_that_fails_for_reasons_of_ours_is_told_with_its_log() {
    let cluster = Cluster::new();
    let site = SITE.replace(
        "shared: true",
        "shared: true\n    setup: [\"echo the module is not there >&2; exit 7\"]",
    );
    cluster.place.write("site.yaml", &site);
    let ran = cluster.on(&[]).expect_status(3);
    for part in [
        "lost: part 1 of group 1: FAILED",
        "the module is not there",
        "no part has left anything",
        "earmark run --resume",
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    // What was wrong is mended, and the run goes on.
    cluster.place.write("site.yaml", SITE);
    cluster
        .run(&["run", "--resume", "run", "--site", "site.yaml"])
        .expect_status(0);
    assert_eq!(cluster.rows("run"), cluster.unbroken());
}

#[test]
fn an_interruption_calls_back_what_the_scheduler_has() {
    let cluster = Cluster::new();
    cluster.place.write(
        "m.yaml",
        &matrix("[\"label:a\"]").replace("repeat: 2", "repeat: 2, fake-seconds: 0.5"),
    );
    let mut child = cluster
        .command(&[
            "run",
            "m.yaml",
            "--on",
            "slurm",
            "--site",
            "site.yaml",
            "--out",
            "run",
        ])
        .stdout(std::process::Stdio::null())
        .stderr(fs::File::create(cluster.place.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    crate::support::eventually("it runs", || {
        fs::read_to_string(cluster.place.path().join("log"))
            .is_ok_and(|log| log.contains("1 running"))
    });
    Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(cluster.calls("scancel") >= 1);
}
