//! Gates: bounds on what was measured that decide the exit status.

use super::rows::{ResultRow, result_rows};
use super::summary::{SummaryRow, summary_rows};
use crate::model::{Gate, GateScope};
use crate::record::RunRecord;

/// A gate that a row did not pass, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateFailure(pub String);

/// Holds what was to be measured against the gates of its plan: every row, or every configuration
/// on every data set and language, the clips that the matrix names one by one being a set as well. What lacks the number that a gate asks for fails it, because a
/// gate without data must not pass; so does a data set that was not measured whole. Planned skips
/// are not held against a gate.
#[must_use]
pub fn gate_failures(record: &RunRecord) -> Vec<GateFailure> {
    let rows = result_rows(record);
    let summaries = summary_rows(record, &rows);
    record
        .plan
        .gates
        .iter()
        .flat_map(|gate| match gate.scope {
            GateScope::Row => rows
                .iter()
                .filter_map(|row| row_failure(gate, row))
                .collect::<Vec<_>>(),
            GateScope::Set => summaries
                .iter()
                .filter_map(|summary| set_failure(gate, summary))
                .collect(),
        })
        .collect()
}

fn row_failure(gate: &Gate, row: &ResultRow<'_>) -> Option<GateFailure> {
    if row.job.skip.is_some() {
        return None;
    }
    failure(gate, &row.job.spec.slug(), metric(&gate.metric, row))
}

fn set_failure(gate: &Gate, summary: &SummaryRow<'_>) -> Option<GateFailure> {
    if summary.rows.iter().all(|row| row.job.skip.is_some()) {
        return None;
    }
    let slug = summary.rows.first()?.job.spec.slug();
    let name = match summary.language {
        Some(language) => format!("{slug} ({language})"),
        None => slug,
    };
    let value = match gate.metric.as_str() {
        _ if !summary.is_whole() => None,
        "wer" => summary.score.map(|score| score.rates.wer),
        "cer" => summary.score.map(|score| score.rates.cer),
        "rtfx" => summary.rtfx,
        _ => None,
    };
    failure(gate, &name, value)
}

fn failure(gate: &Gate, name: &str, value: Option<f64>) -> Option<GateFailure> {
    let Some(value) = value else {
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
        "peak_rss_bytes" => row.peak_rss_bytes().map(|bytes| bytes as f64),
        _ => None,
    }
}
