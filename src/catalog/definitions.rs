//! Definitions, checked: from what is written to what the other rooms use.

use super::models::resolve_model;
use super::sources::place;
use super::wire_definitions::{AudioWire, BackendWire, ModelWire, RecipeWire, SettingWire};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span};
use crate::model::{BackendDefinition, FailureRule, Model, OutputRule, Recipe, SettingDeclaration};
use crate::yaml::{Document, Located, NodeId};
use indexmap::IndexMap;
use std::path::{Path, PathBuf};

/// A clip or data set of a matrix, before any file is looked at.
#[derive(Clone, Debug)]
pub struct AudioEntry {
    /// Where its file or its manifest is named.
    pub span: Span,
    /// An audio file.
    pub file: Option<PathBuf>,
    /// What is said in it.
    pub reference: Option<String>,
    /// Its language code.
    pub language: Option<String>,
    /// A manifest of a data set.
    pub manifest: Option<PathBuf>,
}

/// A command backend of a matrix, with the places that a mistake in it is shown at.
#[derive(Clone, Debug)]
pub struct BackendEntry {
    /// What is defined.
    pub definition: BackendDefinition,
    /// Its key.
    pub span: Span,
    /// The whole command, and its words.
    pub command: (Span, Vec<Span>),
    /// The rule for its text.
    pub output: Option<Span>,
    /// Where it says what counts as failure.
    pub fails: Option<Span>,
    /// The whole command that tells its version, and its words.
    pub version: Option<(Span, Vec<Span>)>,
    /// Its settings, if it declares them.
    pub settings: Option<Span>,
    /// Whether something was taken out of it because of a mistake that has been told.
    pub damaged: bool,
}

/// What a file defines beside its axes.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// Models by id.
    pub models: IndexMap<String, (Model, Span)>,
    /// Clips and data sets by id.
    pub audio: IndexMap<String, AudioEntry>,
    /// Command backends by id.
    pub backends: IndexMap<String, BackendEntry>,
    /// Recipes by id.
    pub recipes: IndexMap<String, (Recipe, Span)>,
    /// The recipes that sources name.
    pub recipe_sources: Vec<RecipeSource>,
}

/// A source that is a recipe: the recipe must be known and make the artifact.
#[derive(Clone, Debug)]
pub struct RecipeSource {
    /// The model that it is a source of.
    pub model: String,
    /// The artifact of that model.
    pub artifact: String,
    /// The recipe's id.
    pub recipe: String,
    /// Where the recipe is named.
    pub span: Span,
    /// The field path of that place.
    pub path: String,
}

/// The four sections of definitions, as written.
pub struct DefinitionsWire<'a> {
    /// Models.
    pub models: &'a IndexMap<String, Located<ModelWire>>,
    /// Clips and data sets.
    pub audio: &'a IndexMap<String, Located<AudioWire>>,
    /// Command backends.
    pub backends: &'a IndexMap<String, Located<BackendWire>>,
    /// Recipes.
    pub recipes: &'a IndexMap<String, Located<RecipeWire>>,
}

/// Returns the declarations of settings as all engines have them.
fn declarations(settings: &Located<IndexMap<String, SettingWire>>) -> Vec<SettingDeclaration> {
    let declarations = settings.value.iter();
    declarations
        .map(|(name, wire)| SettingDeclaration {
            name: name.clone(),
            kind: wire.kind.clone(),
            affects: wire.affects,
            default: wire.default.clone(),
            description: wire.description.clone(),
        })
        .collect()
}

