//! The child that hosts a built-in engine: takes the protocol descriptor, answers requests, times.

mod clocks;
mod main_loop;

pub use main_loop::main;

/// The hidden verb by which this program becomes a worker.
pub const VERB: &str = "__worker";
