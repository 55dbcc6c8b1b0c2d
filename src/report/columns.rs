//! Every column of every table, in one place: its name, its definition, and how it is filled.

use super::cell::Cell;
use super::rows::ResultRow;
use crate::model::{Combination, Job, JobSpec, Outcome, Sample};
use crate::record::RunRecord;
use std::collections::BTreeSet;

/// A column: its name, what it means and in which unit, and how it is filled.
pub struct Column<Row> {
    /// The name in the header.
    pub name: String,
    /// What it means, its unit, and when it is empty.
    pub definition: String,
    /// Fills a cell.
    pub fill: Fill<Row>,
}

/// Fills a cell of a row of a record.
pub type Fill<Row> = Box<dyn Fn(&RunRecord, &Row) -> Cell>;

fn column<Row>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &Row) -> Cell + 'static,
) -> Column<Row> {
    Column {
        name: name.into(),
        definition: definition.into(),
        fill: Box::new(fill),
    }
}

fn result<'a>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &ResultRow<'a>) -> Cell + 'static,
) -> Column<ResultRow<'a>> {
    column(name, definition, fill)
}

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

/// Settings that have a column of their own in `results.csv`.
const OWN_COLUMNS: [&str; 3] = ["language", "threads", "beam-size"];

/// Returns the columns of `results.csv`. The last ones, `setting.NAME`, are those that some row of
/// the record has, sorted.
#[must_use]
pub fn result_columns<'a>(rows: &[ResultRow<'a>]) -> Vec<Column<ResultRow<'a>>> {
    let mut columns = identity_columns();
    columns.extend(speed_columns());
    columns.extend(accuracy_columns());
    columns.extend(circumstance_columns());
    let names: BTreeSet<String> = rows
        .iter()
        .flat_map(|row| {
            row.spec.settings.keys().chain(
                row.attempts()
                    .iter()
                    .flat_map(|attempt| attempt.settings.keys()),
            )
        })
        .filter(|name| !OWN_COLUMNS.contains(&name.as_str()))
        .cloned()
        .collect();
    columns.extend(names.into_iter().map(|name| {
        let setting = name.clone();
        result(
            &format!("setting.{name}"),
            "Another setting in effect; empty where the engine has none of that name.",
            move |_, row| setting_cell(row, &setting),
        )
    }));
    columns
}

/// The setting that the engine says is in effect, else the one that was asked for.
fn setting_cell(row: &ResultRow<'_>, name: &str) -> Cell {
    let told = row
        .attempts()
        .iter()
        .find_map(|attempt| attempt.settings.get(name));
    let value = row.spec.settings.get(name).or(told);
    Cell::optional(value.map(|value| value.written.clone()))
}

fn identity_columns<'a>() -> Vec<Column<ResultRow<'a>>> {
    vec![
        result("run_id", "The run.", |record, _| Cell::text(&record.run_id)),
        result("job_id", "The job; the same on every machine.", |_, row| {
            Cell::text(&row.job.id.0)
        }),
        result(
            "status",
            "How the job ended: completed, failed, timed-out, crashed, protocol-violation, \
             cancelled, skipped; not-run if the run did not get there.",
            |_, row| Cell::text(row.status()),
        ),
        result("backend", "The engine.", |_, row| {
            Cell::text(&row.spec.backend)
        }),
        result(
            "backend_version",
            "The version that the engine told.",
            |record, row| {
                let told = row
                    .attempts()
                    .iter()
                    .find_map(|attempt| attempt.version.clone());
                let known = record.plan.engines.get(&row.spec.backend);
                Cell::optional(told.or_else(|| known?.version.clone()))
            },
        ),
        result("model", "The model.", |_, row| Cell::text(&row.spec.model)),
        result(
            "artifact",
            "The files that were read; empty if none.",
            |_, row| Cell::optional(row.spec.artifact.clone()),
        ),
        result(
            "artifact_digest",
            "SHA-256 over names and digests of the artifact's files; empty if none was read.",
            |record, row| {
                let artifact = row.spec.artifact.clone();
                let key = artifact.map(|artifact| (row.spec.model.clone(), artifact));
                Cell::optional(key.and_then(|key| record.artifacts.get(&key).cloned()))
            },
        ),
        result(
            "quantization",
            "The quantization; empty if the engine has none.",
            |_, row| {
                Cell::optional(Some(row.spec.quantization.clone()).filter(|text| !text.is_empty()))
            },
        ),
        result("audio", "The clip or data set.", |_, row| {
            Cell::text(&row.spec.audio)
        }),
        result(
            "audio_sha256",
            "SHA-256 of the clip's file; empty for a data set, whose samples have their own.",
            |record, row| {
                let audio = record
                    .plan
                    .audio
                    .get(&row.spec.audio)
                    .filter(|set| !set.data_set);
                let known = audio.and_then(|_| record.audio.get(&row.spec.audio));
                Cell::optional(known.map(|(sha256, _)| sha256.clone()))
            },
        ),
        result(
            "language",
            "The language that was given or detected; empty if nothing was transcribed, or they differ.",
            |_, row| {
                let heard: BTreeSet<&String> = row
                    .samples
                    .iter()
                    .filter_map(|sample| sample.language.as_ref())
                    .collect();
                match heard.into_iter().collect::<Vec<_>>().as_slice() {
                    [one] => Cell::text(one.as_str()),
                    _ => setting_cell(row, "language"),
                }
            },
        ),
        result("threads", "Threads of the engine.", |_, row| {
            setting_cell(row, "threads")
        }),
        result(
            "beam_size",
            "Hypotheses kept while decoding; 1 is greedy.",
            |_, row| setting_cell(row, "beam-size"),
        ),
        result(
            "audio_seconds",
            "Length of the recording, or of all of a data set.",
            |_, row| Cell::number(row.audio_seconds),
        ),
    ]
}

