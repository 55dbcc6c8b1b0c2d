//! What is known of whisper.cpp whether it is built in or not.

use super::super::declaration::{beam_size, flash_attention, language, threads, wait_policy};
use crate::model::{Availability, EngineFacts, Requirements};

pub(crate) const ID: &str = "whisper-cpp";

/// Version of whisper.cpp inside the pinned binding (`whisper-rs-sys` 0.15.0).
pub(super) const WHISPER_CPP_VERSION: &str = "1.8.3";

/// The accelerators that this build of whisper.cpp has; none: it computes on the CPU.
const ACCELERATORS: [(bool, &str); 4] = [
    (cfg!(feature = "coreml"), "coreml"),
    (cfg!(feature = "metal"), "metal"),
    (cfg!(feature = "cuda"), "cuda"),
    (cfg!(feature = "vulkan"), "vulkan"),
];

/// What the names of a Core ML encoder's files hold: whisper.cpp finds its folder beside the ggml file.
#[cfg(feature = "whisper-cpp")]
pub(super) const ENCODER: &str = "-encoder.mlmodelc/";

/// Whether this build can compute on a graphics processor.
#[cfg(feature = "whisper-cpp")]
pub(super) const HAS_GPU: bool = cfg!(any(feature = "metal", feature = "cuda", feature = "vulkan"));

/// Returns what it computes on: `cpu`, or its accelerators joined by `+`. Core ML counts only where
/// the model comes with an encoder for it.
pub(crate) fn device(has_encoder: bool) -> String {
    let names: Vec<&str> = ACCELERATORS
        .iter()
        .filter(|(built, name)| *built && (has_encoder || *name != "coreml"))
        .map(|(_, name)| *name)
        .collect();
    if names.is_empty() {
        "cpu".into()
    } else {
        names.join("+")
    }
}

pub(super) fn facts(availability: Availability) -> EngineFacts {
    EngineFacts {
        id: ID.into(),
        description: match device(true).as_str() {
            "cpu" => "whisper.cpp, built in, on the CPU.".into(),
            device => format!("whisper.cpp, built in, on {device}."),
        },
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
        requires: Requirements::NONE,
        any_model: false,
        synthetic: false,
        command: false,
    }
}
