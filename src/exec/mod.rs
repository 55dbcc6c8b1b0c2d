//! Carrying out a plan: one dispatcher owns the state of the run and is the only one that says
//! anything; each attempt is a pure state machine, driven over one child process.

mod attempt;
mod benchmark;
mod checks;
mod child;
mod command;
pub mod conformance;
mod context;
mod dispatcher;
mod download;
mod engine;
mod fence;
mod fetching;
mod inputs;
mod known_clip;
mod live;
mod look;
mod notes;
mod output;
mod process;
mod program;
mod quiet;
mod recipe;
mod repetition;
mod retry;
mod schedule;
mod signals;
mod state;
mod supervise;
mod timed;
mod trials;
mod try_program;
mod verify;
mod versions;
mod work_folder;

pub use context::{Cancellation, Part, RunContext, RunOptions};
pub use dispatcher::{RunSummary, run};
pub use fence::Fence;
pub(crate) use fence::numbers as attempt_numbers;
pub use live::Live;
pub use program::{Program, ProgramEnd, run_program};
pub(crate) use signals::hangs_up;
pub use signals::listen_for_signals;
pub use try_program::{Tried, try_program};
pub use versions::probe_versions;

pub use crate::shim::{become_subreaper, tree_probe};
