//! Bridges: engines that are programs of their own and speak the protocol. They come with this
//! program, and most need an environment of Python that is installed beforehand.
//!
//! Here is where environments live, how one is made, and how a bridge is started. Nothing in here
//! starts a process.

mod files;
mod home;
mod install;
mod installed;
mod launch;
mod standing;
#[cfg(test)]
pub(super) mod testing;

pub use home::{EngineHome, EnvironmentState};
pub use install::{Installation, Step, Tool, progress_of, remove};
pub use installed::Installed;
pub use launch::{BridgeTerms, KEY_VARIABLE, launch};
pub use standing::{EngineState, Standing, standing};

pub(super) use standing::facts;

use crate::catalog::bridge_definition;
use crate::model::BridgeDefinition;

/// Returns what is known of a bridge; `None` for an engine that is none.
#[must_use]
pub fn definition(id: &str) -> Option<&'static BridgeDefinition> {
    bridge_definition(id)
}
