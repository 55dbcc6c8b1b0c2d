//! Verifies and downloads: verdicts and times, by method and one by one.

use super::MOST_ROWS;
use crate::model::{JobKind, JobSpec, Outcome, Stage, VerifyFinding, VerifyMethod};
use crate::record::RunRecord;
use crate::report::job_columns::job_rows;
use crate::report::machine_names::MachineNames;
use crate::score::statistics::{median, range};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A verify or a download with what came of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct CheckView {
    job: String,
    /// The machine, where there are several.
    host: String,
    verdict: String,
    status: String,
    reason: String,
    seconds: f64,
    wall: String,
}

/// All verifies by one method on one side of the downloads.
#[derive(Serialize, JsonSchema)]
pub(super) struct MethodView {
    method: String,
    stage: String,
    /// Each verdict with its count, as text.
    verdicts: String,
    /// The machine, where there are several.
    machine: String,
    /// Verifies that really asked; the others took over an earlier verdict, of this run or another.
    asked: usize,
    /// Median and largest time of those, in seconds.
    median: Option<f64>,
    largest: Option<f64>,
}

/// What the verifies by one method came to.
#[derive(Default)]
struct Tally<'a> {
    verdicts: BTreeMap<&'a str, usize>,
    /// Seconds of those that really asked.
    times: Vec<f64>,
}

/// Returns verifies and downloads in the order of the plan, once for each machine that did them.
pub(super) fn checks(record: &RunRecord) -> Vec<CheckView> {
    let names = MachineNames::of(record);
    job_rows(record)
        .into_iter()
        .filter(|row| row.job.kind != JobKind::Benchmark)
        .take(MOST_ROWS)
        .map(|row| {
            let finding = row.found.and_then(|found| found.finding.as_ref());
            let session = row.found.and_then(|found| record.session_of(found));
            let host = names.told(session.map(|session| session.machine.id.as_str()));
            let reason = finding
                .map(VerifyFinding::in_words)
                .filter(|reason| !reason.is_empty());
            CheckView {
                job: row.job.spec.slug(),
                host: host.unwrap_or_default().to_owned(),
                verdict: finding
                    .map_or("", |finding| finding.verdict.word())
                    .to_owned(),
                status: row.outcome().map_or("not-run", Outcome::status).to_owned(),
                reason: reason
                    .or_else(|| row.outcome().map(Outcome::reason))
                    .unwrap_or_default(),
                seconds: row.found.map_or(0.0, |found| found.seconds),
                wall: finding.map_or_else(String::new, |finding| finding.network_wall.clone()),
            }
        })
        .collect()
}

/// Returns the verifies by method and stage.
pub(super) fn methods(record: &RunRecord) -> Vec<MethodView> {
    let mut groups: BTreeMap<(Stage, VerifyMethod, &str), Tally<'_>> = BTreeMap::new();
    let rows = job_rows(record);
    let names = MachineNames::of(record);
    for row in &rows {
        let JobSpec::Verify(spec) = &row.job.spec else {
            continue;
        };
        // Times of two machines are never put together.
        let session = row.found.and_then(|found| record.session_of(found));
        let machine = names.told(session.map(|session| session.machine.id.as_str()));
        let key = (spec.stage, spec.method, machine.unwrap_or_default());
        let tally = groups.entry(key).or_default();
        let finding = row.found.and_then(|found| found.finding.as_ref());
        let word = finding.map_or("no verdict", |finding| finding.verdict.word());
        *tally.verdicts.entry(word).or_default() += 1;
        if let Some(found) = row.found
            && !finding.is_some_and(|finding| finding.remembered)
            && !matches!(
                found.outcome,
                None | Some(Outcome::NotNeeded { .. } | Outcome::Skipped { .. })
            )
        {
            tally.times.push(found.seconds);
        }
    }
    groups
        .into_iter()
        .map(|((stage, method, machine), tally)| MethodView {
            method: method.to_string(),
            machine: machine.to_owned(),
            stage: stage.to_string(),
            verdicts: tally
                .verdicts
                .iter()
                .map(|(word, count)| format!("{count} {word}"))
                .collect::<Vec<_>>()
                .join(", "),
            asked: tally.times.len(),
            median: median(&tally.times),
            largest: range(&tally.times).map(|(_, largest)| largest),
        })
        .collect()
}
