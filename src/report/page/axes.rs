//! The axes that rows are grouped and filtered by: the parts of a configuration, the audio, and every
//! label of the matrix.

use crate::model::Job;
use crate::record::RunRecord;
use crate::report::configuration::{Configuration, Labels};
use crate::report::machine_names::MachineNames;
use crate::report::rows::ResultRow;
use crate::report::summary::{SINGLE_CLIPS, SummaryRow};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// An axis with the values that rows have on it.
#[derive(Serialize, JsonSchema)]
pub(super) struct AxisView {
    /// Its name: `backend`, `audio`, a setting, `tag.NAME`, …
    pub(super) name: String,
    /// How many values there are among the rows.
    pub(super) values: usize,
}

/// The values of a row: an axis may have no value for it.
type Values = Vec<(String, String)>;

/// The axes of some rows with the value of each row on each of them.
pub(super) struct Axes {
    pub(super) axes: Vec<AxisView>,
    /// For each row, its values in the order of the axes; empty where it has none.
    pub(super) rows: Vec<Vec<String>>,
}

impl Axes {
    /// Keeps the axes on which rows differ, and those that the matrix names.
    fn of(record: &RunRecord, rows: &[Values]) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in rows {
            for (name, value) in row {
                if !values.contains_key(name.as_str()) {
                    names.push(name.clone());
                }
                values.entry(name).or_default().insert(value);
                *counts.entry(name).or_default() += 1;
            }
        }
        let distinct = |name: &str| {
            let known = values.get(name).map_or(0, BTreeSet::len);
            // Not to have a value is one too.
            known + usize::from(counts.get(name).is_none_or(|count| *count < rows.len()))
        };
        let axes: Vec<AxisView> = names
            .into_iter()
            .map(|name| AxisView {
                values: distinct(&name),
                name,
            })
            .filter(|axis| axis.values > 1 || record.plan.axes.contains(&axis.name))
            .collect();
        let rows = (rows.iter())
            .map(|row| {
                let value = |axis: &AxisView| {
                    let found = row.iter().find(|(name, _)| *name == axis.name);
                    found.map_or_else(String::new, |(_, value)| value.clone())
                };
                axes.iter().map(value).collect()
            })
            .collect();
        Self { axes, rows }
    }

    /// Returns the axes of benchmarks.
    pub(super) fn of_benchmarks(
        record: &RunRecord,
        rows: &[&ResultRow<'_>],
        labels: &Labels,
    ) -> Self {
        let names = MachineNames::of(record);
        let values = rows.iter().map(|row| {
            let mut values = parts(&Configuration::of(row), labels);
            values.push(("audio".into(), row.spec.audio.to_string()));
            values.push(("language".into(), language(row)));
            values.extend(machine(&names, row.machine));
            values.push(("status".into(), row.status().to_owned()));
            add_labels(&mut values, record, &[row.job]);
            values
        });
        Self::of(record, &values.collect::<Vec<_>>())
    }

    /// Returns the axes of configurations on their data sets.
    pub(super) fn of_summaries(
        record: &RunRecord,
        rows: &[&SummaryRow<'_>],
        labels: &Labels,
    ) -> Self {
        let names = MachineNames::of(record);
        let values = rows.iter().map(|row| {
            let mut values = parts(&row.configuration, labels);
            let set = match row.data_set {
                SINGLE_CLIPS => "single clips",
                name => name,
            };
            values.push(("data-set".into(), set.to_owned()));
            values.push((
                "language".into(),
                row.language.unwrap_or("not known").to_owned(),
            ));
            values.extend(machine(&names, row.machine));
            let jobs: Vec<&Job> = row.rows.iter().map(|row| row.job).collect();
            // The clips of a configuration are behind one row.
            add_labels(&mut values, record, &jobs);
            values.retain(|(name, _)| name != "audio");
            values
        });
        Self::of(record, &values.collect::<Vec<_>>())
    }
}

fn parts(configuration: &Configuration, labels: &Labels) -> Values {
    let parts = labels.parts(configuration).iter();
    parts
        .filter(|(_, value)| !value.is_empty())
        .cloned()
        .collect()
}

/// Returns the languages of a row's recordings.
pub(super) fn language(row: &ResultRow<'_>) -> String {
    let languages: BTreeSet<&str> = (row.utterances.iter())
        .map(|result| result.utterance.language.as_deref().unwrap_or("not known"))
        .collect();
    languages.into_iter().collect::<Vec<_>>().join(", ")
}

/// Returns the machine, where there are several.
fn machine(names: &MachineNames, id: Option<&str>) -> Option<(String, String)> {
    let name = names.told(id)?;
    Some(("machine".into(), name.to_owned()))
}

/// Adds the axes of the matrix that are not there: labels, and how models are verified. Combinations
/// that share a benchmark may differ in them; the row then has all of their values.
fn add_labels(values: &mut Values, record: &RunRecord, jobs: &[&Job]) {
    for column in record.plan.combinations.columns() {
        if values.iter().any(|(name, _)| *name == column.name) {
            continue;
        }
        let mut found: Vec<&str> = Vec::new();
        for position in jobs.iter().flat_map(|job| &job.combinations) {
            if let Some(value) = record.plan.combinations.value(*position, &column.name)
                && !found.contains(&value.written.as_str())
            {
                found.push(&value.written);
            }
        }
        if !found.is_empty() {
            values.push((column.name.clone(), found.join(", ")));
        }
    }
}
