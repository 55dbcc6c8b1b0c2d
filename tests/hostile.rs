//! Hostile children of a command backend through the whole program: after every kind of end nobody
//! is left alive, and the journal says what happened.

use crate::shim::users::{User, users};
use crate::support::{Place, Ran, eventually, processes_with, program};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What the children do. All of it would go on for longer than any test.
const BEHAVIOURS: [(&str, &str); 8] = [
    (
        "ignores-term",
        "trap '' TERM INT HUP; while :; do sleep 1000; done",
    ),
    (
        "forks-twice",
        "(setsid sh -c \"trap '' TERM INT HUP; while :; do sleep 1000; done\" &); sleep 1000",
    ),
    ("leaves-its-session", "setsid sleep 1000 & sleep 1000"),
    (
        "holds-stdout",
        "(setsid sh -c 'sleep 1000; echo late' &) ; exec >/dev/null 2>&1; sleep 1000",
    ),
    (
        "forks-without-end",
        "setsid sh -c 'while :; do sh -c : & done' & while :; do sh -c : & wait; done",
    ),
    ("floods-stdout", "cat /dev/zero & cat /dev/zero >&2"),
    ("stops-in-mid-line", "printf 'half a li'; sleep 1000"),
    ("closes-its-output", "exec >&- 2>&-; sleep 1000"),
];

/// Returns a matrix with a backend for each script.
fn matrix(scripts: &[(&str, &str)], rest: &str) -> String {
    let mut text = String::from("version: 1\nname: hostile\nbackends:\n");
    for (name, script) in scripts {
        let quoted = serde_json::to_string(script).unwrap();
        text.push_str(&format!(
            "  {name}: {{command: [sh, -c, {quoted}], output: text}}\n"
        ));
    }
    let names: Vec<&str> = scripts.iter().map(|(name, _)| *name).collect();
    text.push_str(&format!(
        "matrix:\n  backend: [{}]\n  model: [none]\n  audio: [jfk]\n  verify-method: [cache-check]\n\
         settings: {{warmup: 0, repeat: 1}}\norder: matrix\n{rest}\n",
        names.join(", ")
    ));
    text
}

/// A place that every user may write into.
fn open_place() -> Place {
    let place = Place::new();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    place
}

/// Returns the program with arguments, as a user, in a place. A variable that children keep carries
/// the mark.
fn command(place: &Place, user: User, mark: &str, arguments: &[&str]) -> Command {
    let own = place.command(arguments);
    let mut words: Vec<&str> = user.prefix().to_vec();
    words.push(program());
    words.extend(arguments);
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .current_dir(place.path())
        .stdin(Stdio::null());
    for (name, value) in own.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.env("TZ", mark);
    command
}

fn mark(name: &str) -> String {
    format!("earmark-{name}-{}", std::process::id())
}

#[track_caller]
fn assert_nobody(mark: &str, of: &str) {
    let left = processes_with(mark);
    assert!(left.is_empty(), "{of}: {left:?} live");
}

/// Waits until nobody carries the mark, and returns how long that took.
#[track_caller]
fn gone(mark: &str) -> Duration {
    let since = Instant::now();
    eventually("nobody is left", || processes_with(mark).is_empty());
    since.elapsed()
}

fn statuses(place: &Place) -> BTreeMap<String, BTreeMap<String, String>> {
    let rows = place.table("r/results.csv");
    rows.into_iter()
        .map(|row| (row["backend"].clone(), row))
        .collect()
}

#[test]
fn a_limit_ends_every_kind_of_child_and_all_it_started() {
    for user in users() {
        let place = open_place();
        let limits = "deadlines: {benchmark: {floor: 500ms, per-audio-second: 0s}, grace: 200ms}";
        place.write("a.yaml", &matrix(&BEHAVIOURS, limits));
        let mark = mark(&format!("limit-{user:?}"));
        let ran = command(&place, user, &mark, &["run", "a.yaml", "--out", "r"]).output();
        Ran::from(ran.unwrap()).expect_status(3);
        assert_nobody(&mark, &format!("{user:?}"));
        let rows = statuses(&place);
        for (name, _) in BEHAVIOURS {
            assert_eq!(rows[name]["status"], "timed-out", "{name} as {user:?}");
            assert_eq!(
                rows[name]["error"],
                "trial took longer than its limit of 0.5 s"
            );
        }
        for job in place.table("r/jobs.csv") {
            if job["kind"] == "benchmark" {
                // Limit, grace, and a busy machine.
                let seconds: f64 = job["seconds"].parse().unwrap();
                assert!((0.5..15.0).contains(&seconds), "{job:?}");
            }
        }
    }
}

