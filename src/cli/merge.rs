//! `earmark merge`: several run folders of one plan as one.

use super::arguments::MergeArguments;
use super::exit::{ExitStatus, Failure, print, say};
use super::gates;
use super::history::{Indexing, index};
use super::report::{formats, unwritten};
use crate::model::units::show_seconds;
use crate::model::{Job, Outcome};
use crate::record::{
    MergeSource, Merged, RecordError, ReplaceError, RunFolder, RunRecord, cut_short, merge, missing,
};
use crate::report::{PageTemplates, ReportFormat, write_formats};
use crate::ui::printable;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many of the jobs that are missing are named.
const MOST_NAMED: usize = 20;

pub(super) fn run(arguments: &MergeArguments) -> Result<ExitStatus, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let mut sources = Vec::new();
    for folder in &arguments.folders {
        match inner(folder) {
            Some(inner) => sources.extend(readable(&inner)),
            None => sources.push(MergeSource::read(folder).map_err(|error| usage(&error))?),
        }
    }
    let path = &arguments.out;
    let merged = if arguments.replace {
        write_over(path, &sources).map_err(|error| usage(&error))?
    } else {
        let merged = merge(sources).map_err(|error| usage(&error))?;
        merged.write(path).map_err(|error| usage(&error))?;
        merged
    };
    let formats = formats(&arguments.to);
    report(&merged, path, &formats, None, &arguments.indexing).map(|(status, _)| status)
}

/// How many reasons for what was left out are named.
const MOST_REASONS: usize = 5;

/// How often a folder that somebody else is writing is tried again, and the pause between.
const TRIES: u32 = 240;
const PAUSE: Duration = Duration::from_millis(250);

/// Puts into a folder what other folders in it hold, beside what an earlier merge left there, and reports it.
/// Whoever else does that at the same moment does the same, and is waited for.
pub(super) fn gather(
    inner_folder: &Path,
    path: &Path,
    formats: &[ReportFormat],
    base: Option<&RunRecord>,
    indexing: &Indexing,
) -> Result<(ExitStatus, RunRecord), Failure> {
    let folders = inner(inner_folder).unwrap_or_default();
    let merged = write_over(path, &readable(&folders)).map_err(|error| match error {
        ReplaceError::Record(_) => Failure::internal(&error),
        ReplaceError::Merge(_) | ReplaceError::Earlier { .. } => Failure::Usage(error.to_string()),
    })?;
    report(&merged, path, formats, base, indexing)
}

/// Merges into a folder that may hold an earlier merge. Whoever else does that at the same moment is
/// waited for.
fn write_over(path: &Path, sources: &[MergeSource]) -> Result<Merged, ReplaceError> {
    let mut tries = 0;
    loop {
        let holder = match Merged::write_over(path, sources) {
            Err(ReplaceError::Record(RecordError::InUse { holder, .. })) if tries < TRIES => holder,
            done => return done,
        };
        if tries == 0 {
            let holder = holder.as_deref().unwrap_or("another process");
            let text = format!("{} is in use by {holder}", path.display());
            say(&format!("waiting     {}", printable(&text)));
        }
        tries += 1;
        std::thread::park_timeout(PAUSE);
    }
}

/// Returns the run folders in a folder that is none itself, sorted; `None` if it holds none.
fn inner(folder: &Path) -> Option<Vec<PathBuf>> {
    let is_run = |path: &Path| RunFolder::at(path).journal().exists();
    if is_run(folder) {
        return None;
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| is_run(path))
        .collect();
    found.sort();
    (!found.is_empty()).then_some(found)
}

/// Reads run folders. One that cannot be read, because whoever wrote it was killed while it did, has done
/// nothing, and is told.
fn readable(folders: &[PathBuf]) -> Vec<MergeSource> {
    let read = |folder: &PathBuf| match MergeSource::read(folder) {
        Ok(source) => Some(source),
        Err(error) => {
            say(&format!(
                "warning: passed over: {}",
                printable(&error.to_string())
            ));
            None
        }
    };
    folders.iter().filter_map(read).collect()
}

