//! The comparison of two plans as text for a terminal.

use super::diff::Compared;
use super::fields::{grouped, in_words};
use super::totals::{at_most, bytes_of_all, longest};
use super::values::Common;
use crate::cli::check::summary;
use crate::model::Plan;
use crate::model::units::show_bytes;
use crate::plan::FieldChange;
use crate::ui::printable;

/// Lines of one list; `--format json` has all of them.
const MOST_LINES: usize = 20;

/// Returns the comparison as text.
pub(super) fn text(compared: &Compared) -> String {
    let Compared { old, new, change } = compared;
    if change.is_empty() {
        return format!("no difference: {}\n", summary(new));
    }
    let mut text = format!("old  {}\nnew  {}\n", summary(old), summary(new));
    let counts = |added: usize, removed: usize, changed: usize, kept: usize| {
        [
            (added, "added"),
            (removed, "removed"),
            (changed, "changed"),
            (kept, "as before"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect::<Vec<_>>()
        .join(", ")
    };
    text.push_str(&format!(
        "\ncombinations: {}\n",
        counts(
            change.added_combinations.len(),
            change.removed_combinations.len(),
            0,
            change.kept_combinations
        )
    ));
    let common = Common::of(&[old, new]);
    let moves = change.added_combinations.len() + change.removed_combinations.len();
    let shared = common.in_words(new);
    if moves > 0 && !shared.is_empty() {
        text.push_str(&format!("    all with {shared}\n"));
    }
    for (mark, plan, positions) in [
        ('+', new, &change.added_combinations),
        ('-', old, &change.removed_combinations),
    ] {
        let lines = positions
            .iter()
            .map(|position| common.rest(plan, *position));
        list(&mut text, mark, lines, positions.len());
    }
    text.push_str(&format!(
        "\njobs: {}\n",
        counts(
            change.added_jobs.len(),
            change.removed_jobs.len(),
            change.changed_jobs.len(),
            change.kept_jobs
        )
    ));
    for (mark, plan, positions) in [
        ('+', new, &change.added_jobs),
        ('-', old, &change.removed_jobs),
    ] {
        let lines = positions
            .iter()
            .filter_map(|position| job_line(plan, *position));
        list(&mut text, mark, lines, positions.len());
    }
    for group in grouped(compared) {
        let slugs = group.jobs.iter().filter_map(|job| job_line(new, job.new));
        list(&mut text, '~', slugs, group.jobs.len());
        for field in group.fields {
            text.push_str(&format!("      {}\n", field_line(field)));
        }
    }
    if !change.fields.is_empty() {
        text.push_str("\nlimits, policies and definitions\n");
        let lines = change.fields.iter().map(field_line);
        list(&mut text, '~', lines, change.fields.len());
    }
    let (was, is) = (bytes_of_all(old), bytes_of_all(new));
    if was != is {
        text.push_str(&format!(
            "\nto fetch into an empty store: {} → {}",
            show_bytes(was),
            show_bytes(is)
        ));
    }
    let (was, is) = (longest(old), longest(new));
    if was != is {
        let shown = |limit| match at_most(limit) {
            text if text.is_empty() => "no time".to_owned(),
            text => text,
        };
        text.push_str(&format!("\nat most: {} → {}", shown(was), shown(is)));
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn list(text: &mut String, mark: char, lines: impl Iterator<Item = String>, count: usize) {
    for line in lines.take(MOST_LINES) {
        text.push_str(&format!("  {mark} {line}\n"));
    }
    if count > MOST_LINES {
        text.push_str(&format!("  {mark} … and {} more\n", count - MOST_LINES));
    }
}

fn job_line(plan: &Plan, position: usize) -> Option<String> {
    let job = plan.jobs.get(position)?;
    let skip = job
        .skip
        .as_ref()
        .map_or_else(String::new, |reason| format!(" (skipped: {reason})"));
    Some(printable(&format!("{}{skip}", job.spec.slug())))
}

fn field_line(field: &FieldChange) -> String {
    let (name, from, to) = in_words(field);
    printable(&match from {
        Some(from) => format!("{name}: {from} → {to}"),
        None => format!("{name}: {to}"),
    })
}
