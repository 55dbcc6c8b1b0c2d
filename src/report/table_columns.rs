//! The columns of `samples.csv`, `jobs.csv` and `combinations.csv`.

use super::cell::Cell;
use super::columns::{Column, column};
use crate::model::{Combinations, Job, JobSpec, Outcome, Sample};
use crate::record::RunRecord;

fn sample(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &(String, Sample)) -> Cell + 'static,
) -> Column<(String, Sample)> {
    column(name, definition, fill)
}

fn job(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &Job) -> Cell + 'static,
) -> Column<Job> {
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
pub fn sample_columns() -> Vec<Column<(String, Sample)>> {
    vec![
        sample("run_id", "The run.", |record, _| Cell::text(&record.run_id)),
        sample("job_id", "The job.", |_, row| Cell::text(&row.0)),
        sample("launch", "The process, from 0.", |_, row| {
            Cell::count(Some(row.1.launch))
        }),
        sample("utterance", "The recording.", |_, row| {
            Cell::text(&row.1.utterance)
        }),
        sample("trial", "The trial within the launch, from 0.", |_, row| {
            Cell::count(Some(row.1.trial))
        }),
        sample(
            "warmup",
            "True for trials that are not counted.",
            |_, row| Cell::Boolean(row.1.warmup),
        ),
        sample("audio_seconds", "Length of the recording.", |_, row| {
            Cell::number(Some(row.1.audio_seconds))
        }),
        sample(
            "transcribe_seconds",
            "Samples to full text, on the engine's clock.",
            |_, row| Cell::number(Some(row.1.transcribe_seconds)),
        ),
        sample(
            "wall_seconds",
            "The same as the runner saw it: a cross-check.",
            |_, row| Cell::number(Some(row.1.wall_seconds)),
        ),
        sample(
            "first_segment_seconds",
            "Samples to first segment.",
            |_, row| Cell::number(row.1.first_segment_seconds),
        ),
        sample("cpu_seconds", "CPU time of the engine.", |_, row| {
            Cell::number(row.1.cpu_seconds)
        }),
        sample("language", "Given or detected.", |_, row| {
            Cell::optional(row.1.language.clone())
        }),
        sample("hypothesis", "What was heard, raw.", |_, row| {
            Cell::text(&row.1.text)
        }),
    ]
}

/// Returns the columns of `jobs.csv`: one row for each job of the plan.
#[must_use]
pub fn job_columns() -> Vec<Column<Job>> {
    vec![
        job("job_id", "The job.", |_, job: &Job| {
            Cell::text(job.id.0.as_str())
        }),
        job("kind", "verify, download or benchmark.", |_, job| {
            Cell::text(job.kind.to_string())
        }),
        job(
            "stage",
            "before or after the downloads; empty for other kinds.",
            |_, job| Cell::optional(job.stage.map(|stage| stage.to_string())),
        ),
        job(
            "status",
            "How it ended; not-run if the run did not get there.",
            |record, job| {
                let outcome = record.job(&job.id).and_then(|job| job.outcome.as_ref());
                Cell::text(outcome.map_or("not-run", Outcome::status))
            },
        ),
        job(
            "verdict",
            "What a verify found; empty for other kinds.",
            |record, job| {
                let finding = record.job(&job.id).and_then(|job| job.finding.as_ref());
                Cell::optional(finding.map(|finding| finding.verdict.word()))
            },
        ),
        job(
            "reason",
            "Why it ended so, or what the verdict rests on.",
            |record, job| {
                let Some(found) = record.job(&job.id) else {
                    return Cell::Empty;
                };
                let outcome = found
                    .outcome
                    .as_ref()
                    .map(Outcome::reason)
                    .unwrap_or_default();
                let finding = found
                    .finding
                    .as_ref()
                    .map(|f| f.reason.clone())
                    .unwrap_or_default();
                let reasons = [outcome, finding];
                let reasons: Vec<&str> = reasons
                    .iter()
                    .map(String::as_str)
                    .filter(|reason| !reason.is_empty())
                    .collect();
                Cell::optional(Some(reasons.join("; ")).filter(|reason| !reason.is_empty()))
            },
        ),
        job(
            "attempts",
            "Processes or looks that were begun for it.",
            |record, job| {
                Cell::count(Some(
                    record.job(&job.id).map_or(0, |job| job.attempts.len()),
                ))
            },
        ),
        job(
            "started",
            "Seconds into the run at which it began; empty if never.",
            |record, job| {
                let first = record.job(&job.id).and_then(|job| job.attempts.first());
                Cell::number(first.map(|attempt| attempt.started_at))
            },
        ),
        job(
            "seconds",
            "What its attempts took together.",
            |record, job| Cell::number(record.job(&job.id).map(|job| job.seconds)),
        ),
        job(
            "deadline_seconds",
            "The limit that it ran under: of a verify by loading, of a download, or of one trial.",
            |record, job| Cell::number(deadline_seconds(record, job)),
        ),
        job(
            "bytes",
            "Bytes that a download brought; empty for other kinds.",
            |record, job| match (&job.spec, record.job(&job.id)) {
                (JobSpec::Download(_), Some(found)) => Cell::count(Some(found.bytes)),
                _ => Cell::Empty,
            },
        ),
        job(
            "leaked_processes",
            "Processes still alive when a child had ended by itself; empty without a child.",
            |record, job| {
                let attempts = record.job(&job.id).map(|job| job.attempts.as_slice());
                let leaks = attempts
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|attempt| Some(attempt.usage.as_ref()?.leaked_processes))
                    .reduce(|sum, leaked| sum + leaked);
                Cell::count(leaks)
            },
        ),
    ]
}

fn deadline_seconds(record: &RunRecord, job: &Job) -> Option<f64> {
    let deadlines = &record.plan.deadlines;
    match &job.spec {
        JobSpec::Download(_) => Some(deadlines.download_total.as_secs_f64()),
        JobSpec::Verify(spec) => {
            use crate::model::VerifyMethod::{Load, Transcribe};
            let size = record.plan.models.get(spec.model.as_str())?.size;
            matches!(spec.method, Load | Transcribe).then(|| {
                deadlines
                    .verify_of(&spec.backend, &spec.model, size)
                    .as_secs_f64()
            })
        }
        JobSpec::Benchmark(spec) => {
            let audio = record.plan.audio.get(spec.audio.as_str())?;
            let longest = audio
                .utterances
                .iter()
                .filter_map(|utterance| Some(record.audio.get(&utterance.id)?.1))
                .fold(0.0, f64::max);
            Some(
                deadlines
                    .trial_of(&spec.backend, &spec.model, longest)
                    .as_secs_f64(),
            )
        }
    }
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
