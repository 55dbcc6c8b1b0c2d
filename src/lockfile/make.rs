//! From a plan, and what was found out about its artifacts, to a lock file.

use super::file::{LockFile, LockedArtifact, LockedAudio};
use super::read::VERSION;
use crate::model::{Artifact, JobSpec, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the artifacts that a plan's jobs name, each once, in the order of their names.
#[must_use]
pub fn artifacts_of(plan: &Plan) -> Vec<&Artifact> {
    let named: BTreeSet<(&str, &str)> = plan
        .jobs
        .iter()
        .filter(|job| job.skip.is_none())
        .filter_map(|job| match &job.spec {
            JobSpec::Verify(spec) => Some((spec.model.as_str(), spec.artifact.as_deref()?)),
            JobSpec::Benchmark(spec) => Some((spec.model.as_str(), spec.artifact.as_deref()?)),
            JobSpec::Download(_) => None,
        })
        .collect();
    named
        .into_iter()
        .filter_map(|(model, id)| plan.models.get(model)?.artifacts.get(id))
        .collect()
}

/// Returns the engines that a plan's jobs name.
pub(super) fn engines_of(plan: &Plan) -> BTreeSet<&str> {
    let jobs = plan.jobs.iter().filter(|job| job.skip.is_none());
    jobs.filter_map(|job| match &job.spec {
        JobSpec::Verify(spec) => Some(spec.backend.as_str()),
        JobSpec::Benchmark(spec) => Some(spec.backend.as_str()),
        JobSpec::Download(_) => None,
    })
    .collect()
}

/// Makes the lock file of a plan whose recordings' digests have been noted. `artifacts` is what was
/// found of each artifact, by model and id; `versions` what command backends say of themselves.
#[must_use]
pub fn lock_of(
    plan: &Plan,
    matrix: &str,
    artifacts: BTreeMap<String, BTreeMap<String, LockedArtifact>>,
    versions: &BTreeMap<String, String>,
) -> LockFile {
    let engines = engines_of(plan)
        .into_iter()
        .filter_map(|id| Some((id.to_owned(), version_of(plan, id, versions)?)))
        .collect();
    let audio = plan
        .audio
        .values()
        .map(|audio| {
            let recordings = audio
                .utterances
                .iter()
                .filter_map(|utterance| Some((utterance.id.clone(), utterance.sha256.clone()?)));
            let locked = LockedAudio {
                manifest: (audio.manifest.as_ref()).and_then(|manifest| manifest.sha256.clone()),
                recordings: recordings.collect(),
            };
            (audio.id.clone(), locked)
        })
        .collect();
    LockFile {
        version: VERSION,
        matrix: matrix.to_owned(),
        artifacts,
        engines,
        audio,
    }
}

/// Returns the version of an engine, as it says itself or as this program knows it.
pub(super) fn version_of(
    plan: &Plan,
    engine: &str,
    versions: &BTreeMap<String, String>,
) -> Option<String> {
    let told = versions.get(engine).cloned();
    told.or_else(|| plan.engines.get(engine)?.version.clone())
}
