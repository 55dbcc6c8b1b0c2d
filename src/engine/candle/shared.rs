//! What is known of candle whether it is built in or not.

use super::super::declaration::{beam_size, language, threads};
use crate::model::{Availability, EngineFacts, Requirements};

pub(crate) const ID: &str = "candle";

/// Version of candle, which is pinned.
const CANDLE_VERSION: &str = "0.11.1";

pub(super) fn facts(availability: Availability) -> EngineFacts {
    EngineFacts {
        id: ID.into(),
        description: "Whisper in pure Rust on candle, built in, on the CPU.".into(),
        version: Some(CANDLE_VERSION.into()),
        availability,
        artifacts: [("f16", "safetensors"), ("q8_0", "gguf-q8_0")]
            .map(|(quantization, artifact)| (quantization.to_owned(), artifact.to_owned()))
            .into_iter()
            .collect(),
        settings: vec![language(), threads(), beam_size(1)],
        families: Vec::new(),
        requires: Requirements::NONE,
        any_model: false,
        synthetic: false,
        command: false,
    }
}
