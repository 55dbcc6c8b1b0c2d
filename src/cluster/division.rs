//! A plan divided among machines: by what its rows require, and by the time that they are expected to take.

use crate::model::{Plan, Requirements, Shard};
use crate::plan::{configurations, groups, shards_of, worst_case};
use indexmap::IndexMap;
use std::cmp::Ordering;
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

/// Divides the benchmarks of a plan into so many parts altogether: one at least for each group, never more than
/// a group has benchmarks, and the others where parts are expected to take longest.
#[must_use]
pub fn divide_into(plan: &Plan, wished: u32) -> Division {
    let groups = groups(plan);
    let mut dealt: Vec<Dealt> = groups
        .values()
        .map(|benchmarks| Dealt::new(plan, benchmarks))
        .collect();
    let least = u32::try_from(dealt.len()).unwrap_or(u32::MAX);
    for _ in least..wished.min(Shard::MOST.max(least)) {
        let wanting = dealt.iter_mut().filter(|dealt| dealt.shards < dealt.most);
        // Of equal ones the first, so that everybody deals alike.
        let Some(longest) = wanting.rev().max_by(|one, other| one.compare(other)) else {
            break;
        };
        longest.shards += 1;
    }
    let made = groups
        .into_iter()
        .zip(dealt)
        .map(|((requires, benchmarks), dealt)| Group {
            requires,
            benchmarks: benchmarks.len(),
            shards: dealt.shards,
            expected: Duration::from_millis(dealt.milliseconds),
            worst: longest_part(plan, &benchmarks, dealt.shards),
        });
    Division {
        groups: made.collect(),
    }
}

/// Returns into how many parts a plan would be divided if each were to take so long.
#[must_use]
pub fn parts_by_time(plan: &Plan, shard_time: Duration) -> u32 {
    let parts = groups(plan).into_values().map(|benchmarks| {
        let dealt = Dealt::new(plan, &benchmarks);
        let wanted = u128::from(dealt.milliseconds).div_ceil(shard_time.as_millis().max(1));
        u32::try_from(wanted)
            .unwrap_or(u32::MAX)
            .clamp(1, dealt.most)
    });
    parts.fold(0, u32::saturating_add)
}

/// A group while parts are dealt.
struct Dealt {
    milliseconds: u64,
    benchmarks: usize,
    shards: u32,
    most: u32,
}

impl Dealt {
    fn new(plan: &Plan, benchmarks: &[usize]) -> Self {
        Self {
            milliseconds: expected(plan, benchmarks),
            benchmarks: benchmarks.len(),
            shards: 1,
            most: u32::try_from(benchmarks.len())
                .unwrap_or(u32::MAX)
                .clamp(1, Shard::MOST),
        }
    }

    /// Compares how long a part of each takes; of equal ones, how many benchmarks it has.
    fn compare(&self, other: &Self) -> Ordering {
        let (own, others) = (u128::from(self.shards), u128::from(other.shards));
        let time =
            (u128::from(self.milliseconds) * others).cmp(&(u128::from(other.milliseconds) * own));
        // As many benchmarks as fit into memory.
        time.then_with(|| (self.benchmarks as u128 * others).cmp(&(other.benchmarks as u128 * own)))
    }
}

/// Returns the time that benchmarks are expected to take one after the other.
fn expected(plan: &Plan, benchmarks: &[usize]) -> u64 {
    benchmarks
        .iter()
        .filter_map(|position| plan.jobs[*position].expected_milliseconds())
        .fold(0, u64::saturating_add)
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
    let expected = Duration::from_millis(expected(plan, benchmarks));
    let useful = u32::try_from(benchmarks.len()).unwrap_or(u32::MAX).max(1);
    let most = useful.min(sizes.most_shards).min(Shard::MOST);
    let wanted = expected
        .as_millis()
        .div_ceil(sizes.shard_time.as_millis().max(1));
    // More parts than configurations would tear sets apart that are one machine's otherwise.
    let whole = u32::try_from(configurations(plan, benchmarks)).unwrap_or(u32::MAX);
    let mut shards = u32::try_from(wanted)
        .unwrap_or(u32::MAX)
        .clamp(1, most.min(whole.max(1)));
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
