//! A tree that is stopped, and goes on or comes to its end.

use std::time::Instant;

use super::processes::{eventually, stat};
use super::support::{Launch, Shim};
use super::users::users;

/// Stops a child and its escapee in another session.
fn stopped(launch: Launch) -> Shim {
    let mut shim = launch.start();
    shim.await_output("ready");
    assert_eq!(tree(&shim).len(), 2, "the child and the escapee");
    shim.ask("S");
    eventually("all are stopped", || all_are(&shim, "T"));
    shim
}

/// Returns the living processes of the tree below a shim.
fn tree(shim: &Shim) -> Vec<i32> {
    let mut living = shim.living();
    living.retain(|pid| *pid != shim.pid());
    living
}

fn all_are(shim: &Shim, state: &str) -> bool {
    tree(shim).iter().all(|pid| stat(*pid).unwrap()[0] == state)
}

#[test]
fn stop_and_continue_reach_every_session() {
    for user in users() {
        let mut shim = stopped(Launch::hostile("stubborn").user(user));
        shim.ask("C");
        eventually("all sleep again", || all_are(&shim, "S"));
        shim.ask("S");
        eventually("all are stopped", || all_are(&shim, "T"));
        shim.ask("K");
        shim.finish().assert_killed("kill");
    }
}

#[test]
fn the_end_of_the_runner_ends_a_stopped_tree() {
    for user in users() {
        let mut shim = stopped(Launch::hostile("stubborn").user(user));
        shim.let_go();
        shim.finish().assert_killed("control-closed");
    }
}

#[test]
fn the_backstop_ends_a_tree_that_has_stopped_itself() {
    let mut shim = Launch::script("setsid sleep 60 & echo ready; kill -STOP $$")
        .options(&["--backstop-ms", "300"])
        .start();
    shim.await_output("ready");
    shim.finish().assert_killed("backstop");
}

#[test]
fn time_that_a_tree_is_stopped_does_not_count() {
    let start = Instant::now();
    let mut shim = stopped(Launch::hostile("stubborn").options(&["--backstop-ms", "400"]));
    let (since, before) = (Instant::now(), start.elapsed().as_secs_f64());
    // What is tested is that nothing happens for longer than the backstop.
    eventually("the time of the backstop is over", || {
        since.elapsed().as_millis() > 600
    });
    assert!(all_are(&shim, "T"));
    assert_eq!(tree(&shim).len(), 2);
    shim.ask("C");
    let end = shim.finish();
    end.assert_killed("backstop");
    let wall = end.last()["wall_seconds"].as_f64().unwrap();
    assert!(wall >= 1.0, "{wall} s, of which {before} s before the stop");
}
