//! Like for like: which rows of two runs are of the same thing.

use super::runs::shortened;
use super::side::Side;
use crate::model::{Affects, Text};
use crate::report::ResultRow;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// What a row's model files are called among what differs.
pub(super) const WEIGHTS: &str = "weights";

/// Something that is one thing in base and another in new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Difference {
    /// What.
    pub what: String,
    /// In base.
    pub base: String,
    /// In new.
    pub new: String,
}

/// The rows of two runs, by position.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// Rows of the same thing.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Rows that only base has.
    pub(super) only_base: Vec<usize>,
    /// Rows that only new has.
    pub(super) only_new: Vec<usize>,
}

/// Finds the rows that belong together: those with the same job id on the same machine, of the rest those
/// with the same job id on another one, and of what is left then those of the same engine, weights, recordings and settings, which may have been measured more often or under
/// another name.
pub(super) fn matched(base: &Side<'_>, new: &Side<'_>) -> Matched {
    let mut by_id: HashMap<&Text, Vec<usize>> = HashMap::new();
    for (position, row) in new.rows.iter().enumerate() {
        by_id.entry(&row.job.id.0).or_default().push(position);
    }
    let mut partners: Vec<Option<usize>> = vec![None; base.rows.len()];
    for same_machine in [true, false] {
        for (row, partner) in base.rows.iter().zip(&mut partners) {
            let Some(left) = by_id.get_mut(&row.job.id.0).filter(|_| partner.is_none()) else {
                continue;
            };
            let is_it = |other: &usize| !same_machine || new.rows[*other].machine == row.machine;
            if let Some(place) = left.iter().position(is_it) {
                *partner = Some(left.remove(place));
            }
        }
    }
    let taken: BTreeSet<usize> = partners.iter().flatten().copied().collect();
    let mut by_content: HashMap<Content, VecDeque<usize>> = HashMap::new();
    for (position, row) in new.rows.iter().enumerate() {
        if !taken.contains(&position) {
            let same = by_content.entry(content(new, row)).or_default();
            same.push_back(position);
        }
    }
    for (row, partner) in base.rows.iter().zip(&mut partners) {
        if partner.is_none() {
            let same = by_content.get_mut(&content(base, row));
            *partner = same.and_then(VecDeque::pop_front);
        }
    }
    let taken: BTreeSet<usize> = partners.iter().flatten().copied().collect();
    let mut matched = Matched::default();
    for (position, partner) in partners.into_iter().enumerate() {
        match partner {
            Some(partner) => matched.pairs.push((position, partner)),
            None => matched.only_base.push(position),
        }
    }
    matched.only_new = (0..new.rows.len())
        .filter(|position| !taken.contains(position))
        .collect();
    matched
}

/// What a row measures, however it is called: engine, weights, recordings, settings.
type Content = (String, String, Vec<String>, BTreeMap<String, String>);

fn content(side: &Side<'_>, row: &ResultRow<'_>) -> Content {
    let weights = weights(side, row).map_or_else(
        || format!("{} {}", row.spec.model, row.spec.quantization),
        str::to_owned,
    );
    let recordings = recordings(side, row)
        .into_iter()
        .map(|(id, digest)| digest.unwrap_or(id).to_owned())
        .collect();
    let settings = row
        .spec
        .settings
        .iter()
        .map(|(name, value)| (name.to_string(), value.written.clone()))
        .collect();
    (row.spec.backend.to_string(), weights, recordings, settings)
}

/// Returns the digest of a row's weights, if it is known.
fn weights<'a>(side: &Side<'a>, row: &ResultRow<'_>) -> Option<&'a str> {
    let key = (
        row.spec.model.to_string(),
        row.spec.artifact.as_ref()?.to_string(),
    );
    side.record.artifacts.get(&key).map(String::as_str)
}

/// A recording: its id, and its digest if that is known.
type Recording<'a> = (&'a str, Option<&'a str>);

