//! What the child inherits, and what it does not.

use std::io::{BufRead, BufReader, Write};

use super::processes::stat;
use super::support::{LIMIT, Launch};

/// Signals 32 and 33, which glibc's `posix_spawn` leaves ignored and every glibc program sets anew.
const OF_THE_C_LIBRARY: u64 = 3 << 31;

/// Returns the numbers of the descriptors that `ls` was started with, without the one it opens.
fn descriptors(launch: Launch) -> Vec<String> {
    let end = launch.finish();
    let lines = end
        .stdout
        .lines()
        .filter_map(|line| line.split_once(" -> "));
    let foreign = lines.filter(|(_, target)| !target.ends_with("/fd"));
    foreign
        .map(|(name, _)| name.rsplit(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_child_has_no_descriptor_that_it_was_not_given() {
    let listing = || {
        let (stray, _writer) = std::io::pipe().unwrap();
        let (other, _writer) = std::io::pipe().unwrap();
        Launch::command(["ls", "-l", "/proc/self/fd"])
            .descriptor(7, stray)
            .descriptor(63, other)
    };
    assert_eq!(descriptors(listing()), ["0", "1", "2"]);
    assert_eq!(
        descriptors(listing().options(&["--protocol"])),
        ["0", "1", "2", "3"]
    );
}

#[test]
fn strays_are_not_held_by_the_shim_either() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut shim = Launch::script("echo ready; exec sleep 60")
        .descriptor(3, writer)
        .start();
    shim.await_output("ready");
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut reader, &mut rest).unwrap();
    shim.ask("K");
    shim.finish().assert_killed("kill");
}

#[test]
fn the_child_reads_nothing() {
    let end = Launch::script("readlink /proc/self/fd/0; cat; echo end").finish();
    assert_eq!(end.stdout, "/dev/null\nend\n");
}

#[test]
fn the_protocol_socket_works_both_ways_and_closes_with_the_child() {
    let script =
        r#"read line <&3; echo "$line on $EARMARK_PROTOCOL_FD" >&3; exec 3>&-; exec sleep 60"#;
    let mut shim = Launch::script(script).options(&["--protocol"]).start();
    let mut socket = shim.protocol.take().unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.write_all(b"hello\n").unwrap();
    let mut lines = BufReader::new(socket).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "hello on 3");
    assert!(lines.next().is_none(), "the shim holds the protocol socket");
    shim.ask("K");
    shim.finish().assert_killed("kill");
}

#[test]
fn without_protocol_nothing_is_said_of_one() {
    let end = Launch::script(r#"echo "${EARMARK_PROTOCOL_FD-unset}""#).finish();
    assert_eq!(end.stdout, "unset\n");
}

#[test]
fn environment_and_directory_are_passed_on() {
    let end = Launch::script(r#"echo "$EARMARK_TEST_MARKER"; pwd"#).finish();
    let marker = format!("{}-", std::process::id());
    assert!(
        end.stdout.starts_with(&marker) && end.stdout.ends_with("-\n/\n"),
        "{}",
        end.stdout
    );
}

#[test]
fn both_outputs_arrive_where_they_belong() {
    let end = Launch::script("echo out; echo err >&2").finish();
    assert_eq!(
        (end.stdout.as_str(), end.stderr.as_str()),
        ("out\n", "err\n")
    );
}

#[test]
fn the_child_starts_with_default_signals_whatever_the_runner_ignores() {
    let end = Launch::command(["cat", "/proc/self/status"])
        .through(r#"trap '' HUP INT QUIT TERM USR1 PIPE CHLD; exec "$0" "$@""#)
        .finish();
    for field in ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"] {
        let line = end
            .stdout
            .lines()
            .find(|line| line.starts_with(field))
            .unwrap();
        let signals = u64::from_str_radix(line.rsplit('\t').next().unwrap(), 16).unwrap();
        assert_eq!(signals & !OF_THE_C_LIBRARY, 0, "{line}");
    }
    assert_eq!(end.exit_code(), Some(0));
}

#[test]
fn the_child_leads_a_process_group_in_the_session_of_the_shim() {
    let mut shim = Launch::script("echo ready; exec sleep 60").start();
    shim.await_output("ready");
    let child = i32::try_from(shim.next_report()["pid"].as_i64().unwrap()).unwrap();
    let fields = stat(child).unwrap();
    assert_eq!(fields[2], child.to_string(), "process group");
    assert_eq!(fields[3], shim.pid().to_string(), "session");
    shim.ask("K");
    shim.finish().assert_killed("kill");
}
