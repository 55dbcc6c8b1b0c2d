//! What makes a plan one that can be kept: a digest over all of it, and digests of the recordings
//! that it names.

use crate::model::{AudioSource, Plan};
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
    let holds = written == found;
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

fn digest_of(plan: &Plan) -> String {
    let mut hasher = Hasher(Sha256::new());
    serde_json::to_writer(&mut hasher, plan).expect("a plan has string keys and finite numbers");
    hasher
        .0
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
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
