//! Control groups, where the machine offers them to whoever runs the tests.

use std::path::{Path, PathBuf};

use earmark::shim::tree_probe;

use super::support::Launch;
use super::users::{User, users};

/// A directory that shims can make control groups in.
pub struct CgroupParent(PathBuf);

impl CgroupParent {
    /// Returns `None`, and says so, if there is none.
    pub fn probe() -> Option<Self> {
        let parent = tree_probe();
        if parent.is_none() {
            println!("without control groups: this machine offers none");
        }
        parent.map(Self)
    }

    pub fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Returns the launch of a behaviour in a control group.
    fn launch(&self, behaviour: &'static str) -> Launch {
        Launch::hostile(behaviour)
            .options(&["--cgroup", self.text()])
            .variable("EARMARK_TEST_CGROUP", self.text())
    }

    /// Returns the groups that shims of this process have left there.
    fn left_by(&self, shim: i32) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.starts_with(&format!("earmark-{shim}-")))
            .collect()
    }
}

#[test]
fn the_child_is_in_a_group_that_goes_with_it() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    let mut shim = parent.launch("stubborn").start();
    shim.await_output("ready");
    let started = shim.next_report();
    assert_eq!(started["tree"], "cgroup+subreaper");
    let group = Path::new(started["cgroup"].as_str().unwrap()).to_owned();
    assert_eq!(group.parent(), Some(parent.0.as_path()));
    let list = std::fs::read_to_string(group.join("cgroup.procs")).unwrap();
    let mut members: Vec<i32> = list.lines().map(|line| line.parse().unwrap()).collect();
    members.push(shim.pid());
    members.sort_unstable();
    let mut living = shim.living();
    living.sort_unstable();
    assert_eq!(members, living);
    shim.ask("K");
    shim.finish().assert_killed("kill");
    assert!(!group.exists());
}

#[test]
fn a_group_whose_shim_and_runner_were_killed_goes_with_the_next_probe() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    // No process has a number above 2^22; this test process has one.
    let (dead, alive) = (1 << 23, std::process::id());
    let name = |pid: u32| parent.0.join(format!("earmark-{pid}-1"));
    std::fs::create_dir(name(dead)).unwrap();
    std::fs::create_dir(name(alive)).unwrap();
    assert!(CgroupParent::probe().is_some());
    let (abandoned, kept) = (name(dead).exists(), name(alive).exists());
    let removed = std::fs::remove_dir(name(alive));
    assert!(!abandoned && kept);
    removed.unwrap();
}

#[test]
fn a_quiet_end_leaves_no_group() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    let end = Launch::command(["true"])
        .options(&["--cgroup", parent.text()])
        .finish();
    assert_eq!(end.exit_code(), Some(0));
    assert!(!Path::new(end.reports[0]["cgroup"].as_str().unwrap()).exists());
}

#[test]
fn a_program_that_is_not_there_leaves_no_group() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    let shim = Launch::command(["/no/such/program"])
        .options(&["--cgroup", parent.text()])
        .start();
    let pid = shim.pid();
    assert_eq!(shim.finish().exit_code(), Some(127));
    assert!(parent.left_by(pid).is_empty());
}

#[test]
fn who_leaves_the_group_is_found_all_the_same() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    let mut shim = parent.launch("change-cgroup").start();
    shim.await_output("ready");
    shim.ask("K");
    let end = shim.finish();
    end.assert_killed("kill");
    assert!(!Path::new(end.reports[0]["cgroup"].as_str().unwrap()).exists());
}

#[test]
fn groups_that_the_child_has_made_are_removed() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    let mut shim = parent.launch("nest-cgroups").start();
    shim.await_output("ready");
    shim.ask("K");
    let end = shim.finish();
    end.assert_killed("kill");
    assert!(!Path::new(end.reports[0]["cgroup"].as_str().unwrap()).exists());
}

#[test]
fn children_left_behind_in_a_group_are_named_and_ended() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    let end = parent.launch("leave-children").finish();
    let last = end.last();
    assert_eq!(last["leaked_processes"], 1, "{last}");
    assert_eq!(last["leaked"].as_array().unwrap().len(), 1, "{last}");
    assert_eq!(end.exit_code(), Some(0));
}

#[test]
fn a_place_without_control_groups_is_no_reason_to_fail() {
    for place in ["/no/such/directory", "/proc", env!("CARGO_TARGET_TMPDIR")] {
        let end = Launch::script("exit 3")
            .options(&["--cgroup", place])
            .finish();
        assert_eq!(end.reports[0]["tree"], "subreaper", "{place}");
        assert!(end.reports[0]["cgroup"].is_null(), "{place}");
        assert_eq!(end.exit_code(), Some(3), "{place}");
    }
}

#[test]
fn neither_is_a_group_that_cannot_be_joined() {
    let Some(parent) = CgroupParent::probe() else {
        return;
    };
    if !users().contains(&User::Nobody) {
        return;
    }
    // Its own group, but not that of the shim: the kernel wants the right to both.
    let place = parent
        .0
        .join(format!("earmark-test-{}", std::process::id()));
    std::fs::create_dir(&place).unwrap();
    std::os::unix::fs::chown(&place, Some(65534), Some(65534)).unwrap();
    let shim = Launch::script("exit 3")
        .options(&["--cgroup", place.to_str().unwrap()])
        .user(User::Nobody)
        .start();
    let end = shim.finish();
    let left = std::fs::remove_dir(&place);
    assert_eq!(end.reports[0]["tree"], "subreaper");
    assert_eq!(end.exit_code(), Some(3));
    left.expect("the shim has removed its group");
}
