//! Pairs of rows.

use super::accuracy::{Accuracy, HeardTwice, compare_accuracy};
use super::likeness::{Difference, Matched, unlike, unlike_scores};
use super::rules::Rules;
use super::side::Side;
use super::speed::{Speed, compare_speed};
use crate::report::{MachineNames, ResultRow, UtteranceResult, passes};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

/// The status of a row that was measured whole.
pub(super) const COMPLETED: &str = "completed";

/// Two rows of the same thing, or several of each taken together.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Pair {
    /// What was measured, in words: engine, model, recording, settings.
    pub name: String,
    /// The job of base; of several, the first.
    pub base_job_id: String,
    /// The job of new; of several, the first.
    pub new_job_id: String,
    /// The id of the machine that measured base; empty if nobody did.
    pub base_machine: String,
    /// The id of the machine that measured new.
    pub new_machine: String,
    /// How many rows of each run are behind it.
    pub rows: usize,
    /// How base ended; of several rows, the first that was not completed.
    pub base_status: String,
    /// How new ended.
    pub new_status: String,
    /// What keeps the two from being compared; then there is no verdict.
    pub unlike: Vec<Difference>,
    /// What keeps only their error rates from being compared.
    pub unlike_scores: Vec<Difference>,
    /// What has to be known before the verdicts are believed.
    pub caveats: Vec<String>,
    /// Which is faster.
    pub speed: Speed,
    /// Which makes fewer errors.
    pub accuracy: Accuracy,
}

/// Returns what a row is called in comparisons: the readable part of its id.
pub(super) fn name(row: &ResultRow<'_>) -> String {
    let slug = row.job.spec.slug();
    slug.strip_prefix("benchmark/")
        .map_or_else(|| slug.clone(), str::to_owned)
}

/// Returns the same with the machine where a record is of several.
pub(super) fn named(row: &ResultRow<'_>, names: &MachineNames) -> String {
    match names.told(row.machine) {
        Some(machine) => format!("{} on {machine}", name(row)),
        None => name(row),
    }
}

/// Compares rows that belong together, in the order of base.
pub(super) fn pairs(
    base: &Side<'_>,
    new: &Side<'_>,
    matched: &Matched,
    rules: &Rules,
) -> Vec<Pair> {
    let names = MachineNames::of(new.record);
    matched
        .pairs
        .par_iter()
        .filter_map(|(one, other)| {
            let (one, other) = (base.rows.get(*one)?, new.rows.get(*other)?);
            Some(pair((base, one), (new, other), &names, rules))
        })
        .collect()
}

fn pair(
    (base, base_row): (&Side<'_>, &ResultRow<'_>),
    (new, new_row): (&Side<'_>, &ResultRow<'_>),
    names: &MachineNames,
    rules: &Rules,
) -> Pair {
    let unlike = unlike((base, base_row), (new, new_row));
    let unlike_scores: Vec<Difference> = unlike_scores(base_row, new_row).into_iter().collect();
    let mut speed = Speed::none("");
    let mut accuracy = Accuracy::none("");
    if let Some(reason) = not_completed(base_row, new_row).or_else(|| in_words(&unlike)) {
        speed.reason.clone_from(&reason);
        accuracy.reason = reason;
    } else {
        speed = match (
            whole_passes(&base_row.utterances),
            whole_passes(&new_row.utterances),
        ) {
            (Some(before), Some(after)) => compare_speed(&before, &after, rules),
            _ => Speed::none("not every recording was measured equally often"),
        };
        accuracy = match in_words(&unlike_scores) {
            Some(reason) => Accuracy::none(reason),
            None => compare_accuracy(&heard(&base_row.utterances, &new_row.utterances), rules),
        };
        accuracy.normalizer = Some(normalizer(base_row));
    }
    Pair {
        name: named(new_row, names),
        base_job_id: base_row.job.id.to_string(),
        new_job_id: new_row.job.id.to_string(),
        base_machine: base_row.machine.unwrap_or_default().to_owned(),
        new_machine: new_row.machine.unwrap_or_default().to_owned(),
        rows: 1,
        base_status: base_row.status().to_owned(),
        new_status: new_row.status().to_owned(),
        caveats: caveats(base_row, new_row),
        unlike,
        unlike_scores,
        speed,
        accuracy,
    }
}

/// Returns a normalizer with its version, as it stands beside scores.
pub(super) fn normalizer(row: &ResultRow<'_>) -> String {
    let normalizer = row.normalizer();
    format!("{} {}", normalizer.id(), normalizer.version())
}

fn not_completed(base: &ResultRow<'_>, new: &ResultRow<'_>) -> Option<String> {
    let told = |side: &str, row: &ResultRow<'_>| {
        (row.status() != COMPLETED).then(|| format!("{side}: {}", row.status()))
    };
    match (told("base", base), told("new", new)) {
        (None, None) => None,
        (Some(one), Some(other)) => Some(format!("{one}, {other}")),
        (one, other) => one.or(other),
    }
}

/// Returns differences in words, if there are any.
pub(super) fn in_words(unlike: &[Difference]) -> Option<String> {
    let list: Vec<String> = unlike
        .iter()
        .map(|one| format!("{} {} → {}", one.what, one.base, one.new))
        .collect();
    (!list.is_empty()).then(|| format!("not like for like: {}", list.join(", ")))
}

/// Returns the seconds of whole passes over some recordings, launch by launch; `None` if not all of
/// them were measured equally often, so that sums over them are of different things.
pub(super) fn whole_passes<'u, 'a: 'u>(
    utterances: impl IntoIterator<Item = &'u UtteranceResult<'a>>,
) -> Option<Vec<Vec<f64>>> {
    let mut counts = Vec::new();
    let mut samples = Vec::new();
    for utterance in utterances {
        counts.push(utterance.samples.len());
        samples.extend(utterance.samples.iter().copied());
    }
    let first = *counts.first()?;
    (first > 0 && counts.iter().all(|count| *count == first)).then(|| passes(&samples))
}

/// Returns what both sides heard of the same recordings, in the same order.
pub(super) fn heard<'u, 'a: 'u>(
    base: impl IntoIterator<Item = &'u UtteranceResult<'a>>,
    new: impl IntoIterator<Item = &'u UtteranceResult<'a>>,
) -> Vec<HeardTwice<'u>> {
    base.into_iter()
        .zip(new)
        .filter_map(|(one, other)| {
            Some(HeardTwice {
                base: one.scores.first()?.words,
                new: other.scores.first()?.words,
                base_text: one.hypothesis()?,
                new_text: other.hypothesis()?,
                deterministic: one.is_deterministic() && other.is_deterministic(),
            })
        })
        .collect()
}

/// Returns what has to be known of two rows before their verdicts are believed.
pub(super) fn caveats(base: &ResultRow<'_>, new: &ResultRow<'_>) -> Vec<String> {
    let mut caveats = Vec::new();
    if base.machine != new.machine {
        let host = |row: &ResultRow<'_>| {
            let session = row.session();
            session.map_or_else(|| "another".to_owned(), |one| one.machine.host.clone())
        };
        caveats.push(format!("on two machines: {} and {}", host(base), host(new)));
    }
    for (side, row) in [("base", base), ("new", new)] {
        if row.deterministic == Some(false) {
            caveats.push(format!("{side}: trials gave different texts"));
        }
    }
    caveats
}
