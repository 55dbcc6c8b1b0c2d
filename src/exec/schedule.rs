//! What may run beside what, and in which order timed work is done.

use crate::model::{JobSpec, Order, Plan, VerifyMethod};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Transfers that may run at once.
const NETWORK_SLOTS: u32 = 2;

/// What a job takes of the machine while it runs. Timed jobs take all of it and are not handed out
/// here: they run one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    /// Cores that it keeps busy: as many as it has threads.
    pub(super) cores: u32,
    /// Transfers that it makes.
    pub(super) network: u32,
}

impl Claim {
    /// Returns what a verify or a download takes. `threads` is the number of threads of an engine
    /// that is not told one.
    pub(super) fn of(plan: &Plan, spec: &JobSpec, threads: u32) -> Self {
        match spec {
            JobSpec::Verify(verify) => {
                let asks_engine =
                    matches!(verify.method, VerifyMethod::Load | VerifyMethod::Transcribe);
                let told = verify.settings.get("threads").and_then(|value| {
                    value
                        .as_integer()
                        .and_then(|threads| u32::try_from(threads).ok())
                });
                let cores = if asks_engine {
                    told.unwrap_or(threads)
                } else {
                    1
                };
                Self { cores, network: 0 }
            }
            JobSpec::Download(download) => {
                // A recipe computes as well as it fetches.
                let recipe = download.recipe.as_ref();
                let computes = recipe.is_some_and(|id| plan.recipes.contains_key(id));
                Self {
                    cores: u32::from(computes),
                    network: 1,
                }
            }
            JobSpec::Benchmark(_) => Self::default(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            cores: self.cores.saturating_add(other.cores),
            network: self.network.saturating_add(other.network),
        }
    }
}

/// Jobs that may start as soon as there is room, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    /// Those that want a core.
    computing: BTreeMap<usize, Claim>,
    /// Those that only move bytes.
    transferring: BTreeMap<usize, Claim>,
}

impl Waiting {
    /// Adds a job.
    pub(super) fn add(&mut self, job: usize, claim: Claim) {
        let queue = if claim.cores > 0 {
            &mut self.computing
        } else {
            &mut self.transferring
        };
        queue.insert(job, claim);
    }
}

/// What the machine has, and who has it. A job is known by a number.
#[derive(Clone, Debug)]
pub(super) struct Resources {
    cores: u32,
    taken: BTreeMap<usize, Claim>,
}

impl Resources {
    /// All is free.
    pub(super) fn new(cores: u32) -> Self {
        Self {
            cores: cores.max(1),
            taken: BTreeMap::new(),
        }
    }

    fn taken(&self) -> Claim {
        self.taken
            .values()
            .fold(Claim::default(), |sum, claim| Claim {
                cores: sum.cores.saturating_add(claim.cores),
                network: sum.network.saturating_add(claim.network),
            })
    }

    /// Returns which of the waiting jobs may start now, in their order, and takes what they need.
    /// Who is short of cores holds back those behind it that want some, or large jobs would wait
    /// for as long as there are small ones.
    pub(super) fn start(&mut self, waiting: &mut Waiting) -> Vec<usize> {
        let mut started = Vec::new();
        let mut taken = self.taken();
        for (job, claim) in &waiting.computing {
            // A job with more threads than there are cores gets all of them.
            let cores = claim.cores.min(self.cores);
            if taken.cores + cores > self.cores {
                break;
            }
            if claim.network > 0 && taken.network + claim.network > NETWORK_SLOTS {
                continue;
            }
            let claim = Claim { cores, ..*claim };
            taken = taken.and(claim);
            self.taken.insert(*job, claim);
            started.push(*job);
        }
        for (job, claim) in &waiting.transferring {
            if taken.network + claim.network > NETWORK_SLOTS {
                break;
            }
            taken = taken.and(*claim);
            self.taken.insert(*job, *claim);
            started.push(*job);
        }
        for job in &started {
            waiting.computing.remove(job);
            waiting.transferring.remove(job);
        }
        started
    }

    /// A job has ended, or waits.
    pub(super) fn give_back(&mut self, job: usize) {
        self.taken.remove(&job);
    }
}

/// Returns the rounds of launches of some benchmarks, as positions in the plan: each row is
/// visited once in a round, and within a round in a seeded random order, so that drift of the
/// machine falls on no one row.
pub(super) fn rounds(plan: &Plan, benchmarks: &[usize]) -> Vec<Vec<usize>> {
    let launches = |position: &usize| match &plan.jobs[*position].spec {
        JobSpec::Benchmark(benchmark) => benchmark.most_launches(),
        _ => 0,
    };
    let count = benchmarks.iter().map(launches).max().unwrap_or(0);
    let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
    (0..count)
        .map(|round| {
            let mut block: Vec<usize> = benchmarks
                .iter()
                .copied()
                .filter(|position| launches(position) > round)
                .collect();
            if plan.order == Order::Rounds {
                shuffle(&mut block, &mut random);
            }
            block
        })
        .collect()
}

