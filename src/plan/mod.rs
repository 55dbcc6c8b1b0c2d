//! The planner: combinations become a graph of verify, download and benchmark jobs.
//!
//! It starts nothing, reads no clock and opens no socket. What engines can do arrives as
//! [`EngineFacts`](crate::model::EngineFacts).

mod change;
mod check;
mod commands;
mod cores;
mod definitions;
mod environment;
mod estimate;
mod expected;
mod fetch_only;
mod graph;
mod jobs;
mod planner;
mod requirements;
mod seal;
mod select;
mod settings;
mod shards;
mod staleness;

pub use change::{ChangedJob, FieldChange, PlanChange};
pub use environment::{Lookup, fill_path, fill_plan};
pub use estimate::{Amount, bytes_to_fetch, worst_case};
pub use fetch_only::fetch_only;
pub use graph::DependencyGraph;
pub use planner::{Inputs, plan};
pub use requirements::{asked_by, groups, requirements};
pub use seal::{note_recordings, seal, seal_holds};
pub use select::{Filter, restrict, set_downloads};
pub use settings::{requires_setting, runner_settings};
pub use shards::{configurations, shard, shards, shards_of, with_needs};
pub use staleness::{Present, staleness};
