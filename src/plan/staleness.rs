//! What has changed since a plan was made: the plan's own copy of each definition, held against
//! what this program would put there now.

use super::seal::file_digests;
use crate::catalog::Catalog;
use crate::corpus::Corpus;
use crate::model::{
    Artifact, AudioDefinition, AudioSource, Availability, EngineFacts, JobSpec, Model, Plan,
    SettingDeclaration, Utterance,
};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// What is there now.
pub struct Present<'a> {
    /// The built-in models and recipes.
    pub catalog: &'a Catalog,
    /// The built-in recordings.
    pub corpus: &'a Corpus,
    /// The built-in engines, and what the plan's own can here and now.
    pub engines: &'a IndexMap<String, EngineFacts>,
    /// The jobs that are to be carried out, by their positions, where that is not all of them: what only
    /// others rest on may have changed.
    pub jobs: Option<&'a BTreeSet<usize>>,
    /// Returns the SHA-256 digest of a file.
    pub digest: &'a (dyn Fn(&Path) -> io::Result<String> + Sync),
}

/// Returns what is not any more as the plan says, one sentence each without a full stop; nothing if
/// the plan can be carried out as it was meant.
///
/// What the matrix itself defines stands in the plan and cannot change; of its recordings and
/// manifests the files are compared, and of its backends whether their programs are there.
#[must_use]
pub fn staleness(plan: &Plan, present: &Present<'_>) -> Vec<String> {
    let mut changes = Vec::new();
    let used = present.jobs.map(|jobs| Used::by(plan, jobs));
    let is_used_engine = |id: &str| used.as_ref().is_none_or(|used| used.engines.contains(id));
    let is_used_audio = |id: &str| used.as_ref().is_none_or(|used| used.audio.contains(id));
    for (id, engine) in plan.engines.iter().filter(|(id, _)| is_used_engine(id)) {
        compare_engines(id, engine, present.engines.get(id), &mut changes);
    }
    for (id, model) in &plan.models {
        compare_models(id, model, present.catalog.models.get(id), &mut changes);
    }
    for (id, recipe) in &plan.recipes {
        // A recipe with a folder is the matrix's own.
        if recipe.directory.is_some() {
            continue;
        }
        match present.catalog.recipes.get(id) {
            None => changes.push(format!("the recipe `{id}` is not built in any more")),
            Some(now) if now != recipe => changes.push(format!("the recipe `{id}` is another")),
            Some(_) => {}
        }
    }
    let files = file_digests(plan, present.digest);
    for audio in plan.audio.values().filter(|audio| is_used_audio(&audio.id)) {
        compare_audio(audio, present.corpus, &files, &mut changes);
    }
    changes
}

/// What some jobs of a plan rest on.
struct Used<'p> {
    engines: BTreeSet<&'p str>,
    audio: BTreeSet<&'p str>,
}

impl<'p> Used<'p> {
    fn by(plan: &'p Plan, jobs: &BTreeSet<usize>) -> Self {
        let mut used = Self {
            engines: BTreeSet::new(),
            audio: BTreeSet::new(),
        };
        let jobs = jobs.iter().filter_map(|position| plan.jobs.get(*position));
        for job in jobs.filter(|job| job.skip.is_none()) {
            match &job.spec {
                JobSpec::Benchmark(spec) => {
                    used.engines.insert(&spec.backend);
                    used.audio.insert(&spec.audio);
                }
                JobSpec::Verify(spec) => {
                    used.engines.insert(&spec.backend);
                }
                JobSpec::Download(_) => {}
            }
        }
        used
    }
}

fn compare_engines(
    id: &str,
    then: &EngineFacts,
    now: Option<&EngineFacts>,
    changes: &mut Vec<String>,
) {
    let Some(now) = now else {
        changes.push(format!("there is no engine `{id}` any more"));
        return;
    };
    let version = |facts: &EngineFacts| facts.version.clone().unwrap_or_else(|| "unknown".into());
    if then.version != now.version {
        changes.push(format!(
            "the engine `{id}` has version {}, and had {}",
            version(now),
            version(then)
        ));
    }
    match (&then.availability, &now.availability) {
        (Availability::Ready, Availability::Unavailable(reason)) => {
            changes.push(format!(
                "the engine `{id}` cannot run here any more: {reason}"
            ));
        }
        (Availability::Unavailable(_), Availability::Ready) => changes.push(format!(
            "the engine `{id}` can run here, and could not when the plan was made"
        )),
        _ => {}
    }
    if then.artifacts != now.artifacts {
        changes.push(format!("the engine `{id}` reads other artifacts"));
    }
    let names = then.settings.iter().chain(
        now.settings
            .iter()
            .filter(|declared| then.setting(&declared.name).is_none()),
    );
    for name in names.map(|declared| &declared.name) {
        let what = match (then.setting(name), now.setting(name)) {
            (Some(then), Some(now)) if in_json(then) == in_json(now) => continue,
            (Some(_), Some(_)) => "takes other values for",
            (Some(_), None) => "has lost",
            _ => "has got",
        };
        changes.push(format!("the engine `{id}` {what} the setting `{name}`"));
    }
    if (then.any_model, then.synthetic, then.command) != (now.any_model, now.synthetic, now.command)
    {
        changes.push(format!("the engine `{id}` is of another kind"));
    }
}

