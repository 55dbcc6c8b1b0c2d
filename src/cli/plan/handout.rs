//! `earmark plan PLAN.json --format kubernetes` and its like: the file that a scheduler takes.

use super::github;
use crate::cli::arguments::{PlanArguments, PlanFormat};
use crate::cli::cluster::site_of;
use crate::cli::exit::{Failure, say};
use crate::cluster::{
    Division, Handout, HandoutFacts, LONGEST_MINUTES, MOST_ENTRIES, divide_into, github_parts,
    hand_out, parts_by_time,
};
use crate::model::Plan;
use serde_json::json;
use std::time::Duration;

/// The time that a part is expected to take, where nobody says how many there are to be.
const SHARD_TIME: Duration = Duration::from_mins(10);

/// The most parts, where nobody says how many there are to be.
const MOST_SHARDS: u32 = 100;

/// Refuses options that say nothing in a format.
pub(super) fn check(arguments: &PlanArguments) -> Result<(), Failure> {
    let is_for_no_scheduler = matches!(
        arguments.format,
        PlanFormat::Table
            | PlanFormat::Json
            | PlanFormat::Markdown
            | PlanFormat::Dot
            | PlanFormat::Mermaid
    );
    if arguments.shards.is_some() && is_for_no_scheduler {
        return Err(Failure::Usage(
            "--shards says into how many parts a plan is divided for others: with `--format github`, \
             `kubernetes`, `buildkite`, `nomad` or `ssh`"
                .into(),
        ));
    }
    Ok(())
}

/// Returns the file of a scheduler.
pub(super) fn text(
    handout: Handout,
    plan: &Plan,
    arguments: &PlanArguments,
) -> Result<String, Failure> {
    let is_saved = arguments
        .matrix
        .extension()
        .is_some_and(|extension| extension == "json");
    if !is_saved || !arguments.selection.filter.is_empty() {
        return Err(Failure::Usage(
            "all parts are of one saved plan, whole; write it with `earmark plan MATRIX --format json > \
             plan.json`, with --filter there, where the parts will find it, and name that file"
                .into(),
        ));
    }
    let site = site_of(arguments.site.as_deref())?;
    let file = std::path::absolute(&arguments.matrix).map_err(Failure::internal)?;
    let facts = HandoutFacts {
        plan,
        division: &division(plan, arguments.shards, MOST_SHARDS),
        site: &site,
        file: &file,
    };
    hand_out(handout, &facts).map_err(|reasons| refused(&reasons))
}

/// Returns a job matrix of GitHub: of parts if parts are asked for, or if there would be too many entries.
pub(super) fn github(plan: &Plan, arguments: &PlanArguments) -> Result<String, Failure> {
    let filtered = !arguments.selection.filter.is_empty();
    let wished = arguments.shards;
    if wished.is_none()
        && arguments.site.is_none()
        && let Some(text) = github::combinations(plan, filtered)?
    {
        return Ok(text);
    }
    if let Some(wished) = wished.filter(|wished| *wished > MOST_ENTRIES) {
        return Err(Failure::Usage(format!(
            "--shards {wished}: GitHub makes at most {MOST_ENTRIES} jobs of a matrix; write that at most"
        )));
    }
    let site = site_of(arguments.site.as_deref())?
        .github
        .unwrap_or_default();
    let division = division(plan, wished, MOST_ENTRIES);
    let parts = github_parts(plan, &division, &site).map_err(|reasons| refused(&reasons))?;
    for part in parts.iter().filter(|part| part.is_cut) {
        say(&format!(
            "warning: {} could take longer by its limits than the {LONGEST_MINUTES} minutes of a job on GitHub, \
             and is ended then; write more --shards, or `deadlines: {{job: 30m}}` in the matrix",
            part.name
        ));
    }
    if wished.is_some_and(|wished| (wished as usize) < parts.len()) {
        say(&format!(
            "warning: {} parts, one for each set of requirements",
            parts.len()
        ));
    }
    // One line: it fits into `name=value` of a step's output.
    Ok(json!({ "include": parts }).to_string() + "\n")
}

fn division(plan: &Plan, wished: Option<u32>, most: u32) -> Division {
    divide_into(
        plan,
        wished.unwrap_or_else(|| parts_by_time(plan, SHARD_TIME).min(most)),
    )
}

fn refused(reasons: &[String]) -> Failure {
    let mut once: Vec<&str> = Vec::new();
    for reason in reasons {
        if !once.contains(&reason.as_str()) {
            once.push(reason);
        }
    }
    Failure::Usage(once.join("\nerror: "))
}