fn speed_columns<'a>() -> Vec<Column<ResultRow<'a>>> {
    let spread = |pick: fn(&super::statistics::Spread) -> Option<f64>| {
        move |_: &RunRecord, row: &ResultRow<'a>| {
            Cell::number(row.transcribe.as_ref().and_then(pick))
        }
    };
    vec![
        result("launches", "Processes that were measured.", |_, row| {
            Cell::count(Some(row.attempts().len()))
        }),
        result("n", "Measured trials, warm-ups not counted.", |_, row| {
            Cell::count(Some(
                row.transcribe.as_ref().map_or(0, |spread| spread.count),
            ))
        }),
        result(
            "transcribe_seconds_median",
            "Samples handed over to full text, on the engine's clock: the median over trials. For a \
             data set, the sum over its utterances. Empty without a trial.",
            spread(|s| Some(s.median)),
        ),
        result(
            "transcribe_seconds_min",
            "The least of them.",
            spread(|s| Some(s.minimum)),
        ),
        result(
            "transcribe_seconds_max",
            "The largest of them.",
            spread(|s| Some(s.maximum)),
        ),
        result(
            "transcribe_seconds_ci_low",
            "Lower end of an order-statistic interval of the median; empty below n = 6.",
            spread(|s| s.interval.map(|interval| interval.0)),
        ),
        result(
            "transcribe_seconds_ci_high",
            "Upper end of that interval.",
            spread(|s| s.interval.map(|interval| interval.1)),
        ),
        result(
            "ci_coverage",
            "The coverage that the interval reaches, from 0 to 1.",
            spread(|s| s.interval.map(|interval| interval.2)),
        ),
        result(
            "rtfx",
            "Seconds of audio over seconds of transcription, sum over sum; higher is faster.",
            |_, row| Cell::number(row.rtfx),
        ),
        result(
            "start_seconds",
            "Spawn to the engine's hello; median over launches.",
            |_, row| Cell::number(row.per_launch(|attempt| attempt.start_seconds)),
        ),
        result(
            "load_seconds",
            "Load to ready, on the engine's clock, page cache warm; median over launches.",
            |_, row| Cell::number(row.per_launch(|attempt| attempt.load_seconds)),
        ),
        result(
            "first_segment_seconds",
            "Samples handed over to first segment; median over trials. Empty if the engine does not tell.",
            |_, row| Cell::number(row.per_trial(|sample| sample.first_segment_seconds)),
        ),
        result(
            "cpu_seconds",
            "CPU time of the engine in one trial of one utterance; median over trials.",
            |_, row| Cell::number(row.per_trial(|sample| sample.cpu_seconds)),
        ),
        result(
            "process_cpu_seconds",
            "CPU time of the whole process tree: load, warm-up and all; median over launches.",
            |_, row| {
                Cell::number(row.per_launch(|attempt| Some(attempt.usage.as_ref()?.cpu_seconds)))
            },
        ),
        result(
            "peak_rss_bytes",
            "Peak resident bytes of the process tree, mapped files included; the largest launch.",
            |_, row| {
                let peaks = row
                    .attempts()
                    .iter()
                    .filter_map(|a| a.usage.as_ref()?.peak_rss_bytes);
                Cell::count(peaks.max())
            },
        ),
        result(
            "peak_anonymous_bytes",
            "Peak of the anonymous part, sampled every 100 ms; the largest launch.",
            |_, row| {
                let peaks = row
                    .attempts()
                    .iter()
                    .filter_map(|a| a.usage.as_ref()?.peak_anonymous_bytes);
                Cell::count(peaks.max())
            },
        ),
    ]
}

