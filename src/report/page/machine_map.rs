//! The heat map of machines: an error rate and a speed for each configuration on each machine.
//!
//! A column is one machine, and is tinted by itself: a tint says how a configuration does among those of
//! the same machine, and nothing of another machine. What a machine did not measure says so.

use super::heat_map::Scale;
use super::is_synthetic;
use super::templates::{show_percent, show_times};
use crate::record::RunRecord;
use crate::report::configuration::{Configuration, Labels};
use crate::report::machine_names::MachineNames;
use crate::report::summary::{SINGLE_CLIPS, SummaryRow};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The most configurations that a map shows, and the most machines.
const MOST: (usize, usize) = (200, 40);
/// The most maps of a page.
const MOST_MAPS: usize = 6;

/// All configurations on one data set, in one language, on every machine.
#[derive(Serialize, JsonSchema)]
pub(super) struct MachineMapView {
    /// Names the data set and the language.
    title: String,
    /// The machines, one a column.
    columns: Vec<String>,
    /// One map for the error rate, one for the speed.
    metrics: Vec<MachineMetricView>,
    /// Whether a cell does not hold all recordings.
    has_partial: bool,
    /// Configurations and machines that are not shown because there are too many.
    hidden: usize,
}

/// A map of one metric.
#[derive(Serialize, JsonSchema)]
struct MachineMetricView {
    /// `WER` or `RTFx`.
    name: &'static str,
    rows: Vec<MachineRowView>,
}

/// A configuration.
#[derive(Serialize, JsonSchema)]
struct MachineRowView {
    name: String,
    /// Whether it is no measurement.
    synthetic: bool,
    /// A cell for each machine; null where it was not measured there.
    cells: Vec<Option<MachineCellView>>,
}

/// What one machine measured of a configuration.
#[derive(Serialize, JsonSchema)]
struct MachineCellView {
    /// The value as it is shown.
    text: String,
    /// From 0, the worst of its column, to 6, the best.
    tint: u8,
    /// It does not hold all recordings.
    partial: bool,
}

/// One of the numbers of a cell.
type Number = fn(&SummaryRow<'_>) -> Option<f64>;

/// Returns the maps; none where there is one machine.
pub(super) fn machine_maps(
    record: &RunRecord,
    summaries: &[SummaryRow<'_>],
    labels: &Labels,
    names: &MachineNames,
) -> Vec<MachineMapView> {
    if !names.are_several() {
        return Vec::new();
    }
    let mut keys: Vec<(&str, Option<&str>)> = Vec::new();
    for summary in summaries.iter().filter(|summary| summary.measured > 0) {
        let key = (summary.data_set, summary.language);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.into_iter()
        .take(MOST_MAPS)
        .map(|(data_set, language)| {
            let of_key: Vec<&SummaryRow<'_>> = summaries
                .iter()
                .filter(|summary| (summary.data_set, summary.language) == (data_set, language))
                .filter(|summary| summary.rows.iter().any(|row| row.job.skip.is_none()))
                .collect();
            let set = if data_set == SINGLE_CLIPS {
                "Single clips"
            } else {
                data_set
            };
            let language = language.unwrap_or("language not known");
            map(
                format!("{set} · {language}"),
                record,
                &of_key,
                labels,
                names,
            )
        })
        .collect()
}

fn map(
    title: String,
    record: &RunRecord,
    summaries: &[&SummaryRow<'_>],
    labels: &Labels,
    names: &MachineNames,
) -> MachineMapView {
    let all_machines: Vec<&str> = (record.machines().into_iter())
        .map(|facts| facts.id.as_str())
        .collect();
    let machines = &all_machines[..all_machines.len().min(MOST.1)];
    let mut configurations: Vec<&Configuration> = Vec::new();
    let mut cells: BTreeMap<(&Configuration, &str), &SummaryRow<'_>> = BTreeMap::new();
    for summary in summaries {
        if !configurations.contains(&&summary.configuration) {
            configurations.push(&summary.configuration);
        }
        if let Some(machine) = summary.machine.filter(|_| summary.measured > 0) {
            cells.insert((&summary.configuration, machine), summary);
        }
    }
    // What is no measurement is held against what is only where there is nothing else.
    let stands_in = |summary: &SummaryRow<'_>| is_synthetic(record, &summary.configuration.backend);
    let is_measured = summaries.iter().any(|summary| !stands_in(summary));
    let is_comparable =
        |summary: &SummaryRow<'_>| summary.is_whole() && !(is_measured && stands_in(summary));
    let hidden = configurations.len().saturating_sub(MOST.0) + all_machines.len() - machines.len();
    configurations.truncate(MOST.0);
    let metric = |name, number: Number, show: fn(f64) -> String, less_is_better: bool| {
        let scales: Vec<Scale> = machines
            .iter()
            .map(|machine| {
                let column = configurations
                    .iter()
                    .filter_map(|configuration| cells.get(&(*configuration, *machine)));
                let whole = column.filter(|summary| is_comparable(summary));
                let numbers: Vec<f64> = whole.filter_map(|summary| number(summary)).collect();
                Scale::of(&numbers, less_is_better)
            })
            .collect();
        let cell = |configuration: &Configuration, machine: &str, scale: &Scale| {
            let summary = cells.get(&(configuration, machine))?;
            let value = number(summary)?;
            let partial = !summary.is_whole();
            Some(MachineCellView {
                text: show(value),
                tint: if is_comparable(summary) {
                    scale.tint(value)
                } else {
                    0
                },
                partial,
            })
        };
        MachineMetricView {
            name,
            rows: configurations
                .iter()
                .map(|configuration| MachineRowView {
                    name: labels.label(configuration),
                    synthetic: is_synthetic(record, &configuration.backend),
                    cells: machines
                        .iter()
                        .zip(&scales)
                        .map(|(machine, scale)| cell(configuration, machine, scale))
                        .collect(),
                })
                .collect(),
        }
    };
    let wer: Number = |summary| summary.score.map(|score| score.rates.wer);
    let metrics = vec![
        metric("WER", wer, show_percent, true),
        metric("RTFx", |summary| summary.rtfx, show_times, false),
    ];
    MachineMapView {
        title,
        columns: machines
            .iter()
            .map(|machine| names.name(Some(machine)).to_owned())
            .collect(),
        has_partial: cells.values().any(|summary| !summary.is_whole()),
        hidden,
        metrics: metrics
            .into_iter()
            .filter(|metric| {
                let mut cells = metric.rows.iter().flat_map(|row| &row.cells);
                cells.any(Option::is_some)
            })
            .collect(),
    }
}
