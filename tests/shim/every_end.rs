//! Every kind of hostile child under every kind of end: nobody is alive afterwards.

use super::cgroups::CgroupParent;
use super::support::{Launch, Shim};
use super::users::users;

/// Behaviours that do not end by themselves.
pub const HOSTILE: [&str; 8] = [
    "stubborn",
    "flood",
    "half-line",
    "close-output",
    "headless",
    "fork-loop",
    "fork-loop-setsid",
    "bomb",
];

fn assert_nobody_is_left(options: &[&str], end: fn(&mut Shim), ended_by: &str) {
    let cgroup = CgroupParent::probe();
    for user in users() {
        for behaviour in HOSTILE {
            let mut launches = vec![Launch::hostile(behaviour)];
            if let Some(parent) = &cgroup {
                launches.push(Launch::hostile(behaviour).options(&["--cgroup", parent.text()]));
            }
            for launch in launches {
                let mut shim = launch.options(options).user(user).start();
                shim.await_output("ready");
                end(&mut shim);
                println!("{behaviour} as {user:?}");
                let end = shim.finish();
                end.assert_killed(ended_by);
                if let Some(group) = end.reports[0]["cgroup"].as_str() {
                    assert!(!std::path::Path::new(group).exists(), "{group} is left");
                }
            }
        }
    }
}

#[test]
fn when_asked_for() {
    assert_nobody_is_left(&[], |shim| shim.ask("K"), "kill");
}

#[test]
fn when_the_runner_is_gone() {
    assert_nobody_is_left(&[], Shim::let_go, "control-closed");
}

#[test]
fn at_the_backstop() {
    assert_nobody_is_left(&["--backstop-ms", "150"], |_| {}, "backstop");
}
