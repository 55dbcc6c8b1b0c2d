//! The part of a plan that a shard is.

use super::arguments::RunArguments;
use crate::cli::exit::Failure;
use crate::exec::Part;
use crate::model::{Plan, Requirements, Shard, hexadecimal};
use crate::plan::{groups, shards, shards_of};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// Returns the part of a plan that the command line asks for; `None`: all of it.
pub(super) fn chosen(plan: &Plan, arguments: &RunArguments) -> Result<Option<Part>, Failure> {
    let Some(shard) = &arguments.shard else {
        return Ok(None);
    };
    let is_saved = arguments
        .matrix
        .as_deref()
        .and_then(Path::extension)
        .is_some_and(|extension| extension == "json");
    if !is_saved {
        return Err(Failure::Usage(
            "--shard does a part of a saved plan, so that all parts are of the same one; write it \
             with `earmark plan MATRIX --format json > plan.json`"
                .into(),
        ));
    }
    let list = arguments.jobs.as_deref().map(List::read).transpose()?;
    let shard = Shard {
        requires: arguments.requires.clone(),
        list: list.as_ref().map(|list| list.digest.clone()),
        ..shard.clone()
    };
    part_of(plan, shard, list.as_ref()).map(Some)
}

/// Returns the part that a run of this plan did that says which one. `None` if it was of a list of jobs,
/// which is not here.
pub(super) fn again(plan: &Plan, shard: &Shard) -> Result<Option<Part>, Failure> {
    if shard.list.is_some() {
        return Ok(None);
    }
    part_of(plan, shard.clone(), None).map(Some)
}

fn part_of(plan: &Plan, shard: Shard, list: Option<&List>) -> Result<Part, Failure> {
    let parts = if shard.requires.is_none() && list.is_none() {
        shards(plan, shard.count)
    } else {
        let benchmarks = benchmarks(plan, shard.requires.as_ref(), list)?;
        let takes_the_rest = list.is_none() && is_first(plan, shard.requires.as_ref());
        shards_of(plan, shard.count, &benchmarks, takes_the_rest)
    };
    let jobs = usize::try_from(shard.index - 1)
        .ok()
        .and_then(|position| parts.into_iter().nth(position))
        .unwrap_or_default();
    Ok(Part {
        shard,
        jobs: jobs.into_iter().collect(),
    })
}

fn is_first(plan: &Plan, requires: Option<&Requirements>) -> bool {
    requires.is_none_or(|requires| groups(plan).keys().next() == Some(requires))
}

/// Returns the benchmarks that are dealt.
fn benchmarks(
    plan: &Plan,
    requires: Option<&Requirements>,
    list: Option<&List>,
) -> Result<Vec<usize>, Failure> {
    let mut groups = groups(plan);
    let mut chosen = match requires {
        None => {
            let mut all: Vec<usize> = groups.into_values().flatten().collect();
            all.sort_unstable();
            all
        }
        Some(requires) => match groups.swap_remove(requires) {
            Some(group) => group,
            None => {
                let known: Vec<String> = groups.keys().map(|known| format!("`{known}`")).collect();
                return Err(Failure::Usage(format!(
                    "no benchmark of this plan requires just `{requires}`; its benchmarks require {}",
                    known.join(", ")
                )));
            }
        },
    };
    if let Some(list) = list {
        list.check(plan)?;
        chosen.retain(|position| list.ids.contains(plan.jobs[*position].id.0.as_str()));
    }
    Ok(chosen)
}

/// Ids of jobs that a file names.
struct List {
    path: String,
    ids: HashSet<String>,
    digest: String,
}

impl List {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::Usage(format!(
                "{} cannot be read: {error}; name a file with an id of a job in each line",
                path.display()
            ))
        })?;
        let lines = text.lines().map(str::trim);
        Ok(Self {
            path: path.display().to_string(),
            ids: lines
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            digest: hexadecimal(&Sha256::digest(text.as_bytes())),
        })
    }

    /// Refuses what is no job of the plan: nothing would be said of it.
    fn check(&self, plan: &Plan) -> Result<(), Failure> {
        let known: HashSet<&str> = plan.jobs.iter().map(|job| job.id.0.as_str()).collect();
        let unknown: BTreeSet<&str> = self
            .ids
            .iter()
            .map(String::as_str)
            .filter(|id| !known.contains(id))
            .collect();
        match unknown.first() {
            None => Ok(()),
            Some(first) => Err(Failure::Usage(format!(
                "{} names {} that the plan does not have, the first is `{first}`; it was written for \
                 another plan",
                self.path,
                crate::cli::merge::counted(unknown.len(), "job", "jobs"),
            ))),
        }
    }
}
