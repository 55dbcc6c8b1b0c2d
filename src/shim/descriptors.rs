//! What the shim inherits, keeps, passes on and lets go.

#![expect(
    unsafe_code,
    reason = "descriptors come in as bare numbers; that is the interface"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_getfd, fcntl_setfd};
use rustix::net::SocketType;
use rustix::net::sockopt::socket_type;

use super::arguments::Options;

/// Number of the control pipe.
pub(super) const CONTROL: RawFd = 0;

/// Number under which the child finds the protocol socket.
pub(super) const PROTOCOL: RawFd = 3;

/// What is wrong with what the runner handed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum DescriptorError {
    #[error("descriptor {number} ({purpose}) is not open; the runner has to hand it over")]
    NotOpen {
        number: RawFd,
        purpose: &'static str,
    },
    #[error("descriptor 0 is no stream socket; with --report-fd 0 the runner has to hand one over")]
    NoSocket,
    #[error("descriptors could not be set up: {0}; raise the limit of open files")]
    System(#[from] io::Error),
}

/// Descriptors of the shim before the child is started.
pub(super) struct Descriptors {
    /// Control pipe or socket, moved away from 0.
    pub control: OwnedFd,
    /// Report pipe, or the same socket again.
    pub report: OwnedFd,
    /// What the child will have and the shim must let go.
    pub passed_on: PassedOn,
}

/// Descriptors 1, 2 and perhaps 3, which the shim holds only until the child has them.
pub(super) struct PassedOn {
    null: OwnedFd,
    protocol: Option<OwnedFd>,
}

impl Descriptors {
    /// Takes over what the runner handed over and closes everything else. Descriptor 0 becomes
    /// `/dev/null`, ready for the child.
    pub(super) fn take_over(options: &Options) -> Result<Self, DescriptorError> {
        let report = if options.report_descriptor == CONTROL {
            take_socket()?
        } else {
            take(options.report_descriptor, "report pipe")?
        };
        let protocol = if options.protocol {
            Some(take(PROTOCOL, "protocol socket")?)
        } else {
            None
        };
        let first_unused = if options.protocol {
            PROTOCOL + 1
        } else {
            PROTOCOL
        };
        let kept = report.as_raw_fd();
        close_between(first_unused, kept - 1);
        close_between(first_unused.max(kept + 1), RawFd::MAX);

        set_close_on_exec(&report)?;
        let control = duplicate_control()?;
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let null = rustix::fs::open(c"/dev/null", flags, Mode::empty()).map_err(io::Error::from)?;
        rustix::stdio::dup2_stdin(&null).map_err(io::Error::from)?;
        Ok(Self {
            control,
            report,
            passed_on: PassedOn { null, protocol },
        })
    }
}

impl PassedOn {
    /// Lets go of the child's descriptors. From here on only the tree keeps them open.
    pub(super) fn let_go(self) -> io::Result<()> {
        rustix::stdio::dup2_stdout(&self.null)?;
        rustix::stdio::dup2_stderr(&self.null)?;
        drop(self.protocol);
        Ok(())
    }
}

/// Returns descriptor 0 under another number that is closed on exec.
fn duplicate_control() -> io::Result<OwnedFd> {
    Ok(fcntl_dupfd_cloexec(rustix::stdio::stdin(), PROTOCOL + 1)?)
}

/// Returns descriptor 0 once more if reports can be written to it.
fn take_socket() -> Result<OwnedFd, DescriptorError> {
    match socket_type(rustix::stdio::stdin()) {
        Ok(SocketType::STREAM) => Ok(duplicate_control()?),
        _ => Err(DescriptorError::NoSocket),
    }
}

fn take(number: RawFd, purpose: &'static str) -> Result<OwnedFd, DescriptorError> {
    // SAFETY: borrowed for the one call that asks whether it is open.
    if fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) }).is_err() {
        return Err(DescriptorError::NotOpen { number, purpose });
    }
    // SAFETY: open, and ours alone: the runner hands this number over, and nothing in this process
    // has opened a descriptor before the shim runs.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn set_close_on_exec(descriptor: &OwnedFd) -> io::Result<()> {
    Ok(fcntl_setfd(descriptor, FdFlags::CLOEXEC)?)
}

/// Closes every descriptor from `first` to `last`, both included. A stray one would be inherited
/// by the child, and would keep the other end of some pipe from seeing end-of-file.
fn close_between(first: RawFd, last: RawFd) {
    if first > last || close_range(first, last) {
        return;
    }
    // Collected before any is closed: the listing has a descriptor of its own.
    let open: Vec<RawFd> = std::fs::read_dir("/dev/fd")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for number in open
        .into_iter()
        .filter(|number| (first..=last).contains(number))
    {
        // SAFETY: nothing in this process owns a descriptor in this range.
        unsafe { libc::close(number) };
    }
}

/// Returns whether one system call has done it.
#[cfg(target_os = "linux")]
fn close_range(first: RawFd, last: RawFd) -> bool {
    // SAFETY: nothing in this process owns a descriptor in this range. Called by number: the
    // wrapper is missing in older C libraries, the call in Linux before 5.9.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn close_range(_first: RawFd, _last: RawFd) -> bool {
    false
}
