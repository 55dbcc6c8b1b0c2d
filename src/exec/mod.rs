//! Carrying out a plan: one dispatcher owns the state of the run and is the only one that says
//! anything; each attempt is a pure state machine, driven over one child process.

mod attempt;
mod benchmark;
mod checks;
mod context;
mod dispatcher;
mod download;
mod inputs;
mod known_clip;
mod process;
mod recipe;
mod schedule;
mod state;
mod supervise;
mod timed;
mod verify;

pub use context::{Cancellation, RunContext, RunOptions};
pub use dispatcher::{RunSummary, run};
