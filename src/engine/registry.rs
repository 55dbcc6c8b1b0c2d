//! The engines that this program knows: those that are built in, and the bridges that come with it.

use super::{Engine, bridge, candle, fake, whisper_cpp};
use crate::catalog::bridges;
use crate::model::EngineFacts;
use indexmap::IndexMap;

/// Returns what is known of each built-in engine, by id.
#[must_use]
pub fn built_in() -> IndexMap<String, EngineFacts> {
    [whisper_cpp::facts(), candle::facts(), fake::facts()]
        .into_iter()
        .map(|facts| (facts.id.clone(), facts))
        .collect()
}

/// Returns what is known of each engine, by id: those that are built in, then the bridges, of which
/// the environment of this process says where they are installed. Nothing is started for it.
#[must_use]
pub fn facts() -> IndexMap<String, EngineFacts> {
    let mut engines = built_in();
    for (id, definition) in bridges() {
        let facts = bridge::facts(id, definition, |name| std::env::var_os(name));
        engines.insert(id.clone(), facts);
    }
    engines
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

/// Returns what a built-in engine of this build computes on, such as `cpu` or `metal`.
#[must_use]
pub fn device(id: &str) -> String {
    if id == whisper_cpp::ID {
        whisper_cpp::device(true)
    } else {
        "cpu".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Availability;

    #[test]
    fn no_bridge_has_the_id_of_a_built_in_engine() {
        assert_eq!(facts().len(), built_in().len() + bridges().len());
    }

    #[test]
    fn what_is_ready_can_be_made_and_the_rest_says_why() {
        for (id, facts) in built_in() {
            match &facts.availability {
                Availability::Ready => assert!(create(&id).is_some(), "{id}"),
                Availability::Unavailable(reason) => {
                    assert!(reason.contains("feature"), "{reason}");
                }
            }
        }
    }
}
