//! The bridges that come with Earmark, as `bridges/engines.yaml` lists them.

use crate::diagnostic::{Diagnostics, SourceText};
use crate::model::BridgeDefinition;
use crate::yaml::{Document, decode};
use indexmap::IndexMap;
use serde::Deserialize;
use std::sync::{Arc, LazyLock};

/// The list, which the bridges' own declarations are written into.
const TABLE: &str = include_str!("../../bridges/engines.yaml");

/// What it holds. It is read once.
static BRIDGES: LazyLock<Result<IndexMap<String, BridgeDefinition>, Diagnostics>> =
    LazyLock::new(read);

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    #[expect(dead_code, reason = "a table of another version has other fields")]
    version: u64,
    engines: IndexMap<String, BridgeDefinition>,
}

/// Returns every bridge by the backend's id.
#[must_use]
pub fn bridges() -> &'static IndexMap<String, BridgeDefinition> {
    BRIDGES
        .as_ref()
        .expect("the list is part of this program, and a test reads it")
}

/// Returns what is known of one of them.
#[must_use]
pub fn bridge_definition(id: &str) -> Option<&'static BridgeDefinition> {
    bridges().get(id)
}

fn read() -> Result<IndexMap<String, BridgeDefinition>, Diagnostics> {
    let source = Arc::new(SourceText {
        path: "engines.yaml".into(),
        text: TABLE.to_owned(),
    });
    let mut problems = Diagnostics::default();
    let mut document = Document::parse(source).map_err(|problem| Diagnostics(vec![*problem]))?;
    let table: Option<Table> = decode(&mut document, &mut problems);
    match table {
        Some(table) if !problems.has_errors() => Ok(table.engines),
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_list_is_sound() {
        if let Err(problems) = BRIDGES.as_ref() {
            panic!("{problems}");
        }
        for (id, bridge) in bridges() {
            assert_eq!(bridge.package.is_some(), bridge.version.is_some(), "{id}");
            assert_eq!(
                bridge.package.is_some(),
                bridge.environment.is_some(),
                "{id}"
            );
            assert_eq!(bridge.any_model, bridge.artifacts.is_empty(), "{id}");
            for setting in &bridge.settings {
                if let Some(default) = &setting.default {
                    assert_eq!(setting.accept(default).as_ref(), Ok(default), "{id}");
                }
            }
        }
    }

    #[test]
    fn every_artifact_that_a_bridge_reads_is_in_the_catalog() {
        let catalog = Catalog::builtin().unwrap_or_else(|problems| panic!("{problems}"));
        for (id, bridge) in bridges() {
            for artifact in bridge.artifacts.values() {
                let has = |model: &&crate::model::Model| model.artifacts.contains_key(artifact);
                assert!(
                    catalog.models.values().any(|model| has(&model)),
                    "{id} reads `{artifact}`, which no model has"
                );
            }
        }
    }
}
