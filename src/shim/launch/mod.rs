//! Start of the main child.

#[cfg_attr(target_os = "linux", path = "shared_memory.rs")]
#[cfg_attr(not(target_os = "linux"), path = "portable.rs")]
mod platform;

pub(super) use platform::start;

use rustix::process::Pid;

/// Tells the child the number of the protocol socket.
const PROTOCOL_VARIABLE: &str = "EARMARK_PROTOCOL_FD";

/// A main child that runs.
pub(super) struct Launched {
    /// Its process id.
    pub pid: Pid,
    /// Whether it is in the control group that it was to join.
    pub in_cgroup: bool,
}
