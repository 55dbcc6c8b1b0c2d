//! The engine `whisper-cpp`, left out of this build.

#[path = "shared.rs"]
mod shared;

use super::Engine;
use crate::model::{Availability, EngineFacts};

pub(super) use shared::ID;

pub(super) fn facts() -> EngineFacts {
    shared::facts(Availability::Unavailable(
        "this build has no whisper.cpp: build it with the feature `whisper-cpp`".into(),
    ))
}

pub(super) fn create() -> Option<Box<dyn Engine>> {
    None
}
