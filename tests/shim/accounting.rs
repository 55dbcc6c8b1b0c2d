//! What the last report says of time and memory.

use super::processes::eventually;
use super::support::{Launch, Shim};

const MEBIBYTE: u64 = 1 << 20;

#[test]
fn a_peak_between_two_looks_is_not_missed() {
    let end = Launch::hostile("allocate")
        .options(&["--sample-ms", "0"])
        .finish();
    let peak = end.last()["peak_rss_bytes"].as_u64().unwrap();
    assert!((64 * MEBIBYTE..96 * MEBIBYTE).contains(&peak), "{peak}");
    assert!(end.last()["peak_anonymous_bytes"].is_null());
}

#[test]
fn a_small_child_is_not_charged_with_its_parents_memory() {
    let mut shim = Launch::command(["sleep", "60"])
        .options(&["--sample-ms", "5"])
        .start();
    eventually("a few looks", || looks(&shim) >= 4);
    shim.ask("K");
    let end = shim.finish();
    let peak = end.last()["peak_rss_bytes"].as_u64().unwrap();
    assert!((1..3 * MEBIBYTE).contains(&peak), "{peak}");
}

#[test]
fn the_memory_of_a_tree_is_added_up() {
    let mut shim = Launch::hostile("allocate-in-children")
        .options(&["--sample-ms", "5"])
        .start();
    shim.await_output("ready");
    shim.await_output("ready");
    // The look under way may have begun before the memory was there; the one after it did not.
    let before = looks(&shim);
    eventually("two more looks", || looks(&shim) >= before + 2);
    shim.ask("K");
    let end = shim.finish();
    let last = end.last();
    let resident = last["peak_rss_bytes"].as_u64().unwrap();
    let anonymous = last["peak_anonymous_bytes"].as_u64().unwrap();
    assert!(
        (80 * MEBIBYTE..128 * MEBIBYTE).contains(&anonymous),
        "{last}"
    );
    assert!(resident >= anonymous, "{last}");
}

/// Returns how often the shim has gone to sleep, which it does after each look.
fn looks(shim: &Shim) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", shim.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("voluntary_ctxt_switches"))
        .unwrap();
    line.rsplit('\t').next().unwrap().parse().unwrap()
}

#[test]
fn processor_time_of_grandchildren_counts() {
    let end = Launch::hostile("burn-in-grandchild").finish();
    let last = end.last();
    let user = last["cpu_user_seconds"].as_f64().unwrap();
    let system = last["cpu_system_seconds"].as_f64().unwrap();
    let wall = last["wall_seconds"].as_f64().unwrap();
    assert!((0.29..5.0).contains(&(user + system)), "{last}");
    assert!(user + system <= 2.0 * wall + 0.1, "{last}");
}
