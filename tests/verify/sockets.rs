//! No process of a verify has a socket that leads out of the machine: the system calls tell.

use super::by_engine::asking;
use super::hub_cache::Cached;
use crate::support::{Place, program};
use earmark::model::VerifyMethod;
use std::collections::HashMap;
use std::fs;
use std::process::Command;

/// The calls of a program and of all that it started, each on one line with its answer.
pub struct Calls(Vec<String>);

/// Runs the program under `strace`. `None`, with the reason told, where that cannot be run.
pub fn calls_of(place: &Place, arguments: &[&str], status: i32) -> Option<Calls> {
    let works = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .output();
    match works {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let reason = String::from_utf8_lossy(&output.stderr);
            println!("skipped: strace cannot be run here: {reason}");
            return None;
        }
        Err(error) => {
            println!("skipped: strace cannot be run here: {error}");
            return None;
        }
    }
    let trace = place.path().join("trace");
    let bare = place.command(arguments);
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-e", "trace=network,io_uring_setup", "-o"])
        .arg(&trace)
        .arg(program())
        .args(arguments)
        .current_dir(place.path());
    for (name, value) in bare.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    let ran = crate::support::Ran::from(traced.output().unwrap());
    ran.expect_status(status);
    Some(Calls(joined(&fs::read_to_string(trace).unwrap())))
}

/// Puts calls together that were told in two pieces, because another process came between.
fn joined(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let (process, call) = line.split_once(' ').unwrap_or(("", line));
        let call = call.trim_start();
        if let Some(start) = call.strip_suffix("<unfinished ...>") {
            begun.insert(process, start);
        } else if let Some((_, end)) = call.split_once(" resumed>") {
            calls.push(format!("{}{end}", begun.remove(process).unwrap_or("")));
        } else {
            calls.push(call.to_owned());
        }
    }
    // Of those that never came back nobody knows the answer.
    calls.extend(begun.into_values().map(str::to_owned));
    calls
}

impl Calls {
    /// Returns how many sockets were asked for that are not local, all of which must have been refused,
    /// as must have been every ring.
    pub fn refused(&self) -> usize {
        let out: Vec<&String> = self
            .0
            .iter()
            .filter(|call| {
                let is_socket = call.starts_with("socket(") || call.starts_with("socketpair(");
                (is_socket && !call.contains("(AF_UNIX")) || call.starts_with("io_uring_setup(")
            })
            .collect();
        for call in &out {
            assert!(call.contains("= -1 EACCES"), "{call}");
        }
        out.len()
    }
}

#[test]
fn looking_at_files_asks_for_no_socket_that_leads_out() {
    let cached = Cached::whole();
    for method in ["cache-check", "checksum"] {
        let arguments = ["verify", "m.yaml", "--verify-method", method];
        let Some(calls) = calls_of(&cached.place, &arguments, 0) else {
            return;
        };
        assert_eq!(calls.refused(), 0, "{method}");
    }
}

#[test]
fn an_engine_that_is_asked_gets_no_socket_that_leads_out() {
    // The stand-in engine loads, and hears something else than is said.
    for (method, status) in [(VerifyMethod::Load, 0), (VerifyMethod::Transcribe, 3)] {
        let place = asking(method, "none", "30s");
        let Some(calls) = calls_of(&place, &["run", "plan.json", "--out", "r"], status) else {
            return;
        };
        // The canary of each shim was let go at the wall.
        assert!(calls.refused() > 0, "{method}");
    }
}

#[test]
fn calls_in_two_pieces_are_one() {
    let trace = "7 socket(AF_INET, SOCK_STREAM, 0 <unfinished ...>\n8 socketpair(AF_UNIX, 1, 0, [3, 4]) = 0\n\
                 7 <... socket resumed>) = -1 EACCES (Permission denied)\n";
    let calls = Calls(joined(trace));
    assert_eq!(calls.refused(), 1);
}
