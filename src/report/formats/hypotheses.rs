//! What was heard, as JSON Lines for other scorers: one object for each measured trial of each
//! recording.

use crate::record::RunRecord;
use crate::report::rows::result_rows;
use serde::Serialize;

/// What was heard in one trial. The text is raw: no normalizer has touched it.
#[derive(Serialize)]
struct Heard<'a> {
    job_id: &'a str,
    backend: &'a str,
    model: &'a str,
    quantization: &'a str,
    /// The clip or data set.
    audio: &'a str,
    utterance: &'a str,
    launch: u32,
    trial: u32,
    /// As the recording says it, not as the engine told it.
    language: Option<&'a str>,
    machine_id: Option<&'a str>,
    reference: Option<&'a str>,
    hypothesis: &'a str,
}

pub(super) fn hypotheses(record: &RunRecord) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for row in result_rows(record) {
        for heard in &row.utterances {
            for sample in &heard.samples {
                serde_json::to_writer(
                    &mut lines,
                    &Heard {
                        job_id: &row.job.id.0,
                        backend: &row.spec.backend,
                        model: &row.spec.model,
                        quantization: &row.spec.quantization,
                        audio: &row.spec.audio,
                        utterance: &heard.utterance.id,
                        launch: sample.launch,
                        trial: sample.trial,
                        language: heard.utterance.language.as_deref(),
                        machine_id: row.machine,
                        reference: heard.utterance.reference.as_deref(),
                        hypothesis: &sample.text,
                    },
                )?;
                lines.push(b'\n');
            }
        }
    }
    Ok(lines)
}
