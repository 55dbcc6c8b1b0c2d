//! What a change of a matrix adds to a plan and takes away from it.

use super::definitions::{definitions, is_worth_telling};
use crate::model::{Job, JobKind, JobSpec, Plan, Stage, Text};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Two plans compared. Positions are those in the old plan for what was removed, and those in the
/// new plan for what was added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanChange {
    /// Combinations that only the new plan has.
    pub added_combinations: Vec<usize>,
    /// Combinations that only the old plan has.
    pub removed_combinations: Vec<usize>,
    /// How many combinations both have.
    pub kept_combinations: usize,
    /// Jobs that only the new plan has.
    pub added_jobs: Vec<usize>,
    /// Jobs that only the old plan has.
    pub removed_jobs: Vec<usize>,
    /// Jobs that the same combination asks for in both plans, and that are not the same.
    pub changed_jobs: Vec<ChangedJob>,
    /// How many jobs both have.
    pub kept_jobs: usize,
    /// What else changed: limits, policies, gates, definitions.
    pub fields: Vec<FieldChange>,
}

/// A job that became another one.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedJob {
    /// Its position in the old plan.
    pub old: usize,
    /// Its position in the new plan.
    pub new: usize,
    /// What changed in it.
    pub fields: Vec<FieldChange>,
}

/// One value that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Where it stands, such as `deadlines.load` or `settings.threads`.
    pub path: String,
    /// What it was; `None` if it was not there.
    pub old: Option<Json>,
    /// What it is; `None` if it is not there.
    pub new: Option<Json>,
}

impl PlanChange {
    /// Compares two plans.
    #[must_use]
    pub fn between(old: &Plan, new: &Plan) -> Self {
        let mut change = Self::default();
        let old_keys = keys(old);
        let new_keys = keys(new);
        change.compare_combinations(&old_keys, &new_keys);
        change.compare_jobs(old, new, &old_keys, &new_keys);
        compare(
            "",
            Some(&definitions(old)),
            Some(&definitions(new)),
            &mut change.fields,
        );
        change
            .fields
            .retain(|field| is_worth_telling(field, old, new));
        change
    }

    /// Returns whether the plans do the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added_combinations.is_empty()
            && self.removed_combinations.is_empty()
            && self.added_jobs.is_empty()
            && self.removed_jobs.is_empty()
            && self.changed_jobs.is_empty()
            && self.fields.is_empty()
    }

    fn compare_combinations(&mut self, old: &[String], new: &[String]) {
        let mut left: HashMap<&str, Vec<usize>> = HashMap::new();
        for (position, key) in old.iter().enumerate().rev() {
            left.entry(key).or_default().push(position);
        }
        for (position, key) in new.iter().enumerate() {
            match left.get_mut(key.as_str()).and_then(Vec::pop) {
                Some(_) => self.kept_combinations += 1,
                None => self.added_combinations.push(position),
            }
        }
        self.removed_combinations = left.into_values().flatten().collect();
        self.removed_combinations.sort_unstable();
    }

    fn compare_jobs(&mut self, old: &Plan, new: &Plan, old_keys: &[String], new_keys: &[String]) {
        let positions = |plan: &Plan| -> HashMap<Text, usize> {
            plan.jobs
                .iter()
                .enumerate()
                .map(|(position, job)| (job.id.0.clone(), position))
                .collect()
        };
        let (in_old, in_new) = (positions(old), positions(new));
        let is_gone = |job: &Job| !in_new.contains_key(&job.id.0);
        // One combination asks for one job of each kind and stage: what it asked for and what it
        // asks for now are the same job, changed.
        let mut asked: HashMap<(JobKind, Option<Stage>, &str), usize> = HashMap::new();
        for (position, job) in new.jobs.iter().enumerate() {
            if !in_old.contains_key(&job.id.0) {
                for combination in &job.combinations {
                    if let Some(key) = new_keys.get(*combination) {
                        asked.insert((job.kind, job.stage, key), position);
                    }
                }
            }
        }
        let mut followers: BTreeMap<&str, &str> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        let mut pairs = Vec::new();
        for (position, job) in old.jobs.iter().enumerate().filter(|(_, job)| is_gone(job)) {
            let follower = job.combinations.iter().find_map(|combination| {
                let key = old_keys.get(*combination)?;
                let found = asked.get(&(job.kind, job.stage, key.as_str()))?;
                taken.insert(*found).then_some(*found)
            });
            match follower {
                Some(follower) => {
                    followers.insert(&job.id.0, &new.jobs[follower].id.0);
                    pairs.push((position, follower));
                }
                None => self.removed_jobs.push(position),
            }
        }
        for (position, job) in new.jobs.iter().enumerate() {
            match in_old.get(&job.id.0) {
                Some(before) => pairs.push((*before, position)),
                None if !taken.contains(&position) => self.added_jobs.push(position),
                None => {}
            }
        }
        pairs.sort_unstable_by_key(|(_, new)| *new);
        for (before, after) in pairs {
            let (was, is) = (&old.jobs[before], &new.jobs[after]);
            let mut fields = Vec::new();
            if was.id != is.id {
                compare(
                    "",
                    Some(&spec_of(&was.spec)),
                    Some(&spec_of(&is.spec)),
                    &mut fields,
                );
            }
            let skip = |job: &Job| job.skip.clone().map(Json::from);
            compare("skip", skip(was).as_ref(), skip(is).as_ref(), &mut fields);
            let needs_before: BTreeSet<&str> = was
                .needs
                .iter()
                .map(|id| followers.get(id.0.as_str()).copied().unwrap_or(&id.0))
                .collect();
            let needs_now: BTreeSet<&str> = is.needs.iter().map(|id| id.0.as_str()).collect();
            for need in needs_before.difference(&needs_now) {
                fields.push(FieldChange {
                    path: "needs".into(),
                    old: Some((*need).into()),
                    new: None,
                });
            }
            for need in needs_now.difference(&needs_before) {
                fields.push(FieldChange {
                    path: "needs".into(),
                    old: None,
                    new: Some((*need).into()),
                });
            }
            if fields.is_empty() {
                self.kept_jobs += 1;
            } else {
                self.changed_jobs.push(ChangedJob {
                    old: before,
                    new: after,
                    fields,
                });
            }
        }
    }
}

