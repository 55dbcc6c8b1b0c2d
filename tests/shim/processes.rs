//! What the process table says, seen from a test.

use std::time::Instant;

use rustix::event::{Timespec, poll};

use super::support::LIMIT;

/// Carries a text that tells the processes of one launch from all others.
pub const MARKER: &str = "EARMARK_TEST_MARKER";

/// Waits for something that no descriptor tells of.
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        poll(
            &mut [],
            Some(&Timespec {
                tv_sec: 0,
                tv_nsec: 5_000_000,
            }),
        )
        .unwrap();
    }
}

/// Returns the fields of `/proc/PID/stat` after the name: state, parent, …
pub fn stat(pid: i32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = text.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(str::to_owned).collect())
}

/// Returns the ids of all processes of the system.
pub fn all_pids() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// Kills one process that a test has started.
pub fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Returns the living processes whose environment carries a marker. One that has ended has no
/// environment any more; one of which only the first thread has ended has it in its other threads.
pub fn living(marker: &str) -> Vec<i32> {
    let wanted = format!("{MARKER}={marker}");
    let carries = |pid: &i32| {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
        threads.into_iter().flatten().flatten().any(|thread| {
            let environment = std::fs::read(thread.path().join("environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
        })
    };
    all_pids().into_iter().filter(carries).collect()
}
