//! The plan as a table for people.

use super::expected;
use super::totals::{Fetch, Here, at_most, fetch, fetch_in_words, longest, show_amount};
use crate::cli::check::summary;
use crate::model::units::show_seconds;
use crate::model::{Job, JobSpec, Plan};
use crate::plan::{groups, worst_case};
use crate::ui::{Table, printable};
use indexmap::IndexMap;

/// The jobs that are shown: more than anyone reads.
const MOST_ROWS: usize = 1000;

/// Returns the plan as a table for people. What is on this machine already is looked up in the
/// store.
pub(in crate::cli) fn table(plan: &Plan) -> String {
    let here = Here::look(plan);
    let mut table = Table::new(&["job", "asked by", "trials", "fetches", "at most"]);
    for column in 1..5 {
        table.align_right(column);
        table.keep_whole(column);
    }
    table.break_after(0, '/');
    for job in plan.jobs.iter().take(MOST_ROWS) {
        table.row([
            job.spec.slug(),
            job.combinations.len().to_string(),
            trials(job),
            match fetch(plan, job, &here) {
                Fetch::Nothing => String::new(),
                Fetch::Here => "is here".into(),
                Fetch::Some(amount) => show_amount(amount),
                Fetch::Unknown => "unknown".into(),
            },
            if job.skip.is_some() {
                "skipped".into()
            } else {
                at_most(worst_case(plan, job))
            },
        ]);
    }
    let mut text = if plan.jobs.is_empty() {
        "Nothing to do: no combination is left.\n".to_owned()
    } else {
        table.render() + "\n"
    };
    if plan.jobs.len() > MOST_ROWS {
        text.push_str(&format!(
            "… and {} more; `--format json` has them all\n",
            plan.jobs.len() - MOST_ROWS
        ));
    }
    for (reason, count) in skips(plan) {
        text.push_str(&format!("\nskipped ({count}): {}\n", printable(reason)));
    }
    text.push_str(&format!("\n{}: {}\n", printable(&plan.name), summary(plan)));
    for (name, value) in totals(plan, &here, expected::here(plan)) {
        text.push_str(&format!("  {name:<10} {value}\n"));
    }
    text
}

/// Returns every reason to skip a job, with the number of jobs that have it.
pub(super) fn skips(plan: &Plan) -> IndexMap<&str, usize> {
    let mut skips = IndexMap::new();
    for reason in plan.jobs.iter().filter_map(|job| job.skip.as_deref()) {
        *skips.entry(reason).or_insert(0) += 1;
    }
    skips
}

/// Returns what the whole plan costs, as (name, value).
pub(super) fn totals(plan: &Plan, here: &Here, expected: String) -> Vec<(&'static str, String)> {
    let mut totals = vec![
        ("to fetch", fetch_in_words(plan, here)),
        (
            "at most",
            format!(
                "{} by the deadlines",
                show_seconds(longest(plan).as_secs_f64())
            ),
        ),
        ("expected", expected),
    ];
    let groups = groups(plan);
    if groups.keys().any(|requires| !requires.is_empty()) {
        let groups: Vec<String> = groups
            .iter()
            .map(|(requires, benchmarks)| format!("{requires} ({})", benchmarks.len()))
            .collect();
        totals.push(("requires", groups.join(" · ")));
    }
    totals
}

/// Returns the measured trials of a job: in one launch, launches × trials, or what a rule allows.
pub(super) fn trials(job: &Job) -> String {
    match &job.spec {
        JobSpec::Benchmark(spec) if spec.launches == 1 || spec.adaptive.is_some() => {
            spec.repeat_in_words()
        }
        JobSpec::Benchmark(spec) => format!("{} × {}", spec.launches, spec.repeat),
        _ => String::new(),
    }
}
