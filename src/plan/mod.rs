//! The planner: combinations become a graph of verify, download and benchmark jobs.
//!
//! It starts nothing, reads no clock and opens no socket. What engines can do arrives as
//! [`EngineFacts`](crate::model::EngineFacts).

mod check;
mod graph;
mod jobs;
mod planner;
mod select;
mod settings;

pub use graph::DependencyGraph;
pub use planner::{Inputs, plan};
pub use select::{Filter, restrict};
pub use settings::{RUNNER_SETTINGS, runner_settings};