/// Returns a declaration as a plan holds it, where `2.0` is `2`.
fn in_json(declaration: &SettingDeclaration) -> serde_json::Value {
    serde_json::to_value(declaration).unwrap_or_default()
}

fn compare_models(id: &str, then: &Model, now: Option<&Model>, changes: &mut Vec<String>) {
    let rests_on_catalog =
        then.built_in || then.artifacts.values().any(|artifact| artifact.built_in);
    if !rests_on_catalog {
        return;
    }
    let Some(now) = now else {
        changes.push(format!("the catalog has no model `{id}` any more"));
        return;
    };
    let facts = |model: &Model| (model.family.clone(), model.size, model.languages.clone());
    if then.built_in && facts(then) != facts(now) {
        changes.push(format!(
            "the catalog describes the model `{id}` in another way"
        ));
    }
    for (name, artifact) in &then.artifacts {
        // What a lock file says does not change with the catalog.
        if !artifact.built_in || artifact.locked {
            continue;
        }
        match now.artifacts.get(name) {
            None => changes.push(format!("the catalog has no `{name}` of `{id}` any more")),
            Some(now) if now != artifact => changes.push(format!(
                "the catalog has another `{name}` of `{id}`: {}",
                difference(artifact, now)
            )),
            Some(_) => {}
        }
    }
}

/// Returns in what two artifacts differ, in a few words.
fn difference(then: &Artifact, now: &Artifact) -> String {
    let names = then.files.keys().chain(
        now.files
            .keys()
            .filter(|name| !then.files.contains_key(*name)),
    );
    let files: Vec<&str> = names
        .filter(|name| then.files.get(*name) != now.files.get(*name))
        .map(String::as_str)
        .collect();
    if files.is_empty() {
        "its sources changed".into()
    } else {
        format!("size or digest of {} changed", files.join(", "))
    }
}

fn compare_audio(
    then: &AudioDefinition,
    corpus: &Corpus,
    files: &BTreeMap<PathBuf, io::Result<String>>,
    changes: &mut Vec<String>,
) {
    let compare = |path: &Path, then: Option<&str>| match (files.get(path)?, then) {
        (Err(error), _) => Some(format!("cannot be read: {}: {error}", path.display())),
        (Ok(now), Some(then)) if now != then => {
            Some(format!("is not what it was: {}", path.display()))
        }
        _ => None,
    };
    if let Some(manifest) = &then.manifest
        && let Some(change) = compare(&manifest.path, manifest.sha256.as_deref())
    {
        changes.push(format!("the manifest of `{}` {change}", then.id));
    }
    if then.data_set && then.manifest.is_none() {
        let ids = |audio: &AudioDefinition| -> Vec<String> {
            audio.utterances.iter().map(|u| u.id.clone()).collect()
        };
        match corpus.definition(&then.id) {
            None => changes.push(format!("there is no data set `{}` any more", then.id)),
            Some(now) if ids(&now) != ids(then) => {
                changes.push(format!("the data set `{}` holds other recordings", then.id));
            }
            Some(_) => {}
        }
    }
    for utterance in &then.utterances {
        let id = &utterance.id;
        let change = match &utterance.source {
            AudioSource::File(path) => compare(path, utterance.sha256.as_deref()),
            AudioSource::Builtin(name) => {
                let now = corpus.definition(name);
                match now.as_ref().and_then(|audio| audio.utterances.first()) {
                    None => Some("is not built in any more".into()),
                    Some(now) => compare_utterances(utterance, now).map(str::to_owned),
                }
            }
        };
        if let Some(change) = change {
            changes.push(format!("the recording `{id}` {change}"));
        }
    }
}

/// Returns in what a built-in recording is not what it was.
fn compare_utterances(then: &Utterance, now: &Utterance) -> Option<&'static str> {
    if then.sha256 != now.sha256 {
        Some("is another file")
    } else if then.reference != now.reference {
        Some("has another reference text")
    } else if then.language != now.language {
        Some("has another language")
    } else {
        None
    }
}
