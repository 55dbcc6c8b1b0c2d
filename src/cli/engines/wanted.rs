//! The engines that a command line names, as the environments that they need.

use crate::catalog::bridges;
use crate::cli::exit::{Failure, say};
use crate::diagnostic::closest;
use crate::engine;
use crate::engine::bridge::{EngineHome, EngineState, Standing, standing};
use crate::model::BridgeDefinition;
use indexmap::IndexMap;

/// Returns where engines are installed on this machine.
pub(super) fn home_here() -> Result<EngineHome, Failure> {
    EngineHome::from_environment(|name| std::env::var_os(name)).map_err(Failure::Usage)
}

/// Returns how a bridge is on this machine.
fn standing_here(id: &str, bridge: &BridgeDefinition) -> Standing {
    standing(id, bridge, |name| std::env::var_os(name))
}

/// Returns the environments of every engine that can run on this system, each with its engines.
pub(super) fn all() -> IndexMap<String, Vec<String>> {
    let mut environments: IndexMap<String, Vec<String>> = IndexMap::new();
    for (id, bridge) in bridges() {
        let can_run = standing_here(id, bridge).state != EngineState::NotHere;
        if let Some(environment) = bridge.environment.as_ref().filter(|_| can_run) {
            let engines = environments.entry(environment.clone()).or_default();
            engines.push(id.clone());
        }
    }
    environments
}

/// Returns the environments of some engines, each with those of them that were named. One that needs
/// none is told and left out.
pub(super) fn named(names: &[String]) -> Result<IndexMap<String, Vec<String>>, Failure> {
    let mut environments: IndexMap<String, Vec<String>> = IndexMap::new();
    for name in names {
        let bridge = bridge_of(name)?;
        let found = standing_here(name, bridge);
        if found.state == EngineState::NotHere {
            return Err(Failure::Usage(format!(
                "`{name}` cannot run here: {}",
                found.reason
            )));
        }
        match &bridge.environment {
            Some(environment) => {
                let engines = environments.entry(environment.clone()).or_default();
                if !engines.contains(name) {
                    engines.push(name.clone());
                }
            }
            None => say(&format!("{name}: nothing has to be installed for it")),
        }
    }
    Ok(environments)
}

/// Returns what is known of an engine that could be installed.
pub(super) fn bridge_of(name: &str) -> Result<&'static BridgeDefinition, Failure> {
    if let Some(bridge) = bridges().get(name) {
        return Ok(bridge);
    }
    if engine::built_in().contains_key(name) {
        return Err(Failure::Usage(format!(
            "`{name}` is built in and cannot be installed or removed; `earmark engines` says how it is"
        )));
    }
    let meant = closest(name, bridges().keys().map(String::as_str));
    let meant = meant.map_or_else(String::new, |meant| format!(": did you mean `{meant}`?"));
    Err(Failure::Usage(format!(
        "there is no engine `{name}`{meant}; `earmark engines` lists them"
    )))
}
