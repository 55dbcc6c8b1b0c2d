//! Why each job is in the plan: who asked for it, what it waits for, what would keep it from
//! running.

use super::values::Common;
use crate::cli::check::summary;
use crate::model::{Job, JobId, JobKind, Plan, Stage, VerifyPolicy};
use crate::ui::printable;
use std::collections::HashMap;

/// Combinations of one job that are listed one by one.
const MOST_COMBINATIONS: usize = 8;
/// Jobs that one job waits for and that are listed one by one.
const MOST_NEEDS: usize = 8;

/// Returns the reasons of every job as text for people.
pub(super) fn why(plan: &Plan) -> String {
    let common = Common::of(&[plan]);
    let slugs: HashMap<&JobId, String> = plan
        .jobs
        .iter()
        .map(|job| (&job.id, job.spec.slug()))
        .collect();
    let mut text = format!("{}: {}\n", printable(&plan.name), summary(plan));
    let shared = common.in_words(plan);
    if !shared.is_empty() {
        text.push_str(&format!("every combination has {shared}\n"));
    }
    for job in &plan.jobs {
        text.push_str(&format!("\n{}\n", slugs[&job.id]));
        section(&mut text, "asked for by", askers(plan, job, &common));
        let mut needs: Vec<String> = job
            .needs
            .iter()
            .take(MOST_NEEDS)
            .map(|id| slugs.get(id).cloned().unwrap_or_else(|| id.to_string()))
            .collect();
        if job.needs.len() > MOST_NEEDS {
            needs.push(format!("… and {} more", job.needs.len() - MOST_NEEDS));
        }
        if job.skip.is_none() {
            if needs.is_empty() {
                needs.push("nothing".into());
            }
            section(&mut text, "waits for", needs);
        }
        let (name, reason) = end(plan, job);
        if !reason.is_empty() {
            section(&mut text, name, vec![reason]);
        }
    }
    text
}

fn section(text: &mut String, name: &str, lines: Vec<String>) {
    for (number, line) in lines.into_iter().enumerate() {
        let name = if number == 0 { name } else { "" };
        text.push_str(&format!("  {name:<14}{line}\n"));
    }
}

fn askers(plan: &Plan, job: &Job, common: &Common) -> Vec<String> {
    let asked = &job.combinations;
    let all = plan.combinations.len();
    if asked.len() == all {
        return vec![match all {
            1 => "the one combination".into(),
            all => format!("all {all} combinations"),
        }];
    }
    if let [only] = asked.as_slice() {
        return vec![common.rest(plan, *only)];
    }
    if let Some(product) = common.product(plan, asked) {
        return vec![format!("{product} ({} of {all} combinations)", asked.len())];
    }
    let mut lines: Vec<String> = asked
        .iter()
        .take(MOST_COMBINATIONS)
        .map(|position| common.rest(plan, *position))
        .collect();
    if asked.len() > MOST_COMBINATIONS {
        lines.push(format!("… and {} more", asked.len() - MOST_COMBINATIONS));
    }
    lines
}

/// Returns under which condition a job does not run, and the word for that end.
fn end(plan: &Plan, job: &Job) -> (&'static str, String) {
    if let Some(reason) = &job.skip {
        return ("is skipped", printable(reason));
    }
    match (job.kind, job.stage) {
        (JobKind::Download, _) => ("not needed", "if they find everything complete".into()),
        (JobKind::Verify, Some(Stage::After)) => (
            "not needed",
            "if nothing is downloaded: then the first verdict stands".into(),
        ),
        (JobKind::Verify, _) => ("", String::new()),
        (JobKind::Benchmark, _) => {
            let reason = match plan.verify_policy {
                VerifyPolicy::All => "unless every verdict is complete (verify-policy: all)",
                VerifyPolicy::Any => "unless one verdict is complete (verify-policy: any)",
                VerifyPolicy::Ignore => return ("", String::new()),
            };
            ("is skipped", reason.into())
        }
    }
}
