//! A plan dealt to several machines. It rests on nothing but the plan, so that all of them agree
//! without asking one another.

use crate::model::{BenchmarkSpec, Job, JobId, JobKind, JobSpec, Plan, Shard, SpecDigest};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Returns for each of `count` shards the positions of its jobs, in the order of the plan.
///
/// Benchmarks are dealt the longest first, each to the shard with the least to do; of equal ones the
/// order of their ids decides, and of equal shards the number of benchmarks, then the order. So every
/// benchmark is in exactly one shard, planned skips too. With each go all the verifies and downloads
/// that it needs: a shard does its own, because a verdict belongs to a machine. What no benchmark
/// needs is the first shard's.
#[must_use]
pub fn shards(plan: &Plan, count: u32) -> Vec<Vec<usize>> {
    deal(plan, count, each(plan), true)
}

/// Returns the shards of some of a plan's benchmarks, which are given by their positions. What differs in
/// nothing but the recording stays together, if there are at least as many such configurations as shards:
/// numbers of two machines are never put into one, so a set whose recordings two machines shared has no
/// number of its own. What no benchmark of the plan needs is the first shard's if `takes_the_rest`, and
/// nobody's otherwise.
#[must_use]
pub fn shards_of(
    plan: &Plan,
    count: u32,
    benchmarks: &[usize],
    takes_the_rest: bool,
) -> Vec<Vec<usize>> {
    let units = units(plan, benchmarks);
    if units.len() < count as usize {
        let each: Vec<SmallUnit> = benchmarks.iter().map(|position| [*position]).collect();
        return deal(plan, count, each, takes_the_rest);
    }
    deal(plan, count, units.into_values().collect(), takes_the_rest)
}

/// Returns how many configurations some benchmarks have: what differs in nothing but the recording is one.
#[must_use]
pub fn configurations(plan: &Plan, benchmarks: &[usize]) -> usize {
    units(plan, benchmarks).len()
}

/// Returns the benchmarks that stay together, by what they have in common.
fn units(plan: &Plan, benchmarks: &[usize]) -> IndexMap<SpecDigest, Vec<usize>> {
    let mut units: IndexMap<SpecDigest, Vec<usize>> = IndexMap::new();
    for position in benchmarks {
        let Some(JobSpec::Benchmark(spec)) = plan.jobs.get(*position).map(|job| &job.spec) else {
            continue;
        };
        let configuration = JobSpec::Benchmark(BenchmarkSpec {
            audio: "".into(),
            ..spec.clone()
        });
        units
            .entry(configuration.digest())
            .or_default()
            .push(*position);
    }
    units
}

/// Returns some jobs of a plan with all that they need, by their positions, in the order of the plan.
#[must_use]
pub fn with_needs(plan: &Plan, jobs: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut all = Needs::new(plan).of(jobs);
    all.sort_unstable();
    all
}

fn is_benchmark(plan: &Plan, position: usize) -> bool {
    plan.jobs
        .get(position)
        .is_some_and(|job| job.kind == JobKind::Benchmark)
}

/// Returns every benchmark by itself.
fn each(plan: &Plan) -> Vec<SmallUnit> {
    let all = (0..plan.jobs.len()).filter(|position| is_benchmark(plan, *position));
    all.map(|position| [position]).collect()
}

/// A benchmark by itself: a plan has a million.
type SmallUnit = [usize; 1];

fn deal<U: AsRef<[usize]>>(
    plan: &Plan,
    count: u32,
    units: Vec<U>,
    takes_the_rest: bool,
) -> Vec<Vec<usize>> {
    let dealt = Dealt::new(plan, count, units, takes_the_rest);
    let mut needs = Needs::new(plan);
    (0..dealt.benchmarks.len())
        .map(|number| dealt.jobs_of(number, &mut needs))
        .collect()
}

/// Returns the positions of the jobs of one shard: those that [`shards`] gives it.
#[must_use]
pub fn shard(plan: &Plan, shard: &Shard) -> Vec<usize> {
    let dealt = Dealt::new(plan, shard.count, each(plan), true);
    // Shards are counted from 1.
    let number = shard.index.saturating_sub(1) as usize;
    dealt.jobs_of(number, &mut Needs::new(plan))
}

