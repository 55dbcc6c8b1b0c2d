//! What is known of whisper.cpp whether it is built in or not.

use super::super::declaration::{beam_size, flash_attention, language, threads, wait_policy};
use crate::model::{Availability, EngineFacts};

pub(crate) const ID: &str = "whisper-cpp";

/// Version of whisper.cpp inside the pinned binding (`whisper-rs-sys` 0.15.0).
pub(super) const WHISPER_CPP_VERSION: &str = "1.8.3";

pub(super) fn facts(availability: Availability) -> EngineFacts {
    EngineFacts {
        id: ID.into(),
        description: "whisper.cpp, built in, on the CPU.".into(),
        version: Some(WHISPER_CPP_VERSION.into()),
        availability,
        artifacts: ["f16", "q8_0", "q5_1", "q5_0", "q4_0"]
            .map(|quantization| (quantization.to_owned(), format!("ggml-{quantization}")))
            .into_iter()
            .collect(),
        settings: vec![
            language(),
            threads(),
            beam_size(16),
            flash_attention(),
            wait_policy(),
        ],
        families: Vec::new(),
        any_model: false,
        synthetic: false,
        command: false,
    }
}