#[test]
fn children_that_outlive_their_parent_are_ended_and_named() {
    for user in users() {
        let place = open_place();
        let scripts = [
            ("exits-well", "setsid sleep 1000 & echo heard"),
            ("crashes", "setsid sleep 1000 & kill -SEGV $$"),
            ("fails", "setsid sleep 1000 & echo no >&2; exit 7"),
        ];
        place.write("a.yaml", &matrix(&scripts, ""));
        let mark = mark(&format!("leak-{user:?}"));
        let ran = command(&place, user, &mark, &["run", "a.yaml", "--out", "r"]).output();
        let ran = Ran::from(ran.unwrap()).expect_status(3);
        assert_nobody(&mark, &format!("{user:?}"));
        let rows = statuses(&place);
        assert_eq!(rows["exits-well"]["status"], "completed");
        assert_eq!(rows["exits-well"]["hypothesis"], "heard");
        assert_eq!(rows["crashes"]["status"], "crashed");
        assert_eq!(rows["fails"]["status"], "failed");
        assert_eq!(
            rows["fails"]["error"],
            "trial: the command ended with status 7: no"
        );
        let journal = std::fs::read_to_string(place.path().join("r/journal.jsonl")).unwrap();
        let leaks: Vec<&str> = journal
            .lines()
            .filter(|line| line.contains("\"processes-leaked\""))
            .collect();
        assert_eq!(leaks.len(), 3, "{journal}");
        assert!(leaks.iter().all(|line| line.contains("\"sleep\"")));
        for job in place.table("r/jobs.csv") {
            if job["kind"] == "benchmark" {
                assert_eq!(job["leaked_processes"], "1", "{job:?}");
            }
        }
        assert!(ran.stderr.contains("sleep"), "{}", ran.stderr);
    }
}

/// A run of one hostile child that has begun.
struct Running {
    place: Place,
    runner: Child,
    mark: String,
}

impl Running {
    fn start(name: &str, script: &str, user: User) -> Self {
        let place = open_place();
        let rest = "deadlines: {grace: 300ms}";
        place.write("a.yaml", &matrix(&[(name, script)], rest));
        let mark = mark(&format!("{name}-{user:?}"));
        let runner = command(&place, user, &mark, &["run", "a.yaml", "--out", "r"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = Self {
            place,
            runner,
            mark,
        };
        eventually("the child runs", || {
            // The runner, its shim, the child.
            running.shims().len() == 1 && processes_with(&running.mark).len() > 2
        });
        running
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.runner.id()).unwrap()).unwrap()
    }

    fn shims(&self) -> Vec<u32> {
        let is_shim = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(b"__shim".as_slice())
        };
        processes_with(&self.mark)
            .into_iter()
            .filter(is_shim)
            .collect()
    }

    fn outcome(&self) -> serde_json::Value {
        let journal = std::fs::read_to_string(self.place.path().join("r/journal.jsonl")).unwrap();
        journal
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .find(|event| {
                event["event"] == "job-ended"
                    && event["job"].as_str().unwrap().starts_with("benchmark/")
            })
            .map(|event| event["outcome"].clone())
            .unwrap_or_default()
    }
}

