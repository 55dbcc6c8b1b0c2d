//! The engine `whisper-cpp`, left out of this build.

use super::super::Engine;
use super::shared;
use crate::model::{Availability, EngineFacts};

pub(in crate::engine) fn facts() -> EngineFacts {
    shared::facts(Availability::Unavailable(
        "this build has no whisper.cpp: build it with the feature `whisper-cpp`".into(),
    ))
}

pub(in crate::engine) fn create() -> Option<Box<dyn Engine>> {
    None
}
