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
pub use launch::{BridgeTerms, key_variable, launch};
pub use standing::{EngineState, Standing, standing};

pub(super) use standing::facts;
