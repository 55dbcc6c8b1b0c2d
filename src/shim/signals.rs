//! Signals of the shim: all of them blocked, and SIGCHLD let in only while it waits.
//!
//! A blocked signal cannot end the shim, cannot come between a test and the wait that follows it,
//! and is not inherited as "ignored" by the child. SIGCHLD tells of orphans that the shim has to
//! reap as well as of the main child, which a descriptor of the main child alone would not.

#![expect(
    unsafe_code,
    reason = "signal masks and `pselect` with one have no safe wrapper"
)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::Duration;

/// Highest signal number to reset where the system does not tell it.
#[cfg(not(target_os = "linux"))]
const LAST_SIGNAL: libc::c_int = 31;

/// Right to wait for a child, the control pipe or a point in time.
pub(super) struct Waiter {
    /// Everything but SIGCHLD.
    mask: libc::sigset_t,
}

extern "C" fn child_changed(_signal: libc::c_int) {
    // Nothing to do: being called is what ends the wait.
}

impl Waiter {
    /// Blocks every signal, and sets every disposition to its default, so that a child starts
    /// with defaults whatever the runner was started with (`nohup` ignores SIGHUP, a shell's
    /// background ignores SIGINT, Rust ignores SIGPIPE).
    pub(super) fn take_over() -> io::Result<Self> {
        let mut mask = MaybeUninit::uninit();
        // SAFETY: `sigfillset` initialises the set that it is given.
        let mut mask = unsafe {
            libc::sigfillset(mask.as_mut_ptr());
            mask.assume_init()
        };
        // SAFETY: the set is initialised, and no old set is asked for.
        check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut()) })?;
        for signal in 1..=last_signal() {
            // SAFETY: a default disposition runs no code of ours. Signals that cannot be set are
            // refused, which is as good: SIGKILL, SIGSTOP, and those that the C library keeps to
            // itself and sets up anew in every program.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        let handler: extern "C" fn(libc::c_int) = child_changed;
        // SAFETY: the handler does nothing, so it is safe at any point; `exec` resets it. Without
        // a handler SIGCHLD would not end a wait.
        let previous = unsafe { libc::signal(libc::SIGCHLD, handler as libc::sighandler_t) };
        if previous == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the set is initialised and the number is a signal's.
        check(unsafe { libc::sigdelset(&raw mut mask, libc::SIGCHLD) })?;
        Ok(Self { mask })
    }

    /// Waits until a child has changed, `control` can be read or `limit` has passed, and returns
    /// whether `control` can be read. A change of a child before the call ends it at once.
    pub(super) fn wait(
        &self,
        control: Option<BorrowedFd<'_>>,
        limit: Option<Duration>,
    ) -> io::Result<bool> {
        let mut readable = MaybeUninit::<libc::fd_set>::uninit();
        let number = control.map_or(-1, |descriptor| descriptor.as_raw_fd());
        let in_range = usize::try_from(number).is_ok_and(|number| number < libc::FD_SETSIZE);
        // SAFETY: `FD_ZERO` initialises the set; a number is put in only if the set has room.
        unsafe {
            libc::FD_ZERO(readable.as_mut_ptr());
            if in_range {
                libc::FD_SET(number, readable.as_mut_ptr());
            }
        }
        let limit = limit.map(timespec);
        // SAFETY: all pointers are null or to initialised values that outlive the call.
        let count = unsafe {
            libc::pselect(
                number + 1,
                readable.as_mut_ptr(),
                ptr::null_mut(),
                ptr::null_mut(),
                limit.as_ref().map_or(ptr::null(), ptr::from_ref),
                &raw const self.mask,
            )
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::Interrupted => Ok(false),
                _ => Err(error),
            };
        }
        Ok(count > 0)
    }
}

/// Unblocks every signal. For the child between fork and exec: allocates nothing.
pub(super) fn unblock_all() -> io::Result<()> {
    let mut none = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set; no old set is asked for.
    check(unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut())
    })
}

fn check(status: libc::c_int) -> io::Result<()> {
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

#[cfg(target_os = "linux")]
fn last_signal() -> libc::c_int {
    libc::SIGRTMAX()
}

#[cfg(not(target_os = "linux"))]
fn last_signal() -> libc::c_int {
    LAST_SIGNAL
}
