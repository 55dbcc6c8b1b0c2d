//! Pairs of sets: each configuration on each data set and language, over all of its recordings.

use super::accuracy::{Accuracy, compare_accuracy};
use super::likeness::Difference;
use super::pairs::{COMPLETED, Pair, caveats, heard, in_words, normalizer, whole_passes};
use super::rules::{Rules, Verdict};
use super::side::Side;
use super::speed::{Speed, compare_speed};
use crate::model::{JobSpec, Text};
use crate::report::{Configuration, SINGLE_CLIPS, SummaryRow, summary_rows};
use std::collections::{BTreeMap, BTreeSet};

/// The settings that say how often something is measured, and not what.
const COUNTS: [&str; 3] = ["warmup", "repeat", "launches"];

/// What tells a set from the others of a run.
type Key<'a> = (Configuration, &'a str, Option<&'a str>, Option<&'a str>);

fn key<'a>(summary: &SummaryRow<'a>) -> Key<'a> {
    let mut configuration = summary.configuration.clone();
    for count in COUNTS {
        configuration.settings.remove(count);
    }
    (
        configuration,
        summary.data_set,
        summary.language,
        summary.machine,
    )
}

/// What tells a pair of rows from the others: the job of base and its machine.
type BaseKey<'a> = (&'a str, &'a str);

/// Compares the sets that both runs have. `pairs` are the rows behind them, compared.
pub(super) fn sets(base: &Side<'_>, new: &Side<'_>, pairs: &[Pair], rules: &Rules) -> Vec<Pair> {
    let before = summary_rows(base.record, base.rows);
    let after = summary_rows(new.record, new.rows);
    let by_key: BTreeMap<Key<'_>, &SummaryRow<'_>> = after
        .iter()
        .map(|summary| (key(summary), summary))
        .collect();
    let by_base: BTreeMap<BaseKey<'_>, &Pair> = pairs
        .iter()
        .map(|pair| {
            (
                (pair.base_job_id.as_str(), pair.base_machine.as_str()),
                pair,
            )
        })
        .collect();
    before
        .iter()
        .filter_map(|summary| {
            let mut wanted = key(summary);
            let other = by_key.get(&wanted).copied().or_else(|| {
                // On another machine, if that is the only one.
                wanted.3 = None;
                let mut others = by_key.iter().filter(|(known, _)| {
                    (&known.0, known.1, known.2) == (&wanted.0, wanted.1, wanted.2)
                });
                let only = others.next().map(|(_, found)| *found);
                only.filter(|_| others.next().is_none())
            })?;
            Some(set(summary, other, &by_base, rules))
        })
        .collect()
}

fn set(
    base: &SummaryRow<'_>,
    new: &SummaryRow<'_>,
    pairs: &BTreeMap<BaseKey<'_>, &Pair>,
    rules: &Rules,
) -> Pair {
    let ids = |summary: &SummaryRow<'_>| -> BTreeSet<String> {
        let rows = summary.rows.iter();
        rows.map(|row| row.job.id.to_string()).collect()
    };
    let (base_ids, new_ids) = (ids(base), ids(new));
    let behind: Vec<&Pair> = base_ids
        .iter()
        .filter_map(|id| {
            let key = (id.as_str(), base.machine.unwrap_or_default());
            pairs.get(&key).copied()
        })
        .filter(|pair| {
            new_ids.contains(&pair.new_job_id)
                && pair.new_machine == new.machine.unwrap_or_default()
        })
        .collect();
    let mut speed = Speed::none("");
    let mut accuracy = Accuracy::none("");
    let together = |field: fn(&Pair) -> &Vec<Difference>| -> Vec<Difference> {
        let all: BTreeSet<&Difference> = behind.iter().flat_map(|pair| field(pair)).collect();
        all.into_iter().cloned().collect()
    };
    let unlike = together(|pair| &pair.unlike);
    let unlike_scores = together(|pair| &pair.unlike_scores);
    let reason = if behind.len() != base_ids.len() || behind.len() != new_ids.len() {
        Some("not the same recordings on both sides".to_owned())
    } else if let Some(missing) = behind
        .iter()
        .find(|pair| pair.speed.verdict == Verdict::NoData)
    {
        Some(missing.speed.reason.clone())
    } else if !(base.is_whole() && new.is_whole()) {
        Some("not every recording was measured on both sides".to_owned())
    } else {
        None
    };
    if let Some(reason) = reason {
        speed.reason.clone_from(&reason);
        accuracy.reason = reason;
    } else {
        let passes = |summary: &SummaryRow<'_>| whole_passes(summary.utterances.iter().copied());
        speed = match (passes(base), passes(new)) {
            (Some(before), Some(after)) => compare_speed(&before, &after, rules),
            _ => Speed::none("not every recording was measured equally often"),
        };
        // A row may come elsewhere in the other plan.
        let by_id: BTreeMap<&str, usize> = new
            .utterances
            .iter()
            .enumerate()
            .map(|(position, one)| (one.utterance.id.as_str(), position))
            .collect();
        let ordered: Option<Vec<_>> = base
            .utterances
            .iter()
            .map(|one| {
                let position = by_id.get(one.utterance.id.as_str())?;
                new.utterances.get(*position).copied()
            })
            .collect();
        accuracy = match (ordered, in_words(&unlike_scores)) {
            (_, Some(reason)) => Accuracy::none(reason),
            (Some(ordered), None) => {
                compare_accuracy(&heard(base.utterances.iter().copied(), ordered), rules)
            }
            (None, None) => Accuracy::none("not the same recordings on both sides"),
        };
        accuracy.normalizer = base.rows.first().map(|row| normalizer(row));
    }
    let first = |summary: &SummaryRow<'_>| {
        let row = summary.rows.first();
        row.map_or_else(String::new, |row| row.job.id.to_string())
    };
    Pair {
        name: name(new),
        base_job_id: first(base),
        new_job_id: first(new),
        base_machine: base.machine.unwrap_or_default().to_owned(),
        new_machine: new.machine.unwrap_or_default().to_owned(),
        rows: behind.len(),
        base_status: status(base),
        new_status: status(new),
        caveats: base
            .rows
            .first()
            .zip(new.rows.first())
            .map_or_else(Vec::new, |(one, other)| caveats(one, other)),
        unlike,
        unlike_scores,
        speed,
        accuracy,
    }
}

/// Returns how the rows of a set ended: the status of the first that was not completed.
fn status(summary: &SummaryRow<'_>) -> String {
    let statuses = summary.rows.iter().map(|row| row.status());
    let mut faults = statuses.filter(|status| *status != COMPLETED);
    faults.next().unwrap_or(COMPLETED).to_owned()
}

/// Returns what a set is called: as its rows are, with the data set in the place of the recording.
pub(super) fn name(summary: &SummaryRow<'_>) -> String {
    let Some(row) = summary.rows.first() else {
        return summary.data_set.to_owned();
    };
    let mut spec = row.spec.clone();
    spec.audio = Text::from(if summary.data_set == SINGLE_CLIPS {
        "all-clips".to_owned()
    } else {
        summary.data_set.to_owned()
    });
    let slug = JobSpec::Benchmark(spec).slug();
    let slug = slug.strip_prefix("benchmark/").unwrap_or(&slug);
    match summary.language {
        Some(language) => format!("{slug} ({language})"),
        None => slug.to_owned(),
    }
}
