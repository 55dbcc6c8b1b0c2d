//! A plan's parts as a job matrix of GitHub Actions.

use super::words::Words;
use crate::cluster::division::{Division, Group};
use crate::cluster::site::GithubSite;
use crate::cluster::slurm::minutes;
use crate::model::{JobKind, Plan, Shard};
use crate::plan::{groups, shards_of, worst_case};
use crate::record::part_name;
use serde::Serialize;
use std::time::Duration;

/// The largest number of jobs that GitHub makes of one matrix.
pub const MOST_ENTRIES: u32 = 256;

/// The longest that a job on a runner of GitHub's may take, in minutes.
pub const LONGEST_MINUTES: u64 = 360;

/// A part of a plan, as an entry of a job matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GithubPart {
    /// Which part of what requires the same, such as `1/4`.
    pub shard: String,
    /// What its benchmarks require, such as `os:linux,gpu:cuda`; `none`: nothing.
    pub requires: String,
    /// A name that no other part has, and that artifacts and folders may have.
    pub name: String,
    /// The labels of the runner.
    pub runs_on: Vec<String>,
    /// How long it can take by the limits of its jobs, in minutes, and no longer than GitHub allows.
    pub minutes: u64,
    /// How many benchmarks it has.
    pub benchmarks: usize,
    /// Its own limits allow longer than GitHub does.
    #[serde(skip)]
    pub is_cut: bool,
}

/// Returns the parts of a plan.
///
/// # Errors
///
/// Returns reason and remedy in words of everything that the site file has no words for, or why there are
/// too many parts.
pub fn github_parts(
    plan: &Plan,
    division: &Division,
    site: &GithubSite,
) -> Result<Vec<GithubPart>, Vec<String>> {
    if division.groups.len() > MOST_ENTRIES as usize {
        return Err(vec![format!(
            "{} different sets of requirements, and GitHub makes at most {MOST_ENTRIES} jobs of a matrix, \
             each of one set; choose some with --filter, or split the matrix file",
            division.groups.len()
        )]);
    }
    let words = Words {
        plan,
        key: "github",
        example: "[self-hosted, …]",
    };
    let mut parts = Vec::new();
    let mut told = Vec::new();
    for (number, group) in division.groups.iter().enumerate() {
        match words.labels(site, group) {
            Ok(labels) => parts.extend(parts_of(plan, group, number == 0, &labels)),
            Err(reasons) => told.extend(reasons),
        }
    }
    if told.is_empty() {
        Ok(parts)
    } else {
        Err(told)
    }
}

fn parts_of(plan: &Plan, group: &Group, is_first: bool, labels: &[String]) -> Vec<GithubPart> {
    let benchmarks = groups(plan)
        .swap_remove(&group.requires)
        .unwrap_or_default();
    let dealt = shards_of(plan, group.shards, &benchmarks, is_first);
    let entry = |(index, jobs): (u32, Vec<usize>)| {
        let worst = jobs
            .iter()
            .map(|position| worst_case(plan, &plan.jobs[*position]))
            .fold(Duration::ZERO, Duration::saturating_add);
        let is_benchmark = |position: &&usize| plan.jobs[**position].kind == JobKind::Benchmark;
        let shard = Shard::new(index, group.shards);
        let text = shard.to_string();
        GithubPart {
            name: part_name(&Shard {
                requires: Some(group.requires.clone()),
                ..shard
            }),
            shard: text,
            requires: group.requires.to_string(),
            runs_on: labels.to_vec(),
            minutes: minutes(worst).min(LONGEST_MINUTES),
            benchmarks: jobs.iter().filter(is_benchmark).count(),
            is_cut: minutes(worst) > LONGEST_MINUTES,
        }
    };
    (1..).zip(dealt).map(entry).collect()
}
