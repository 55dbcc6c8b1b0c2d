//! The table of all engines.

use crate::catalog::bridges;
use crate::cli::arguments::{EnginesArguments, TableFormat};
use crate::cli::backends::add_engines;
use crate::cli::catalogs::catalog_of;
use crate::cli::exit::{ExitStatus, Failure, print};
use crate::diagnostic::Diagnostics;
use crate::engine;
use crate::engine::bridge::{EngineHome, EngineState, EnvironmentState, Installed, standing};
use crate::model::{Availability, EngineFacts};
use crate::ui::Table;
use serde_json::json;

/// An engine as the table shows it.
struct Row {
    facts: EngineFacts,
    state: EngineState,
    /// Why it cannot run, with the remedy; empty if it can.
    reason: String,
    device: String,
    /// The environment that it is installed into, if it needs one.
    environment: Option<String>,
    network: bool,
    /// What was installed for it.
    installed: Option<Installed>,
}

pub(super) fn run(arguments: &EnginesArguments) -> Result<ExitStatus, Failure> {
    let mut problems = Diagnostics::default();
    let catalog = catalog_of(&arguments.catalog, &mut problems)?;
    let mut known = engine::facts();
    add_engines(&mut known, &catalog.backends, &mut problems);
    if problems.has_errors() {
        return Err(Failure::Input(problems));
    }
    let rows: Vec<Row> = known
        .into_values()
        .map(|facts| {
            let is_own = catalog.backends.contains_key(&facts.id);
            row(facts, is_own)
        })
        .collect();
    let text = match arguments.format {
        TableFormat::Table => table(&rows),
        TableFormat::Json => document(&rows)?,
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}

/// Makes the row of an engine; what one's own computes on is known only to itself.
fn row(facts: EngineFacts, is_own: bool) -> Row {
    let Some(bridge) = bridges().get(&facts.id) else {
        let (state, reason) = match &facts.availability {
            Availability::Ready => (EngineState::Ready, String::new()),
            Availability::Unavailable(reason) => (EngineState::NotHere, reason.clone()),
        };
        return Row {
            device: if is_own {
                String::new()
            } else {
                engine::device(&facts.id)
            },
            facts,
            state,
            reason,
            environment: None,
            network: false,
            installed: None,
        };
    };
    let get = |name: &str| std::env::var_os(name);
    let found = standing(&facts.id, bridge, get);
    let home = EngineHome::from_environment(get).ok();
    let installed = bridge.environment.as_ref().zip(home);
    let installed = installed.and_then(|(environment, home)| match home.state(environment) {
        EnvironmentState::Ready(installed) => Some(*installed),
        _ => None,
    });
    Row {
        facts,
        state: found.state,
        reason: found.reason,
        device: bridge.device.clone(),
        environment: bridge.environment.clone(),
        network: bridge.network,
        installed,
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        "engine",
        "state",
        "version",
        "device",
        "artifacts",
        "settings",
        "note",
    ]);
    table.align_right(5);
    table.keep_whole(0);
    for row in rows {
        let facts = &row.facts;
        let note = if row.reason.is_empty() {
            &facts.description
        } else {
            &row.reason
        };
        let artifacts: Vec<&str> = facts.artifacts.values().map(String::as_str).collect();
        table.row([
            facts.id.clone(),
            row.state.words().to_owned(),
            facts.version.clone().unwrap_or_default(),
            row.device.clone(),
            artifacts.join(" "),
            facts.settings.len().to_string(),
            note.clone(),
        ]);
    }
    table.render() + "\n"
}

fn document(rows: &[Row]) -> Result<String, Failure> {
    let list: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            let facts = &row.facts;
            json!({
                "id": facts.id,
                "state": row.state.words(),
                "reason": row.reason,
                "version": facts.version,
                "description": facts.description,
                "device": row.device,
                "artifacts": facts.artifacts,
                "settings": facts.settings,
                "environment": row.environment,
                "network": row.network,
                "installed": row.installed,
                "synthetic": facts.synthetic,
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({ "engines": list }));
    Ok(text.map_err(Failure::internal)? + "\n")
}
