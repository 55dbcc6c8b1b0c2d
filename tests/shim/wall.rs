//! The network wall.

use std::io;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use super::support::{End, Launch};
use super::users::users;

const WAYS_OUT: [&str; 10] = [
    "inet",
    "inet6",
    "netlink",
    "packet",
    "vsock",
    "inet-high-bits",
    "inet-x32",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
];

#[test]
fn behind_the_wall_only_local_sockets_open() {
    for user in users() {
        let end = Launch::hostile("reach-out")
            .options(&["--wall", "network"])
            .user(user)
            .finish();
        assert_eq!(end.reports[0]["wall"], "seccomp");
        assert!(end.stdout.contains("unix open"), "{}", end.stdout);
        for way in WAYS_OUT {
            // The kernel knows no x32 numbers on other processors, where the call does not exist.
            if way == "inet-x32" && cfg!(not(target_arch = "x86_64")) {
                continue;
            }
            assert!(
                end.stdout.contains(&format!("{way} denied\n")),
                "{way}: {}",
                end.stdout
            );
        }
    }
}

#[test]
fn without_the_wall_the_network_is_there() {
    let end = Launch::hostile("reach-out")
        .options(&["--wall", "none"])
        .finish();
    assert_eq!(end.reports[0]["wall"], "none");
    assert!(end.stdout.contains("inet open"), "{}", end.stdout);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_32_bit_gate_is_no_way_round() {
    let end = Launch::hostile("reach-out-32-bit")
        .options(&["--wall", "network"])
        .finish();
    // SIGSYS by the wall; SIGSEGV where the kernel was built without the gate.
    let signal = end.last()["signal"].as_i64();
    assert!(
        matches!(signal, Some(31 | 11)),
        "{}: {}",
        end.last(),
        end.stdout
    );
}

fn answer_seccomp_with(errno: u32) -> io::Result<()> {
    let rules = [(libc::SYS_seccomp, Vec::new())].into();
    let architecture = std::env::consts::ARCH
        .try_into()
        .map_err(io::Error::other)?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        architecture,
    );
    let program: BpfProgram = filter
        .and_then(TryInto::try_into)
        .map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

/// Keeps a process, and all that it starts, from raising a wall.
pub fn refuse_walls() -> io::Result<()> {
    answer_seccomp_with(libc::EPERM.unsigned_abs())
}

fn pretend_walls() -> io::Result<()> {
    answer_seccomp_with(0)
}

#[test]
fn nothing_starts_where_the_wall_is_refused() {
    let end = Launch::command(["echo", "started"])
        .options(&["--wall", "network"])
        .before_exec(refuse_walls)
        .finish();
    assert_wall_failed(&end, "refused");
}

#[test]
fn nothing_starts_where_the_wall_only_pretends() {
    let end = Launch::command(["echo", "started"])
        .options(&["--wall", "network"])
        .before_exec(pretend_walls)
        .finish();
    assert_wall_failed(&end, "canary");
}

fn assert_wall_failed(end: &End, word: &str) {
    assert_eq!(end.exit_code(), Some(125));
    assert_eq!(end.reports.len(), 1, "{:?}", end.reports);
    assert_eq!(end.last()["report"], "wall-failed");
    assert!(
        end.last()["error"].as_str().unwrap().contains(word),
        "{}",
        end.last()
    );
    assert_eq!(end.stdout, "");
}
