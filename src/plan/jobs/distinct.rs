//! Which combinations ask for the same benchmark.

use super::meaning::{Asked, Meaning, Meanings};
use crate::model::Combinations;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

/// How many combinations one piece holds.
const PIECE: usize = 16_384;

/// Stands for a combination that asks for no job.
pub(super) const NONE: u32 = u32::MAX;

/// Where the settings begin in a key: engine, model, quantization and recording stand before them.
const FIRST: usize = 4;

/// What combinations ask for, each thing once.
pub(super) struct Distinct {
    /// For each combination the number of its job, or [`NONE`].
    pub(super) job_of: Vec<u32>,
    /// For each job, how many combinations ask for it.
    pub(super) counts: Vec<u32>,
    /// Keys of the jobs, one after the other.
    keys: Vec<u32>,
    width: usize,
}

impl Distinct {
    /// Returns how many jobs there are.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Returns a job's key.
    pub(super) fn key(&self, job: usize) -> Key<'_> {
        Key(&self.keys[job * self.width..(job + 1) * self.width])
    }
}

/// What a benchmark is made of, as numbers in [`Meanings`]. Equal keys are equal specs.
#[derive(Clone, Copy)]
pub(super) struct Key<'k>(&'k [u32]);

impl<'k> Key<'k> {
    /// Returns engine, model, quantization and recording.
    pub(super) fn asked(self) -> Asked {
        Asked {
            engine: self.0[0],
            model: self.0[1],
            quantization: self.0[2],
            audio: self.0[3],
        }
    }

    /// Returns the runner's counts.
    pub(super) fn counts(self, meanings: &Meanings<'_>) -> &'k [u32] {
        &self.0[FIRST..FIRST + meanings.counts.len()]
    }

    /// Returns the numbers of the settings in the order of their names.
    pub(super) fn settings(self, meanings: &Meanings<'_>) -> impl Iterator<Item = u32> + use<'k> {
        self.0[FIRST + meanings.counts.len()..]
            .iter()
            .copied()
            .filter(|number| *number != NONE)
    }
}

/// Finds the combinations that ask for the same.
pub(super) fn distinct(meanings: &Meanings<'_>, combinations: &Combinations) -> Distinct {
    let counts = meanings.counts.len();
    let settings: Vec<_> = meanings
        .names
        .iter()
        .filter(|name| name.count.is_none())
        .collect();
    let width = FIRST + counts + settings.len();
    let write_key = |row: &[u32], key: &mut Vec<u32>| -> bool {
        let Some(asked) = meanings.asked(row) else {
            key.resize(key.len() + width, NONE);
            return false;
        };
        key.extend([asked.engine, asked.model, asked.quantization, asked.audio]);
        let first_count = key.len();
        key.extend(&meanings.counts);
        for name in &meanings.names {
            if let (Some(position), Meaning::Count(count)) =
                (name.count, name.meaning(asked.engine as usize, row))
            {
                key[first_count + position] = count;
            }
        }
        for name in &settings {
            key.push(match meanings.setting(name, asked, row) {
                Meaning::Setting(number) => number,
                Meaning::Nothing | Meaning::Count(_) => NONE,
            });
        }
        true
    };
    let piece = |number: usize| {
        let from = number * PIECE;
        let to = combinations.len().min(from + PIECE);
        let mut keys = Vec::with_capacity((to - from) * width);
        let hashes: Vec<Option<u64>> = (from..to)
            .map(|position| {
                let start = keys.len();
                let asks = write_key(combinations.row(position), &mut keys);
                asks.then(|| hash(&keys[start..]))
            })
            .collect();
        (keys, hashes)
    };
    let mut found = Distinct {
        job_of: Vec::with_capacity(combinations.len()),
        counts: Vec::new(),
        keys: Vec::new(),
        width,
    };
    let mut jobs = Numbers::default();
    // A few pieces at a time, so that keys of combinations that share a job are soon let go.
    let pieces = combinations.len().div_ceil(PIECE);
    let at_once = rayon::current_num_threads() * 4;
    for first in (0..pieces).step_by(at_once) {
        let made: Vec<_> = (first..pieces.min(first + at_once))
            .into_par_iter()
            .map(piece)
            .collect();
        if first > 0 && found.len() * 2 > found.job_of.len() {
            // Most ask for a job of their own: make room for all at once.
            let left = combinations.len() - found.job_of.len();
            jobs.0.reserve(left);
            found.keys.reserve_exact(left * width);
            found.counts.reserve_exact(left);
        }
        for (keys, hashes) in made {
            for (key, hash) in keys.chunks_exact(width).zip(hashes) {
                let job = hash.map_or(NONE, |hash| jobs.number(hash, key, &mut found));
                found.job_of.push(job);
            }
        }
    }
    found
}

/// Numbers of jobs by the hash of their key. A hash that is taken by another key makes room for the
/// next one.
#[derive(Default)]
struct Numbers(FxHashMap<u64, u32>);

impl Numbers {
    fn number(&mut self, mut hash: u64, key: &[u32], found: &mut Distinct) -> u32 {
        loop {
            let next = u32::try_from(found.counts.len()).unwrap_or(NONE);
            let job = *self.0.entry(hash).or_insert(next);
            if job == next {
                found.keys.extend_from_slice(key);
                found.counts.push(1);
                return job;
            }
            if found.key(job as usize).0 == key {
                found.counts[job as usize] += 1;
                return job;
            }
            hash = hash.wrapping_add(1);
        }
    }
}

fn hash(key: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    for number in key {
        hasher.write_u32(*number);
    }
    hasher.finish()
}
