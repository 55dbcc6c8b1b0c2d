//! The columns of `summary.csv`.

use super::cell::Cell;
use super::columns::{Column, column};
use super::machine_names::MachineNames;
use super::result_columns::further_normalizers;
use super::rows::ResultRow;
use super::summary::SummaryRow;
use crate::record::RunRecord;
use crate::score::{Normalizer, SetScore};
use std::collections::BTreeSet;

fn summary<'a>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &SummaryRow<'a>) -> Cell + 'static,
) -> Column<SummaryRow<'a>> {
    column(name, definition, fill)
}

/// Returns the columns of `summary.csv`: one row for each configuration (everything but the
/// audio), data set and language.
#[must_use]
pub fn summary_columns<'a>(
    rows: &[ResultRow<'_>],
    summaries: &[SummaryRow<'_>],
) -> Vec<Column<SummaryRow<'a>>> {
    let mut columns = identity_columns();
    columns.extend(speed_columns());
    columns.extend(accuracy_columns());
    columns.push(summary(
        "synthetic",
        "True for the fake engine: no measurement.",
        |record, row| {
            let engine = record.plan.engines.get(&row.configuration.backend);
            Cell::Boolean(engine.is_some_and(|engine| engine.synthetic))
        },
    ));
    let names: BTreeSet<String> = summaries
        .iter()
        .flat_map(|row| row.configuration.settings.keys().cloned())
        .collect();
    columns.extend(names.into_iter().map(|name| {
        let setting = name.clone();
        summary(
            &format!("setting.{name}"),
            "A setting in effect; empty where the engine has none of that name.",
            move |_, row| Cell::optional(row.setting(&setting)),
        )
    }));
    columns.extend(further_normalizers(rows).into_iter().map(|normalizer| {
        summary(
            &format!("wer.{}", normalizer.id()),
            "Word error rate by a further normalizer of `score.normalizers`.",
            move |_, row| Cell::number(row.score_with(normalizer).map(|score| score.rates.wer)),
        )
    }));
    let names = rows
        .first()
        .map(|row| MachineNames::of_sessions(row.sessions))
        .unwrap_or_default();
    columns.push(summary(
        "machine",
        "What the machine is called: its host name, with the beginning of its id where several of the \
         record have the same one. Empty as machine_id is.",
        move |_, row| {
            Cell::optional(Some(names.name(row.machine)).filter(|name| !name.is_empty()))
        },
    ));
    columns
}

fn identity_columns<'a>() -> Vec<Column<SummaryRow<'a>>> {
    vec![
        summary("run_id", "The run; of several, the first.", |record, _| {
            Cell::text(&record.run_id)
        }),
        summary("backend", "The engine.", |_, row| {
            Cell::text(&row.configuration.backend)
        }),
        summary("model", "The model.", |_, row| {
            Cell::text(&row.configuration.model)
        }),
        summary(
            "artifact",
            "The files that were read; empty if none.",
            |_, row| {
                let artifact = Some(&row.configuration.artifact).filter(|text| !text.is_empty());
                Cell::optional(artifact)
            },
        ),
        summary(
            "quantization",
            "The quantization; empty if the engine has none.",
            |_, row| {
                let quantization = &row.configuration.quantization;
                Cell::optional(Some(quantization).filter(|text| !text.is_empty()))
            },
        ),
        summary(
            "data_set",
            "The data set; (clips) for the clips that the matrix names one by one.",
            |_, row| Cell::text(row.data_set),
        ),
        summary(
            "language",
            "The language of the references; empty if it is not known.",
            |_, row| Cell::optional(row.language),
        ),
        summary(
            "machine_id",
            "The machine; a row holds what one machine measured. Empty where the record is of several \
             and none of them did.",
            |_, row| Cell::optional(row.machine),
        ),
        summary("n", "Recordings that were measured.", |_, row| {
            Cell::count(Some(row.measured))
        }),
        summary(
            "n_planned",
            "Recordings that were to be measured; where it exceeds n, the row is no whole answer.",
            |_, row| Cell::count(Some(row.planned)),
        ),
        summary(
            "n_trials",
            "Measured trials of them, warm-ups not counted.",
            |_, row| Cell::count(Some(row.trials)),
        ),
        summary(
            "audio_seconds",
            "Length of the recordings that were measured.",
            |_, row| Cell::number(Some(row.audio_seconds).filter(|_| row.measured > 0)),
        ),
    ]
}

