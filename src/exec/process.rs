//! Starting a child under its shim, and holding on to what connects to it.

use super::context::RunContext;
use super::supervise::Task;
use command_fds::{CommandFdExt, FdMapping};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// How often a shim looks at the memory of its tree, in milliseconds.
const SAMPLE: &str = "100";
/// Where an engine finds its protocol socket.
const PROTOCOL: i32 = 3;

/// A running shim with its child.
pub(super) struct Process {
    /// The shim.
    pub(super) shim: Child,
    /// Control to the shim, reports from it. Its end ends everything.
    pub(super) link: Arc<UnixStream>,
    /// What the child prints.
    pub(super) stdout: Option<pipe::Receiver>,
    /// What the child complains about.
    pub(super) stderr: Option<pipe::Receiver>,
    /// The protocol socket, for engines.
    pub(super) protocol: Option<UnixStream>,
}

/// Starts a child.
pub(super) fn spawn(context: &RunContext, task: &Task) -> io::Result<Process> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    let link = Arc::new(UnixStream::from_std(ours)?);
    let mut command = Command::new(&context.program);
    command
        .args(shim_arguments(context, task))
        .env_clear()
        .envs(&task.launch.environment)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(directory) = &task.directory {
        command.current_dir(directory);
    }
    let protocol = if task.launch.protocol {
        Some(pass_protocol(&mut command)?)
    } else {
        None
    };
    let mut shim = context.live.spawn(&mut command, &link)?;
    // The command owns the far ends of what it passed on; as long as it has them, no end of file is
    // seen.
    drop(command);
    let stdout = shim.stdout.take().map(OwnedFd::from);
    let stderr = shim.stderr.take().map(OwnedFd::from);
    Ok(Process {
        link,
        stdout: stdout.map(receiver).transpose()?,
        stderr: stderr.map(receiver).transpose()?,
        shim,
        protocol,
    })
}

/// Gives a child a socket under the number where an engine looks for it. Only those who need one
/// pay for it: without it a child is started without a hook between fork and exec.
fn pass_protocol(command: &mut Command) -> io::Result<UnixStream> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    command
        .fd_mappings(vec![FdMapping {
            parent_fd: OwnedFd::from(theirs),
            child_fd: PROTOCOL,
        }])
        .map_err(|error| io::Error::other(format!("descriptors cannot be passed on: {error}")))?;
    UnixStream::from_std(ours)
}

fn receiver(descriptor: OwnedFd) -> io::Result<pipe::Receiver> {
    rustix::io::ioctl_fionbio(&descriptor, true)?;
    pipe::Receiver::from_owned_fd_unchecked(descriptor)
}

/// Returns the shim's command line, as `shim` documents it.
fn shim_arguments(context: &RunContext, task: &Task) -> Vec<OsString> {
    let wall = if task.launch.network {
        "none"
    } else {
        "network"
    };
    let mut arguments: Vec<OsString> = vec![crate::shim::VERB.into()];
    arguments
        .extend(["--report-fd", "0", "--wall", wall, "--sample-ms", SAMPLE].map(OsString::from));
    arguments.extend([
        "--backstop-ms".into(),
        task.backstop.as_millis().to_string().into(),
    ]);
    if let Some(cgroup) = &context.cgroup {
        arguments.extend(["--cgroup".into(), cgroup.into()]);
    }
    if !task.cpus.is_empty() {
        let list: Vec<String> = task.cpus.iter().map(u32::to_string).collect();
        arguments.extend(["--cpus".into(), list.join(",").into()]);
    }
    if task.launch.protocol {
        arguments.push("--protocol".into());
    }
    arguments.push("--".into());
    arguments.extend(task.launch.command.iter().cloned());
    arguments
}
