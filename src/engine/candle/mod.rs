//! The engine `candle`.

use super::Engine;
use crate::model::{Availability, EngineFacts};
use indexmap::IndexMap;

pub(super) const ID: &str = "candle";

pub(super) fn facts() -> EngineFacts {
    EngineFacts {
        id: ID.into(),
        description: "Whisper in pure Rust, on candle.".into(),
        version: None,
        availability: Availability::Unavailable(
            "this build has no candle: build it with the feature `candle`".into(),
        ),
        artifacts: artifacts(),
        settings: settings(),
        any_model: false,
        synthetic: false,
        command: false,
    }
}

/// Returns which artifact each quantization reads.
fn artifacts() -> IndexMap<String, String> {
    [("f16", "safetensors"), ("q8_0", "gguf-q8_0")]
        .map(|(quantization, artifact)| (quantization.to_owned(), artifact.to_owned()))
        .into_iter()
        .collect()
}

fn settings() -> Vec<crate::model::SettingDeclaration> {
    use super::declaration::{beam_size, language, threads};
    vec![language(), threads(), beam_size(1)]
}

pub(super) fn create() -> Option<Box<dyn Engine>> {
    None
}
