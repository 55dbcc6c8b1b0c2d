//! The tree where there is no subreaper: the process group of the main child, and on macOS who
//! descends from the shim. Untested on macOS.
//!
//! Weaker than on Linux: a descendant that has left the group (`setsid`, `setpgid`) and lost its
//! parent is neither found nor ended, and memory is not sampled.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rustix::process::{
    Pid, Signal, getpid, getsid, kill_process, kill_process_group, setsid, test_kill_process_group,
};

use super::{Cgroup, Memory, child_lists, printable};

/// The process group of the main child, and the descendants of this process.
pub(in crate::shim) struct Tree {
    group: Pid,
}

impl Tree {
    /// Whether `memory` tells anything.
    pub(in crate::shim) const TELLS_MEMORY: bool = false;

    /// Makes this process the root of a tree. To be called before the first child is started.
    #[expect(clippy::unnecessary_wraps, reason = "same signature as on Linux")]
    pub(in crate::shim) fn prepare() -> io::Result<()> {
        // Refused if the runner has already made this process lead a group; that is no harm.
        let _ = setsid();
        Ok(())
    }

    /// Returns the tree of which `main_child` is the first process.
    pub(in crate::shim) fn new(main_child: Pid, _cgroup: Option<Cgroup>) -> Self {
        Self { group: main_child }
    }

    /// Returns the name of what holds the tree together.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn kind(&self) -> &'static str {
        "process-group"
    }

    /// Returns `None`: there are no control groups here.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn cgroup(&self) -> Option<&Cgroup> {
        None
    }

    /// Returns whether nothing of the group is left, given whether this process still has a child.
    pub(in crate::shim) fn is_gone(&self, has_child: bool) -> bool {
        !has_child && test_kill_process_group(self.group).is_err()
    }

    /// Returns the ids of all descendants; where nobody tells of them, the group's own id if it
    /// still has a member.
    pub(in crate::shim) fn living(&self) -> Vec<i32> {
        let mut living = descendants(own(), &|_| false);
        let group = self.group.as_raw_nonzero().get();
        if living.is_empty() && test_kill_process_group(self.group).is_ok() {
            living.insert(group);
        }
        living.into_iter().collect()
    }

    /// Returns the same.
    pub(in crate::shim) fn left_behind(&self) -> Vec<i32> {
        self.living()
    }

    /// Returns the name of a process; `None` if there is none of this id.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn name(&self, pid: i32) -> Option<String> {
        child_lists::name(pid).map(|name| printable(&name))
    }

    /// Returns `None`: memory of other processes is not looked at here.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn memory(&self, _pid: i32) -> Option<Memory> {
        None
    }

    /// Returns `None`: it is not looked at here.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn own_peak(&self) -> Option<u64> {
        None
    }

    /// Returns `None`: the system does not tell.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn newest_pid(&self) -> Option<i32> {
        None
    }

    /// Sends a signal to every member of the group, and to the descendants outside of it.
    pub(in crate::shim) fn signal(&self, signal: Signal) {
        // Listed first: children of whoever is killed are nobody's descendants any more.
        let outside: Vec<Pid> = descendants(own(), &|_| false)
            .into_iter()
            .filter_map(Pid::from_raw)
            .filter(|pid| rustix::process::getpgid(Some(*pid)) != Ok(self.group))
            .collect();
        // An error means that nobody is left.
        let _ = kill_process_group(self.group, signal);
        for pid in outside {
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills every member of the group, and the descendants outside of it.
    pub(in crate::shim) fn kill(&self, _main_child_is_reaped: bool) {
        self.signal(Signal::KILL);
    }
}

/// What dead shims have left below this process, as far as it is found.
pub(in crate::shim) struct Orphans {
    group: Option<Pid>,
}

impl Orphans {
    /// Returns an error: process 1 adopts every orphan here.
    pub(in crate::shim) fn adopt() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns what is left of a dead shim, given its main child.
    pub(in crate::shim) fn new(main_child: Option<i32>) -> Self {
        Self {
            group: main_child.and_then(Pid::from_raw),
        }
    }

    /// Returns the name of a process; `None` if there is none of this id.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn name(&self, pid: i32) -> Option<String> {
        child_lists::name(pid).map(|name| printable(&name))
    }

    /// Kills what it finds, puts it into `killed`, and returns how much it found.
    pub(in crate::shim) fn end(
        &self,
        is_shim: &dyn Fn(i32) -> bool,
        killed: &mut BTreeMap<i32, String>,
    ) -> usize {
        let own_session = getsid(None);
        let is_kept = |pid: i32| {
            // Who has ended or cannot be asked is left alone.
            let session = Pid::from_raw(pid).map(|pid| getsid(Some(pid)));
            session.is_none_or(|session| session.is_err() || session == own_session) || is_shim(pid)
        };
        let mut found = descendants(own(), &is_kept);
        if let Some(group) = self.group
            && kill_process_group(group, Signal::KILL).is_ok()
        {
            found.insert(group.as_raw_nonzero().get());
        }
        for pid in &found {
            let name = self.name(*pid).unwrap_or_default();
            killed.entry(*pid).or_insert(name);
            if let Some(pid) = Pid::from_raw(*pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        found.len()
    }
}

fn own() -> i32 {
    getpid().as_raw_nonzero().get()
}

/// Returns the descendants of a process, but for the children that are kept and who is below them.
fn descendants(ancestor: i32, is_kept: &dyn Fn(i32) -> bool) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    let children = child_lists::children(ancestor);
    let mut to_do: Vec<i32> = children.into_iter().filter(|pid| !is_kept(*pid)).collect();
    while let Some(pid) = to_do.pop() {
        if pid != ancestor && found.insert(pid) {
            to_do.extend(child_lists::children(pid));
        }
    }
    found
}
