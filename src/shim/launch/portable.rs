//! The start where the standard library has to do it. Untested on macOS.

#![expect(unsafe_code, reason = "code between fork and exec is unsafe by nature")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Pid;

use super::super::arguments::Options;
use super::super::tree::Cgroup;
use super::super::{descriptors, signals};
use super::{Launched, PROTOCOL_VARIABLE};

/// Starts the main child, in a process group of its own.
///
/// An error is that of the system: no such file, no permission, not a program, no memory.
pub(in crate::shim) fn start(options: &Options, _cgroup: Option<&Cgroup>) -> io::Result<Launched> {
    let mut command = Command::new(&options.program);
    command.args(&options.arguments).process_group(0);
    if options.protocol {
        command.env(PROTOCOL_VARIABLE, descriptors::PROTOCOL.to_string());
    }
    // SAFETY: makes system calls only; neither allocates nor takes a lock.
    unsafe { command.pre_exec(signals::unblock_all) };
    let child = command.spawn()?;
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("the system gave the child a process id out of range"))?;
    Ok(Launched {
        pid,
        in_cgroup: false,
    })
}
