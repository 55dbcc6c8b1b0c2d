//! What dead shims have left to this process, on Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rustix::process::{
    Pid, Signal, WaitOptions, getpgrp, getpid, getsid, set_child_subreaper, waitpid,
};

use super::process_table::{Process, ProcessTable};
use super::subreaper::{kill_group, send};

/// The descendants of this process that no living shim holds.
pub(in crate::shim) struct Orphans {
    table: ProcessTable,
    own: i32,
    own_group: i32,
    own_session: i32,
}

impl Orphans {
    /// Makes orphans of dead shims come to this process.
    pub(in crate::shim) fn adopt() -> io::Result<()> {
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    /// Returns the orphans of this process. The main child of the dead shim is one of them.
    pub(in crate::shim) fn new(_main_child: Option<i32>) -> Self {
        Self {
            table: ProcessTable::of_system(),
            own: getpid().as_raw_nonzero().get(),
            own_group: getpgrp().as_raw_nonzero().get(),
            own_session: getsid(None).map_or(0, |session| session.as_raw_nonzero().get()),
        }
    }

    /// Returns the name of a process; `None` if there is none of this id.
    pub(in crate::shim) fn name(&self, pid: i32) -> Option<String> {
        self.table.name(pid)
    }

    /// Kills every orphan that it finds and reaps those that have ended. Puts the killed into
    /// `killed`, with their names, and returns how many it found, living or dead.
    pub(in crate::shim) fn end(
        &self,
        is_shim: &dyn Fn(i32) -> bool,
        killed: &mut BTreeMap<i32, String>,
    ) -> usize {
        let mut groups = BTreeSet::new();
        let mut found = 0;
        let mut dead = Vec::new();
        self.table.visit_descendants(self.own, &mut |process| {
            let is_child = process.parent == self.own;
            if is_child && (self.is_started_here(process) || is_shim(process.pid)) {
                return false;
            }
            found += 1;
            // The kill of a group is one step for the kernel, which no fork slips past. A group of
            // another session than the own one was made by a descendant of a dead shim. The dead
            // keep the id of their group from being given to others until they are reaped.
            let is_foreign_free =
                process.session != self.own_session && process.group != self.own_group;
            if is_foreign_free && (is_child || !process.ended) && groups.insert(process.group) {
                kill_group(process.group);
            } else if !process.ended {
                send(process.pid, Signal::KILL);
            }
            if !process.ended {
                let name = || self.name(process.pid).unwrap_or_default();
                killed.entry(process.pid).or_insert_with(name);
            } else if is_child {
                // Whose parent is another one is reaped by that, or comes to this process.
                dead.push(process.pid);
            }
            true
        });
        // Only now: to find the living matters more, as some live for a moment only.
        dead.into_iter().for_each(reap);
        found
    }

    /// Returns whether this process itself has started a child, perhaps a shim that it is about to
    /// hear of: a shim leaves the session before it starts anything.
    fn is_started_here(&self, child: &Process) -> bool {
        child.session == self.own_session
    }
}

/// Reaps a child that has ended, and no other.
fn reap(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // An error means that somebody else in this process was faster.
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}
