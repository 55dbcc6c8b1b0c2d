//! The child that hosts a built-in engine: takes the protocol descriptor, answers requests, times.

mod clocks;
mod main_loop;

pub use main_loop::main;

pub use crate::engine::WORKER_VERB as VERB;
