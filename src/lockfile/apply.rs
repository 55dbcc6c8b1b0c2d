//! A plan held against a lock file: what it does not name is refused, what it names is what the
//! plan's artifacts are expected to be.

use super::file::{LockFile, LockedArtifact, LockedAudio, LockedSource};
use super::make::{artifacts_of, engines_of};
use crate::model::{Artifact, ArtifactFile, AudioDefinition, JobSpec, Plan, PlanLock, Source};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// Holds a plan whose recordings' digests have been noted against a lock file, and writes into its
/// artifacts what is locked of them. `digest` is the SHA-256 of the lock file's text. Returns what differs, one sentence each without a full stop;
/// if there is anything, the plan must not be carried out.
#[must_use]
pub fn apply(lock: &LockFile, digest: &str, plan: &mut Plan) -> Vec<String> {
    let mut differences = Vec::new();
    let mut locked: Vec<(String, String, Artifact)> = Vec::new();
    for artifact in artifacts_of(plan) {
        let entry = lock.artifacts.get(&artifact.model);
        match entry.and_then(|artifacts| artifacts.get(&artifact.id)) {
            None => differences.push(format!(
                "the artifact `{}` of `{}` is not in it",
                artifact.id, artifact.model
            )),
            Some(entry) => match locked_artifact(artifact, entry) {
                Ok(now) => locked.push((artifact.model.clone(), artifact.id.clone(), now)),
                Err(difference) => differences.push(difference),
            },
        }
    }
    for engine in engines_of(plan) {
        let version = plan
            .engines
            .get(engine)
            .and_then(|facts| facts.version.as_ref());
        match (version, lock.engines.get(engine)) {
            (Some(now), Some(then)) if now == then => {}
            (Some(now), Some(then)) => differences.push(format!(
                "the engine `{engine}` has version {now}, and {then} is locked"
            )),
            (Some(_), None) => differences.push(format!("the engine `{engine}` is not in it")),
            // What a command says of itself is compared when the run asks it.
            (None, Some(then)) => {
                plan_version(&mut differences, plan, engine, then);
            }
            (None, None) => {}
        }
    }
    for audio in plan.audio.values() {
        match lock.audio.get(&audio.id) {
            None => differences.push(format!("the audio `{}` is not in it", audio.id)),
            Some(entry) => compare_audio(audio, entry, &mut differences),
        }
    }
    for (model, id, artifact) in locked {
        if let Some(model) = plan.models.get_mut(&model) {
            model.artifacts.insert(id, artifact);
        }
    }
    let commands = plan.backends.keys().filter_map(|id| {
        let version = lock.engines.get(id)?;
        Some((id.clone(), version.clone()))
    });
    plan.lock = Some(PlanLock {
        sha256: digest.to_owned(),
        versions: commands.collect(),
    });
    differences
}

/// A version that is locked can only be compared if the backend says how it is asked.
fn plan_version(differences: &mut Vec<String>, plan: &Plan, engine: &str, then: &str) {
    let asks = plan
        .backends
        .get(engine)
        .is_some_and(|definition| definition.version.is_some());
    if !asks {
        differences.push(format!(
            "the version of the engine `{engine}` is not known here, and {then} is locked"
        ));
    }
}

/// Returns the versions of what a plan measures that are not as it has them locked, one sentence
/// each. `versions` is what command backends say of themselves.
#[must_use]
pub fn differing_versions(plan: &Plan, versions: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |(engine, then): (&String, &String)| match versions.get(engine) {
        Some(now) if now == then => None,
        Some(now) => Some(format!(
            "the engine `{engine}` has version {now}, and {then} is locked"
        )),
        None => Some(format!(
            "the engine `{engine}` does not say its version, and {then} is locked"
        )),
    };
    let measured: BTreeSet<&str> = plan
        .jobs
        .iter()
        .filter(|job| job.skip.is_none())
        .filter_map(|job| match &job.spec {
            JobSpec::Benchmark(spec) => Some(spec.backend.as_str()),
            _ => None,
        })
        .collect();
    let locked = plan.lock.iter().flat_map(|lock| &lock.versions);
    locked
        .filter(|(engine, _)| measured.contains(engine.as_str()))
        .filter_map(differs)
        .collect()
}

