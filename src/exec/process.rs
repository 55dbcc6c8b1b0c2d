//! Starting a child under its shim, and holding on to the four things that connect to it.

use crate::engine::LaunchSpec;
use command_fds::CommandFdExt;
use command_fds::FdMapping;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// How often a shim looks at the memory of its tree, in milliseconds.
const SAMPLE: &str = "100";

/// A running shim with its child.
pub(super) struct Process {
    /// The shim.
    pub(super) shim: Child,
    /// The control pipe; dropping it ends everything.
    pub(super) control: Option<ChildStdin>,
    /// What the child prints.
    pub(super) stdout: Option<ChildStdout>,
    /// What the child complains about.
    pub(super) stderr: Option<ChildStderr>,
    /// What the shim reports.
    pub(super) reports: pipe::Receiver,
    /// The protocol socket, for engines.
    pub(super) protocol: Option<UnixStream>,
}

/// Starts a child.
pub(super) fn spawn(
    shim_program: &Path,
    spec: &LaunchSpec,
    directory: Option<&Path>,
    backstop: Duration,
) -> io::Result<Process> {
    let (reports, reports_of_shim) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let mut mappings = vec![FdMapping {
        parent_fd: reports_of_shim,
        child_fd: 4,
    }];
    let mut protocol = None;
    if spec.protocol {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        protocol = Some(UnixStream::from_std(ours)?);
        mappings.push(FdMapping {
            parent_fd: OwnedFd::from(theirs),
            child_fd: 3,
        });
    }
    let mut command = std::process::Command::new(shim_program);
    command
        .args(shim_arguments(spec, backstop))
        .env_clear()
        .envs(&spec.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    command
        .fd_mappings(mappings)
        .map_err(|error| io::Error::other(format!("descriptors cannot be passed on: {error}")))?;
    let mut command = Command::from(command);
    let mut shim = command.spawn()?;
    // The mapped descriptors are owned by the command; dropping it closes our copies, so that an
    // end of file can be seen.
    drop(command);
    Ok(Process {
        control: shim.stdin.take(),
        stdout: shim.stdout.take(),
        stderr: shim.stderr.take(),
        shim,
        reports: pipe::Receiver::from_owned_fd(set_nonblocking(reports)?)?,
        protocol,
    })
}

/// Returns the shim's command line, as `shim` documents it.
fn shim_arguments(spec: &LaunchSpec, backstop: Duration) -> Vec<OsString> {
    let wall = if spec.network { "none" } else { "network" };
    let mut arguments: Vec<OsString> = vec![crate::shim::VERB.into()];
    arguments.extend(["--wall", wall, "--sample-ms", SAMPLE].map(OsString::from));
    arguments.extend([
        "--backstop-ms".into(),
        backstop.as_millis().to_string().into(),
    ]);
    if spec.protocol {
        arguments.push("--protocol".into());
    }
    arguments.push("--".into());
    arguments.extend(spec.command.iter().cloned());
    arguments
}

fn set_nonblocking(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    let flags = rustix::fs::fcntl_getfl(&descriptor)?;
    rustix::fs::fcntl_setfl(&descriptor, flags | rustix::fs::OFlags::NONBLOCK)?;
    Ok(descriptor)
}