#[test]
fn an_interrupt_ends_every_kind_of_child_in_time_and_keeps_the_record() {
    for user in users() {
        for (name, script) in BEHAVIOURS {
            let mut running = Running::start(name, script, user);
            let since = Instant::now();
            kill_process(running.pid(), Signal::INT).unwrap();
            let status = running.runner.wait().unwrap();
            let took = since.elapsed();
            assert_eq!(status.code(), Some(130), "{name} as {user:?}");
            assert_nobody(&running.mark, &format!("{name} as {user:?}"));
            // Grace 0.3 s, drain 1 s and 2 s more; the rest is for a busy machine.
            assert!(took < Duration::from_secs(10), "{name}: {took:?}");
            assert_eq!(running.outcome()["status"], "cancelled", "{name}");
            assert!(running.place.path().join("r/report.html").exists());
        }
    }
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_grace() {
    let place = open_place();
    let (name, script) = BEHAVIOURS[0];
    place.write(
        "a.yaml",
        &matrix(&[(name, script)], "deadlines: {grace: 600s}"),
    );
    let mark = mark("second");
    let mut runner = command(&place, User::Own, &mark, &["run", "a.yaml", "--out", "r"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(i32::try_from(runner.id()).unwrap()).unwrap();
    eventually("the child runs", || processes_with(&mark).len() > 2);
    kill_process(pid, Signal::TERM).unwrap();
    // The journal is written before anything else is done, but nothing in it tells of the first
    // signal: so it is sent until it is the second.
    eventually("it ends", || {
        let _ = kill_process(pid, Signal::TERM);
        runner.try_wait().unwrap().is_some()
    });
    assert_eq!(runner.wait().unwrap().code(), Some(130));
    assert_nobody(&mark, "");
}

#[test]
fn when_the_runner_is_killed_its_children_are_gone_within_a_second() {
    for user in users() {
        for (name, script) in BEHAVIOURS {
            let mut running = Running::start(name, script, user);
            running.runner.kill().unwrap();
            running.runner.wait().unwrap();
            let took = gone(&running.mark);
            // A second, and what a busy machine adds.
            assert!(
                took < Duration::from_secs(5),
                "{name} as {user:?}: {took:?}"
            );
        }
    }
}

#[test]
fn when_a_shim_is_killed_the_runner_ends_what_it_held() {
    for user in users() {
        for (name, script) in BEHAVIOURS {
            let mut running = Running::start(name, script, user);
            for shim in running.shims() {
                let pid = Pid::from_raw(i32::try_from(shim).unwrap()).unwrap();
                kill_process(pid, Signal::KILL).unwrap();
            }
            let status = running.runner.wait().unwrap();
            assert_eq!(status.code(), Some(3), "{name} as {user:?}");
            assert_nobody(&running.mark, &format!("{name} as {user:?}"));
            assert_eq!(running.outcome()["status"], "crashed", "{name}");
        }
    }
}

#[test]
fn a_stopped_runner_stops_its_children_and_no_limit_runs() {
    let place = open_place();
    // A child that has left the session counts; nobody but the runner can have stopped it.
    let script = "setsid sh -c 'while :; do echo x >> beats; sleep 0.01; done' & \
                  while [ \"$(cat beats 2>/dev/null | wc -l)\" -lt 120 ]; do sleep 0.05; done";
    let limits = "deadlines: {benchmark: {floor: 8s, per-audio-second: 0s}, grace: 200ms}";
    place.write("a.yaml", &matrix(&[("counts", script)], limits));
    let mark = mark("stopped");
    let mut runner = command(&place, User::Own, &mark, &["run", "a.yaml", "--out", "r"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(i32::try_from(runner.id()).unwrap()).unwrap();
    let beats = place.path().join("beats");
    let count = || std::fs::metadata(&beats).map_or(0, |metadata| metadata.len());
    eventually("the child counts", || count() > 4);
    kill_process(pid, Signal::TSTP).unwrap();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", runner.id())).unwrap();
        stat.rsplit_once(')').unwrap().1.trim().chars().next()
    };
    eventually("the runner is stopped", || state() == Some('T'));
    // It stands still: longer than its limit.
    let mut last = count();
    let mut still = Instant::now();
    eventually("nothing is counted any more", || {
        if count() != last {
            last = count();
            still = Instant::now();
        }
        still.elapsed() > Duration::from_secs(9)
    });
    kill_process(pid, Signal::CONT).unwrap();
    eventually("it goes on", || count() > last);
    assert_eq!(runner.wait().unwrap().code(), Some(0));
    assert_nobody(&mark, "");
    let row = &place.table("r/results.csv")[0];
    assert_eq!(row["status"], "completed", "{}", row["error"]);
    let journal = std::fs::read_to_string(place.path().join("r/journal.jsonl")).unwrap();
    let suspended = journal
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|event| event["event"] == "suspended")
        .unwrap();
    assert!(suspended["seconds"].as_f64().unwrap() > 8.0, "{suspended}");
}

#[test]
fn an_interrupt_is_heard_although_a_shell_started_the_runner_in_the_background() {
    let place = open_place();
    let (name, script) = BEHAVIOURS[2];
    place.write(
        "a.yaml",
        &matrix(&[(name, script)], "deadlines: {grace: 300ms}"),
    );
    let mark = mark("background");
    // A shell without job control ignores SIGINT for what it starts in the background.
    let line = format!(
        "'{}' run a.yaml --out r 2>/dev/null & echo $!; wait $!; echo $?",
        program()
    );
    let own = place.command(&[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &line])
        .current_dir(place.path())
        .env("TZ", &mark)
        .stdout(Stdio::piped());
    for (name, value) in own.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let shell = shell.spawn().unwrap();
    let runner = || {
        processes_with(&mark).into_iter().find(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with(program().as_bytes()) && !line.windows(6).any(|w| w == b"__shim")
        })
    };
    eventually("the child runs", || {
        runner().is_some() && processes_with(&mark).len() > 3
    });
    let pid = Pid::from_raw(i32::try_from(runner().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let output = shell.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().last(), Some("130"), "{text}");
    assert_nobody(&mark, "");
}

#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    let place = open_place();
    place.write("a.yaml", &matrix(&[("short", "sleep 1; echo heard")], ""));
    let mark = mark("nohup");
    let own = command(&place, User::Own, &mark, &["run", "a.yaml", "--out", "r"]);
    let mut nohup = Command::new("nohup");
    nohup
        .arg(program())
        .args(["run", "a.yaml", "--out", "r"])
        .current_dir(place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for (name, value) in own.get_envs() {
        nohup.env(name, value.unwrap_or_default());
    }
    let mut runner = nohup.spawn().unwrap();
    eventually("the child runs", || processes_with(&mark).len() > 2);
    let pid = Pid::from_raw(i32::try_from(runner.id()).unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    assert_eq!(runner.wait().unwrap().code(), Some(0));
    assert_eq!(place.table("r/results.csv")[0]["hypothesis"], "heard");
}
