//! The engine `candle`, left out of this build.

use super::super::Engine;
use super::shared;
use crate::model::{Availability, EngineFacts};

pub(in crate::engine) fn facts() -> EngineFacts {
    shared::facts(Availability::Unavailable(
        "this build has no candle: build it with the feature `candle`".into(),
    ))
}

pub(in crate::engine) fn create() -> Option<Box<dyn Engine>> {
    None
}
