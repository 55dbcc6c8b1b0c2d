//! A question without a matrix: engines and models on the command line.

use crate::cli::arguments::VerifyArguments;
use crate::engine;
use crate::model::{Availability, VerifyMethod};
use serde_json::json;

/// Returns the matrix that a command line without one stands for. Which clip it names does not
/// matter, because nothing is measured.
pub(super) fn matrix(arguments: &VerifyArguments) -> String {
    let backends = if arguments.backend.is_empty() {
        engine::facts()
            .into_values()
            .filter(|facts| facts.availability == Availability::Ready && !facts.synthetic)
            .map(|facts| facts.id)
            .collect()
    } else {
        arguments.backend.clone()
    };
    let mut axes = json!({
        "backend": backends,
        "model": arguments.model,
        "audio": "jfk",
        "verify-method": VerifyMethod::CacheCheck.word(),
    });
    if !arguments.quantization.is_empty() {
        axes["quantization"] = json!(arguments.quantization);
    }
    // JSON is YAML, and the words are as they were typed.
    json!({ "version": 1, "name": "verify", "matrix": axes }).to_string()
}
