//! `earmark compare`: runs side by side, with a verdict for each row.

mod machines;
mod markdown;
mod text;

use super::arguments::{CompareArguments, CompareFormat};
use super::exit::{ExitStatus, Failure, print, say};
use super::run::named_run;
use crate::compare::{
    Comparison, Rules, Side, across_machines, compare, judge_gates, render_machines_page,
    render_page,
};
use crate::record::RunRecord;
use crate::report::{ResultRow, result_rows};
use crate::ui::printable;
use std::io::IsTerminal;

pub(super) fn run(arguments: &CompareArguments) -> Result<ExitStatus, Failure> {
    let records = arguments
        .runs
        .iter()
        .map(|wish| {
            let (folder, record) = named_run(wish)?;
            Ok((folder.display().to_string(), record))
        })
        .collect::<Result<Vec<(String, RunRecord)>, Failure>>()?;
    let rows: Vec<Vec<ResultRow<'_>>> = records
        .iter()
        .map(|(_, record)| result_rows(record))
        .collect();
    let sides: Vec<Side<'_>> = records
        .iter()
        .zip(&rows)
        .map(|((label, record), rows)| Side {
            label,
            record,
            rows,
        })
        .collect();
    if let Some(machine) = &arguments.across_machines {
        return across(arguments, &sides, machine);
    }
    let Some((base, others)) = sides.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(Failure::Usage(
            "name a base and a run to compare it with".into(),
        ));
    };
    let mut comparison = compare(base, others, &rules(arguments));
    if arguments.gate {
        for (against, new) in comparison.against.iter_mut().zip(others) {
            against.gates = Some(judge_gates(base, new, against));
        }
    }
    print(&match arguments.format {
        CompareFormat::Text => text::render(&comparison, std::io::stdout().is_terminal()),
        CompareFormat::Markdown => markdown::render(&comparison),
        CompareFormat::Html => render_page(&comparison).map_err(Failure::internal)?,
        CompareFormat::Json => {
            serde_json::to_string_pretty(&comparison).map_err(Failure::internal)? + "\n"
        }
    })?;
    Ok(status(&comparison))
}

/// Holds each configuration against itself on other machines.
fn across(
    arguments: &CompareArguments,
    sides: &[Side<'_>],
    machine: &str,
) -> Result<ExitStatus, Failure> {
    let base = Some(machine).filter(|name| !name.is_empty());
    let across = across_machines(sides, base, &rules(arguments)).map_err(Failure::Usage)?;
    print(&match arguments.format {
        CompareFormat::Text => machines::text(&across),
        CompareFormat::Markdown => machines::markdown(&across),
        CompareFormat::Json => {
            serde_json::to_string_pretty(&across).map_err(Failure::internal)? + "\n"
        }
        CompareFormat::Html => render_machines_page(&across).map_err(Failure::internal)?,
    })?;
    Ok(ExitStatus::Success)
}

/// Returns the rules that the command line asks for.
fn rules(arguments: &CompareArguments) -> Rules {
    let mut rules = Rules::default();
    if let Some(share) = arguments.minimum_effect {
        rules.minimum_effect = share.0;
    }
    if let Some(share) = arguments.minimum_wer_effect {
        rules.minimum_effect_wer = share.0;
    }
    if let Some(seed) = arguments.seed {
        rules.seed = seed;
    }
    rules
}

/// Tells gates that were not passed, and returns the exit status.
fn status(comparison: &Comparison) -> ExitStatus {
    let mut status = ExitStatus::Success;
    for against in &comparison.against {
        for gate in against.gates.iter().flatten().filter(|gate| !gate.passed) {
            status = ExitStatus::Gate;
            let message = format!("gate: {}", gate.in_words());
            say(&printable(&message));
        }
    }
    status
}
