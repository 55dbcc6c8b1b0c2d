//! Signals to the runner: which end it, and how it is stopped and goes on.

use super::context::Cancellation;
use super::live::Live;
use std::io;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Listens for signals, inside a runtime, for as long as that lives.
///
/// SIGINT, SIGTERM and SIGHUP are reasons to cancel: the first ends the run in order, the second at
/// once. SIGHUP stays ignored if it was ignored when the program was started, as under `nohup`; a
/// SIGINT that a shell ignores for programs in the background is listened to all the same. SIGTSTP
/// stops the children first, wherever they have gone, and then this program, and when that goes on
/// they do, and no limit has run.
///
/// # Errors
///
/// Fails if the system refuses a handler.
pub fn listen_for_signals(live: &Live) -> io::Result<Cancellation> {
    let (sender, receiver) = watch::channel(None);
    for (kind, name) in [
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
    ] {
        if name == "SIGHUP" && !hangs_up() {
            continue;
        }
        let mut signals = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                sender.send_replace(Some(format!("interrupted by {name}")));
            }
        });
    }
    let mut stops = signal(SignalKind::from_raw(libc::SIGTSTP))?;
    let live = live.clone();
    tokio::spawn(async move {
        while stops.recv().await.is_some() {
            stop_with_children(&live);
        }
    });
    Ok(receiver)
}

fn stop_with_children(live: &Live) {
    live.tell_all(b'S');
    let since = Instant::now();
    stop_here();
    live.was_stopped(since.elapsed());
    live.tell_all(b'C');
}

/// Stops this program, and returns when somebody sends SIGCONT.
///
/// The signal goes to this thread. One to the process might be taken by another, and this one would
/// look at the clock before it is stopped.
fn stop_here() {
    #[expect(unsafe_code, reason = "no safe wrapper signals the calling thread")]
    // SAFETY: the signal runs no handler, because SIGSTOP cannot have one.
    unsafe {
        libc::raise(libc::SIGSTOP);
    }
}

/// Whether SIGHUP ends this program: not where it was ignored when it was started, as under `nohup`.
pub(crate) fn hangs_up() -> bool {
    !is_ignored(libc::SIGHUP)
}

/// Whether a signal was ignored when this program was started.
fn is_ignored(number: i32) -> bool {
    #[expect(
        unsafe_code,
        reason = "no safe wrapper asks for a signal's disposition"
    )]
    // SAFETY: with no new action given, the call only writes the old one into the local struct.
    unsafe {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        libc::sigaction(number, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
