//! The backends that a matrix or a plan defines: what is wrong with them, and what they can.

use crate::catalog::BackendEntry;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::engine;
use crate::engine::command::{BackendMistake, BackendPart, definition_facts};
use crate::matrix::Matrix;
use crate::model::{Availability, BackendDefinition, EngineFacts, Requirements};
use indexmap::IndexMap;

/// Returns the built-in engines and the matrix's own. What is wrong with those goes into `problems`;
/// nothing of them is executed.
pub(super) fn engines_of(
    matrix: &Matrix,
    problems: &mut Diagnostics,
) -> IndexMap<String, EngineFacts> {
    let mut engines = engine::facts();
    add_engines(&mut engines, &matrix.definitions.backends, problems);
    engines
}

/// Adds engines that a file defines. What is wrong with them goes into `problems`; nothing of them is
/// executed.
pub(super) fn add_engines<'a>(
    engines: &mut IndexMap<String, EngineFacts>,
    defined: impl IntoIterator<Item = (&'a String, &'a BackendEntry)>,
    problems: &mut Diagnostics,
) {
    for (id, entry) in defined {
        if engines.contains_key(id) {
            problems.push(
                Diagnostic::error(
                    Some(entry.span.clone()),
                    format!("`{id}` is a built-in engine"),
                )
                .path(format!("backends.{id}"))
                .hint("give yours another id"),
            );
            continue;
        }
        let facts = match definition_facts(&entry.definition, |name| std::env::var_os(name)) {
            Ok(facts) => facts,
            Err(mistakes) => {
                if !entry.damaged {
                    for mistake in mistakes {
                        problems.push(diagnostic(entry, mistake));
                    }
                }
                broken(&entry.definition)
            }
        };
        engines.insert(id.clone(), facts);
    }
}

/// Returns what the backends of a kept plan can here and now.
pub(super) fn facts_of<'a>(
    definitions: impl Iterator<Item = &'a BackendDefinition>,
) -> impl Iterator<Item = (String, EngineFacts)> {
    definitions.map(|definition| {
        let facts = definition_facts(definition, |name| std::env::var_os(name))
            .unwrap_or_else(|_| broken(definition));
        (definition.id.clone(), facts)
    })
}

/// Stands for a backend whose definition is wrong, so that naming it is no mistake of its own.
fn broken(definition: &BackendDefinition) -> EngineFacts {
    EngineFacts {
        id: definition.id.clone(),
        description: definition.command.join(" "),
        version: None,
        availability: Availability::Unavailable("its definition holds a mistake".into()),
        artifacts: IndexMap::new(),
        settings: Vec::new(),
        families: Vec::new(),
        requires: Requirements::NONE,
        any_model: true,
        synthetic: false,
        command: true,
    }
}

fn diagnostic(entry: &BackendEntry, mistake: BackendMistake) -> Diagnostic {
    let id = &entry.definition.id;
    let word = |command: &(Span, Vec<Span>), position: usize| {
        command.1.get(position).unwrap_or(&command.0).clone()
    };
    let (span, path) = match mistake.part {
        BackendPart::Command => (Some(entry.command.0.clone()), "command".to_owned()),
        BackendPart::CommandWord(position) => (
            Some(word(&entry.command, position)),
            format!("command[{position}]"),
        ),
        BackendPart::Output => (entry.output.clone(), "output".to_owned()),
        BackendPart::Fails => (entry.fails.clone(), "fails".to_owned()),
        BackendPart::Settings => (entry.settings.clone(), "settings".to_owned()),
        BackendPart::Version => (
            entry.version.as_ref().map(|version| version.0.clone()),
            "version".to_owned(),
        ),
        BackendPart::VersionWord(position) => (
            entry
                .version
                .as_ref()
                .map(|version| word(version, position)),
            format!("version[{position}]"),
        ),
    };
    Diagnostic::error(
        Some(span.unwrap_or_else(|| entry.span.clone())),
        mistake.message,
    )
    .path(format!("backends.{id}.{path}"))
    .hint(mistake.hint)
}
