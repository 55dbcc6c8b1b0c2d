//! The columns of `results.csv`.

use super::cell::Cell;
use super::columns::{Column, column};
use super::machine_names::MachineNames;
use super::not_run::NotRun;
use super::notes::notes;
use super::rows::{ResultRow, score_by};
use crate::model::Outcome;
use crate::record::RunRecord;
use crate::score::Normalizer;
use std::collections::BTreeSet;

fn result<'a>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &ResultRow<'a>) -> Cell + 'static,
) -> Column<ResultRow<'a>> {
    column(name, definition, fill)
}

/// Returns the normalizers that some row has beside its headline.
pub(super) fn further_normalizers(rows: &[ResultRow<'_>]) -> BTreeSet<Normalizer> {
    rows.iter()
        .flat_map(|row| row.normalizers.iter().skip(1).copied())
        .collect()
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
    let names: BTreeSet<&str> = rows
        .iter()
        .flat_map(ResultRow::setting_names)
        .filter(|name| !OWN_COLUMNS.contains(name))
        .collect();
    columns.extend(names.into_iter().map(|name| {
        let setting = name.to_owned();
        result(
            &format!("setting.{name}"),
            "Another setting in effect, as the engine told it; empty where it has none of that name.",
            move |_, row| setting_cell(row, &setting),
        )
    }));
    columns.extend(further_normalizers(rows).into_iter().map(|normalizer| {
        result(
            &format!("wer.{}", normalizer.id()),
            "Word error rate by a further normalizer of `score.normalizers`.",
            move |_, row| {
                let position = row
                    .normalizers
                    .iter()
                    .position(|known| *known == normalizer);
                let score = position.and_then(|position| score_by(&row.utterances, position));
                Cell::number(score.map(|score| score.rates.wer))
            },
        )
    }));
    columns.extend(hallucination_columns());
    let names = rows
        .first()
        .map(|row| MachineNames::of_sessions(row.sessions))
        .unwrap_or_default();
    columns.push(result(
        "machine",
        "What the machine is called: its host name, with the beginning of its id where several of the \
         record have the same one. Empty as machine_id is.",
        move |_, row| {
            Cell::optional(Some(names.name(row.machine)).filter(|name| !name.is_empty()))
        },
    ));
    columns
}

/// What was made up: behind all others, so that columns of earlier versions keep their places.
fn hallucination_columns<'a>() -> Vec<Column<ResultRow<'a>>> {
    vec![
        result(
            "insertions_on_silence",
            "Words heard in utterances whose reference is empty.",
            |_, row| Cell::count(row.score.map(|score| score.insertions_on_silence)),
        ),
        result(
            "repeat_loops",
            "Phrases of 1 to 30 words that a hypothesis has four times in a row or more, with a word \
             in them that is wrong.",
            |_, row| Cell::count(row.score.map(|score| score.repeat_loops)),
        ),
        result(
            "looped_words",
            "Words of those loops beyond the first time of each phrase.",
            |_, row| Cell::count(row.score.map(|score| score.looped_words)),
        ),
    ]
}

fn setting_cell(row: &ResultRow<'_>, name: &str) -> Cell {
    Cell::optional(row.setting(name))
}

fn identity_columns<'a>() -> Vec<Column<ResultRow<'a>>> {
    vec![
        result(
            "run_id",
            "The run that measured it; where nobody did, the first one.",
            |record, row| {
                let session = row.session();
                Cell::text(session.map_or(&record.run_id, |session| &session.run_id))
            },
        ),
        result("job_id", "The job; the same on every machine.", |_, row| {
            Cell::text(row.job.id.0.as_str())
        }),
        result(
            "status",
            "How the job ended: completed, failed, timed-out, crashed, protocol-violation, \
             cancelled, skipped; not-run if the run did not get there.",
            |_, row| Cell::text(row.status()),
        ),
        result("backend", "The engine.", |_, row| {
            Cell::text(row.spec.backend.as_str())
        }),
        result(
            "backend_version",
            "The version that the engine told.",
            |record, row| {
                let told = row.attempts().find_map(|attempt| attempt.version.clone());
                let known = record.plan.engines.get(row.spec.backend.as_str());
                Cell::optional(told.or_else(|| known?.version.clone()))
            },
        ),
        result("model", "The model.", |_, row| {
            Cell::text(row.spec.model.as_str())
        }),
        result(
            "artifact",
            "The files that were read; empty if none.",
            |_, row| Cell::optional(row.spec.artifact.as_deref().map(str::to_owned)),
        ),
        result(
            "artifact_digest",
            "SHA-256 over names and digests of the artifact's files; empty if none was read.",
            |record, row| {
                let artifact = row.spec.artifact.as_deref();
                let key = artifact.map(|id| (row.spec.model.to_string(), id.to_owned()));
                let known = key.and_then(|key| {
                    let measured = row.session().and_then(|s| s.artifacts.get(&key));
                    measured.or_else(|| record.artifacts.get(&key)).cloned()
                });
                Cell::optional(known)
            },
        ),
        result(
            "quantization",
            "The quantization; empty if the engine has none.",
            |_, row| {
                let quantization = row.spec.quantization.to_string();
                Cell::optional(Some(quantization).filter(|text| !text.is_empty()))
            },
        ),
        result("audio", "The clip or data set.", |_, row| {
            Cell::text(row.spec.audio.as_str())
        }),
        result(
            "audio_sha256",
            "SHA-256 of the clip's file; empty for a data set, whose samples have their own.",
            |record, row| {
                let audio = record
                    .plan
                    .audio
                    .get(row.spec.audio.as_str())
                    .filter(|set| !set.data_set);
                let known = audio.and_then(|_| record.audio.get(row.spec.audio.as_str()));
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
        result("launches", "Launches that were measured.", |_, row| {
            Cell::count(Some(row.launches()))
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
            "Lower end of an order-statistic interval of the median, by launches where there are three or more, then widened to hold the median if need be; empty below six trials in fewer launches.",
            spread(|s| s.interval.map(|interval| interval.0)),
        ),
        result(
            "transcribe_seconds_ci_high",
            "Upper end of that interval.",
            spread(|s| s.interval.map(|interval| interval.1)),
        ),
        result(
            "ci_coverage",
            "The coverage that the interval reaches, from 0 to 1; more where it was widened.",
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
            |_, row| Cell::number(row.per_launch(|attempt| attempt.usage.as_ref()?.cpu_seconds)),
        ),
        result(
            "peak_rss_bytes",
            "Peak resident bytes of the process tree, mapped files included; the largest launch.",
            |_, row| Cell::count(row.peak_rss_bytes()),
        ),
        result(
            "peak_anonymous_bytes",
            "Peak of the anonymous part, sampled every 100 ms; the largest launch.",
            |_, row| {
                let peaks = row
                    .attempts()
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
            |_, row| Cell::optional(row.score.map(|_| row.normalizer().id())),
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
            |record, row| {
                let keeps = record.plan.keeps_engine(&row.spec.backend);
                Cell::text(if keeps { "model" } else { "job" })
            },
        ),
        result(
            "network_wall",
            "What kept the engine from a network.",
            |_, row| {
                let wall = row
                    .attempts()
                    .find_map(|a| Some(a.usage.as_ref()?.network_wall.clone()));
                Cell::optional(wall)
            },
        ),
        result(
            "synthetic",
            "True for the fake engine: no measurement.",
            |record, row| {
                let engine = record.plan.engines.get(row.spec.backend.as_str());
                Cell::Boolean(engine.is_some_and(|engine| engine.synthetic))
            },
        ),
        result(
            "build_profile",
            "The profile this program was built with.",
            |record, row| {
                let session = row.session();
                Cell::text(session.map_or(&record.build_profile, |s| &s.build_profile))
            },
        ),
        result(
            "machine_id",
            "The machine; a digest of what does not change. Empty where the record is of several \
             machines and nobody measured the row.",
            |_, row| Cell::optional(row.machine),
        ),
        result(
            "error",
            "Why the job did not complete; empty if it did.",
            |record, row| {
                let reason = match NotRun::of(record, row.job, row.record) {
                    Some(reason) => Some(reason.words().to_owned()),
                    None => row.outcome().map(Outcome::reason),
                };
                Cell::optional(reason.filter(|reason| !reason.is_empty()))
            },
        ),
        result(
            "notes",
            "What to know before the row is believed, separated by semicolons: too few trials for \
             an interval, launches that another process finished, the time budget left out or the run did not get to, a \
             benchmark that stopped or reached its most trials, cores whose speed was changed or that \
             were too hot, a battery, \
             outliers, clocks that differ, a machine that was busy or not quiet, a runner that was \
             stopped meanwhile, processes that were left behind, a command whose start and load are part \
             of every trial, settings that are not in effect as they were asked for, engines on the same \
             model and audio that decode with other settings or have weights of another precision, texts \
             that differ, loops in a text, empty references.",
            |_, row| {
                let texts: Vec<String> = notes(row).into_iter().map(|note| note.text).collect();
                Cell::optional(Some(texts.join("; ")).filter(|text| !text.is_empty()))
            },
        ),
        result(
            "transcribe_seconds_p95",
            "The 95th percentile of the trials' times, by nearest rank; empty below 20 trials.",
            |_, row| Cell::number(row.transcribe.and_then(|spread| spread.p95)),
        ),
        result(
            "transcribe_seconds_p99",
            "The 99th percentile, the same way; empty below 100 trials.",
            |_, row| Cell::number(row.transcribe.and_then(|spread| spread.p99)),
        ),
    ]
}
