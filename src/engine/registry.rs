//! The engines that are built in.

use super::{Engine, candle, fake, whisper_cpp};
use crate::model::EngineFacts;
use indexmap::IndexMap;

/// Returns what is known of each built-in engine, by id.
#[must_use]
pub fn facts() -> IndexMap<String, EngineFacts> {
    [whisper_cpp::facts(), candle::facts(), fake::facts()]
        .into_iter()
        .map(|facts| (facts.id.clone(), facts))
        .collect()
}

/// Makes an engine, inside a worker. Returns `None` if the id is unknown or the engine was left
/// out of this build.
#[must_use]
pub fn create(id: &str) -> Option<Box<dyn Engine>> {
    match id {
        whisper_cpp::ID => whisper_cpp::create(),
        candle::ID => candle::create(),
        fake::ID => Some(Box::new(fake::Fake::default())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Availability;

    #[test]
    fn what_is_ready_can_be_made_and_the_rest_says_why() {
        for (id, facts) in facts() {
            match &facts.availability {
                Availability::Ready => assert!(create(&id).is_some(), "{id}"),
                Availability::Unavailable(reason) => {
                    assert!(reason.contains("feature"), "{reason}");
                }
            }
        }
    }
}
