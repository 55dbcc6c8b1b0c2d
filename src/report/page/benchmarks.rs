//! The rows of the table of benchmarks: one for each job that the plan did not skip.

use super::axes::{Axes, AxisView, language};
use super::strip::{StripScale, StripView};
use super::{IntervalView, MOST_TABLE_ROWS, is_synthetic};
use crate::record::RunRecord;
use crate::report::configuration::{Configuration, Labels};
use crate::report::machine_names::MachineNames;
use crate::report::notes::notes;
use crate::report::rows::{ResultRow, passes};
use schemars::JsonSchema;
use serde::Serialize;

/// The table of benchmarks.
#[derive(Serialize, JsonSchema)]
pub(super) struct BenchmarksView {
    /// What rows can be grouped by.
    pub(super) axes: Vec<AxisView>,
    /// The first rows, in the order of the plan.
    pub(super) rows: Vec<BenchmarkView>,
    /// How many there are in all.
    pub(super) all: usize,
    /// The scale of the strips; null without any.
    pub(super) scale: Option<StripScale>,
}

/// A benchmark job.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct BenchmarkView {
    /// Its configuration, told from the others.
    pub(super) label: String,
    /// Its values, in the order of the axes.
    pub(super) axes: Vec<String>,
    /// The clip or data set.
    pub(super) audio: String,
    /// The language, and the machine where there are several: what may be put together.
    pub(super) kind: String,
    /// The machine, where there are several.
    pub(super) machine: String,
    /// How it ended; `not-run` if the run did not get there.
    pub(super) status: &'static str,
    /// The engine by its place among the engines of the run: chooses a colour.
    pub(super) colour: usize,
    /// Whether it is no measurement.
    pub(super) synthetic: bool,
    pub(super) wer: Option<f64>,
    /// Word errors and words of the references.
    pub(super) errors: Option<u64>,
    pub(super) reference_words: Option<u64>,
    pub(super) rtfx: Option<f64>,
    /// Seconds of audio and of transcription of all measured trials.
    pub(super) audio_seconds: f64,
    pub(super) transcribe_seconds: f64,
    /// Median seconds of a pass over its audio, with an interval.
    pub(super) median: Option<f64>,
    pub(super) interval: Option<IntervalView>,
    /// Every pass as a tick; null for fewer than two.
    pub(super) strip: Option<StripView>,
    /// Measured trials.
    pub(super) n: usize,
    pub(super) launches: usize,
    /// Stages, in seconds.
    pub(super) start: Option<f64>,
    pub(super) load: Option<f64>,
    pub(super) first_segment: Option<f64>,
    /// CPU seconds of one trial.
    pub(super) cpu: Option<f64>,
    /// Peak resident bytes.
    pub(super) peak: Option<u64>,
    /// What to know before it is believed.
    pub(super) notes: Vec<String>,
}

/// Returns the rows with all that is drawn of them but the heat maps; all of them, so that those can
/// be made.
pub(super) fn benchmarks(
    record: &RunRecord,
    rows: &[ResultRow<'_>],
    labels: &Labels,
) -> BenchmarksView {
    let planned: Vec<&ResultRow<'_>> = rows.iter().filter(|row| row.job.skip.is_none()).collect();
    let axes = Axes::of_benchmarks(record, &planned, labels);
    let spreads = planned.iter().filter_map(|row| row.transcribe.as_ref());
    let scale = planned
        .iter()
        .any(|row| row.transcribe.is_some_and(|spread| spread.count > 1))
        .then(|| StripScale::of(spreads));
    let names = MachineNames::of(record);
    let engines: Vec<&str> = record.plan.engines.keys().map(String::as_str).collect();
    let views: Vec<BenchmarkView> = (planned.iter().zip(axes.rows).enumerate())
        .map(|(position, (row, values))| {
            let machine = names.told(row.machine).unwrap_or_default();
            let mut kind = language(row);
            if !machine.is_empty() {
                kind.push_str(&format!(" · {machine}"));
            }
            let backend = row.spec.backend.as_str();
            let score = row.score.as_ref();
            let spread = row.transcribe.as_ref();
            // Beyond what is shown, only sums are wanted.
            let is_shown = position < MOST_TABLE_ROWS;
            BenchmarkView {
                label: labels.label(&Configuration::of(row)),
                axes: values,
                audio: row.spec.audio.to_string(),
                kind,
                machine: machine.to_owned(),
                status: row.status(),
                colour: engines.iter().position(|id| *id == backend).unwrap_or(0),
                synthetic: is_synthetic(record, backend),
                wer: score.map(|score| score.rates.wer),
                errors: score.map(|score| score.words.errors()),
                reference_words: score.map(|score| score.reference_words),
                rtfx: row.rtfx,
                audio_seconds: row.samples.iter().map(|sample| sample.audio_seconds).sum(),
                transcribe_seconds: (row.samples.iter())
                    .map(|sample| sample.transcribe_seconds)
                    .sum(),
                median: spread.map(|spread| spread.median),
                interval: spread.and_then(|spread| spread.interval).map(Into::into),
                strip: spread
                    .zip(scale.filter(|_| is_shown))
                    .and_then(|(spread, scale)| {
                        scale.strip(&passes(&row.samples).concat(), spread)
                    }),
                n: spread.map_or(0, |spread| spread.count),
                launches: row.launches(),
                start: row.per_launch(|attempt| attempt.start_seconds),
                load: row.per_launch(|attempt| attempt.load_seconds),
                first_segment: row.per_trial(|sample| sample.first_segment_seconds),
                cpu: row.per_trial(|sample| sample.cpu_seconds),
                peak: row.peak_rss_bytes(),
                notes: if is_shown {
                    notes(row).into_iter().map(|note| note.text).collect()
                } else {
                    Vec::new()
                },
            }
        })
        .collect();
    BenchmarksView {
        axes: axes.axes,
        all: views.len(),
        rows: views,
        scale,
    }
}
