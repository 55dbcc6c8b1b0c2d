//! Configurations side by side on the same recordings: what an answer may compare.

use super::axes::{Axes, AxisView};
use super::chart::{ChartView, Point, charts, front};
use super::stages::{MemoryView, StagesView, draw};
use super::strip::{StripScale, StripView};
use super::{IntervalView, is_synthetic};
use crate::record::RunRecord;
use crate::report::configuration::Labels;
use crate::report::fairness::contrasts;
use crate::report::machine_names::MachineNames;
use crate::report::notes::notes_together;
use crate::report::rows::passes;
use crate::report::statistics::Spread;
use crate::report::summary::{SINGLE_CLIPS, SummaryRow};
use crate::score::EditCounts;
use crate::score::bootstrap::{Resampling, word_error_rate};
use crate::score::statistics::WANTED_COVERAGE;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// All configurations on one data set, in one language, on one machine.
#[derive(Serialize, JsonSchema)]
pub(super) struct GroupView {
    /// Names the data set and the language, and the machine where there are several.
    pub(super) title: String,
    /// The machine where there are several: its numbers are held against those of no other one.
    pub(super) machine: String,
    /// The normalizer behind the scores.
    pub(super) normalizer: String,
    /// Its configurations, in the order of the plan.
    pub(super) rows: Vec<GroupRow>,
    /// What differs between its engines and should not.
    pub(super) contrasts: Vec<ContrastView>,
    /// Accuracy against speed, for wide and for narrow screens; empty without two numbers.
    pub(super) charts: Vec<ChartView>,
    /// The fastest configuration for each bound on the error rate, from the strictest bound on.
    pub(super) steps: Vec<StepView>,
}

/// What differs between engines and should not.
#[derive(Serialize, JsonSchema)]
pub(super) struct ContrastView {
    /// The setting, or `weights`.
    name: &'static str,
    /// Its values.
    values: Vec<ContrastValueView>,
}

/// A value that some engines have and others do not.
#[derive(Serialize, JsonSchema)]
pub(super) struct ContrastValueView {
    value: String,
    /// The engines that have it, separated by commas.
    engines: String,
}

/// A configuration that nothing beats in both speed and accuracy.
#[derive(Serialize, JsonSchema)]
pub(super) struct StepView {
    /// Its number in the group, from 1.
    number: usize,
    label: String,
    synthetic: bool,
    /// Its error rate: the least bound for which it is the fastest.
    wer: f64,
    rtfx: f64,
    interval: Option<IntervalView>,
}

/// A configuration in its group.
#[derive(Clone, Default, Serialize, JsonSchema)]
pub(super) struct GroupRow {
    /// Its number among all configurations of the page, from 1.
    pub(super) number: usize,
    /// What tells it from the others.
    pub(super) label: String,
    /// Its values, in the order of the axes of configurations.
    pub(super) axes: Vec<String>,
    /// The engine, by its place among the engines of the run: chooses a colour.
    pub(super) colour: usize,
    /// Whether it is no measurement.
    pub(super) synthetic: bool,
    /// Recordings that were measured, and all that some configuration of the group was to hear.
    pub(super) measured: usize,
    pub(super) planned: usize,
    pub(super) wer: Option<f64>,
    /// The interval of the error rate; null where it is not computed.
    pub(super) wer_interval: Option<IntervalView>,
    pub(super) cer: Option<f64>,
    pub(super) substitutions: Option<u64>,
    pub(super) deletions: Option<u64>,
    pub(super) insertions: Option<u64>,
    pub(super) reference_words: Option<u64>,
    /// Recordings whose reference is empty: each word that is heard there is an error.
    pub(super) empty_references: Option<u64>,
    pub(super) rtfx: Option<f64>,
    /// The interval of the speed.
    pub(super) interval: Option<IntervalView>,
    pub(super) median_utterance_rtfx: Option<f64>,
    pub(super) core_hours: Option<f64>,
    /// Where its time goes.
    pub(super) stages: StagesView,
    /// What its memory holds.
    pub(super) memory: MemoryView,
    /// Every pass over its recordings as a tick; null if some recordings have more trials.
    pub(super) strip: Option<StripView>,
    /// What to know before it is believed.
    pub(super) notes: Vec<String>,
}

