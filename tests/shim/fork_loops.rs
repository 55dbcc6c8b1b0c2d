//! Trees that grow or move faster than a process table can be read.

use super::support::Launch;
use super::users::users;

fn assert_caught(behaviour: &'static str) {
    for user in users() {
        let mut shim = Launch::hostile(behaviour).user(user).start();
        shim.await_output("ready");
        shim.ask("K");
        shim.finish().assert_killed("kill");
    }
}

#[test]
fn a_fork_bomb_is_ended() {
    assert_caught("bomb");
}

#[test]
fn processes_that_fork_and_exit_over_and_over_are_caught() {
    assert_caught("fork-loop");
}

#[test]
fn so_are_those_that_leave_their_group_each_time() {
    assert_caught("fork-loop-setsid");
}
