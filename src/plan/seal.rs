//! What makes a plan one that can be kept: a digest over all of it, and digests of the recordings
//! that it names.

use crate::model::{AudioSource, Combinations, Job, Plan, hexadecimal};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Sets a plan's digest to what its content gives. Whoever changes a plan seals it again.
pub fn seal(plan: &mut Plan) {
    plan.digest.clear();
    plan.digest = digest_of(plan);
}

/// Returns whether a plan's digest is that of its content: whether nobody has changed it since it
/// was made.
pub fn seal_holds(plan: &mut Plan) -> bool {
    let written = std::mem::take(&mut plan.digest);
    let found = digest_of(plan);
    let holds = written == found && ids_hold(&plan.jobs);
    plan.digest = written;
    holds
}

/// Notes the digest of every recording and manifest on disk that the plan names, and seals it.
/// `digest` is asked once for each file; a file that it cannot read stays without a digest.
pub fn note_recordings(plan: &mut Plan, digest: impl Fn(&Path) -> io::Result<String> + Sync) {
    let files = file_digests(plan, digest);
    if files.is_empty() {
        return;
    }
    let noted = |path: &Path| files.get(path)?.as_ref().ok().cloned();
    for audio in plan.audio.values_mut() {
        if let Some(manifest) = &mut audio.manifest {
            manifest.sha256 = noted(&manifest.path);
        }
        for utterance in &mut audio.utterances {
            if let AudioSource::File(path) = &utterance.source {
                utterance.sha256 = noted(path);
            }
        }
    }
    seal(plan);
}

/// Returns the digest of every recording and manifest on disk that a plan names.
pub(super) fn file_digests(
    plan: &Plan,
    digest: impl Fn(&Path) -> io::Result<String> + Sync,
) -> BTreeMap<PathBuf, io::Result<String>> {
    let manifests = plan.audio.values().filter_map(|audio| {
        let manifest = audio.manifest.as_ref()?;
        Some(&manifest.path)
    });
    let recordings = plan
        .audio
        .values()
        .flat_map(|audio| &audio.utterances)
        .filter_map(|utterance| match &utterance.source {
            AudioSource::File(path) => Some(path),
            AudioSource::Builtin(_) => None,
        });
    let files: BTreeSet<&PathBuf> = manifests.chain(recordings).collect();
    files
        .into_par_iter()
        .map(|path| (path.clone(), digest(path)))
        .collect()
}

/// How many combinations or jobs are hashed as one piece. It is part of what the digest is.
const PIECE: usize = 8192;

/// Returns the digest over everything but the digest itself.
///
/// Combinations and jobs may be a million, so their text is not made for this: a combination
/// stands for the fingerprints of its values, a job for its own digest, which is that of its spec.
fn digest_of(plan: &mut Plan) -> String {
    let combinations = std::mem::take(&mut plan.combinations);
    let jobs = std::mem::take(&mut plan.jobs);
    let mut hasher = Hasher(Sha256::new());
    serde_json::to_writer(&mut hasher, plan).expect("a plan has string keys and finite numbers");
    for piece in combination_pieces(&combinations)
        .into_iter()
        .chain(job_pieces(&jobs))
    {
        hasher.0.update(piece);
    }
    plan.combinations = combinations;
    plan.jobs = jobs;
    hexadecimal(&hasher.0.finalize())
}

/// Returns the digests of the combinations, piece by piece.
fn combination_pieces(combinations: &Combinations) -> Vec<[u8; 32]> {
    // By key and value as they are in JSON, so that they are the same when the plan is read again.
    let fingerprints: Vec<Vec<[u8; 8]>> = combinations
        .columns()
        .iter()
        .map(|column| {
            let fingerprint = |value| {
                let mut hasher = Hasher(Sha256::new());
                serde_json::to_writer(&mut hasher, &(&column.name, value))
                    .expect("a value is text, a number or a boolean");
                let mut first = [0; 8];
                first.copy_from_slice(&hasher.0.finalize()[..8]);
                first
            };
            column.values.iter().map(fingerprint).collect()
        })
        .collect();
    pieces(combinations.len(), |position, bytes| {
        for (cell, values) in combinations.row(position).iter().zip(&fingerprints) {
            // What a combination does not have is not in its JSON either.
            bytes.extend(values.get(*cell as usize).into_iter().flatten());
        }
    })
}

/// How many digits of a job's digest end its id.
const DIGITS: usize = 10;

/// Returns the digests of the jobs, piece by piece.
fn job_pieces(jobs: &[Job]) -> Vec<[u8; 32]> {
    pieces(jobs.len(), |position, bytes| {
        let job = &jobs[position];
        let mut text = |text: &str| {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        // Id, kind and stage follow from the spec, and so from its digest.
        text(job.skip.as_deref().unwrap_or(""));
        for need in &job.needs {
            // The end of an id is the beginning of a digest, and tells it from all others.
            let start = need.0.len().saturating_sub(DIGITS);
            text(need.0.get(start..).unwrap_or(&need.0));
        }
        bytes.extend(job.digest.0);
        // Plans of before it was there have none, and their seals hold.
        if let Some(expected) = job.expected_milliseconds() {
            bytes.extend(expected.to_le_bytes());
        }
        for combination in &job.combinations {
            bytes.extend((*combination as u64).to_le_bytes());
        }
    })
}

/// Hashes `count` items in pieces, on all cores; `write` adds an item's bytes.
fn pieces(count: usize, write: impl Fn(usize, &mut Vec<u8>) + Sync) -> Vec<[u8; 32]> {
    (0..count.div_ceil(PIECE))
        .into_par_iter()
        .map(|piece| {
            let mut hasher = Sha256::new();
            let mut bytes = Vec::new();
            for position in piece * PIECE..count.min((piece + 1) * PIECE) {
                bytes.clear();
                write(position, &mut bytes);
                hasher.update((bytes.len() as u64).to_le_bytes());
                hasher.update(&bytes);
            }
            hasher.finalize().into()
        })
        .collect()
}

/// Whether every job has the id and the digest that its spec gives.
fn ids_hold(jobs: &[Job]) -> bool {
    jobs.par_iter().all(|job| {
        let fresh = Job::new(job.spec.clone());
        (fresh.id, fresh.digest, fresh.kind, fresh.stage)
            == (job.id.clone(), job.digest, job.kind, job.stage)
    })
}

/// Takes JSON in as it is written, so that a large plan is never held as text.
struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
