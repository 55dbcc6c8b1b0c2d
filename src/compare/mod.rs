//! Runs held against each other: like for like, with intervals, and a verdict for each row.
//!
//! Pure: records and their rows go in, a [`Comparison`] comes out, and each format shows it. The
//! first run is the base; every other one is compared with it, and never with a third. What differs
//! between two runs as wholes stands before what differs between their rows. Rows of different
//! machines are compared, because somebody asks which machine is faster, and say so; nothing is
//! ever averaged over machines.

mod accuracy;
mod across;
mod calibration;
mod likeness;
mod machine_facts;
mod machines_page;
mod noise;
mod page;
mod pairs;
mod regression;
mod resplit;
mod rules;
mod runs;
mod sets;
mod side;
mod speed;
mod words;

pub use accuracy::{Accuracy, HeardTwice, compare_accuracy};
pub use across::{
    AcrossMachines, MachineDifference, MachineFactsHere, MachinePair, MachineVerdict, OnMachine,
    across_machines,
};
pub use calibration::{Calibration, CalibrationRow, calibrate};
pub use likeness::Difference;
pub use machines_page::render_machines_page;
pub use noise::Noise;
pub use page::{PageError, render_page};
pub use pairs::Pair;
pub use regression::judge_gates;
pub use resplit::{Halves, Resplit, halves, resplits};
pub use rules::{Rules, Verdict};
pub use runs::RunFacts;
pub use side::Side;
pub use speed::{Speed, compare_speed};
pub use words::coarsest;

use crate::report::{GateVerdict, MachineNames};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Runs side by side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Earmark comparison")]
pub struct Comparison {
    /// Version of this format: 1.
    pub version: u32,
    /// What decided the verdicts beside the measurements.
    pub rules: Rules,
    /// The run that the others are compared with.
    pub base: RunFacts,
    /// The others, in the order in which they were named.
    pub against: Vec<Against>,
}

/// One run, held against the base.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Against {
    /// The run.
    pub run: RunFacts,
    /// What differs between the two as wholes.
    pub differences: Vec<Difference>,
    /// How many rows got each verdict on their speed.
    pub speed: BTreeMap<Verdict, usize>,
    /// How many rows got each verdict on their accuracy.
    pub accuracy: BTreeMap<Verdict, usize>,
    /// The rows that both have.
    pub rows: Vec<Pair>,
    /// Several rows, or one language of a row, taken together: each configuration on each data set
    /// and language.
    pub sets: Vec<Pair>,
    /// Rows that only the base has.
    pub only_base: Vec<String>,
    /// Rows that only this run has.
    pub only_new: Vec<String>,
    /// What its gates came to, if they were asked.
    pub gates: Option<Vec<GateVerdict>>,
}

/// Compares runs with a base.
#[must_use]
pub fn compare(base: &Side<'_>, others: &[Side<'_>], rules: &Rules) -> Comparison {
    Comparison {
        version: 1,
        rules: *rules,
        base: RunFacts::of(base),
        against: others.iter().map(|new| against(base, new, rules)).collect(),
    }
}

/// Compares one run with a base.
#[must_use]
pub fn against(base: &Side<'_>, new: &Side<'_>, rules: &Rules) -> Against {
    let matched = likeness::matched(base, new);
    let rows = pairs::pairs(base, new, &matched, rules);
    let counted = |verdict: fn(&Pair) -> Verdict| {
        let mut counts = BTreeMap::new();
        for pair in &rows {
            *counts.entry(verdict(pair)).or_default() += 1;
        }
        counts
    };
    Against {
        run: RunFacts::of(new),
        differences: runs::differences(base, new, &rows),
        speed: counted(|pair| pair.speed.verdict),
        accuracy: counted(|pair| pair.accuracy.verdict),
        sets: sets::sets(base, new, &rows, rules),
        only_base: named(base, &matched.only_base),
        only_new: named(new, &matched.only_new),
        rows,
        gates: None,
    }
}

fn named(side: &Side<'_>, positions: &[usize]) -> Vec<String> {
    let names = MachineNames::of(side.record);
    positions
        .iter()
        .filter_map(|position| side.rows.get(*position))
        .map(|row| pairs::named(row, &names))
        .collect()
}
