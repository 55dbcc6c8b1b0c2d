//! `earmark check`: look for mistakes, start nothing.

use super::arguments::{CheckArguments, CheckFormat, Selection};
use super::exit::{ExitStatus, Failure, print, tell_diagnostics};
use super::load::look_at;
use crate::diagnostic::Diagnostics;
use crate::model::{JobKind, Plan};
use crate::ui::{diagnostic_json, github_annotation, github_notice, printable};
use serde_json::json;

/// What was found in one file.
struct Finding {
    /// The file, as the command line names it.
    file: String,
    /// Its plan, if it has no mistakes.
    plan: Option<Plan>,
    /// What is wrong with it and what is odd.
    problems: Diagnostics,
}

pub(super) fn run(arguments: &CheckArguments) -> Result<ExitStatus, Failure> {
    let selection = Selection {
        strict: arguments.strict,
        catalog: arguments.catalog.clone(),
        ..Selection::default()
    };
    let mut findings = Vec::new();
    for path in &arguments.matrices {
        let (plan, problems) = look_at(path, &selection)?;
        findings.push(Finding {
            file: path.display().to_string(),
            plan,
            problems,
        });
    }
    match arguments.format {
        CheckFormat::Text => tell(&findings)?,
        CheckFormat::Json => {
            let text =
                serde_json::to_string_pretty(&as_json(&findings)).map_err(Failure::internal)?;
            print(&(text + "\n"))?;
        }
        CheckFormat::Github => print(&as_annotations(&findings))?,
    }
    Ok(if findings.iter().all(|finding| finding.plan.is_some()) {
        ExitStatus::Success
    } else {
        ExitStatus::Usage
    })
}

fn tell(findings: &[Finding]) -> Result<(), Failure> {
    for finding in findings {
        tell_diagnostics(&finding.problems);
        if let Some(plan) = &finding.plan {
            print(&format!(
                "{}: {}\n",
                printable(&finding.file),
                summary(plan)
            ))?;
        }
    }
    Ok(())
}

fn as_json(findings: &[Finding]) -> serde_json::Value {
    let files: Vec<_> = findings
        .iter()
        .map(|finding| {
            let jobs = finding.plan.as_ref().map(|plan| {
                json!({
                    "verify": count(plan, JobKind::Verify),
                    "download": count(plan, JobKind::Download),
                    "benchmark": count(plan, JobKind::Benchmark),
                    "skipped": skipped(plan),
                })
            });
            json!({
                "file": finding.file,
                "valid": finding.plan.is_some(),
                "combinations": finding.plan.as_ref().map(|plan| plan.combinations.len()),
                "jobs": jobs,
            })
        })
        .collect();
    let diagnostics: Vec<_> = findings
        .iter()
        .flat_map(|finding| {
            finding
                .problems
                .0
                .iter()
                .map(|problem| diagnostic_json(problem, &finding.file))
        })
        .collect();
    json!({ "files": files, "diagnostics": diagnostics })
}

/// Every line is a command, so that no name of a file can begin one of its own.
fn as_annotations(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        for problem in &finding.problems.0 {
            text.push_str(&github_annotation(problem, &finding.file));
            text.push('\n');
        }
        if let Some(plan) = &finding.plan {
            text.push_str(&github_notice(&finding.file, &summary(plan)));
            text.push('\n');
        }
    }
    text
}

fn count(plan: &Plan, kind: JobKind) -> usize {
    plan.jobs.iter().filter(|job| job.kind == kind).count()
}

fn skipped(plan: &Plan) -> usize {
    plan.jobs.iter().filter(|job| job.skip.is_some()).count()
}

/// Returns what a plan is made of, in one line.
pub(super) fn summary(plan: &Plan) -> String {
    let skipped = skipped(plan);
    let plural = |number: usize, word: &str| {
        format!("{number} {word}{}", if number == 1 { "" } else { "s" })
    };
    let verifies = match count(plan, JobKind::Verify) {
        1 => "1 verify".to_owned(),
        number => format!("{number} verifies"),
    };
    let mut text = format!(
        "{}, {verifies}, {}, {}",
        plural(plan.combinations.len(), "combination"),
        plural(count(plan, JobKind::Download), "download"),
        plural(count(plan, JobKind::Benchmark), "benchmark"),
    );
    if skipped > 0 {
        text.push_str(&format!(" ({skipped} of them skipped)"));
    }
    text
}
