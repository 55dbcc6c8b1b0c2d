//! The columns of `samples.csv`.

use super::cell::Cell;
use super::columns::{Column, column};
use super::notes::FEWEST_FOR_OUTLIERS;
use super::rows::ResultRow;
use crate::model::Sample;
use crate::record::RunRecord;
use crate::score::statistics::outliers;
use std::collections::HashMap;

/// A trial of a row of `results.csv`.
#[derive(Clone, Copy, Debug)]
pub struct SampleRow<'a> {
    /// The row.
    pub row: &'a ResultRow<'a>,
    /// The trial.
    pub sample: &'a Sample,
    /// Whether its time is far from those of the other measured trials of its recording; `None` for a
    /// warm-up, and where they are too few to say.
    pub outlier: Option<bool>,
}

/// Returns all trials, warm-ups too, in the order of the rows.
#[must_use]
pub fn sample_rows<'a>(rows: &'a [ResultRow<'a>]) -> Vec<SampleRow<'a>> {
    rows.iter()
        .flat_map(|row| {
            let samples = row.record.map_or(&[][..], |found| &found.samples);
            let flags = outlier_flags(samples);
            samples
                .iter()
                .zip(flags)
                .map(move |(sample, outlier)| SampleRow {
                    row,
                    sample,
                    outlier,
                })
        })
        .collect()
}

/// Returns for each trial whether it is an outlier among the measured ones of its recording.
fn outlier_flags(samples: &[Sample]) -> Vec<Option<bool>> {
    let mut by_utterance: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, sample) in samples.iter().enumerate() {
        if !sample.warmup {
            by_utterance
                .entry(&sample.utterance)
                .or_default()
                .push(position);
        }
    }
    let mut flags = vec![None; samples.len()];
    for positions in by_utterance.into_values() {
        if positions.len() < FEWEST_FOR_OUTLIERS {
            continue;
        }
        let times: Vec<f64> = (positions.iter())
            .map(|position| samples[*position].transcribe_seconds)
            .collect();
        for (position, is_odd) in positions.into_iter().zip(outliers(&times)) {
            flags[position] = Some(is_odd);
        }
    }
    flags
}

fn sample<'a>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &SampleRow<'a>) -> Cell + 'static,
) -> Column<SampleRow<'a>> {
    column(name, definition, fill)
}

/// Returns the columns of `samples.csv`: one row for each trial.
#[must_use]
pub fn sample_columns<'a>() -> Vec<Column<SampleRow<'a>>> {
    vec![
        sample("run_id", "The run that did it.", |record, row| {
            let session = row.row.session();
            Cell::text(session.map_or(&record.run_id, |session| &session.run_id))
        }),
        sample("job_id", "The job.", |_, row| {
            Cell::text(row.row.job.id.0.as_str())
        }),
        sample("launch", "The launch, from 0.", |_, row| {
            Cell::count(Some(row.sample.launch))
        }),
        sample(
            "attempt",
            "The process of the launch that did it, from 1: one that was interrupted, or failed and \
             was tried again, is followed by another.",
            |_, row| Cell::count(Some(row.sample.attempt)),
        ),
        sample("utterance", "The recording.", |_, row| {
            Cell::text(&row.sample.utterance)
        }),
        sample("trial", "The trial within the launch, from 0.", |_, row| {
            Cell::count(Some(row.sample.trial))
        }),
        sample(
            "warmup",
            "True for trials that are not counted.",
            |_, row| Cell::Boolean(row.sample.warmup),
        ),
        sample("audio_seconds", "Length of the recording.", |_, row| {
            Cell::number(Some(row.sample.audio_seconds))
        }),
        sample(
            "transcribe_seconds",
            "Samples to full text, on the engine's clock.",
            |_, row| Cell::number(Some(row.sample.transcribe_seconds)),
        ),
        sample(
            "wall_seconds",
            "The same as the runner saw it: a cross-check.",
            |_, row| Cell::number(Some(row.sample.wall_seconds)),
        ),
        sample(
            "first_segment_seconds",
            "Samples to first segment.",
            |_, row| Cell::number(row.sample.first_segment_seconds),
        ),
        sample("cpu_seconds", "CPU time of the engine.", |_, row| {
            Cell::number(row.sample.cpu_seconds)
        }),
        sample(
            "tokens",
            "Tokens that were generated, as the engine counts them; empty if it does not tell.",
            |_, row| Cell::count(row.sample.tokens),
        ),
        sample("language", "Given or detected.", |_, row| {
            Cell::optional(row.sample.language.clone())
        }),
        sample("hypothesis", "What was heard, raw.", |_, row| {
            Cell::text(&row.sample.text)
        }),
        sample(
            "outlier",
            "True where the time is far from those of the other measured trials of the recording: its \
             modified z-score, on the median absolute deviation, is beyond 3.5. It counts all the same. \
             Empty for warm-ups and below six trials.",
            |_, row| row.outlier.map_or(Cell::Empty, Cell::Boolean),
        ),
        sample("machine_id", "The machine that did it.", |_, row| {
            Cell::optional(row.row.machine)
        }),
    ]
}
