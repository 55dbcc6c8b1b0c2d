//! Start of the main child.

#![expect(unsafe_code, reason = "code between fork and exec is unsafe by nature")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Pid;

use super::arguments::Options;
use super::{descriptors, signals};

/// Tells the child the number of the protocol socket.
const PROTOCOL_VARIABLE: &str = "EARMARK_PROTOCOL_FD";

/// Starts the main child, in a process group of its own, and returns its process id.
///
/// An error is that of the system: no such file, no permission, not a program, no memory.
pub(super) fn start(options: &Options) -> io::Result<Pid> {
    let mut command = Command::new(&options.program);
    command.args(&options.arguments).process_group(0);
    if options.protocol {
        command.env(PROTOCOL_VARIABLE, descriptors::PROTOCOL.to_string());
    }
    let shim = rustix::process::getpid();
    // SAFETY: makes system calls only; neither allocates nor takes a lock.
    unsafe { command.pre_exec(move || prepare(shim)) };
    let child = command.spawn()?;
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("the system gave the child a process id out of range"))
}

/// Runs in the child between fork and exec.
fn prepare(shim: Pid) -> io::Result<()> {
    signals::unblock_all()?;
    die_with(shim)
}

/// Has the kernel kill the child if the shim is killed. The signal is tied to the *thread* that
/// forked, and the shim has only one.
#[cfg(target_os = "linux")]
fn die_with(shim: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // The shim may have died before the call; then no signal will ever come.
    if rustix::process::getppid() == Some(shim) {
        Ok(())
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "same signature as on Linux")]
fn die_with(_shim: Pid) -> io::Result<()> {
    Ok(())
}