/// Who does which benchmark.
struct Dealt<'p> {
    plan: &'p Plan,
    /// For each shard its benchmarks.
    benchmarks: Vec<Vec<usize>>,
    /// Whether what no benchmark needs is the first shard's.
    takes_the_rest: bool,
}

impl<'p> Dealt<'p> {
    fn new<U: AsRef<[usize]>>(
        plan: &'p Plan,
        count: u32,
        units: Vec<U>,
        takes_the_rest: bool,
    ) -> Self {
        let weight_of = |unit: &U| {
            let jobs = unit
                .as_ref()
                .iter()
                .filter_map(|position| plan.jobs.get(*position));
            jobs.map(weight).fold(0, u64::saturating_add)
        };
        let mut units: Vec<(U, u64)> = units
            .into_iter()
            .map(|unit| {
                let weight = weight_of(&unit);
                (unit, weight)
            })
            .collect();
        let first = |unit: &U| plan.jobs.get(*unit.as_ref().first()?).map(|job| &job.id);
        units.sort_unstable_by(|(one, weight), (other, other_weight)| {
            let by_weight = other_weight.cmp(weight);
            by_weight.then_with(|| first(one).cmp(&first(other)))
        });
        let mut dealt = vec![Vec::new(); count as usize];
        let mut lightest: BinaryHeap<Reverse<(u64, usize, usize)>> = (0..dealt.len())
            .map(|number| Reverse((0, 0, number)))
            .collect();
        for (unit, weight) in units {
            let Some(mut first) = lightest.peek_mut() else {
                break;
            };
            let Reverse((load, held, number)) = *first;
            dealt[number].extend_from_slice(unit.as_ref());
            let held = held + unit.as_ref().len();
            *first = Reverse((load.saturating_add(weight), held, number));
        }
        Self {
            plan,
            benchmarks: dealt,
            takes_the_rest,
        }
    }

    fn jobs_of(&self, number: usize, needs: &mut Needs<'p>) -> Vec<usize> {
        let own = self.benchmarks.get(number).into_iter().flatten();
        let mut jobs = needs.of(own.copied());
        if number == 0 && self.takes_the_rest {
            let all =
                (0..self.plan.jobs.len()).filter(|position| is_benchmark(self.plan, *position));
            let needed = needs.of(all);
            let mut is_needed = vec![false; self.plan.jobs.len()];
            for position in needed {
                is_needed[position] = true;
            }
            let left = (0..self.plan.jobs.len()).filter(|position| !is_needed[*position]);
            jobs = needs.of(jobs.into_iter().chain(left));
        }
        jobs.sort_unstable();
        jobs
    }
}

/// Returns what a benchmark weighs: its expected time, and nothing if it is skipped.
fn weight(job: &Job) -> u64 {
    match &job.skip {
        Some(_) => 0,
        None => job.expected_milliseconds().unwrap_or(0),
    }
}

/// Finds what jobs need, over several steps.
struct Needs<'p> {
    plan: &'p Plan,
    positions: FxHashMap<&'p JobId, usize>,
    /// For each job the last walk that came by.
    seen: Vec<u32>,
    walk: u32,
}

impl<'p> Needs<'p> {
    fn new(plan: &'p Plan) -> Self {
        // Few jobs are needed by others, and a plan has a million.
        let needed = plan
            .jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| job.kind != JobKind::Benchmark);
        Self {
            plan,
            positions: needed.map(|(position, job)| (&job.id, position)).collect(),
            seen: vec![0; plan.jobs.len()],
            walk: 0,
        }
    }

    /// Returns some jobs and all that they need, each once.
    fn of(&mut self, jobs: impl Iterator<Item = usize>) -> Vec<usize> {
        self.walk += 1;
        let mut found = Vec::new();
        for position in jobs {
            self.add(position, &mut found);
        }
        let mut next = 0;
        while let Some(position) = found.get(next).copied() {
            next += 1;
            for need in &self.plan.jobs[position].needs {
                if let Some(needed) = self.positions.get(need).copied() {
                    self.add(needed, &mut found);
                }
            }
        }
        found
    }

    fn add(&mut self, position: usize, found: &mut Vec<usize>) {
        if std::mem::replace(&mut self.seen[position], self.walk) != self.walk {
            found.push(position);
        }
    }
}
