//! Whether a bridge can run here, found out by looking at files.

use super::home::{EngineHome, EnvironmentState};
use crate::engine::find_on_path;
use crate::model::units::show_bytes;
use crate::model::{Availability, BridgeDefinition, EngineFacts, Requirement, Requirements};
use std::ffi::OsString;

/// In which of three ways an engine is or is not of use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineState {
    /// It can run.
    Ready,
    /// It can be installed by `earmark engines install`.
    Installable,
    /// It cannot run on this machine as it is.
    NotHere,
}

impl EngineState {
    /// Returns the words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Installable => "installable",
            Self::NotHere => "not here",
        }
    }
}

/// How a bridge is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// In short.
    pub state: EngineState,
    /// Why it cannot run, with the remedy; empty if it can.
    pub reason: String,
}

/// Finds out how a bridge is here. `get` is the runner's own environment.
pub fn standing(
    id: &str,
    bridge: &BridgeDefinition,
    get: impl Fn(&str) -> Option<OsString>,
) -> Standing {
    let not_here = |reason: String| Standing {
        state: EngineState::NotHere,
        reason,
    };
    let here = std::env::consts::OS;
    if !bridge.platforms.iter().any(|platform| platform == here) {
        let platforms: Vec<&str> = bridge
            .platforms
            .iter()
            .map(|platform| name_of(platform))
            .collect();
        return not_here(format!(
            "it runs on {} only, and this is {}",
            platforms.join(" and "),
            name_of(here)
        ));
    }
    let path = get("PATH");
    let missing = |program: &&String| find_on_path(program, path.as_deref()).is_none();
    if let Some(program) = bridge.commands.iter().find(missing) {
        return not_here(format!(
            "no folder of PATH has its program `{program}`: install that"
        ));
    }
    let ready = Standing {
        state: EngineState::Ready,
        reason: String::new(),
    };
    let Some(environment) = &bridge.environment else {
        return match find_on_path("python3", path.as_deref()) {
            Some(_) => ready,
            None => not_here("no folder of PATH has `python3`: install Python".into()),
        };
    };
    let home = match EngineHome::from_environment(get) {
        Ok(home) => home,
        Err(reason) => return not_here(reason),
    };
    let reason = match home.state(environment) {
        EnvironmentState::Ready(_) => return ready,
        EnvironmentState::Absent => format!(
            "not installed: `earmark engines install {id}`, about {}",
            rounded(bridge.install_bytes)
        ),
        EnvironmentState::Unusable(what) => {
            format!("{what}: `earmark engines install {id}` installs it again")
        }
    };
    Standing {
        state: EngineState::Installable,
        reason,
    }
}

/// Returns what a machine must have for a bridge: its system, if it runs on one alone.
fn system_of(bridge: &BridgeDefinition) -> Requirements {
    match bridge.platforms.as_slice() {
        [only] => Requirements::from_iter(Requirement::of("os", only)),
        _ => Requirements::NONE,
    }
}

/// Returns what the planner has to know of a bridge.
pub(in crate::engine) fn facts(
    id: &str,
    bridge: &BridgeDefinition,
    get: impl Fn(&str) -> Option<OsString>,
) -> EngineFacts {
    let found = standing(id, bridge, get);
    EngineFacts {
        id: id.to_owned(),
        description: bridge.description.clone(),
        version: bridge.version.clone(),
        availability: match found.state {
            EngineState::Ready => Availability::Ready,
            _ => Availability::Unavailable(found.reason),
        },
        artifacts: bridge.artifacts.clone(),
        settings: bridge.settings.clone(),
        families: bridge.families.clone(),
        requires: system_of(bridge),
        any_model: bridge.any_model,
        synthetic: false,
        command: false,
    }
}

/// Returns a system's name as people write it.
fn name_of(platform: &str) -> &str {
    match platform {
        "linux" => "Linux",
        "macos" => "macOS",
        other => other,
    }
}

/// Returns a size without the digits that an estimate does not have.
fn rounded(bytes: u64) -> String {
    show_bytes(bytes).replace(".0 ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::bridge_definition;
    use crate::engine::bridge::testing::install_stand_in;
    use std::path::Path;

    fn look(id: &str, home: &Path) -> Standing {
        let bridge = bridge_definition(id).unwrap();
        standing(id, bridge, |name| match name {
            "EARMARK_HOME" => Some(home.into()),
            "PATH" => std::env::var_os("PATH"),
            _ => None,
        })
    }

    #[test]
    fn an_engine_is_installable_ready_or_installed_for_another_version() {
        let home = tempfile::tempdir().unwrap();
        let absent = look("faster-whisper", home.path());
        assert_eq!(absent.state, EngineState::Installable);
        let bytes = bridge_definition("faster-whisper").unwrap().install_bytes;
        assert_eq!(
            absent.reason,
            format!(
                "not installed: `earmark engines install faster-whisper`, about {}",
                rounded(bytes)
            )
        );
        assert_eq!(rounded(429_000_000), "429 MB");
        let folder = install_stand_in(home.path(), "faster-whisper");
        assert_eq!(
            look("faster-whisper", home.path()).state,
            EngineState::Ready
        );
        std::fs::remove_file(folder.join("environment/bin/python")).unwrap();
        let gone = look("faster-whisper", home.path());
        assert!(gone.reason.contains("its Python is gone"), "{gone:?}");
        let record = folder.join("installed.json");
        let text = std::fs::read_to_string(&record).unwrap();
        let digest =
            super::super::files::digest_of(super::super::files::lock_of("faster-whisper").unwrap());
        std::fs::write(&record, text.replace(&digest, "0")).unwrap();
        let stale = look("faster-whisper", home.path());
        assert!(stale.reason.contains("for another version"), "{stale:?}");
        assert_eq!(stale.state, EngineState::Installable);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_needs_another_system_says_so() {
        let home = tempfile::tempdir().unwrap();
        let found = look("whisperkit", home.path());
        assert_eq!(found.state, EngineState::NotHere);
        assert_eq!(found.reason, "it runs on macOS only, and this is Linux");
        assert_eq!(look("openai-http", home.path()).state, EngineState::Ready);
    }
}
