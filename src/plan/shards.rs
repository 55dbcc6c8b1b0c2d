//! A plan dealt to several machines. It rests on nothing but the plan, so that all of them agree
//! without asking one another.

use crate::model::{Job, JobId, JobKind, Plan, Shard};
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
    let all = (0..plan.jobs.len()).filter(|position| is_benchmark(plan, *position));
    deal(plan, count, all, true)
}

/// Returns the shards of some of a plan's benchmarks, which are given by their positions: those that
/// [`shards`] would give if there were no others. What no benchmark of the plan needs is the first
/// shard's if `takes_the_rest`, and nobody's otherwise.
#[must_use]
pub fn shards_of(
    plan: &Plan,
    count: u32,
    benchmarks: &[usize],
    takes_the_rest: bool,
) -> Vec<Vec<usize>> {
    let some = benchmarks.iter().copied();
    deal(plan, count, some, takes_the_rest)
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

fn deal(
    plan: &Plan,
    count: u32,
    benchmarks: impl Iterator<Item = usize>,
    takes_the_rest: bool,
) -> Vec<Vec<usize>> {
    let dealt = Dealt::new(plan, count, benchmarks, takes_the_rest);
    let mut needs = Needs::new(plan);
    (0..dealt.benchmarks.len())
        .map(|number| dealt.jobs_of(number, &mut needs))
        .collect()
}

/// Returns the positions of the jobs of one shard: those that [`shards`] gives it.
#[must_use]
pub fn shard(plan: &Plan, shard: &Shard) -> Vec<usize> {
    let all = (0..plan.jobs.len()).filter(|position| is_benchmark(plan, *position));
    let dealt = Dealt::new(plan, shard.count, all, true);
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
    fn new(
        plan: &'p Plan,
        count: u32,
        benchmarks: impl Iterator<Item = usize>,
        takes_the_rest: bool,
    ) -> Self {
        let mut benchmarks: Vec<(usize, u64)> = benchmarks
            .filter_map(|position| Some((position, weight(plan.jobs.get(position)?))))
            .collect();
        benchmarks.sort_unstable_by_key(|(position, weight)| {
            (Reverse(*weight), &plan.jobs[*position].id)
        });
        let mut dealt = vec![Vec::new(); count as usize];
        let mut lightest: BinaryHeap<Reverse<(u64, usize, usize)>> = (0..dealt.len())
            .map(|number| Reverse((0, 0, number)))
            .collect();
        for (position, weight) in benchmarks {
            let Some(mut first) = lightest.peek_mut() else {
                break;
            };
            let Reverse((load, held, number)) = *first;
            dealt[number].push(position);
            *first = Reverse((load.saturating_add(weight), held + 1, number));
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
