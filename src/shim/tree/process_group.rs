//! The tree where there is no subreaper: the process group of the main child. Untested on macOS.
//!
//! Weaker than on Linux: a descendant that leaves the group (`setsid`, `setpgid`) is neither found
//! nor ended, and memory is not sampled.

use std::io;

use rustix::process::{Pid, Signal, kill_process_group, setsid, test_kill_process_group};

use super::Memory;

/// The process group of the main child.
pub(in crate::shim) struct Tree {
    group: Pid,
}

impl Tree {
    /// Name of what holds the tree together.
    pub(in crate::shim) const KIND: &str = "process-group";

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
    pub(in crate::shim) fn new(main_child: Pid) -> Self {
        Self { group: main_child }
    }

    /// Returns whether nothing of the group is left, given whether this process still has a child.
    pub(in crate::shim) fn is_gone(&self, has_child: bool) -> bool {
        !has_child && test_kill_process_group(self.group).is_err()
    }

    /// Returns the group's id if it still has a member: how many there are is not known.
    pub(in crate::shim) fn living(&self) -> Vec<i32> {
        let alive = test_kill_process_group(self.group).is_ok();
        alive
            .then(|| self.group.as_raw_nonzero().get())
            .into_iter()
            .collect()
    }

    /// Returns `None`: memory of other processes is not looked at here.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn memory(&self, _pid: i32) -> Option<Memory> {
        None
    }

    /// Returns `None`: the system does not tell.
    #[expect(clippy::unused_self, reason = "same signature as on Linux")]
    pub(in crate::shim) fn newest_pid(&self) -> Option<i32> {
        None
    }

    /// Sends a signal to every member of the group.
    pub(in crate::shim) fn signal(&self, signal: Signal) {
        // An error means that nobody is left.
        let _ = kill_process_group(self.group, signal);
    }

    /// Kills every member of the group.
    pub(in crate::shim) fn kill(&self, _main_child_is_reaped: bool) {
        self.signal(Signal::KILL);
    }
}
