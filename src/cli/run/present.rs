//! What is true now of what an earlier run was measured with.

use crate::engine;
use crate::exec::RunContext;
use crate::record::{Present, RunRecord};
use crate::store::{find, identify};
use std::collections::HashMap;

/// Finds out what is true now: versions of engines, digests of artifacts and recordings, and which
/// machine this is. Each file is read once, whatever the number of jobs.
pub(super) fn present(context: &RunContext, record: &RunRecord) -> Present {
    let mut versions: HashMap<String, Option<String>> = engine::facts()
        .into_values()
        .map(|facts| (facts.id, facts.version))
        .collect();
    for (backend, version) in &context.versions {
        versions.insert(backend.clone(), Some(version.clone()));
    }
    let utterances = context
        .plan
        .audio
        .values()
        .flat_map(|audio| &audio.utterances);
    Present {
        machine_id: context.machine.id.clone(),
        engine_versions: versions,
        artifacts: record
            .artifacts
            .keys()
            .filter_map(|key| Some((key.clone(), digest_of(context, key)?)))
            .collect(),
        audio: utterances
            .filter_map(|utterance| Some((utterance.id.clone(), utterance.sha256.clone()?)))
            .collect(),
    }
}

/// Returns the digest of an artifact where it is whole; where it is not, a verify will say so.
fn digest_of(context: &RunContext, (model, id): &(String, String)) -> Option<String> {
    let artifact = context.plan.models.get(model)?.artifacts.get(id)?;
    let found = find(artifact, &context.store);
    if !found.is_complete() {
        return None;
    }
    Some(identify(&found.place).ok()?.digest)
}
