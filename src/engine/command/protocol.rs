//! An engine of one's own that speaks the protocol: no code in here has to know it.

use super::place::NO_SETTINGS;
use super::{BackendMistake, BackendPart, facts_with, in_its_folder, read_words};
use crate::engine::declaration::{language, threads};
use crate::engine::launch::{LaunchSpec, offline_environment};
use crate::model::{BackendDefinition, EngineFacts};
use std::collections::BTreeSet;
use std::ffi::OsString;

/// What every engine is told, and nobody declares.
const ALWAYS: [&str; 2] = ["language", "threads"];

/// Returns what the planner has to know.
///
/// # Errors
///
/// Returns every mistake in the definition: what belongs to commands, and settings that contradict
/// themselves.
pub(super) fn facts(
    definition: &BackendDefinition,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<EngineFacts, Vec<BackendMistake>> {
    let mistakes = mistakes(definition);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut settings = vec![language(), threads()];
    settings.extend(definition.settings.iter().cloned());
    Ok(facts_with(definition, settings, get))
}

fn mistakes(definition: &BackendDefinition) -> Vec<BackendMistake> {
    let mut mistakes = Vec::new();
    let mut places = BTreeSet::new();
    let (whole, word) = (BackendPart::Command, BackendPart::CommandWord);
    read_words(&definition.command, whole, word, &mut places, &mut mistakes);
    let mut tell = |part, message: String, hint: &str| {
        mistakes.push(BackendMistake {
            part,
            message,
            hint: hint.to_owned(),
        });
    };
    if let Some(place) = places.first() {
        tell(
            BackendPart::Command,
            format!("`{place}` has no value when an engine is started"),
            "leave it out: what speaks the protocol is told of models, recordings and settings there",
        );
    }
    if definition.version.is_some() {
        tell(
            BackendPart::Version,
            "what speaks the protocol tells its version in its `hello`".into(),
            "leave `version` out",
        );
    }
    if !definition.fails.is_nothing() {
        tell(
            BackendPart::Fails,
            "what speaks the protocol tells a failure as an `error`".into(),
            "leave `fails` out",
        );
    }
    for setting in &definition.settings {
        let name = &setting.name;
        if ALWAYS.contains(&name.as_str()) {
            tell(
                BackendPart::Settings,
                format!("every engine is told `{name}`"),
                "leave it out",
            );
        }
        if NO_SETTINGS.iter().any(|(known, _)| known == name) {
            tell(
                BackendPart::Settings,
                format!("`{name}` is no setting of an engine: in a matrix it means something else"),
                "give it another name",
            );
        }
        let default = setting
            .default
            .as_ref()
            .map(|default| setting.accept(default));
        if let Some(Err(reason)) = default {
            tell(
                BackendPart::Settings,
                format!("its own default: {reason}"),
                "give a default that the setting takes, or none",
            );
        }
    }
    mistakes
}

/// Returns how the process of such an engine is started, in the folder of its definition and without
/// a network. `get` is the runner's own environment.
#[must_use]
pub fn protocol_launch(
    definition: &BackendDefinition,
    threads: u32,
    get: impl Fn(&str) -> Option<OsString>,
) -> LaunchSpec {
    LaunchSpec {
        command: in_its_folder(definition, definition.command.clone()),
        environment: offline_environment(threads, get),
        network: false,
        protocol: true,
    }
}
