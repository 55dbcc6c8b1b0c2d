//! The catalog: built-in models and recipes, with a matrix's own laid over them.

use super::definitions::{Definitions, DefinitionsWire, resolve_definitions};
use super::wire_definitions::{ModelWire, RecipeWire};
use crate::diagnostic::{Diagnostics, SourceText};
use crate::model::{Artifact, Model, Recipe};
use crate::yaml::{Document, Located, decode};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// The built-in catalog's text.
const WHISPER: &str = include_str!("whisper.yaml");

/// A catalog file: models and recipes, in the form that a matrix uses too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "Earmark catalog")]
pub struct CatalogFile {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: Located<u64>,
    /// Models by id.
    #[serde(default)]
    pub models: IndexMap<String, Located<ModelWire>>,
    /// Recipes by id.
    #[serde(default)]
    pub recipes: IndexMap<String, Located<RecipeWire>>,
}

/// Models and recipes by id.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Models.
    pub models: IndexMap<String, Model>,
    /// Recipes.
    pub recipes: IndexMap<String, Recipe>,
}

impl Catalog {
    /// Returns what is built into this program.
    ///
    /// # Errors
    ///
    /// Fails only if the built-in text is wrong, which a test rules out.
    pub fn builtin() -> Result<Self, Diagnostics> {
        let source = Arc::new(SourceText {
            path: "whisper.yaml".into(),
            text: WHISPER.to_owned(),
        });
        let mut problems = Diagnostics::default();
        let definitions = match Document::parse(source) {
            Ok(mut document) => decode::<CatalogFile>(&mut document, &mut problems).map(|file| {
                let wire = DefinitionsWire {
                    models: &file.models,
                    audio: &IndexMap::new(),
                    backends: &IndexMap::new(),
                    recipes: &file.recipes,
                };
                resolve_definitions(&wire, &document, None, &mut problems)
            }),
            Err(problem) => {
                problems.push(*problem);
                None
            }
        };
        match definitions {
            Some(definitions) if !problems.has_errors() => {
                let mut catalog = Self::default();
                catalog.overlay(&definitions);
                Ok(catalog)
            }
            _ => Err(problems),
        }
    }

    /// Lays definitions over the catalog. A model that is there already keeps the artifacts that
    /// the definition does not name.
    pub fn overlay(&mut self, definitions: &Definitions) {
        for (id, (model, _)) in &definitions.models {
            match self.models.get_mut(id) {
                Some(known) => {
                    known.family.clone_from(&model.family);
                    known.size = model.size;
                    known.languages.clone_from(&model.languages);
                    known.built_in = model.built_in;
                    known.artifacts.extend(model.artifacts.clone());
                }
                None => {
                    self.models.insert(id.clone(), model.clone());
                }
            }
        }
        for (id, (recipe, _)) in &definitions.recipes {
            self.recipes.insert(id.clone(), recipe.clone());
        }
    }

    /// Returns an artifact of a model.
    #[must_use]
    pub fn artifact(&self, model: &str, artifact: &str) -> Option<&Artifact> {
        self.models.get(model)?.artifacts.get(artifact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalog_is_sound() {
        let catalog = Catalog::builtin().unwrap_or_else(|problems| panic!("{problems}"));
        for model in catalog.models.values() {
            for artifact in model.artifacts.values() {
                assert!(
                    !artifact.sources.is_empty(),
                    "{}/{} has no source",
                    model.id,
                    artifact.id
                );
                for source in &artifact.sources {
                    if let crate::model::Source::Recipe(recipe) = source {
                        let produced = &catalog.recipes[recipe].produces[&model.id];
                        assert!(
                            produced.contains(&artifact.id),
                            "{recipe} makes no {}",
                            artifact.id
                        );
                    }
                }
            }
        }
    }
}
