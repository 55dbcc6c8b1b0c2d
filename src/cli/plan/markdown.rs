//! A plan, and the comparison of two, as Markdown for a pull request. What people wrote stands in
//! code spans, where it calls nobody and marks nothing up.

use super::diff::Compared;
use super::expected;
use super::fields::{grouped, in_words};
use super::table::{skips, totals, trials};
use super::totals::{Here, at_most, bytes_of_all, longest};
use super::values::Common;
use crate::cli::check::summary;
use crate::model::Plan;
use crate::model::units::show_bytes;
use crate::plan::{FieldChange, worst_case};
use crate::report::markdown::{code_span as code, escaped};

/// Lines of one list: a comment holds 65,536 characters.
const MOST_LINES: usize = 40;

/// Returns a plan as Markdown.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = format!("### Plan of {}\n\n", code(&plan.name));
    if !plan.description.is_empty() {
        text.push_str(&format!("> {}\n\n", escaped(&plan.description)));
    }
    text.push_str(&format!("{}\n\n", summary(plan)));
    // A pull request is read elsewhere: what is on this machine does not matter there.
    let nothing_here = Here::nowhere();
    for (name, value) in totals(plan, &nothing_here, expected::guessed(plan)) {
        text.push_str(&format!("- {name}: {value}\n"));
    }
    if plan.jobs.is_empty() {
        return text;
    }
    text.push_str("\n| job | asked by | trials | at most |\n|---|--:|--:|--:|\n");
    for job in plan.jobs.iter().take(MOST_LINES) {
        let limit = match job.skip {
            Some(_) => "skipped".into(),
            None => at_most(worst_case(plan, job)),
        };
        text.push_str(&format!(
            "| {} | {} | {} | {limit} |\n",
            code(&job.spec.slug()),
            job.combinations.len(),
            trials(job),
        ));
    }
    if plan.jobs.len() > MOST_LINES {
        text.push_str(&format!(
            "\n… and {} more jobs\n",
            plan.jobs.len() - MOST_LINES
        ));
    }
    for (reason, count) in skips(plan) {
        text.push_str(&format!("\n- skipped ({count}): {}", code(reason)));
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Returns a comparison as Markdown.
pub(super) fn diff(compared: &Compared) -> String {
    let Compared { old, new, change } = compared;
    let mut text = format!("### What changes in the plan of {}\n\n", code(&new.name));
    if change.is_empty() {
        return text + &format!("Nothing: {}.\n", summary(new));
    }
    text.push_str(&format!(
        "| | before | after |\n|---|---|---|\n| jobs | {} | {} |\n| to fetch | {} | {} |\n\
         | at most | {} | {} |\n",
        summary(old),
        summary(new),
        show_bytes(bytes_of_all(old)),
        show_bytes(bytes_of_all(new)),
        at_most(longest(old)),
        at_most(longest(new)),
    ));
    let common = Common::of(&[old, new]);
    let combinations = |plan: &Plan, positions: &[usize]| -> Vec<String> {
        positions
            .iter()
            .map(|position| code(&common.rest(plan, *position)))
            .collect()
    };
    let jobs = |plan: &Plan, positions: &[usize]| -> Vec<String> {
        positions
            .iter()
            .filter_map(|position| job_line(plan, *position))
            .collect()
    };
    let added = combinations(new, &change.added_combinations);
    let removed = combinations(old, &change.removed_combinations);
    let shared = common.in_words(new);
    if !(added.is_empty() && removed.is_empty() || shared.is_empty()) {
        text.push_str(&format!("\nAll combinations with {}.\n", code(&shared)));
    }
    section(&mut text, "Combinations added", added);
    section(&mut text, "Combinations removed", removed);
    section(&mut text, "Jobs added", jobs(new, &change.added_jobs));
    section(&mut text, "Jobs removed", jobs(old, &change.removed_jobs));
    let mut changed = Vec::new();
    for group in grouped(compared) {
        let fields: Vec<String> = group.fields.iter().map(field_line).collect();
        let slugs = group.jobs.iter().filter_map(|job| job_line(new, job.new));
        changed.extend(slugs.map(|slug| format!("{slug}: {}", fields.join("; "))));
    }
    section(&mut text, "Jobs changed", changed);
    let fields = change.fields.iter().map(field_line).collect();
    section(&mut text, "Limits, policies and definitions", fields);
    text
}

fn section(text: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let count = lines.len();
    let open = if count <= MOST_LINES / 2 { " open" } else { "" };
    text.push_str(&format!(
        "\n<details{open}><summary>{title}: {count}</summary>\n\n"
    ));
    for line in lines.into_iter().take(MOST_LINES) {
        text.push_str(&format!("- {line}\n"));
    }
    if count > MOST_LINES {
        text.push_str(&format!("- … and {} more\n", count - MOST_LINES));
    }
    text.push_str("\n</details>\n");
}

fn job_line(plan: &Plan, position: usize) -> Option<String> {
    let job = plan.jobs.get(position)?;
    let skip = job
        .skip
        .as_ref()
        .map_or_else(String::new, |reason| format!(" skipped: {}", code(reason)));
    Some(format!("{}{skip}", code(&job.spec.slug())))
}

fn field_line(field: &FieldChange) -> String {
    let (name, from, to) = in_words(field);
    match from {
        Some(from) => format!("{} {} → {}", code(&name), code(&from), code(&to)),
        None => format!("{} {to}", code(&name)),
    }
}
