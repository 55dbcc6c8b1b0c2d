//! What may run beside what, and in which order timed work is done.

use crate::model::{JobSpec, Order, Plan, VerifyMethod};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a job takes of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResourceClass {
    /// A little reading: several at once.
    Files,
    /// The network: a few at once.
    Network,
    /// The whole machine: nothing else beside it, because engines spin when they are crowded.
    Machine,
}

impl ResourceClass {
    /// How many of a class may run at once.
    pub(super) fn slots(self) -> usize {
        match self {
            Self::Files => 4,
            Self::Network => 2,
            Self::Machine => 1,
        }
    }

    /// Returns the class of a job.
    pub(super) fn of(spec: &JobSpec) -> Self {
        match spec {
            JobSpec::Verify(verify) => match verify.method {
                VerifyMethod::CacheCheck | VerifyMethod::Checksum => Self::Files,
                VerifyMethod::Load | VerifyMethod::Transcribe => Self::Machine,
            },
            JobSpec::Download(_) => Self::Network,
            JobSpec::Benchmark(_) => Self::Machine,
        }
    }
}

/// Returns every launch of the benchmarks as (launch, position in the plan), in the order in which
/// they are done: round by round over the launches, so that each row is visited once in a round,
/// and within a round in a seeded random order, so that drift of the machine falls on no one row.
pub(super) fn timed_order(plan: &Plan, benchmarks: &[usize]) -> Vec<(u32, usize)> {
    let launches = |position: &usize| match &plan.jobs[*position].spec {
        JobSpec::Benchmark(benchmark) => benchmark.launches,
        _ => 0,
    };
    let rounds = benchmarks.iter().map(launches).max().unwrap_or(0);
    let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
    let mut order = Vec::new();
    for round in 0..rounds {
        let mut block: Vec<usize> = benchmarks
            .iter()
            .copied()
            .filter(|position| launches(position) > round)
            .collect();
        if plan.order == Order::Rounds {
            shuffle(&mut block, &mut random);
        }
        order.extend(block.into_iter().map(|position| (round, position)));
    }
    order
}

/// Fisher and Yates' shuffle. The bias of the remainder is below 2^-32 for any plan that fits.
fn shuffle(items: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        let bound = u64::try_from(last).unwrap_or(u64::MAX - 1) + 1;
        let chosen = usize::try_from(random.next_u64() % bound).unwrap_or(0);
        items.swap(last, chosen);
    }
}