fn accuracy_columns<'a>() -> Vec<Column<ResultRow<'a>>> {
    vec![
        result(
            "wer",
            "Word error rate: edits over reference words, sum over sum, from the first measured \
             trial. Empty without a reference or a trial. May exceed 1.",
            |_, row| Cell::number(row.score.map(|score| score.rates.wer)),
        ),
        result(
            "cer",
            "The same in code points, spaces counted.",
            |_, row| Cell::number(row.score.map(|score| score.rates.cer)),
        ),
        result("substitutions", "Words replaced.", |_, row| {
            Cell::count(row.score.map(|score| score.words.substitutions))
        }),
        result(
            "deletions",
            "Words of the reference that are missing.",
            |_, row| Cell::count(row.score.map(|score| score.words.deletions)),
        ),
        result("insertions", "Words that were not said.", |_, row| {
            Cell::count(row.score.map(|score| score.words.insertions))
        }),
        result("reference_words", "Words in the reference.", |_, row| {
            Cell::count(row.score.map(|score| score.reference_words))
        }),
        result(
            "n_empty_reference",
            "Utterances whose reference is empty.",
            |_, row| Cell::count(row.score.map(|score| score.empty_references)),
        ),
        result(
            "normalizer",
            "The normalizer behind the scores.",
            |_, row| Cell::optional(row.score.map(|_| row.normalizer.id())),
        ),
        result(
            "hypothesis",
            "What was heard, raw, in the first measured trial; one line for each utterance.",
            |_, row| Cell::optional(row.hypothesis.clone()),
        ),
        result(
            "deterministic",
            "Whether all trials gave the same text.",
            |_, row| row.deterministic.map_or(Cell::Empty, Cell::Boolean),
        ),
    ]
}

fn circumstance_columns<'a>() -> Vec<Column<ResultRow<'a>>> {
    vec![
        result(
            "isolation",
            "Whether the process served this job only (job) or others too (model).",
            |record, _| {
                Cell::text(match record.plan.isolation {
                    crate::model::Isolation::Job => "job",
                    crate::model::Isolation::Model => "model",
                })
            },
        ),
        result(
            "network_wall",
            "What kept the engine from a network.",
            |_, row| {
                let wall = row
                    .attempts()
                    .iter()
                    .find_map(|a| Some(a.usage.as_ref()?.network_wall.clone()));
                Cell::optional(wall)
            },
        ),
        result(
            "synthetic",
            "True for the fake engine: no measurement.",
            |record, row| {
                let engine = record.plan.engines.get(&row.spec.backend);
                Cell::Boolean(engine.is_some_and(|engine| engine.synthetic))
            },
        ),
        result(
            "build_profile",
            "The profile this program was built with.",
            |record, _| Cell::text(&record.build_profile),
        ),
        result(
            "machine_id",
            "The machine; a digest of what does not change.",
            |record, _| Cell::text(&record.machine.id),
        ),
        result(
            "error",
            "Why the job did not complete; empty if it did.",
            |_, row| {
                let reason = row
                    .outcome()
                    .map(Outcome::reason)
                    .filter(|reason| !reason.is_empty());
                Cell::optional(reason)
            },
        ),
    ]
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
        job("job_id", "The job.", |_, job: &Job| Cell::text(&job.id.0)),
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
            let size = record.plan.models.get(&spec.model)?.size;
            matches!(spec.method, Load | Transcribe).then(|| {
                deadlines
                    .verify_of(&spec.backend, &spec.model, size)
                    .as_secs_f64()
            })
        }
        JobSpec::Benchmark(spec) => {
            let audio = record.plan.audio.get(&spec.audio)?;
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
pub fn combination_columns(axes: &[String], combinations: &[Combination]) -> Vec<Column<usize>> {
    let mut columns = vec![combination(
        "combination",
        "Its position in the plan, from 0.",
        |_, row: &usize| Cell::count(Some(*row)),
    )];
    let mut names = axes.to_vec();
    for combination in combinations {
        for name in combination.keys() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    columns.extend(names.into_iter().map(|name| {
        let axis = name.clone();
        combination(
            &name,
            "The value of this axis, setting or label, as it was written.",
            move |r, row| {
                let value = r.plan.combinations[*row].get(&axis);
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
