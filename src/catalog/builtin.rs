//! The catalog: built-in models and recipes, with those of files and of a matrix laid over them.

use super::definitions::{BackendEntry, Definitions};
use super::file::read;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::model::{Artifact, Model, Recipe};
use indexmap::IndexMap;
use std::sync::{Arc, LazyLock};

/// The built-in catalog's files, one a family.
const FAMILIES: [(&str, &str); 4] = [
    ("whisper.yaml", include_str!("whisper.yaml")),
    ("distil-whisper.yaml", include_str!("distil-whisper.yaml")),
    ("moonshine.yaml", include_str!("moonshine.yaml")),
    ("parakeet.yaml", include_str!("parakeet.yaml")),
];

/// What they hold. It is read once: a program that checks many files asks for it with each.
static BUILTIN: LazyLock<Result<Catalog, Diagnostics>> = LazyLock::new(read_builtin);

/// Models and recipes by id.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Models.
    pub models: IndexMap<String, Model>,
    /// Recipes.
    pub recipes: IndexMap<String, Recipe>,
    /// Backends of catalog files; none is built in.
    pub backends: IndexMap<String, BackendEntry>,
}

fn read_builtin() -> Result<Catalog, Diagnostics> {
    let mut problems = Diagnostics::default();
    let mut catalog = Catalog::default();
    for (name, text) in FAMILIES {
        let source = Arc::new(SourceText {
            path: name.into(),
            text: text.to_owned(),
        });
        if let Some(definitions) = read(source, true, &mut problems) {
            catalog.overlay(&definitions);
        }
    }
    if problems.has_errors() {
        Err(problems)
    } else {
        Ok(catalog)
    }
}

impl Catalog {
    /// Returns what is built into this program.
    ///
    /// # Errors
    ///
    /// Fails only if the built-in text is wrong, which a test rules out.
    pub fn builtin() -> Result<Self, Diagnostics> {
        BUILTIN.clone()
    }

    /// Lays definitions over the catalog. A model that is there already keeps the artifacts that
    /// the definition does not name.
    pub fn overlay(&mut self, definitions: &Definitions) {
        for (id, (model, _)) in &definitions.models {
            match self.models.get_mut(id) {
                Some(known) => {
                    known.family.clone_from(&model.family);
                    known.size = model.size;
                    known.parameters = model.parameters;
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
        for (id, entry) in &definitions.backends {
            self.backends.insert(id.clone(), entry.clone());
        }
    }

    /// Returns an artifact of a model.
    #[must_use]
    pub fn artifact(&self, model: &str, artifact: &str) -> Option<&Artifact> {
        self.models.get(model)?.artifacts.get(artifact)
    }

    /// Tells what definitions that are laid over it name and it does not know: recipes that are
    /// none or make something else, and models that a recipe makes artifacts of.
    pub fn check(&self, definitions: &Definitions, problems: &mut Diagnostics) {
        for source in &definitions.recipe_sources {
            let Some(known) = self.recipes.get(&source.recipe) else {
                problems.push(
                    Diagnostic::error(
                        Some(source.span.clone()),
                        format!("unknown recipe `{}`", source.recipe),
                    )
                    .path(source.path.clone())
                    .suggest(&source.recipe, self.recipes.keys().map(String::as_str))
                    .hint("define one of your own under `recipes:`"),
                );
                continue;
            };
            let made = known.produces.get(&source.model);
            if !made.is_some_and(|made| made.contains(&source.artifact)) {
                problems.push(
                    Diagnostic::error(
                        Some(source.span.clone()),
                        format!(
                            "the recipe `{}` does not make `{}` of `{}`",
                            source.recipe, source.artifact, source.model
                        ),
                    )
                    .path(source.path.clone())
                    .hint(format!("add it under `recipes.{}.produces`", source.recipe)),
                );
            }
        }
        for (id, (recipe, span)) in &definitions.recipes {
            for model in recipe.produces.keys() {
                if !self.models.contains_key(model) {
                    problems.push(
                        Diagnostic::error(Some(span.clone()), format!("unknown model `{model}`"))
                            .path(format!("recipes.{id}.produces"))
                            .suggest(model, self.models.keys().map(String::as_str)),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;

    fn builtin() -> Catalog {
        Catalog::builtin().unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn the_built_in_catalog_is_sound() {
        let catalog = builtin();
        for model in catalog.models.values() {
            assert!(model.parameters.is_some(), "{}", model.id);
            for artifact in model.artifacts.values() {
                let name = format!("{}/{}", model.id, artifact.id);
                assert!(!artifact.sources.is_empty(), "{name} has no source");
                // Whoever looks at an artifact has one name to look for, without any list.
                assert!(!artifact.files.is_empty(), "{name} names no file");
                for source in &artifact.sources {
                    if let Source::Recipe(recipe) = source {
                        let produced = &catalog.recipes[recipe].produces[&model.id];
                        assert!(
                            produced.contains(&artifact.id),
                            "{recipe} makes no {}",
                            artifact.id
                        );
                        // What a recipe makes is held to what it made before.
                        let good = |file: &crate::model::ArtifactFile| {
                            file.bytes.is_some() && file.has_digest()
                        };
                        assert!(artifact.files.values().all(good), "{name}");
                    }
                    if let Source::Hub { files, .. } = source {
                        let known = files.keys().all(|file| artifact.files.contains_key(file));
                        assert!(known, "{name} expects files of a hub that are not its own");
                    }
                }
            }
        }
    }

    #[test]
    fn every_published_size_of_whisper_is_known_with_what_engines_read() {
        let catalog = builtin();
        for id in [
            "tiny",
            "tiny.en",
            "base",
            "base.en",
            "small",
            "small.en",
            "medium",
            "medium.en",
            "large-v1",
            "large-v2",
            "large-v3",
            "large-v3-turbo",
        ] {
            for artifact in ["ggml-f16", "safetensors", "ctranslate2", "mlx", "pt"] {
                assert!(catalog.artifact(id, artifact).is_some(), "{id}/{artifact}");
            }
            // Weights are never fetched on trust.
            let ggml = catalog.artifact(id, "ggml-f16").unwrap();
            assert!(
                ggml.files.values().all(|file| file.sha256.is_some()),
                "{id}"
            );
        }
        // A language is data, and not the end of a name.
        assert_eq!(catalog.models["distil-large-v3"].languages, ["en"]);
        assert_eq!(catalog.models["parakeet-tdt-0.6b-v3"].languages.len(), 25);
        assert!(catalog.models["large-v3-turbo"].languages.is_empty());
    }

    #[test]
    fn the_same_weights_from_a_hub_are_held_to_what_the_hub_published() {
        let catalog = builtin();
        let artifact = catalog.artifact("base", "ggml-f16").unwrap();
        let [recipe, hub] = artifact.sources.as_slice() else {
            panic!("{:?}", artifact.sources);
        };
        let digest = |source| artifact.files_from(source)["ggml-base.bin"].sha256.clone();
        assert_ne!(digest(recipe), digest(hub));
        let bytes = |source| artifact.files_from(source)["ggml-base.bin"].bytes;
        assert_eq!(bytes(recipe), bytes(hub));
    }
}