/// Returns the ids of a row's recordings with their digests, as far as they are known.
fn recordings<'a>(side: &Side<'a>, row: &ResultRow<'a>) -> Vec<Recording<'a>> {
    row.utterances
        .iter()
        .map(|result| {
            let id = result.utterance.id.as_str();
            let decoded = side.record.audio.get(id).map(|(digest, _)| digest.as_str());
            (id, decoded.or(result.utterance.sha256.as_deref()))
        })
        .collect()
}

/// Returns what keeps two rows from being compared at all: other weights, other recordings, other
/// settings in effect. What one of them does not tell is not held against it.
pub(super) fn unlike(
    (base, base_row): (&Side<'_>, &ResultRow<'_>),
    (new, new_row): (&Side<'_>, &ResultRow<'_>),
) -> Vec<Difference> {
    let mut told = Vec::new();
    if let (Some(before), Some(after)) = (weights(base, base_row), weights(new, new_row))
        && before != after
    {
        told.push(Difference {
            what: WEIGHTS.into(),
            base: shortened(before),
            new: shortened(after),
        });
    }
    told.extend(other_recordings(
        &recordings(base, base_row),
        &recordings(new, new_row),
    ));
    let names: BTreeSet<&str> = base_row
        .setting_names()
        .chain(new_row.setting_names())
        .filter(|name| is_measured(base_row, name) && is_measured(new_row, name))
        .collect();
    for name in names {
        if let (Some(before), Some(after)) = (base_row.setting(name), new_row.setting(name))
            && !same_value(before, after)
        {
            told.push(Difference {
                what: name.to_owned(),
                base: before.to_owned(),
                new: after.to_owned(),
            });
        }
    }
    told
}

fn other_recordings(before: &[Recording<'_>], after: &[Recording<'_>]) -> Option<Difference> {
    if before.len() != after.len() {
        return Some(Difference {
            what: "recordings".into(),
            base: before.len().to_string(),
            new: after.len().to_string(),
        });
    }
    let differ = |one: Recording<'_>, other: Recording<'_>| match (one.1, other.1) {
        (Some(one), Some(other)) => one != other,
        _ => one.0 != other.0,
    };
    let mut pairs = before.iter().zip(after);
    let (one, other) = pairs.find(|(one, other)| differ(**one, **other))?;
    let shown = |(id, digest): &Recording<'_>| match digest {
        Some(digest) => format!("{id} {}", shortened(digest)),
        None => (*id).to_owned(),
    };
    Some(Difference {
        what: "recordings".into(),
        base: shown(one),
        new: shown(other),
    })
}

/// Whether a setting changes what is measured, and not only how often.
fn is_measured(row: &ResultRow<'_>, name: &str) -> bool {
    let engine = row.plan.engines.get(row.spec.backend.as_str());
    let declared = engine.and_then(|engine| engine.setting(name));
    declared.is_none_or(|declared| declared.affects != Affects::Measurement)
}

/// Whether two settings are one, however their numbers are written.
fn same_value(one: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    one == other
        || matches!((number(one), number(other)), (Some(one), Some(other)) if one.total_cmp(&other).is_eq())
}

/// Returns what keeps the error rates of two rows from being compared: another normalizer, or other
/// references.
pub(super) fn unlike_scores(base: &ResultRow<'_>, new: &ResultRow<'_>) -> Option<Difference> {
    let normalizer = |row: &ResultRow<'_>| {
        let normalizer = row.normalizer();
        format!("{} {}", normalizer.id(), normalizer.version())
    };
    let (before, after) = (normalizer(base), normalizer(new));
    if before != after {
        return Some(Difference {
            what: "normalizer".into(),
            base: before,
            new: after,
        });
    }
    let pairs = base.utterances.iter().zip(&new.utterances);
    pairs
        .map(|(one, other)| (one.utterance, other.utterance))
        .find(|(one, other)| one.reference != other.reference || one.language != other.language)
        .map(|(one, _)| Difference {
            what: "reference".into(),
            base: format!("of {}", one.id),
            new: "another".into(),
        })
}
