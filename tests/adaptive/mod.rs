//! Benchmarks that go on until their median is known well enough: what a matrix says, what a run does,
//! and what a record can show of it.

mod language;
mod resuming;
mod running;

use crate::support::Place;
use earmark::model::{JobSpec, RepeatDecision};
use earmark::record::{RunFolder, RunRecord};
use earmark::score::{judge, passes};
use std::collections::BTreeMap;

/// Reads a run and holds everything that must be true of its looks: one after each set of launches and
/// none between, the first that stops is the last, and each is what the rule says of the trials that
/// were there.
fn looked_at(place: &Place, folder: &str) -> RunRecord {
    let record = RunFolder::read(&place.path().join(folder)).unwrap();
    for job in &record.plan.jobs {
        let JobSpec::Benchmark(spec) = &job.spec else {
            continue;
        };
        let (Some(rule), Some(found)) = (&spec.adaptive, record.job(&job.id)) else {
            continue;
        };
        for (number, look) in (1..).zip(&found.looks) {
            assert_eq!(look.launches, number * spec.launches, "{}", job.id);
            let seen = found
                .samples
                .iter()
                .filter(|sample| !sample.warmup && sample.launch < look.launches);
            let times =
                passes(seen.map(|sample| (sample.launch, sample.trial, sample.transcribe_seconds)));
            assert_eq!(judge(rule, spec.launches, &times), *look, "{}", job.id);
        }
        let stops: Vec<bool> = (found.looks.iter())
            .map(|look| look.decision != RepeatDecision::GoOn)
            .collect();
        assert!(stops.iter().rev().skip(1).all(|stops| !stops), "{stops:?}");
    }
    record
}

/// Returns the rows of a run by a column.
fn rows_by(
    place: &Place,
    folder: &str,
    column: &str,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let rows = place.table(&format!("{folder}/results.csv"));
    rows.into_iter()
        .map(|row| (row[column].clone(), row))
        .collect()
}
