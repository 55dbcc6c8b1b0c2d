//! A question without a matrix: engines and models on the command line.

use crate::cli::arguments::VerifyArguments;
use crate::cli::exit::Failure;
use crate::engine;
use crate::model::{Availability, VerifyMethod};
use serde_json::json;

/// Returns the matrix that a command line without one stands for. Which clip it names does not
/// matter, because nothing is measured.
///
/// # Errors
///
/// Fails if no engine is named and none that reads models can run here.
pub(super) fn matrix(arguments: &VerifyArguments) -> Result<String, Failure> {
    let backends: Vec<String> = if arguments.backend.is_empty() {
        engine::facts()
            .into_values()
            .filter(|facts| facts.availability == Availability::Ready && !facts.synthetic)
            .map(|facts| facts.id)
            .collect()
    } else {
        arguments.backend.clone()
    };
    if backends.is_empty() {
        return Err(Failure::Usage(
            "no engine that reads models can run here; `earmark engines` says why, and --backend \
             names one all the same"
                .into(),
        ));
    }
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
    Ok(json!({ "version": 1, "name": "verify", "matrix": axes }).to_string())
}
