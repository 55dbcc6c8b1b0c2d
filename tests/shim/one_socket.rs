//! One socket for control and reports.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use super::support::Launch;
use super::users::users;

#[test]
fn it_carries_reports_out_and_requests_in() {
    for user in users() {
        let mut shim = Launch::hostile("stubborn").one_socket().user(user).start();
        shim.await_output("ready");
        assert_eq!(shim.next_report()["report"], "started");
        shim.ask("K");
        shim.finish().assert_killed("kill");
    }
}

#[test]
fn the_child_does_not_have_it() {
    let end = Launch::script("readlink /proc/self/fd/0; ls /proc/self/fd | wc -l")
        .one_socket()
        .finish();
    // `ls` opens one more to read the list.
    assert_eq!(end.stdout, "/dev/null\n4\n");
    assert_eq!(end.reports.len(), 2, "{:?}", end.reports);
    assert_eq!(end.exit_code(), Some(0));
}

#[test]
fn its_end_is_the_end_of_the_tree() {
    for user in users() {
        let mut shim = Launch::hostile("stubborn").one_socket().user(user).start();
        shim.await_output("ready");
        shim.let_go();
        shim.finish().assert_killed("control-closed");
    }
}

#[test]
fn a_runner_that_hangs_up_does_not_end_the_shim_before_its_tree() {
    let mut shim = Launch::hostile("stubborn").one_socket().start();
    shim.await_output("ready");
    shim.hang_up();
    // Nobody is alive at the end, and the status is the shim's own, not that of a signal.
    assert_eq!(shim.finish().exit_code(), Some(137));
}

#[test]
fn it_goes_with_a_protocol_socket() {
    let mut shim = Launch::script("read line <&3; echo $line")
        .one_socket()
        .options(&["--protocol"])
        .start();
    shim.protocol
        .as_mut()
        .unwrap()
        .write_all(b"hello\n")
        .unwrap();
    shim.await_output("hello");
    assert_eq!(shim.finish().reports.len(), 2);
}

#[test]
fn a_runner_that_does_not_read_is_not_waited_for() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    while (&theirs).write(&[b'x'; 4096]).is_ok() {}
    theirs.set_nonblocking(false).unwrap();
    let end = Launch::script("exit 3")
        .control(theirs)
        .options(&["--report-fd", "0"])
        .finish();
    assert_eq!(end.exit_code(), Some(3));
    let mut text = String::new();
    ours.read_to_string(&mut text).unwrap();
    assert_eq!(text.trim_start_matches('x'), "");
}

#[test]
fn reports_arrive_although_a_request_came_too_late() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let shim = Launch::script("echo ready; exec sleep 60")
        .control(theirs)
        .options(&["--report-fd", "0"])
        .start();
    // More than the shim reads at a time: the rest is never read.
    ours.write_all(format!("K{}", "?".repeat(500)).as_bytes())
        .unwrap();
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    let error = loop {
        match ours.read(&mut buffer) {
            Ok(0) => break None,
            Ok(length) => received.extend_from_slice(&buffer[..length]),
            Err(error) => break Some(error.kind()),
        }
    };
    assert!(matches!(error, None | Some(ErrorKind::ConnectionReset)));
    let text = String::from_utf8(received).unwrap();
    assert!(text.lines().last().unwrap().contains("\"ended\""), "{text}");
    assert_eq!(shim.finish().exit_code(), Some(137));
}

#[test]
fn a_pipe_cannot_be_one() {
    let end = Launch::command(["echo", "started"])
        .options(&["--report-fd", "0"])
        .finish();
    assert_eq!(end.exit_code(), Some(125));
    assert!(end.stderr.contains("no stream socket"), "{}", end.stderr);
    assert_eq!(end.stdout, "");
}
