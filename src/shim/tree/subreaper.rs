//! The tree on Linux: orphans come to the shim, and `/proc` tells who is whose child.

use std::collections::BTreeSet;
use std::io;

use rustix::process::{
    Pid, Signal, getpgrp, getpid, getsid, kill_process, kill_process_group, set_child_subreaper,
    setsid,
};

use super::process_table::{Process, ProcessTable};
use super::{Cgroup, Memory};

/// How many passes a signal that does not kill makes at most after processes born meanwhile.
const MOST_SIGNAL_PASSES: u32 = 16;

/// Everything below this process.
pub(in crate::shim) struct Tree {
    /// What the main child joined, if anything.
    cgroup: Option<Cgroup>,
    table: ProcessTable,
    /// Also the id of the process group that the main child was started in.
    main_child: i32,
    own: i32,
    own_group: i32,
    own_session: i32,
}

impl Tree {
    /// Whether `memory` tells anything.
    pub(in crate::shim) const TELLS_MEMORY: bool = true;

    /// Makes this process the root of a tree. To be called before the first child is started.
    pub(in crate::shim) fn prepare() -> io::Result<()> {
        // Refused if the runner has already made this process lead a group; that is no harm.
        let _ = setsid();
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    /// Returns the tree of which `main_child` is the first process.
    pub(in crate::shim) fn new(main_child: Pid, cgroup: Option<Cgroup>) -> Self {
        Self {
            cgroup,
            table: ProcessTable::of_system(),
            main_child: main_child.as_raw_nonzero().get(),
            own: getpid().as_raw_nonzero().get(),
            own_group: getpgrp().as_raw_nonzero().get(),
            own_session: getsid(None).map_or(0, |session| session.as_raw_nonzero().get()),
        }
    }

    /// Returns the name of what holds the tree together.
    pub(in crate::shim) fn kind(&self) -> &'static str {
        match self.cgroup {
            Some(_) => "cgroup+subreaper",
            None => "subreaper",
        }
    }

    /// Returns the control group of the tree.
    pub(in crate::shim) fn cgroup(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref()
    }

    /// Returns whether nothing of the tree is left, given whether this process still has a child.
    /// Whoever loses its parent becomes a child of this process, so no child means nobody.
    #[expect(
        clippy::unused_self,
        reason = "other systems have to look at the group"
    )]
    pub(in crate::shim) fn is_gone(&self, has_child: bool) -> bool {
        !has_child
    }

    /// Returns the ids of all descendants that have not ended.
    pub(in crate::shim) fn living(&self) -> Vec<i32> {
        let mut living = Vec::new();
        self.visit_living(&mut |process| living.push(process.pid));
        living
    }

    /// Returns the same, and whoever the walk has missed but the control group has: it may have
    /// been handed to a new parent that moment.
    pub(in crate::shim) fn left_behind(&self) -> Vec<i32> {
        let mut left = self.living();
        if let Some(cgroup) = &self.cgroup {
            left.extend(cgroup.members());
            left.sort_unstable();
            left.dedup();
        }
        left
    }

    /// Returns the name of a process; `None` if there is none of this id.
    pub(in crate::shim) fn name(&self, pid: i32) -> Option<String> {
        self.table.name(pid)
    }

    /// Returns the memory of a process; `None` if it has ended.
    pub(in crate::shim) fn memory(&self, pid: i32) -> Option<Memory> {
        self.table.memory(pid)
    }

    /// Returns the highest resident size that this process itself has had, in bytes.
    pub(in crate::shim) fn own_peak(&self) -> Option<u64> {
        Some(self.table.memory(self.own)?.peak_resident)
    }

    /// Returns the newest process or thread id of the system: `living` stays complete as long as
    /// this stays the same.
    pub(in crate::shim) fn newest_pid(&self) -> Option<i32> {
        self.table.newest_pid()
    }

    /// Sends a signal once to every living descendant, those included that were born meanwhile.
    pub(in crate::shim) fn signal(&self, signal: Signal) {
        let mut told = BTreeSet::new();
        for _ in 0..MOST_SIGNAL_PASSES {
            let before = told.len();
            self.visit_living(&mut |process| {
                if told.insert(process.pid) {
                    send(process.pid, signal);
                }
            });
            if told.len() == before {
                return;
            }
        }
    }

    /// Kills the control group, and every descendant that it finds: one may have left the group. Each as soon as it is read, since one that forks and
    /// exits over and over is gone a moment later; and by process groups where it can, since the
    /// kill of a group is one step for the kernel that no fork slips past. A process may slip
    /// through all the same: call it again until the tree is gone.
    pub(in crate::shim) fn kill(&self, main_child_is_reaped: bool) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill();
        }
        let mut groups = BTreeSet::new();
        // The group that most trees are, at once and without a table. As long as the main child is
        // not reaped, nobody else can have its id.
        if !main_child_is_reaped {
            kill_group(self.main_child);
            groups.insert(self.main_child);
        }
        self.visit_living(&mut |process| {
            if self.is_foreign_free(process) && groups.insert(process.group) {
                kill_group(process.group);
            } else {
                send(process.pid, Signal::KILL);
            }
        });
    }

    /// Returns whether the process group of a descendant holds descendants only. Members of a group
    /// are of one session, and whoever is in a session descends from the process that made it. So
    /// the group is ours if a descendant made its session, or this process did; the group of this
    /// process itself is left out, as the shim has to stay.
    fn is_foreign_free(&self, process: &Process) -> bool {
        process.group != self.own_group
            && (process.session != self.own_session || self.own_session == self.own)
    }

    fn visit_living(&self, visit: &mut dyn FnMut(&Process)) {
        self.table.visit_descendants(self.own, &mut |process| {
            if !process.ended {
                visit(process);
            }
            true
        });
    }
}

/// Sends a signal. Errors do not matter: the process has ended, which is what was wanted, or has
/// become another user's, in which case it is waited for.
pub(super) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

pub(super) fn kill_group(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