/// How many utterances may be drawn for the intervals of all error rates of a page: a second's work.
const MOST_DRAWS: usize = 100_000_000;
/// With fewer resamples the ends of an interval move too much to be shown.
const FEWEST_RESAMPLES: usize = 1000;

/// All groups, with what their tables have in common.
#[derive(Serialize, JsonSchema)]
pub(super) struct GroupsView {
    /// What configurations can be grouped by.
    pub(super) axes: Vec<AxisView>,
    /// The scale of the strips; null without any.
    pub(super) scale: Option<StripScale>,
    /// The groups in the order of the plan.
    pub(super) groups: Vec<GroupView>,
    /// How many configurations there are in all of them.
    pub(super) all: usize,
}

/// Returns the groups in the order of the plan.
pub(super) fn groups(
    record: &RunRecord,
    summaries: &[SummaryRow<'_>],
    labels: &Labels,
) -> GroupsView {
    // What the plan skips is told of elsewhere, as is what none of several machines did: there is
    // nothing to compare.
    let names = MachineNames::of(record);
    let is_of_several = names.are_several();
    let shown: Vec<&SummaryRow<'_>> = summaries
        .iter()
        .filter(|summary| summary.machine.is_some() || !is_of_several)
        .filter(|summary| summary.rows.iter().any(|row| row.job.skip.is_none()))
        .collect();
    let axes = Axes::of_summaries(record, &shown, labels);
    let spreads: Vec<Option<(Vec<f64>, Spread)>> =
        shown.iter().map(|summary| whole_passes(summary)).collect();
    let spreads_known = || spreads.iter().flatten().map(|(_, spread)| spread);
    let scale = spreads_known()
        .any(|spread| spread.count > 1)
        .then(|| StripScale::of(spreads_known()));
    let mut keys: Vec<Key<'_>> = Vec::new();
    for summary in &shown {
        let key = key_of(summary);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let engines: Vec<&str> = record.plan.engines.keys().map(String::as_str).collect();
    let resampling = resampling(&shown);
    let mut number = 0;
    let mut groups: Vec<GroupView> = keys
        .into_iter()
        .map(|key| {
            let positions: Vec<usize> = (0..shown.len())
                .filter(|position| key_of(shown[*position]) == key)
                .collect();
            let of_group: Vec<&SummaryRow<'_>> =
                positions.iter().map(|position| shown[*position]).collect();
            // Only what was measured on the same recordings is comparable: on all of them.
            let recordings: BTreeSet<&str> = of_group
                .iter()
                .flat_map(|summary| &summary.utterances)
                .map(|result| result.utterance.id.as_str())
                .collect();
            let rows: Vec<GroupRow> = positions
                .iter()
                .map(|position| {
                    number += 1;
                    let strip = spreads[*position].as_ref().zip(scale);
                    GroupRow {
                        number,
                        axes: axes.rows[*position].clone(),
                        strip: strip
                            .and_then(|((passes, spread), scale)| scale.strip(passes, spread)),
                        planned: recordings.len(),
                        wer_interval: resampling
                            .and_then(|resampling| error_interval(shown[*position], resampling)),
                        ..group_row(record, shown[*position], labels, &engines)
                    }
                })
                .collect();
            let machine = names.told(key.2);
            let is_measured = rows.iter().any(|row| !row.synthetic);
            let points: Vec<Point> = (rows.iter())
                .filter_map(|row| point(row, is_measured))
                .collect();
            GroupView {
                title: title(key.0, key.1, machine),
                machine: machine.unwrap_or_default().to_owned(),
                normalizer: of_group
                    .first()
                    .and_then(|summary| summary.normalizer())
                    .map_or_else(String::new, |normalizer| normalizer.id().to_owned()),
                contrasts: contrasts_of(&of_group),
                charts: charts(&points),
                steps: steps(&points, &rows),
                rows,
            }
        })
        .collect();
    draw(
        (groups.iter_mut())
            .flat_map(|group| &mut group.rows)
            .map(|row| (&mut row.stages, &mut row.memory)),
    );
    GroupsView {
        axes: axes.axes,
        scale,
        groups,
        all: number,
    }
}

/// Returns how often is drawn for each interval; `None` if there are too many configurations for that.
fn resampling(summaries: &[&SummaryRow<'_>]) -> Option<Resampling> {
    let utterances: usize = summaries.iter().map(|summary| summary.measured).sum();
    let usual = Resampling::default();
    let resamples = MOST_DRAWS / utterances.max(1);
    (resamples >= FEWEST_RESAMPLES).then(|| Resampling {
        resamples: u32::try_from(resamples)
            .map_or(usual.resamples, |most| most.min(usual.resamples)),
        ..usual
    })
}

/// Returns the interval of an error rate over its utterances.
fn error_interval(summary: &SummaryRow<'_>, resampling: Resampling) -> Option<IntervalView> {
    let counts: Vec<EditCounts> = (summary.utterances.iter())
        .filter_map(|result| Some(result.scores.first()?.words))
        .collect();
    let estimate = word_error_rate(&counts, resampling)?;
    Some((estimate.low, estimate.high, WANTED_COVERAGE).into())
}

/// Returns the fastest configurations for each bound on the error rate, from the strictest on.
fn steps(points: &[Point], rows: &[GroupRow]) -> Vec<StepView> {
    front(points)
        .into_iter()
        .filter_map(|point| {
            let row = rows.iter().find(|row| row.number == point.number)?;
            Some(StepView {
                number: row.number,
                label: row.label.clone(),
                synthetic: row.synthetic,
                wer: point.error_rate,
                rtfx: point.speed,
                interval: row.interval,
            })
        })
        .collect()
}

/// Returns the seconds of each pass over all recordings of a summary; `None` if some recordings have
/// more trials than others, so that not every pass is whole.
fn whole_passes(summary: &SummaryRow<'_>) -> Option<(Vec<f64>, Spread)> {
    let mut counts = (summary.utterances.iter())
        .map(|result| result.samples.len())
        .filter(|count| *count > 0);
    let first = counts.next()?;
    if counts.any(|count| count != first) {
        return None;
    }
    let launches = passes(&summary.samples());
    let spread = Spread::of_launches(&launches)?;
    Some((launches.concat(), spread))
}

fn contrasts_of(summaries: &[&SummaryRow<'_>]) -> Vec<ContrastView> {
    let rows = summaries
        .iter()
        .flat_map(|summary| summary.rows.iter().copied());
    contrasts(rows)
        .into_iter()
        .map(|contrast| {
            let values = contrast.values.into_iter().map(|(value, engines)| {
                let engines: Vec<String> = engines.into_iter().collect();
                ContrastValueView {
                    value,
                    engines: engines.join(", "),
                }
            });
            ContrastView {
                name: contrast.name,
                values: values.collect(),
            }
        })
        .collect()
}

/// What configurations must have in common to be compared: data set, language, machine.
type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn key_of<'a>(summary: &SummaryRow<'a>) -> Key<'a> {
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
) -> GroupRow {
    let backend = summary.configuration.backend.as_str();
    let score = summary.score.as_ref();
    GroupRow {
        label: labels.label(&summary.configuration),
        colour: engines.iter().position(|id| *id == backend).unwrap_or(0),
        synthetic: is_synthetic(record, backend),
        measured: summary.measured,
        wer: score.map(|score| score.rates.wer),
        cer: score.map(|score| score.rates.cer),
        substitutions: score.map(|score| score.words.substitutions),
        deletions: score.map(|score| score.words.deletions),
        insertions: score.map(|score| score.words.insertions),
        reference_words: score.map(|score| score.reference_words),
        empty_references: score.map(|score| score.empty_references),
        rtfx: summary.rtfx,
        interval: summary.rtfx_interval.map(Into::into),
        median_utterance_rtfx: summary.median_utterance_rtfx(),
        core_hours: summary.core_hours_per_audio_hour(),
        stages: StagesView::of(summary),
        memory: MemoryView::of(summary),
        notes: notes_together(&summary.rows),
        ..GroupRow::default()
    }
}

/// Returns the point of a row, in a group of which some rows are no stand-ins if `is_measured`.
fn point(row: &GroupRow, is_measured: bool) -> Option<Point> {
    Some(Point {
        number: row.number,
        label: row.label.clone(),
        colour: row.colour,
        speed: row.rtfx?,
        error_rate: row.wer?,
        interval: row.interval.map(|interval| (interval.low, interval.high)),
        error_interval: (row.wer_interval).map(|interval| (interval.low, interval.high)),
        whole: row.measured == row.planned,
        synthetic: row.synthetic,
        stands_in: row.synthetic && is_measured,
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
