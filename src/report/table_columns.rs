//! The columns of `samples.csv` and `combinations.csv`.

use super::cell::Cell;
use super::columns::{Column, column};
use super::rows::ResultRow;
use crate::model::{Combinations, Outcome, Sample};
use crate::record::RunRecord;

/// A trial of a row of `results.csv`.
#[derive(Clone, Copy, Debug)]
pub struct SampleRow<'a> {
    /// The row.
    pub row: &'a ResultRow<'a>,
    /// The trial.
    pub sample: &'a Sample,
}

/// Returns all trials, warm-ups too, in the order of the rows.
#[must_use]
pub fn sample_rows<'a>(rows: &'a [ResultRow<'a>]) -> Vec<SampleRow<'a>> {
    rows.iter()
        .flat_map(|row| {
            let samples = row.record.map_or(&[][..], |found| &found.samples);
            samples.iter().map(move |sample| SampleRow { row, sample })
        })
        .collect()
}

fn sample<'a>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &SampleRow<'a>) -> Cell + 'static,
) -> Column<SampleRow<'a>> {
    column(name, definition, fill)
}

fn combination(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &usize) -> Cell + 'static,
) -> Column<usize> {
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
        sample("language", "Given or detected.", |_, row| {
            Cell::optional(row.sample.language.clone())
        }),
        sample("hypothesis", "What was heard, raw.", |_, row| {
            Cell::text(&row.sample.text)
        }),
    ]
}

/// Returns the columns of `combinations.csv`: one row for each combination, by its position.
#[must_use]
pub fn combination_columns(axes: &[String], combinations: &Combinations) -> Vec<Column<usize>> {
    let mut columns = vec![combination(
        "combination",
        "Its position in the plan, from 0.",
        |_, row: &usize| Cell::count(Some(*row)),
    )];
    let mut names = axes.to_vec();
    for column in combinations.columns() {
        if !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    columns.extend(names.into_iter().map(|name| {
        let axis_name = name.clone();
        combination(
            &name,
            "The value of this axis, setting or label, as it was written.",
            move |r, row| {
                let value = r.plan.combinations.value(*row, &axis_name);
                Cell::optional(value.map(|value| value.written.clone()))
            },
        )
    }));
    columns.extend([
        combination("benchmark", "Its benchmark job.", |record, row: &usize| {
            Cell::optional(ids(record, *row, crate::model::JobKind::Benchmark))
        }),
        combination(
            "status",
            "How the benchmark ended.",
            |record, row: &usize| {
                let job = record.plan.jobs.iter().find(|job| {
                    job.kind == crate::model::JobKind::Benchmark && job.combinations.contains(row)
                });
                let outcome = job.and_then(|job| record.job(&job.id)?.outcome.as_ref());
                Cell::text(outcome.map_or("not-run", Outcome::status))
            },
        ),
        combination(
            "verifies",
            "Its verify jobs, separated by spaces.",
            |record, row: &usize| Cell::optional(ids(record, *row, crate::model::JobKind::Verify)),
        ),
        combination(
            "verdicts",
            "Their verdicts in the same order.",
            |record, row: &usize| {
                let verdicts: Vec<&str> = record
                    .plan
                    .jobs
                    .iter()
                    .filter(|job| job.kind == crate::model::JobKind::Verify)
                    .filter(|job| job.combinations.contains(row))
                    .map(|job| {
                        let found = record.job(&job.id).and_then(|job| job.finding.as_ref());
                        found.map_or("not-asked", |finding| finding.verdict.word())
                    })
                    .collect();
                Cell::optional(Some(verdicts.join(" ")).filter(|text| !text.is_empty()))
            },
        ),
        combination("downloads", "Its download jobs.", |record, row: &usize| {
            Cell::optional(ids(record, *row, crate::model::JobKind::Download))
        }),
    ]);
    columns
}

fn ids(record: &RunRecord, row: usize, kind: crate::model::JobKind) -> Option<String> {
    let ids: Vec<&str> = record
        .plan
        .jobs
        .iter()
        .filter(|job| job.kind == kind && job.combinations.contains(&row))
        .map(|job| job.id.0.as_str())
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