/// Checks definitions and makes paths relative to the file that names them, which need not be the
/// same for all. `folder_of` gives a file's folder; it is `None` for what is built into this program.
pub fn resolve_definitions(
    wire: &DefinitionsWire<'_>,
    document: &Document,
    folder_of: Option<&dyn Fn(&SourceText) -> PathBuf>,
    problems: &mut Diagnostics,
) -> Definitions {
    let folder = |node| folder_of.map(|folder_of| folder_of(&document.span(node).source));
    let base = |node| folder(node).unwrap_or_default();
    let mut definitions = Definitions::default();
    for (id, model) in wire.models {
        let folder = folder(model.node);
        let resolved = resolve_model(id, &model.value, document, folder.as_deref(), problems);
        definitions
            .models
            .insert(id.clone(), (resolved, key_of(model.node, document)));
        collect_recipe_sources(id, &model.value, document, &mut definitions.recipe_sources);
    }
    for (id, audio) in wire.audio {
        let span = document.span(audio.node);
        let value = &audio.value;
        if document.is_damaged(audio.node) && value.file.is_none() && value.manifest.is_none() {
            continue;
        }
        if value.file.is_some() == value.manifest.is_some() {
            problems.push(
                Diagnostic::error(
                    Some(span.clone()),
                    format!("`{id}` needs either `file` or `manifest`"),
                )
                .path(document.path(audio.node))
                .hint("a clip has a `file`, a data set has a `manifest`"),
            );
            continue;
        }
        let named = value.file.as_ref().or(value.manifest.as_ref());
        definitions.audio.insert(
            id.clone(),
            AudioEntry {
                span: named.map_or(span, |path| document.span(path.node)),
                file: value
                    .file
                    .as_ref()
                    .map(|file| place(&base(file.node), &file.value)),
                reference: value.reference.clone(),
                language: value.language.clone(),
                manifest: value
                    .manifest
                    .as_ref()
                    .map(|file| place(&base(file.node), &file.value)),
            },
        );
    }
    for (id, backend) in wire.backends {
        let wire = &backend.value;
        let spans = |command: &Located<Vec<Located<String>>>| {
            let words = command.value.iter().map(|word| document.span(word.node));
            (document.span(command.node), words.collect())
        };
        let entry = BackendEntry {
            definition: BackendDefinition {
                id: id.clone(),
                command: words(&wire.command),
                output: wire
                    .output
                    .as_ref()
                    .map_or(OutputRule::Text, |rule| rule.value.clone()),
                artifact: wire.artifact.clone(),
                version: wire.version.as_ref().map(words),
                fails: wire
                    .fails
                    .as_ref()
                    .map_or_else(FailureRule::default, |rule| rule.value.clone()),
                settings: wire.settings.as_ref().map_or_else(Vec::new, declarations),
                requires: wire.requires.clone(),
                directory: base(backend.node),
            },
            span: key_of(backend.node, document),
            command: spans(&wire.command),
            output: wire.output.as_ref().map(|rule| document.span(rule.node)),
            fails: wire.fails.as_ref().map(|rule| document.span(rule.node)),
            version: wire.version.as_ref().map(spans),
            settings: wire
                .settings
                .as_ref()
                .map(|settings| document.span(settings.node)),
            damaged: std::iter::once(backend.node)
                .chain([wire.command.node])
                .chain(wire.version.as_ref().map(|version| version.node))
                .any(|node| document.is_damaged(node)),
        };
        definitions.backends.insert(id.clone(), entry);
    }
    for (id, recipe) in wire.recipes {
        needs_program(&recipe.value.command, document, problems);
        let resolved = Recipe {
            id: id.clone(),
            command: recipe.value.command.value.clone(),
            directory: folder(recipe.node),
            produces: recipe.value.produces.clone(),
        };
        definitions
            .recipes
            .insert(id.clone(), (resolved, key_of(recipe.node, document)));
    }
    definitions
}

/// Returns the folder that a file's relative paths start from: absolute and without `..`, so that a
/// plan is the same from whichever folder it is made.
#[must_use]
pub fn folder_of(source: &SourceText) -> PathBuf {
    let path = &source.path;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let folder = absolute.parent().map(Path::to_path_buf).unwrap_or_default();
    folder.canonicalize().unwrap_or(folder)
}

fn words(command: &Located<Vec<Located<String>>>) -> Vec<String> {
    command
        .value
        .iter()
        .map(|word| word.value.clone())
        .collect()
}

/// Returns the place of the key of a definition: a mapping over several lines is best known by it.
fn key_of(node: NodeId, document: &Document) -> Span {
    document
        .key_span(node)
        .unwrap_or_else(|| document.span(node))
}

fn collect_recipe_sources(
    model: &str,
    wire: &ModelWire,
    document: &Document,
    found: &mut Vec<RecipeSource>,
) {
    for (artifact, definition) in &wire.artifacts {
        for source in &definition.value.sources {
            if let Some(recipe) = &source.value.recipe {
                found.push(RecipeSource {
                    model: model.to_owned(),
                    artifact: artifact.clone(),
                    recipe: recipe.value.clone(),
                    span: document.span(recipe.node),
                    path: document.path(recipe.node),
                });
            }
        }
    }
}

fn needs_program(command: &Located<Vec<String>>, document: &Document, problems: &mut Diagnostics) {
    if command.value.first().is_none_or(String::is_empty) {
        problems.push(
            Diagnostic::error(
                Some(document.span(command.node)),
                "the command names no program",
            )
            .path(document.path(command.node))
            .hint("write the program and its arguments as a list: `[program, argument]`"),
        );
    }
}
