//! What is on this machine: engines that are ready, and models that are here or can be made.

use crate::catalog::Catalog;
use crate::model::units::show_bytes;
use crate::model::{Artifact, Availability, EngineFacts, Model, ModelSize, Source};
use crate::store::{Store, find};
use indexmap::IndexMap;

/// How an artifact can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// It is in the store.
    Here,
    /// A recipe makes it, of so many bytes if the catalog knows.
    Made(Option<u64>),
}

/// An engine that measures speech recognition and is ready.
#[derive(Debug)]
pub(super) struct FoundEngine {
    pub(super) id: String,
    /// Models that it can read, with the quantizations that can be had.
    pub(super) models: IndexMap<String, Vec<(String, Access)>>,
}

/// What is on this machine.
#[derive(Debug)]
pub(super) struct Found {
    /// Engines that are ready and have a model, in the order of the registry.
    pub(super) engines: Vec<FoundEngine>,
    /// Engines that are not of use, with the reason.
    pub(super) others: Vec<(String, String)>,
    /// Models that some engine can read, those that are here first, then the smaller ones.
    pub(super) models: Vec<(String, Access)>,
}

impl Found {
    /// Looks for engines and models; nothing is read, nothing is started. `is_on_path` tells
    /// whether a program is there, as recipes need some.
    pub(super) fn look(
        engines: &IndexMap<String, EngineFacts>,
        catalog: &Catalog,
        store: Option<&Store>,
        is_on_path: impl Fn(&str) -> bool,
    ) -> Self {
        let access = |artifact: &Artifact| -> Option<Access> {
            if let Some(store) = store
                && find(artifact, store).is_complete()
            {
                return Some(Access::Here);
            }
            let is_made = artifact.sources.iter().any(|source| match source {
                Source::Recipe(id) => catalog
                    .recipes
                    .get(id)
                    .and_then(|recipe| recipe.command.first())
                    .is_some_and(|program| is_on_path(program)),
                _ => false,
            });
            is_made.then(|| Access::Made(artifact.expected_bytes()))
        };
        let mut found = Self {
            engines: Vec::new(),
            others: Vec::new(),
            models: Vec::new(),
        };
        for facts in engines.values().filter(|facts| !facts.synthetic) {
            if let Availability::Unavailable(reason) = &facts.availability {
                found.others.push((facts.id.clone(), reason.clone()));
                continue;
            }
            let models: IndexMap<String, Vec<(String, Access)>> = catalog
                .models
                .values()
                .filter_map(|model| {
                    let readable: Vec<(String, Access)> = facts
                        .artifacts
                        .iter()
                        .filter_map(|(quantization, id)| {
                            Some((quantization.clone(), access(model.artifacts.get(id)?)?))
                        })
                        .collect();
                    (!readable.is_empty()).then(|| (model.id.clone(), readable))
                })
                .collect();
            if models.is_empty() {
                let reason = "no model that it reads is here or can be made".to_owned();
                found.others.push((facts.id.clone(), reason));
            } else {
                found.engines.push(FoundEngine {
                    id: facts.id.clone(),
                    models,
                });
            }
        }
        found.models = found.rank(catalog);
        found
    }

    /// Returns the models that any engine can read, with the nearest way to one.
    fn rank(&self, catalog: &Catalog) -> Vec<(String, Access)> {
        let size = |id: &str| {
            catalog
                .models
                .get(id)
                .map_or(ModelSize::Large, |model: &Model| model.size)
        };
        let mut models: IndexMap<String, Access> = IndexMap::new();
        for engine in &self.engines {
            for (id, quantizations) in &engine.models {
                // What a run reads if no quantization is named.
                let Some((_, access)) = quantizations.first() else {
                    continue;
                };
                let best = models.entry(id.clone()).or_insert(*access);
                *best = (*best).min(*access);
            }
        }
        let mut models: Vec<(String, Access)> = models.into_iter().collect();
        models.sort_by_key(|(id, access)| (*access != Access::Here, size(id)));
        models
    }
}

impl Access {
    /// Returns it in words.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Here => "here".into(),
            Self::Made(Some(bytes)) => format!("made on the first run, {}", show_bytes(bytes)),
            Self::Made(None) => "made on the first run".into(),
        }
    }
}