/// Returns a text for each combination that is the same for the same values, whatever the order of
/// the axes.
fn keys(plan: &Plan) -> Vec<String> {
    (0..plan.combinations.len())
        .map(|position| {
            let mut values: Vec<String> = plan
                .values(position)
                .into_iter()
                .map(|(name, value)| format!("{name}\0{}\0", value.written))
                .collect();
            values.sort_unstable();
            values.concat()
        })
        .collect()
}

fn spec_of(spec: &JobSpec) -> Json {
    serde_json::to_value(spec).unwrap_or_default()
}

/// Adds the leaves in which two values differ.
fn compare(path: &str, old: Option<&Json>, new: Option<&Json>, fields: &mut Vec<FieldChange>) {
    if old == new {
        return;
    }
    let parts = match (old, new) {
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            let names = old
                .keys()
                .chain(new.keys().filter(|name| !old.contains_key(*name)));
            Some(
                names
                    .map(|name| (name.clone(), old.get(name), new.get(name)))
                    .collect::<Vec<_>>(),
            )
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) => match (by_id(old), by_id(new)) {
            (Some(old), Some(new)) => {
                let names = old
                    .keys()
                    .chain(new.keys().filter(|name| !old.contains_key(*name)));
                Some(
                    names
                        .map(|name| {
                            let name = (*name).to_owned();
                            let (old, new) = (old.get(name.as_str()), new.get(name.as_str()));
                            (name, old.copied(), new.copied())
                        })
                        .collect(),
                )
            }
            _ => None,
        },
        _ => None,
    };
    let Some(parts) = parts else {
        let shown = |value: Option<&Json>| value.filter(|value| !value.is_null()).cloned();
        fields.push(FieldChange {
            path: path.to_owned(),
            old: shown(old),
            new: shown(new),
        });
        return;
    };
    for (name, old, new) in parts {
        let path = if path.is_empty() {
            name
        } else {
            format!("{path}.{name}")
        };
        compare(&path, old, new, fields);
    }
}

/// Returns a list's entries by their ids, if all of them have one.
fn by_id(list: &[Json]) -> Option<BTreeMap<&str, &Json>> {
    list.iter()
        .map(|entry| Some((entry.get("id")?.as_str()?, entry)))
        .collect()
}
