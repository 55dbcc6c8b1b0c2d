//! How a tree comes to its end, and that nothing of it is left.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::processes::{all_pids, eventually, kill, stat};
use super::support::{Launch, Shim};
use super::users::users;

/// Starts a child that ignores signals and has an escapee in another session.
fn stubborn(launch: impl Fn(Launch) -> Launch) -> Shim {
    let mut shim = launch(Launch::hostile("stubborn")).start();
    shim.await_output("ready");
    assert_eq!(
        shim.living().len(),
        3,
        "the shim, the child and the escapee"
    );
    shim
}

#[test]
fn kill_leaves_nobody() {
    for user in users() {
        let mut shim = stubborn(|launch| launch.user(user));
        shim.ask("K");
        shim.finish().assert_killed("kill");
    }
}

#[test]
fn the_end_of_the_runner_leaves_nobody() {
    for user in users() {
        let mut shim = stubborn(|launch| launch.user(user));
        shim.let_go();
        shim.finish().assert_killed("control-closed");
    }
}

#[test]
fn a_killed_runner_leaves_nobody() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut runner = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::null())
        .stdout(writer)
        .spawn()
        .unwrap();
    let mut shim = Launch::hostile("stubborn").control(reader).start();
    shim.await_output("ready");
    runner.kill().unwrap();
    runner.wait().unwrap();
    shim.finish().assert_killed("control-closed");
}

#[test]
fn the_backstop_needs_nobody() {
    for user in users() {
        let shim = Launch::hostile("stubborn")
            .options(&["--backstop-ms", "400"])
            .user(user)
            .start();
        let end = shim.finish();
        end.assert_killed("backstop");
        assert!(end.last()["wall_seconds"].as_f64().unwrap() >= 0.4);
    }
}

#[test]
fn terminate_reaches_every_session_and_lets_the_tree_end_by_itself() {
    let mut shim = Launch::script("setsid sleep 60 & echo ready; wait").start();
    shim.await_output("ready");
    eventually("the sleeper runs", || shim.living().len() == 3);
    shim.ask("T");
    let end = shim.finish();
    let last = end.last();
    assert_eq!(last["ended_by"], "itself", "{last}");
    assert_eq!(last["signal"], 15, "{last}");
    assert_eq!(last["leaked_processes"], 0, "{last}");
    assert_eq!(end.exit_code(), Some(128 + 15));
}

#[test]
fn who_does_not_mind_terminate_is_killed() {
    let mut shim = Launch::hostile("tell-of-term").start();
    shim.await_output("ready");
    shim.ask("T");
    shim.await_output("terminated");
    assert_eq!(shim.living().len(), 2, "the shim and the child");
    shim.ask("K");
    shim.finish().assert_killed("kill");
}

#[test]
fn children_left_behind_are_counted_and_ended() {
    for user in users() {
        let end = Launch::hostile("leave-children").user(user).finish();
        let last = end.last();
        assert_eq!(last["ended_by"], "itself", "{last}");
        assert_eq!(last["exit_code"], 0, "{last}");
        assert_eq!(last["signal"], Value::Null, "{last}");
        assert_eq!(last["leaked_processes"], 1, "{last}");
        assert!(last["sweeps"].as_u64().unwrap() >= 1, "{last}");
        assert_eq!(end.exit_code(), Some(0));
    }
}

#[test]
fn children_left_behind_are_named() {
    let script = "for i in $(seq 20); do setsid sleep 60 & done; read line <&3";
    let mut shim = Launch::script(script).options(&["--protocol"]).start();
    let is_sleeper = |pid: &i32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
    };
    eventually("all sleep", || {
        shim.living().iter().filter(|pid| is_sleeper(pid)).count() == 20
    });
    shim.protocol = None;
    let end = shim.finish();
    let last = end.last();
    assert_eq!(last["leaked_processes"], 20, "{last}");
    let leaked = last["leaked"].as_array().unwrap();
    assert_eq!(leaked.len(), 16, "{last}");
    for leak in leaked {
        assert_eq!(leak["name"], "sleep", "{last}");
        assert!(leak["pid"].as_i64().unwrap() > 1, "{last}");
    }
}

#[test]
fn nobody_is_named_where_nobody_is_left() {
    for script in ["exit 0", "kill -KILL $$"] {
        let end = Launch::script(script).finish();
        assert_eq!(end.last()["leaked"], Value::Array(Vec::new()));
    }
}