fn speed_columns<'a>() -> Vec<Column<SummaryRow<'a>>> {
    vec![
        summary(
            "rtfx",
            "Seconds of audio over seconds of transcription, sum over sum; higher is faster.",
            |_, row| Cell::number(row.rtfx),
        ),
        summary(
            "rtfx_ci_low",
            "Lower end of an order-statistic interval of the median RTFx of a pass over all its \
             recordings, then widened to hold rtfx if need be; empty for too few trials, or if some recordings have more than others.",
            |_, row| Cell::number(row.rtfx_interval.map(|interval| interval.0)),
        ),
        summary("rtfx_ci_high", "Upper end of that interval.", |_, row| {
            Cell::number(row.rtfx_interval.map(|interval| interval.1))
        }),
        summary(
            "ci_coverage",
            "The coverage that the interval reaches, from 0 to 1; more where it was widened.",
            |_, row| Cell::number(row.rtfx_interval.map(|interval| interval.2)),
        ),
        summary(
            "rtfx_median_utterance",
            "Median over recordings of their own RTFx: long recordings do not rule it.",
            |_, row| Cell::number(row.median_utterance_rtfx()),
        ),
        summary(
            "core_hours_per_audio_hour",
            "CPU time of the trials over seconds of audio; empty if the engine does not tell.",
            |_, row| Cell::number(row.core_hours_per_audio_hour()),
        ),
        summary(
            "load_seconds",
            "Load to ready, on the engine's clock; median over launches.",
            |_, row| Cell::number(row.load_seconds()),
        ),
        summary(
            "peak_rss_bytes",
            "Peak resident bytes of the process tree, mapped files included; the largest launch.",
            |_, row| Cell::count(row.peak_rss_bytes()),
        ),
    ]
}

fn accuracy_columns<'a>() -> Vec<Column<SummaryRow<'a>>> {
    let rate = |pick: fn(&SetScore) -> f64| {
        move |_: &RunRecord, row: &SummaryRow<'a>| Cell::number(row.score.as_ref().map(pick))
    };
    let count = |pick: fn(&SetScore) -> u64| {
        move |_: &RunRecord, row: &SummaryRow<'a>| Cell::count(row.score.as_ref().map(pick))
    };
    vec![
        summary(
            "wer",
            "Word error rate: edits over reference words, sum over sum (micro). Characters instead \
             of words in languages without spaces.",
            rate(|score| score.rates.wer),
        ),
        summary(
            "cer",
            "The same in code points, spaces counted.",
            rate(|score| score.rates.cer),
        ),
        summary(
            "substitutions",
            "Words replaced.",
            count(|score| score.words.substitutions),
        ),
        summary(
            "deletions",
            "Words of the references that are missing.",
            count(|score| score.words.deletions),
        ),
        summary(
            "insertions",
            "Words that were not said.",
            count(|score| score.words.insertions),
        ),
        summary(
            "reference_words",
            "Words in the references.",
            count(|score| score.reference_words),
        ),
        summary(
            "n_empty_reference",
            "Recordings whose reference is empty.",
            count(|score| score.empty_references),
        ),
        summary(
            "insertions_on_silence",
            "Words heard in recordings whose reference is empty.",
            count(|score| score.insertions_on_silence),
        ),
        summary(
            "repeat_loops",
            "Phrases of 1 to 30 words that a hypothesis has four times in a row or more, with a word \
             in them that is wrong.",
            count(|score| score.repeat_loops),
        ),
        summary(
            "sentence_error_rate",
            "Share of recordings with at least one wrong word.",
            rate(|score| score.sentence_error_rate),
        ),
        summary(
            "mean_utterance_wer",
            "Mean of the recordings' own word error rates: another number than wer.",
            rate(|score| score.mean_utterance_wer),
        ),
        summary(
            "normalizer",
            "The normalizer behind the scores.",
            |_, row| {
                let scored = row.score.and(row.normalizer());
                Cell::optional(scored.map(Normalizer::id))
            },
        ),
    ]
}
