//! What a killed shim leaves behind, and that a runner gets rid of it.
//!
//! Orphans come to a subreaper, which is a property of a whole process, so each test starts this
//! test program once more as the runner.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use earmark::shim::{Remains, become_subreaper, sweep};

use super::cgroups::CgroupParent;
use super::every_end::HOSTILE;
use super::processes::stat;
use super::support::Launch;
use super::users::{User, users};

/// Says what the shim that will be killed has to start.
const BEHAVIOUR: &str = "EARMARK_TEST_SWEEP";

/// Names the directory for control groups, if there shall be one.
const CGROUP: &str = "EARMARK_TEST_SWEEP_CGROUP";

/// Runs in the runner; does nothing in a normal run.
#[test]
fn entry() {
    let Ok(behaviour) = std::env::var(BEHAVIOUR) else {
        return;
    };
    become_subreaper().unwrap();
    // Two that a sweep must not touch: another shim with its tree, and a child that is no shim.
    let mut other = Launch::hostile("stubborn").start();
    other.await_output("ready");
    let mut helper = Command::new("sleep").arg("60").spawn().unwrap();

    let behaviour = HOSTILE.into_iter().find(|name| *name == behaviour).unwrap();
    let cgroup = std::env::var(CGROUP).ok();
    let mut launch = Launch::hostile(behaviour);
    if let Some(parent) = &cgroup {
        launch = launch.options(&["--cgroup", parent]);
    }
    let mut shim = launch.start();
    let started = shim.next_report();
    shim.await_output("ready");
    shim.kill();
    shim.wait();

    let group = started["cgroup"].as_str().map(PathBuf::from);
    assert_eq!(group.is_some(), cgroup.is_some());
    let remains = Remains {
        main_child: None,
        cgroup: group.as_deref(),
    };
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let swept = sweep(&remains, &|pid| {
        asked.borrow_mut().insert(pid);
        pid == other.pid()
    });
    println!("{swept:?}");
    assert!(swept.is_complete, "{swept:?}");
    assert_eq!(shim.living(), Vec::<i32>::new(), "{swept:?}");
    assert!(group.is_none_or(|group| !group.exists()));
    assert_eq!(other.living().len(), 3, "the other shim keeps its tree");
    assert!(
        !asked
            .borrow()
            .contains(&i32::try_from(helper.id()).unwrap())
    );
    if behaviour == "stubborn" {
        // The main child may have died with its shim, and been found dead.
        assert!((1..=2).contains(&swept.ended), "{swept:?}");
        assert!(swept.named.iter().all(|process| !process.name.is_empty()));
    }
    assert!(helper.try_wait().unwrap().is_none(), "the helper lives");
    helper.kill().unwrap();
    helper.wait().unwrap();
    other.ask("K");
    other.finish().assert_killed("kill");
    let own = std::process::id().to_string();
    let is_child = |pid: &i32| stat(*pid).is_some_and(|fields| fields[1] == own);
    let children: Vec<i32> = super::processes::all_pids()
        .into_iter()
        .filter(is_child)
        .collect();
    assert!(children.is_empty(), "{} are not reaped", children.len());
}

fn run(behaviour: &str, user: User, cgroup: Option<&str>) {
    let path = module_path!();
    let within_crate = path.split_once("::").map_or(path, |(_, rest)| rest);
    let mut words: Vec<String> = user.prefix().iter().map(ToString::to_string).collect();
    words.push(
        std::env::current_exe()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned(),
    );
    words.push(format!("{within_crate}::entry"));
    words.extend(["--exact", "--nocapture", "--test-threads=1"].map(str::to_owned));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env(BEHAVIOUR, behaviour);
    if let Some(parent) = cgroup {
        command.env(CGROUP, parent);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{behaviour}:\n{text}\n{errors}");
    assert!(text.contains("Swept"), "{behaviour} did not run: {text}");
}

#[test]
fn a_sweep_ends_what_a_killed_shim_has_left() {
    for user in users() {
        for behaviour in HOSTILE {
            run(behaviour, user, None);
        }
    }
}

#[test]
fn a_sweep_ends_the_control_group_of_a_killed_shim() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    for behaviour in HOSTILE {
        run(behaviour, User::Own, Some(parent.text()));
    }
}