#[test]
fn a_helper_that_follows_its_parent_at_once_is_no_leak() {
    // The helper reads from a pipe whose only writer is the main child.
    let end = Launch::script(
        "d=$(mktemp -d); mkfifo $d/pipe; cat <$d/pipe >/dev/null & exec 3>$d/pipe; rm -r $d; exit 4",
    )
    .finish();
    assert_eq!(end.last()["leaked_processes"], 0, "{}", end.last());
    assert_eq!(end.exit_code(), Some(4));
}

#[test]
fn a_quiet_end_needs_no_sweep() {
    let end = Launch::command(["true"]).finish();
    let last = end.last();
    assert_eq!(end.reports.len(), 2);
    assert_eq!(last["exit_code"], 0, "{last}");
    assert_eq!(last["sweeps"], 0, "{last}");
    assert_eq!(last["leaked_processes"], 0, "{last}");
    assert_eq!(end.exit_code(), Some(0));
}

#[test]
fn the_status_of_the_child_is_passed_on() {
    let end = Launch::script("exit 42").finish();
    assert_eq!(
        (end.exit_code(), &end.last()["exit_code"]),
        (Some(42), &Value::from(42))
    );
    let end = Launch::script("kill -ABRT $$").finish();
    assert_eq!(
        (end.exit_code(), &end.last()["signal"]),
        (Some(134), &Value::from(6))
    );
    assert_eq!(end.last()["exit_code"], Value::Null);
}

#[test]
fn a_child_that_closed_its_output_is_still_ended() {
    let mut shim = Launch::script("exec >&- 2>&-; exec sleep 60").start();
    assert_eq!(shim.stdout.next(), None, "the shim holds standard output");
    assert_eq!(shim.stderr.next(), None, "the shim holds standard error");
    assert_eq!(shim.living().len(), 2, "the shim and the child");
    shim.ask("K");
    shim.finish().assert_killed("kill");
}

#[test]
fn a_flood_that_nobody_reads_does_not_delay_the_end() {
    let mut shim = Launch::command(["yes"]).start();
    shim.await_output("y");
    shim.ask("K");
    shim.finish().assert_killed("kill");
}

#[test]
fn a_killed_shim_takes_its_child_along() {
    let mut shim = Launch::script("echo ready; exec sleep 60").start();
    shim.await_output("ready");
    assert_eq!(shim.next_report()["report"], "started");
    shim.kill();
    assert_eq!(shim.stdout.next(), None, "the child has ended");
    assert!(
        shim.finish().reports.is_empty(),
        "a killed shim has no last word"
    );
}

/// The known limit: without the shim nobody holds the tree together. Only a sweep by the runner,
/// as the next subreaper above, can end the escapee.
#[test]
fn a_killed_shim_loses_escapees_but_not_its_child() {
    let mut shim = stubborn(|launch| launch);
    let child = i32::try_from(shim.next_report()["pid"].as_i64().unwrap()).unwrap();
    shim.kill();
    eventually("only the escapee is left", || shim.living().len() == 1);
    let escapee = shim.living()[0];
    assert_ne!(escapee, child);
    kill(escapee);
    assert_eq!(
        shim.stdout.next(),
        None,
        "the escapee was the last to hold standard output"
    );
}

#[test]
fn signals_meant_for_the_runner_do_not_end_the_shim() {
    let mut shim = Launch::script("echo ready; read line <&3")
        .options(&["--protocol"])
        .start();
    shim.await_output("ready");
    for signal in ["-TERM", "-INT", "-HUP", "-QUIT", "-PIPE", "-USR1"] {
        let status = Command::new("kill")
            .args([signal, &shim.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }
    shim.protocol = None;
    let end = shim.finish();
    assert_eq!(end.last()["ended_by"], "itself");
}

#[test]
fn dead_orphans_do_not_pile_up() {
    let mut shim = Launch::hostile("orphans").start();
    shim.await_output("ready");
    let shim_pid = shim.pid().to_string();
    eventually("every orphan is reaped", || {
        let is_dead_child =
            |pid: &i32| stat(*pid).is_some_and(|fields| fields[0] == "Z" && fields[1] == shim_pid);
        !all_pids().iter().any(is_dead_child)
    });
    shim.ask("K");
    shim.finish().assert_killed("kill");
}
