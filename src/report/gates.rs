//! Gates: bounds on what was measured that decide the exit status.

use super::rows::{ResultRow, result_rows};
use crate::model::{Gate, GateScope};
use crate::record::RunRecord;

/// A gate that a row did not pass, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateFailure(pub String);

/// Holds every row that was to be measured against the gates of its plan. A row without the number
/// that a gate asks for fails it: a gate without data must not pass. Planned skips are no rows.
#[must_use]
pub fn gate_failures(record: &RunRecord) -> Vec<GateFailure> {
    let rows = result_rows(record);
    record
        .plan
        .gates
        .iter()
        .filter(|gate| gate.scope == GateScope::Row)
        .flat_map(|gate| rows.iter().filter_map(move |row| failure(gate, row)))
        .collect()
}

fn failure(gate: &Gate, row: &ResultRow<'_>) -> Option<GateFailure> {
    if row.job.skip.is_some() {
        return None;
    }
    let name = row.job.spec.slug();
    let Some(value) = metric(&gate.metric, row) else {
        return Some(GateFailure(format!(
            "{name}: no {} was measured",
            gate.metric
        )));
    };
    let too_large = gate.max.filter(|most| value > *most);
    let too_small = gate.min.filter(|least| value < *least);
    let (bound, word) = too_large
        .map(|b| (b, "above"))
        .or(too_small.map(|b| (b, "below")))?;
    Some(GateFailure(format!(
        "{name}: {} is {value:.4}, {word} the gate's {bound}",
        gate.metric
    )))
}

/// Returns the value of a metric that gates may name.
fn metric(name: &str, row: &ResultRow<'_>) -> Option<f64> {
    match name {
        "wer" => row.score.map(|score| score.rates.wer),
        "cer" => row.score.map(|score| score.rates.cer),
        "rtfx" => row.rtfx,
        "transcribe_seconds_median" => row.transcribe.map(|spread| spread.median),
        "load_seconds" => row.per_launch(|attempt| attempt.load_seconds),
        "cpu_seconds" => row.per_trial(|sample| sample.cpu_seconds),
        #[expect(clippy::cast_precision_loss, reason = "bytes of memory are below 2^53")]
        "peak_rss_bytes" => row
            .attempts()
            .iter()
            .filter_map(|attempt| attempt.usage.as_ref()?.peak_rss_bytes)
            .max()
            .map(|bytes| bytes as f64),
        _ => None,
    }
}
