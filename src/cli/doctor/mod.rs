//! `earmark doctor`: what this machine is and has, and what to mend.
//!
//! It reaches no network, changes nothing that stays, and starts nothing but probes of its own.

mod finding;
mod holding;
mod machine;
mod places;
mod tools;

use super::arguments::{DoctorArguments, TableFormat};
use super::exit::{ExitStatus, Failure, print};
use super::load::plan_of_text;
use super::run::{store_here, surroundings};
use crate::engine;
use crate::model::Availability;
use crate::ui::printable;
use finding::{Finding, State};
use serde_json::json;

/// A matrix that needs nothing: what is tried is tried with the limits of its plan.
const MATRIX: &str = "version: 1\nname: doctor\nmatrix: {backend: fake, model: none, audio: jfk, \
                      verify-method: cache-check}\n";

pub(super) fn run(arguments: &DoctorArguments) -> Result<ExitStatus, Failure> {
    let plan = plan_of_text(MATRIX.into(), &super::arguments::Selection::default())?;
    let folder = tempfile::tempdir().map_err(Failure::internal)?;
    let context = surroundings(plan, folder.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let mut findings = machine::findings(&context.machine);
    findings.extend(runtime.block_on(holding::findings(&context)));
    findings.extend(places::findings(&store_here()?));
    findings.extend(engines());
    findings.extend(runtime.block_on(tools::findings(&context)));
    findings.extend(tools::variables(|name| std::env::var_os(name)));
    let text = match arguments.format {
        TableFormat::Table => lines(&findings),
        TableFormat::Json => {
            serde_json::to_string_pretty(&json!({ "findings": findings }))
                .map_err(Failure::internal)?
                + "\n"
        }
    };
    print(&text)?;
    let has_problem = findings
        .iter()
        .any(|finding| finding.state == State::Problem);
    Ok(if has_problem {
        ExitStatus::Fault
    } else {
        ExitStatus::Success
    })
}

/// Returns whether each engine can run here. One that cannot is a note: nobody needs them all.
fn engines() -> Vec<Finding> {
    let facts = engine::facts();
    let is_ready = |facts: &&crate::model::EngineFacts| {
        facts.availability == Availability::Ready && !facts.synthetic
    };
    let mut findings: Vec<Finding> = facts
        .values()
        .filter(|facts| !facts.synthetic)
        .map(|facts| match &facts.availability {
            Availability::Ready => {
                let version = facts.version.as_deref().unwrap_or("of unknown version");
                Finding::ok("engines", &facts.id, format!("ready, {version}"))
            }
            Availability::Unavailable(reason) => {
                Finding::note("engines", &facts.id, "not here", reason)
            }
        })
        .collect();
    let crates: Vec<String> = (engine::crate_versions().into_iter())
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    findings.push(Finding::ok("engines", "crates", crates.join(", ")));
    if !facts.values().any(|facts| is_ready(&facts)) {
        findings.push(Finding::problem(
            "engines",
            "any",
            "no engine can run here",
            "`earmark engines` says what each of them needs",
        ));
    }
    findings
}

/// Returns the findings as lines for people, and how many want mending.
fn lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut area = "";
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            text.push_str(&format!("{area}\n"));
        }
        let line = format!(
            "  {:<8} {:<18} {}",
            finding.state.word(),
            finding.name,
            printable(&finding.found)
        );
        text.push_str(line.trim_end());
        text.push('\n');
        if !finding.mend.is_empty() {
            text.push_str(&format!(
                "  {:<8} {:<18} → {}\n",
                "",
                "",
                printable(&finding.mend)
            ));
        }
    }
    let count = |state| findings.iter().filter(|f| f.state == state).count();
    let (problems, notes) = (count(State::Problem), count(State::Note));
    text.push_str(&format!("\n{problems} to mend, {notes} to know\n"));
    text
}