fn report(
    merged: &Merged,
    path: &Path,
    formats: &[ReportFormat],
    base: Option<&RunRecord>,
    indexing: &Indexing,
) -> Result<(ExitStatus, RunRecord), Failure> {
    let record = RunFolder::read(path).map_err(Failure::internal)?;
    // First, because the page tells what it says.
    let history = index(indexing, path, &record);
    let written = write_formats(
        &record,
        history.as_ref(),
        path,
        formats,
        &PageTemplates::default(),
    );
    for written in written.map_err(|error| unwritten(path, &error))? {
        print(&format!("{}\n", written.display()))?;
    }
    let runs = record.sessions.iter().map(|session| session.run + 1).max();
    say(&format!(
        "{} on {}",
        counted(runs.unwrap_or(0), "run", "runs"),
        counted(record.machines().len(), "machine", "machines")
    ));
    if record.duplicates > 0 {
        say(&format!(
            "{} dropped for a newer one of the same benchmark",
            counted(record.duplicates, "result was", "results were")
        ));
    }
    let passed = gates::passed(&record, path, base);
    let missing = missing(&record);
    let status = match (missing.is_empty(), passed) {
        (true, true) => ExitStatus::Success,
        (true, false) => ExitStatus::Gate,
        (false, _) => ExitStatus::Fault,
    };
    if !missing.is_empty() {
        let remedy = "run their shards again and merge again";
        tell_missing(&record, &missing, merged.plan.jobs.len(), remedy);
    }
    tell_cut_short(&record);
    Ok((status, record))
}

/// Names what is missing, some of it at least, and why; the remedy says what is to be done.
pub(super) fn tell_missing(record: &RunRecord, missing: &[&Job], planned: usize, remedy: &str) {
    let outcome = |job: &&Job| record.job(&job.id).and_then(|found| found.outcome.as_ref());
    // What some folder has and nobody did: a run stopped before, or its machine lacked something.
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for reason in missing.iter().filter_map(outcome).map(Outcome::reason) {
        *left_out.entry(reason).or_default() += 1;
    }
    let number: usize = left_out.values().sum();
    let why = match missing.len() - number {
        nowhere if number == 0 || nowhere == 0 => {
            let all = if number == 0 {
                "no folder has them"
            } else {
                "left out"
            };
            all.to_owned()
        }
        nowhere => format!("{number} left out, and no folder has the other {nowhere}"),
    };
    say(&format!(
        "{} of {planned} jobs missing: {why}; {remedy}",
        missing.len()
    ));
    let mut left_out: Vec<(String, usize)> = left_out.into_iter().collect();
    left_out.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in left_out.iter().take(MOST_REASONS) {
        say(&format!("left out    {count}: {}", printable(reason)));
    }
    if left_out.len() > MOST_REASONS {
        let others = left_out.len() - MOST_REASONS;
        say(&format!("            and for {others} other reasons"));
    }
    // One line stands for what is not named.
    let named = if missing.len() > MOST_NAMED {
        MOST_NAMED - 1
    } else {
        missing.len()
    };
    for job in missing.iter().take(named) {
        say(&format!("missing     {}", printable(&job.id.0)));
    }
    if missing.len() > named {
        say(&format!("            and {} more", missing.len() - named));
    }
}

/// Tells how many rows have fewer launches than were planned. They are rows all the same.
fn tell_cut_short(record: &RunRecord) {
    let mut budgets: BTreeMap<String, usize> = BTreeMap::new();
    for (_, seconds) in cut_short(record) {
        *budgets.entry(show_seconds(seconds)).or_default() += 1;
    }
    for (budget, number) in budgets {
        say(&format!(
            "{} fewer launches than planned: the time budget of {budget} left out the others",
            counted(number, "benchmark has", "benchmarks have")
        ));
    }
}

pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
