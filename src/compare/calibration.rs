//! A run held against itself: what this machine would say of two runs of one thing.

use super::pairs::{name, whole_passes};
use super::resplit::{Resplit, halves, resplits};
use super::rules::{Rules, Verdict};
use super::side::Side;
use super::speed::{Speed, compare_speed};
use crate::report::ResultRow;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Comparisons behind each line of the table of launches.
const COMPARISONS: u32 = 100;

/// The numbers of launches a side that the table tells of, as far as there are enough launches.
const LAUNCHES_SHOWN: [usize; 5] = [3, 5, 6, 8, 10];

/// What comparisons of each benchmark with itself came to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Earmark calibration")]
pub struct Calibration {
    /// Version of this format: 1.
    pub version: u32,
    /// The run folder.
    pub run: String,
    /// The id of the machine.
    pub machine_id: String,
    /// What decided the verdicts beside the measurements.
    pub rules: Rules,
    /// Launches on each side of a pair.
    pub launches: usize,
    /// All pairs together, by verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// The benchmarks.
    pub rows: Vec<CalibrationRow>,
}

/// One benchmark, against itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CalibrationRow {
    /// Engine, model, recording, settings.
    pub name: String,
    /// The job.
    pub job_id: String,
    /// How it ended, if it did not complete; then there are no pairs.
    pub problem: Option<String>,
    /// A against A: launches that were dealt to two sides in turns, so that what drifts evenly
    /// falls on both alike. No launch is in two pairs.
    pub pairs: Vec<Speed>,
    /// The largest noise floor of a pair, as a share: two sides of one thing differ by less in 98
    /// of 100. A comparison here says *same* to within this or the smallest change that matters.
    pub noise_floor: Option<f64>,
    /// What comparisons with fewer and more launches would say here: the same launches, dealt at
    /// random.
    pub by_launches: Vec<Resplit>,
}

/// Holds the rows of a run against themselves, with so many launches a side.
#[must_use]
pub fn calibrate(side: &Side<'_>, per_side: usize, rules: &Rules) -> Calibration {
    let rows: Vec<CalibrationRow> = side
        .rows
        .iter()
        .filter(|row| row.job.skip.is_none())
        .map(|row| calibrate_row(row, per_side, rules))
        .collect();
    let mut verdicts = BTreeMap::new();
    for pair in rows.iter().flat_map(|row| &row.pairs) {
        *verdicts.entry(pair.verdict).or_default() += 1;
    }
    Calibration {
        version: 1,
        run: side.label.to_owned(),
        machine_id: side.record.machine.id.clone(),
        rules: *rules,
        launches: per_side,
        verdicts,
        rows,
    }
}

fn calibrate_row(row: &ResultRow<'_>, per_side: usize, rules: &Rules) -> CalibrationRow {
    let passes = whole_passes(&row.utterances).filter(|_| row.status() == "completed");
    let problem = passes.is_none().then(|| row.status().to_owned());
    let passes = passes.unwrap_or_default();
    let pairs: Vec<Speed> = passes
        .chunks_exact((2 * per_side).max(1))
        .map(|launches| {
            let halves = halves(launches);
            compare_speed(&halves.base, &halves.new, rules)
        })
        .collect();
    let floors = pairs.iter().filter_map(|pair| pair.noise_floor);
    CalibrationRow {
        name: name(row),
        job_id: row.job.id.to_string(),
        problem,
        noise_floor: floors.max_by(f64::total_cmp),
        by_launches: LAUNCHES_SHOWN
            .iter()
            .filter_map(|launches| resplits(&passes, *launches, COMPARISONS, rules))
            .collect(),
        pairs,
    }
}