/// Divides a round into what one process serves: each launch alone, or, if engines are kept for the jobs of
/// a model, all that want the same model and settings of the same engine. Their order is that of the
/// round, and a process stands where the first of its jobs stood.
pub(super) fn by_process(plan: &Plan, block: Vec<usize>) -> Vec<Vec<usize>> {
    let mut processes: Vec<Vec<usize>> = Vec::new();
    let mut known = HashMap::new();
    for position in block {
        match kept_for(plan, position) {
            None => processes.push(vec![position]),
            Some(wanted) => {
                let place = *known.entry(wanted).or_insert(processes.len());
                match processes.get_mut(place) {
                    Some(served) => served.push(position),
                    None => processes.push(vec![position]),
                }
            }
        }
    }
    processes
}

/// Returns what a benchmark wants of a process that may serve others too, so that equal wishes can be
/// told; `None` for one that has its process to itself.
fn kept_for(plan: &Plan, position: usize) -> Option<String> {
    let JobSpec::Benchmark(spec) = &plan.jobs[position].spec else {
        return None;
    };
    plan.keeps_engine(&spec.backend).then(|| {
        let settings = spec.engine_settings();
        let wanted = (&spec.backend, &spec.model, &spec.artifact, settings);
        serde_json::to_string(&wanted).unwrap_or_else(|_| position.to_string())
    })
}

/// Fisher and Yates' shuffle. The bias of the remainder is below 2^-32 for any plan that fits.
fn shuffle(items: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        let bound = u64::try_from(last).unwrap_or(u64::MAX - 1) + 1;
        let chosen = usize::try_from(random.next_u64() % bound).unwrap_or(0);
        items.swap(last, chosen);
    }
}

/// Returns whether a round fits into what is left of a time budget: as long as a launch took on
/// average so far, it takes for each of the round's. Before the first launch nothing is known, and
/// a run that measures nothing helps nobody: the first round is always done.
pub(super) fn fits_budget(
    budget: Duration,
    spent: Duration,
    launches_done: usize,
    took: Duration,
    launches_to_do: usize,
) -> bool {
    let Ok(done) = u32::try_from(launches_done) else {
        return spent <= budget;
    };
    if done == 0 {
        return true;
    }
    let to_do = u32::try_from(launches_to_do).unwrap_or(u32::MAX);
    let expected = (took / done).saturating_mul(to_do);
    spent.saturating_add(expected) <= budget
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn waiting(claims: impl IntoIterator<Item = (usize, Claim)>) -> Waiting {
        let mut waiting = Waiting::default();
        for (job, claim) in claims {
            waiting.add(job, claim);
        }
        waiting
    }

    #[test]
    fn a_large_job_is_not_passed_by_small_ones_for_ever() {
        let mut resources = Resources::new(2);
        let cores = |cores| Claim { cores, network: 0 };
        assert_eq!(resources.start(&mut waiting([(1, cores(1))])), [1]);
        // Two cores are wanted and one is free: whoever comes later and wants a core waits too.
        let transfer = Claim {
            cores: 0,
            network: 1,
        };
        let mut waiting = waiting([(2, cores(2)), (3, cores(1)), (4, transfer)]);
        assert_eq!(resources.start(&mut waiting), [4]);
        resources.give_back(1);
        assert_eq!(resources.start(&mut waiting), [2]);
    }

    #[test]
    fn the_first_round_is_done_whatever_the_budget_and_the_next_if_it_fits() {
        let seconds = Duration::from_secs;
        assert!(fits_budget(seconds(0), seconds(5), 0, seconds(0), 10));
        // Four launches took eight seconds; four more take as long.
        assert!(fits_budget(seconds(20), seconds(12), 4, seconds(8), 4));
        assert!(!fits_budget(seconds(19), seconds(12), 4, seconds(8), 4));
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_there_is_and_everybody_gets_a_turn(
            cores in 1u32..5,
            claims in proptest::collection::vec((0u32..8, 0u32..2), 1..30),
        ) {
            let mut resources = Resources::new(cores);
            let mut waiting = waiting(claims.iter().enumerate().map(|(job, (cores, network))| {
                // A job that takes nothing does not wait.
                let cores = (*cores).max(1 - *network);
                (job, Claim { cores, network: *network })
            }));
            let mut turns = 0;
            let mut done = 0;
            while done < claims.len() {
                let started = resources.start(&mut waiting);
                prop_assert!(!started.is_empty());
                let taken = resources.taken();
                prop_assert!(taken.cores <= cores && taken.network <= NETWORK_SLOTS);
                done += started.len();
                for job in started {
                    resources.give_back(job);
                }
                turns += 1;
            }
            prop_assert!(turns <= claims.len());
        }
    }
}