/// Returns an artifact as it is locked, or in what its definition is not what was locked.
fn locked_artifact(artifact: &Artifact, entry: &LockedArtifact) -> Result<Artifact, String> {
    let name = format!("the artifact `{}` of `{}`", artifact.id, artifact.model);
    let source = artifact
        .sources
        .iter()
        .find(|source| is_source(source, &entry.source))
        .ok_or_else(|| format!("{name} has no source any more that is the locked one"))?;
    let expected = artifact.files_from(source);
    for (file, wanted) in &expected {
        let Some(locked) = entry.files.get(file) else {
            return Err(format!("{name} has a file `{file}`, which is not in it"));
        };
        let differs = wanted.bytes.is_some_and(|bytes| bytes != locked.bytes)
            || matches!((&wanted.sha256, &locked.sha256), (Some(now), Some(then)) if now != then);
        if differs {
            return Err(format!(
                "{name} expects other bytes of `{file}` than are locked"
            ));
        }
    }
    if artifact.names_all_files()
        && let Some(more) = entry
            .files
            .keys()
            .find(|file| !expected.contains_key(*file))
    {
        return Err(format!("{name} has no file `{more}` any more"));
    }
    let files: IndexMap<String, ArtifactFile> = entry
        .files
        .iter()
        .map(|(name, file)| {
            let expected = ArtifactFile {
                bytes: Some(file.bytes),
                sha256: file.sha256.clone(),
                git_blob: file.git_blob.clone(),
            };
            (name.clone(), expected)
        })
        .collect();
    let source = match (source, &entry.source.commit) {
        (Source::Hub { repository, .. }, Some(commit)) => Source::Hub {
            repository: repository.clone(),
            revision: commit.clone(),
            files: IndexMap::new(),
        },
        (source, _) => source.clone(),
    };
    // Folders of this machine may hold the same bytes; what they hold is checked all the same.
    let folders = artifact
        .sources
        .iter()
        .filter(|known| matches!(known, Source::Path(_)) && **known != source);
    let mut sources: Vec<Source> = folders.cloned().collect();
    sources.push(source);
    Ok(Artifact {
        files,
        patterns: Vec::new(),
        sources,
        locked: true,
        ..artifact.clone()
    })
}

fn is_source(source: &Source, locked: &LockedSource) -> bool {
    match source {
        Source::Hub {
            repository,
            revision,
            ..
        } => locked.hub.as_ref() == Some(repository) && locked.revision.as_ref() == Some(revision),
        Source::Recipe(recipe) => locked.recipe.as_ref() == Some(recipe),
        Source::Url(url) => locked.url.as_ref() == Some(url),
        Source::Path(_) => locked.path == Some(true),
    }
}

fn compare_audio(audio: &AudioDefinition, locked: &LockedAudio, differences: &mut Vec<String>) {
    let manifest = audio
        .manifest
        .as_ref()
        .and_then(|file| file.sha256.as_ref());
    if manifest != locked.manifest.as_ref() {
        differences.push(format!("the manifest of `{}` is another", audio.id));
    }
    for utterance in &audio.utterances {
        let id = &utterance.id;
        match (&utterance.sha256, locked.recordings.get(id)) {
            (Some(now), Some(then)) if now == then => {}
            (_, None) => differences.push(format!(
                "the recording `{id}` of `{}` is not in it",
                audio.id
            )),
            (Some(_), Some(_)) => differences.push(format!(
                "the recording `{id}` of `{}` is another file",
                audio.id
            )),
            (None, Some(_)) => differences.push(format!(
                "the recording `{id}` of `{}` cannot be read",
                audio.id
            )),
        }
    }
    let known = |id: &&String| {
        audio
            .utterances
            .iter()
            .any(|utterance| utterance.id == **id)
    };
    for id in locked.recordings.keys().filter(|id| !known(id)) {
        differences.push(format!(
            "the audio `{}` has no recording `{id}` any more",
            audio.id
        ));
    }
}
