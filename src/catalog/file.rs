//! Catalog files: models, recipes and backends, in the form that a matrix uses too.

use super::definitions::{Definitions, DefinitionsWire, folder_of, resolve_definitions};
use super::wire_definitions::{BackendWire, ModelWire, RecipeWire};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::yaml::{Document, Located, decode};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// A catalog file: models, recipes and backends, in the form that a matrix uses too.
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
    /// Backends of one's own by id; a plan holds those that its matrix names.
    #[serde(default)]
    pub backends: IndexMap<String, Located<BackendWire>>,
}

/// Reads a catalog file's text; relative paths in it start from its folder. What is wrong goes into
/// `problems`, and says whether what is returned may be used.
pub fn read_catalog(source: Arc<SourceText>, problems: &mut Diagnostics) -> Option<Definitions> {
    read(source, false, problems)
}

/// Reads a catalog's text. What is built into this program has no folder.
pub(super) fn read(
    source: Arc<SourceText>,
    built_in: bool,
    problems: &mut Diagnostics,
) -> Option<Definitions> {
    let mut document = match Document::parse(source) {
        Ok(document) => document,
        Err(problem) => {
            problems.push(*problem);
            return None;
        }
    };
    let file: CatalogFile = decode(&mut document, problems)?;
    if file.version.value != 1 {
        problems.push(
            Diagnostic::error(
                Some(document.span(file.version.node)),
                format!(
                    "this program reads catalogs of version 1, and the file says {}",
                    file.version.value
                ),
            )
            .path("version")
            .hint("write `version: 1`, or use the program that the file was written for"),
        );
        return None;
    }
    let wire = DefinitionsWire {
        models: &file.models,
        audio: &IndexMap::new(),
        backends: &file.backends,
        recipes: &file.recipes,
    };
    let folder: Option<&dyn Fn(&SourceText) -> std::path::PathBuf> =
        if built_in { None } else { Some(&folder_of) };
    Some(resolve_definitions(&wire, &document, folder, problems))
}
