//! A plan divided among machines: by what its rows require, and by the time that they are expected to take.

use crate::model::{Plan, Requirements, Shard};
use crate::plan::{groups, shards_of, worst_case};
use indexmap::IndexMap;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::time::Duration;

/// Benchmarks that require the same, and into how many parts they are divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they require.
    pub requires: Requirements,
    /// How many they are.
    pub benchmarks: usize,
    /// Into how many parts they are divided; each part is for one machine.
    pub shards: u32,
    /// The time that all of them are expected to take on one machine.
    pub expected: Duration,
    /// The longest that a part can take by the limits of its jobs.
    pub worst: Duration,
}

/// A plan, divided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Division {
    /// The groups, in the order of the plan.
    pub groups: Vec<Group>,
}

/// How large parts are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The time that the rows of a part are expected to take.
    pub shard_time: Duration,
    /// The longest that a part may take by the limits of its jobs.
    pub longest: Duration,
    /// The most parts that a group is divided into.
    pub most_shards: u32,
}

/// Why a plan cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DivisionError {
    /// One part would be allowed to take longer than any may.
    #[error(
        "what requires `{requires}` could take {worst} in one part by its limits, also in {shards} parts, \
         and no job here may take longer than {longest}; allow a longer time or more parts in the site \
         file, or set a limit for whole jobs in the matrix (`deadlines: {{job: 30m}}`)"
    )]
    TooLong {
        /// What it requires.
        requires: String,
        /// In words, how long it could take.
        worst: String,
        /// Into how many parts it was divided.
        shards: u32,
        /// In words, how long it may take.
        longest: String,
    },
}

/// Divides the benchmarks of a plan, or those of them that are named.
///
/// # Errors
///
/// Fails if a part could take longer than is allowed, however many there are.
pub fn divide<S: BuildHasher>(
    plan: &Plan,
    only: Option<&HashSet<&str, S>>,
    sizes: &Sizes,
) -> Result<Division, DivisionError> {
    let mut division = Division::default();
    for (requires, benchmarks) in chosen(plan, only) {
        let group = divide_group(plan, requires, &benchmarks, sizes)?;
        division.groups.push(group);
    }
    Ok(division)
}

/// Returns the benchmarks by what they require; of those that are named, if some are.
fn chosen<S: BuildHasher>(
    plan: &Plan,
    only: Option<&HashSet<&str, S>>,
) -> IndexMap<Requirements, Vec<usize>> {
    let mut groups = groups(plan);
    if let Some(only) = only {
        for benchmarks in groups.values_mut() {
            benchmarks.retain(|position| only.contains(plan.jobs[*position].id.0.as_str()));
        }
        groups.retain(|_, benchmarks| !benchmarks.is_empty());
    }
    groups
}

fn divide_group(
    plan: &Plan,
    requires: Requirements,
    benchmarks: &[usize],
    sizes: &Sizes,
) -> Result<Group, DivisionError> {
    let milliseconds: u64 = benchmarks
        .iter()
        .filter_map(|position| plan.jobs[*position].expected_milliseconds())
        .fold(0, u64::saturating_add);
    let expected = Duration::from_millis(milliseconds);
    let useful = u32::try_from(benchmarks.len()).unwrap_or(u32::MAX).max(1);
    let most = useful.min(sizes.most_shards).min(Shard::MOST);
    let wanted = expected
        .as_millis()
        .div_ceil(sizes.shard_time.as_millis().max(1));
    let mut shards = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1, most);
    loop {
        let worst = longest_part(plan, benchmarks, shards);
        if worst <= sizes.longest {
            return Ok(Group {
                requires,
                benchmarks: benchmarks.len(),
                shards,
                expected,
                worst,
            });
        }
        if shards == most {
            return Err(DivisionError::TooLong {
                requires: requires.to_string(),
                worst: in_words(worst),
                shards,
                longest: in_words(sizes.longest),
            });
        }
        // Parts are as long as they are many: that many more may be enough.
        let factor = worst.as_secs_f64() / sizes.longest.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number, and what is too large saturates"
        )]
        let more = (f64::from(shards) * factor).ceil() as u32;
        shards = more.clamp(shards + 1, most);
    }
}

/// Returns the longest that one of the parts can take by the limits of its jobs.
fn longest_part(plan: &Plan, benchmarks: &[usize], shards: u32) -> Duration {
    let parts = shards_of(plan, shards, benchmarks, false);
    let worst = |jobs: Vec<usize>| {
        jobs.into_iter()
            .map(|position| worst_case(plan, &plan.jobs[position]))
            .fold(Duration::ZERO, Duration::saturating_add)
    };
    parts.into_iter().map(worst).max().unwrap_or_default()
}

fn in_words(duration: Duration) -> String {
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
}
