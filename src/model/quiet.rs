//! The quiet that timed work waits for.

use super::units::seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Before timed work starts, wait until other programs leave the machine alone, for a bounded time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quiet {
    /// How many CPUs other programs may keep busy; not negative.
    #[schemars(range(min = 0.0))]
    pub load: f64,
    /// The longest wait. After it the work starts all the same.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub wait: Duration,
}
