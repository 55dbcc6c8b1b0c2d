//! Configurations side by side on the same recordings: what an answer may compare.

use super::chart::{ChartView, Point, charts};
use super::is_synthetic;
use crate::record::RunRecord;
use crate::report::configuration::Labels;
use crate::report::fairness::contrasts;
use crate::report::notes::notes_together;
use crate::report::summary::{SINGLE_CLIPS, SummaryRow};
use serde::Serialize;
use std::collections::BTreeSet;

/// All configurations on one data set, in one language.
#[derive(Serialize)]
pub(super) struct GroupView {
    /// Names the data set and the language.
    pub(super) title: String,
    /// The normalizer behind the scores.
    pub(super) normalizer: String,
    /// Its configurations, in the order of the plan.
    pub(super) rows: Vec<GroupRow>,
    /// What differs between its engines and should not: name, and values with the engines that have
    /// them.
    pub(super) contrasts: Vec<(&'static str, Vec<(String, String)>)>,
    /// Accuracy against speed, for wide and for narrow screens; empty without two numbers.
    pub(super) charts: Vec<ChartView>,
}

/// A configuration in its group.
#[derive(Clone, Serialize)]
pub(super) struct GroupRow {
    /// What tells it from the others.
    pub(super) label: String,
    /// The engine, by its place among the engines of the run: chooses a colour.
    pub(super) colour: usize,
    /// Whether it is no measurement.
    pub(super) synthetic: bool,
    /// Recordings that were measured, and all that some configuration of the group was to hear.
    pub(super) measured: usize,
    pub(super) planned: usize,
    pub(super) wer: Option<f64>,
    pub(super) cer: Option<f64>,
    pub(super) substitutions: Option<u64>,
    pub(super) deletions: Option<u64>,
    pub(super) insertions: Option<u64>,
    pub(super) reference_words: Option<u64>,
    pub(super) rtfx: Option<f64>,
    /// Low and high end of its interval, and the coverage.
    pub(super) interval: Option<(f64, f64, f64)>,
    pub(super) median_utterance_rtfx: Option<f64>,
    pub(super) core_hours: Option<f64>,
    pub(super) load: Option<f64>,
    pub(super) peak: Option<u64>,
    /// What to know before it is believed.
    pub(super) notes: Vec<String>,
}

/// Returns the groups in the order of the plan.
pub(super) fn groups(
    record: &RunRecord,
    summaries: &[SummaryRow<'_>],
    labels: &Labels,
) -> Vec<GroupView> {
    // What several machines measured cannot be compared; what none of them did is told elsewhere.
    let machines = record.machines();
    let is_of_several = machines.len() > 1;
    let mut keys: Vec<(&str, Option<&str>, Option<&str>)> = Vec::new();
    for summary in summaries {
        let key = key_of(summary);
        if !keys.contains(&key) && (summary.machine.is_some() || !is_of_several) {
            keys.push(key);
        }
    }
    let engines: Vec<&str> = record.plan.engines.keys().map(String::as_str).collect();
    keys.into_iter()
        .filter_map(|key| {
            let of_group: Vec<&SummaryRow<'_>> = summaries
                .iter()
                .filter(|summary| key_of(summary) == key)
                // What the plan skips is told of elsewhere: there is nothing to compare.
                .filter(|summary| summary.rows.iter().any(|row| row.job.skip.is_none()))
                .collect();
            // Only what was measured on the same recordings is comparable: on all of them.
            let recordings: BTreeSet<&str> = of_group
                .iter()
                .flat_map(|summary| &summary.utterances)
                .map(|result| result.utterance.id.as_str())
                .collect();
            let rows: Vec<GroupRow> = of_group
                .iter()
                .map(|summary| group_row(record, summary, labels, &engines, recordings.len()))
                .collect();
            let host = machines
                .iter()
                .find(|machine| Some(machine.id.as_str()) == key.2)
                .map(|machine| machine.host.as_str());
            let points: Vec<Point> = rows
                .iter()
                .enumerate()
                .filter_map(|(position, row)| point(position + 1, row))
                .collect();
            (!rows.is_empty()).then(|| GroupView {
                title: title(key.0, key.1, host.filter(|_| is_of_several)),
                normalizer: of_group
                    .first()
                    .and_then(|summary| summary.normalizer())
                    .map_or_else(String::new, |normalizer| normalizer.id().to_owned()),
                contrasts: contrasts_of(&of_group),
                charts: charts(&points),
                rows,
            })
        })
        .collect()
}

fn contrasts_of(summaries: &[&SummaryRow<'_>]) -> Vec<(&'static str, Vec<(String, String)>)> {
    let rows = summaries
        .iter()
        .flat_map(|summary| summary.rows.iter().copied());
    contrasts(rows)
        .into_iter()
        .map(|contrast| {
            let values = contrast.values.into_iter().map(|(value, engines)| {
                let engines: Vec<String> = engines.into_iter().collect();
                (value, engines.join(", "))
            });
            (contrast.name, values.collect())
        })
        .collect()
}

/// Returns what configurations must have in common to be compared: data set, language, machine.
fn key_of<'a>(summary: &SummaryRow<'a>) -> (&'a str, Option<&'a str>, Option<&'a str>) {
    (summary.data_set, summary.language, summary.machine)
}

fn title(data_set: &str, language: Option<&str>, host: Option<&str>) -> String {
    let set = match data_set {
        SINGLE_CLIPS => "Single clips",
        name => name,
    };
    let language = language.unwrap_or("language not known");
    match host {
        Some(host) => format!("{set} · {language} · {host}"),
        None => format!("{set} · {language}"),
    }
}

fn group_row(
    record: &RunRecord,
    summary: &SummaryRow<'_>,
    labels: &Labels,
    engines: &[&str],
    planned: usize,
) -> GroupRow {
    let backend = summary.configuration.backend.as_str();
    let score = summary.score.as_ref();
    GroupRow {
        label: labels.label(&summary.configuration),
        colour: engines.iter().position(|id| *id == backend).unwrap_or(0),
        synthetic: is_synthetic(record, backend),
        measured: summary.measured,
        planned,
        wer: score.map(|score| score.rates.wer),
        cer: score.map(|score| score.rates.cer),
        substitutions: score.map(|score| score.words.substitutions),
        deletions: score.map(|score| score.words.deletions),
        insertions: score.map(|score| score.words.insertions),
        reference_words: score.map(|score| score.reference_words),
        rtfx: summary.rtfx,
        interval: summary.rtfx_interval,
        median_utterance_rtfx: summary.median_utterance_rtfx(),
        core_hours: summary.core_hours_per_audio_hour(),
        load: summary.load_seconds(),
        peak: summary.peak_rss_bytes(),
        notes: notes_together(&summary.rows),
    }
}

fn point(number: usize, row: &GroupRow) -> Option<Point> {
    Some(Point {
        number,
        label: row.label.clone(),
        colour: row.colour,
        speed: row.rtfx?,
        error_rate: row.wer?,
        interval: row.interval.map(|interval| (interval.0, interval.1)),
        whole: row.measured == row.planned,
    })
}

impl GroupRow {
    /// Returns its speed and error rate if it may be compared with others: really measured, on
    /// every recording of the group.
    pub(super) fn comparable(&self) -> Option<(f64, f64)> {
        let whole = self.measured == self.planned && !self.synthetic;
        Some((self.rtfx.filter(|_| whole)?, self.wer?))
    }
}
