//! `earmark plan`: show what would be done, and what a change of the file changes.

mod diff;
mod diff_text;
mod expected;
mod fields;
mod github;
mod graph;
mod handout;
mod markdown;
mod table;
mod totals;
mod values;
mod why;

use super::arguments::{PlanArguments, PlanFormat};
use super::exit::{ExitStatus, Failure, print, say};
use super::load::Ready;
use super::load::plan_of;
use super::saved::{keep, read_saved, staleness_of};
use crate::cluster::Handout;
use std::collections::BTreeSet;

pub(super) use table::table;

pub(super) fn run(arguments: &PlanArguments) -> Result<ExitStatus, Failure> {
    let mut selection = arguments.selection.clone();
    if arguments.assume_ready {
        selection.ready = Ready::All;
    } else if arguments.site.is_some() {
        // Whoever has a site has others carry the plan out.
        selection.ready = Ready::Elsewhere;
    }
    handout::check(arguments)?;
    if let Some(old) = &arguments.diff {
        let text = diff::diff(old, &arguments.matrix, &selection, arguments.format)?;
        print(&text)?;
        return Ok(ExitStatus::Success);
    }
    if arguments.why && arguments.format != PlanFormat::Table {
        return Err(Failure::Usage(
            "--why is a text for people; `--format json` has `needs`, `combinations` and `skip` of \
             every job"
                .into(),
        ));
    }
    let plan = match read_saved(&arguments.matrix)? {
        Some(mut plan) => {
            // What others carry out is held against what is there.
            let none = BTreeSet::new();
            for change in staleness_of(&mut plan, arguments.site.is_some().then_some(&none))? {
                say(&format!("warning: {change}; this plan would be refused"));
            }
            super::load::narrow(&mut plan, &selection)?;
            plan
        }
        None => {
            let mut plan = plan_of(&arguments.matrix, &selection)?;
            if arguments.format == PlanFormat::Json {
                keep(&mut plan);
            }
            plan
        }
    };
    let text = match arguments.format {
        PlanFormat::Table if arguments.why => why::why(&plan),
        PlanFormat::Table => table(&plan),
        PlanFormat::Json => serde_json::to_string_pretty(&plan).map_err(Failure::internal)? + "\n",
        PlanFormat::Dot => graph::dot(&plan),
        PlanFormat::Mermaid => graph::mermaid(&plan),
        PlanFormat::Github => handout::github(&plan, arguments)?,
        PlanFormat::Markdown => markdown::plan(&plan),
        PlanFormat::Kubernetes => handout::text(Handout::Kubernetes, &plan, arguments)?,
        PlanFormat::Buildkite => handout::text(Handout::Buildkite, &plan, arguments)?,
        PlanFormat::Nomad => handout::text(Handout::Nomad, &plan, arguments)?,
        PlanFormat::Ssh => handout::text(Handout::Ssh, &plan, arguments)?,
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}
