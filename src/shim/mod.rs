//! The hidden verb under which every child process of the runner is started.
//!
//! A process group does not hold a process tree together: a child that calls `setsid`, forks twice
//! or ignores signals outlives it, keeps memory and devices, and spoils the next measurement. The
//! shim stands between the runner and one child, and its only task is that nothing of that child's
//! tree is left when the shim ends, whatever the child did and whatever happened to the runner.
//!
//! ```text
//! earmark __shim [--wall network|none] [--backstop-ms N] [--sample-ms N] [--protocol]
//!                [--report-fd N] [--cgroup DIRECTORY] [--cpus N,…]
//!                -- PROGRAM ARGUMENTS…
//! ```
//!
//! # Descriptors
//!
//! | number | what the runner hands over |
//! |---|---|
//! | 0 | control pipe, read end; with `--report-fd 0` a stream socket for control and reports |
//! | 1, 2 | what becomes standard output and standard error of the child |
//! | 3 | with `--protocol`: a socket that the child keeps as descriptor 3 (`EARMARK_PROTOCOL_FD=3`) |
//! | 4 (`--report-fd`) | report pipe, write end; nothing with `--report-fd 0` |
//!
//! The child reads `/dev/null` and inherits nothing else. Once it runs, the shim itself holds none
//! of 1, 2 and 3, so that the runner sees end-of-file as soon as the last process of the tree has
//! closed them. Environment and working directory are passed on as they are.
//!
//! `--report-fd 0` is for a runner that starts many children: with no descriptor beyond 2 to hand
//! over it needs no code of its own between fork and exec, so `posix_spawn` can do it. If a request
//! came too late to be read, the runner reads `ECONNRESET` in place of end-of-file after the last
//! report: `unix(7)`.
//!
//! # Control
//!
//! | byte | effect |
//! |---|---|
//! | `T` | SIGTERM to every living descendant |
//! | `S`, `C` | SIGSTOP, SIGCONT to every living descendant; the backstop does not run in between |
//! | `K` | everything is killed now |
//! | end-of-file | the runner is gone or wants the end: everything is killed now |
//!
//! Other bytes mean nothing. The shim blocks every signal, so that no SIGTERM, SIGINT or SIGHUP
//! meant for others ends it before its tree; the child starts with default dispositions and no
//! blocked signal.
//!
//! # Reports
//!
//! JSON Lines, see [`Report`]: `started`, then `ended`; or one of `spawn-failed` and `wall-failed`
//! alone. `ended` is written when no descendant is left. A runner that does not read is not waited
//! for: what finds no room is lost.
//!
//! # Exit status
//!
//! The child's own; 128 + the signal that ended it; 137 when the shim killed the tree on request,
//! after the loss of the control pipe or at its backstop; 125 when the shim was misused or the
//! wall could not be raised (nothing was started); 126 or 127 when the program could not be started
//! or was not found.
//!
//! # What holds the tree together
//!
//! On Linux the shim is a *subreaper*: a process whose parent dies becomes the shim's child, so
//! "the shim has no child" means "nothing of the tree is left", and that is what it waits for. It
//! finds whom to kill by walking from parent to child.
//!
//! With `--cgroup` it also makes a *control group* in that directory, which the main child joins
//! before it executes: the kernel then kills all of it in one step, and whoever left the group is
//! still found by the walk. A directory that [`tree_probe`] returns is one where that works. If it
//! is refused all the same, the shim goes on without. The group is removed at the end.
//!
//! If the shim itself is killed with SIGKILL, the kernel kills the main child; processes further
//! down become children of the next subreaper above, or of process 1. A runner that has called
//! [`become_subreaper`] ends them with [`sweep`].
//!
//! On macOS and other Unix systems there is neither: the shim ends the child's process group and,
//! on macOS, whoever descends from it. Both miss a process that has left the group and has lost
//! its parent, and the main child outlives a shim that is killed until [`sweep`] ends its group.
//! `started` says what holds the tree (`tree`).

mod accounting;
mod affinity;
mod arguments;
mod backstop;
mod control;
mod descriptors;
mod launch;
mod report;
mod run;
mod sampler;
mod signals;
mod sweep;
mod tree;
mod wall;

use std::ffi::OsString;
use std::process::ExitCode;

pub use report::{EndedBy, LeakedProcess, Report};
pub use sweep::{Remains, Swept, become_subreaper, sweep, tree_probe};

/// First argument of a command line that asks for the shim.
pub const VERB: &str = "__shim";

/// Runs the shim if a whole command line, program name included, asks for it; returns `None` for
/// every other command line.
///
/// To be called before the program opens a file, starts a thread or a runtime: the shim closes
/// every descriptor that it was not told of.
pub fn main_if_asked(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let _program = arguments.next();
    (arguments.next()? == VERB).then(|| main(arguments))
}

/// Runs the shim with the arguments that follow [`VERB`] and returns its exit status.
///
/// Misuse is told on standard error, with exit status 125.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match arguments::Options::parse(arguments) {
        Ok(options) => run::run(&options),
        Err(error) => run::refuse(&error),
    }
}
