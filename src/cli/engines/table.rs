//! The engines as a table and as a document.

use crate::cli::arguments::TableFormat;
use crate::cli::exit::{ExitStatus, Failure, print};
use crate::engine;
use crate::model::{Availability, EngineFacts};
use crate::ui::Table;
use serde_json::json;

pub(super) fn run(format: TableFormat) -> Result<ExitStatus, Failure> {
    let engines = engine::facts();
    let text = match format {
        TableFormat::Table => {
            let mut table = Table::new(&[
                "engine",
                "state",
                "version",
                "quantizations",
                "settings",
                "note",
            ]);
            for facts in engines.values() {
                let (state, reason) = state_of(facts);
                let note = if reason.is_empty() {
                    &facts.description
                } else {
                    reason
                };
                let settings: Vec<&str> = facts
                    .settings
                    .iter()
                    .map(|setting| setting.name.as_str())
                    .collect();
                let quantizations: Vec<&str> = facts.artifacts.keys().map(String::as_str).collect();
                table.row([
                    facts.id.clone(),
                    state.to_owned(),
                    facts.version.clone().unwrap_or_default(),
                    quantizations.join(" "),
                    settings.join(" "),
                    note.clone(),
                ]);
            }
            table.render() + "\n"
        }
        TableFormat::Json => {
            let list: Vec<serde_json::Value> = engines
                .values()
                .map(|facts| {
                    let (state, reason) = state_of(facts);
                    json!({
                        "id": facts.id,
                        "state": state,
                        "reason": reason,
                        "version": facts.version,
                        "description": facts.description,
                        "artifacts": facts.artifacts,
                        "settings": facts.settings,
                        "synthetic": facts.synthetic,
                    })
                })
                .collect();
            serde_json::to_string_pretty(&json!({ "engines": list })).map_err(Failure::internal)?
                + "\n"
        }
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}

fn state_of(facts: &EngineFacts) -> (&'static str, &String) {
    static READY: String = String::new();
    match &facts.availability {
        Availability::Ready => ("ready", &READY),
        Availability::Unavailable(reason) => ("not here", reason),
    }
}
