//! `earmark merge`: several run folders of one plan as one.

use super::arguments::MergeArguments;
use super::exit::{ExitStatus, Failure, print, say};
use super::gates;
use super::history::index;
use crate::model::Job;
use crate::record::{MergeSource, RunFolder, merge, missing};
use crate::report::write_reports;
use crate::ui::printable;

/// How many of the jobs that are missing are named.
const MOST_NAMED: usize = 20;

pub(super) fn run(arguments: &MergeArguments) -> Result<ExitStatus, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let sources = arguments
        .folders
        .iter()
        .map(|folder| MergeSource::read(folder))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| usage(&error))?;
    let merged = merge(sources).map_err(|error| usage(&error))?;
    let path = &arguments.out;
    merged.write(path).map_err(|error| usage(&error))?;
    let record = RunFolder::read(path).map_err(Failure::internal)?;
    for written in write_reports(&record, path).map_err(Failure::internal)? {
        print(&format!("{}\n", written.display()))?;
    }
    index(&arguments.indexing, path, &record);
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
    let passed = gates::passed(&record, path, None);
    let missing = missing(&record);
    if missing.is_empty() {
        return Ok(if passed {
            ExitStatus::Success
        } else {
            ExitStatus::Gate
        });
    }
    tell_missing(&missing, record.plan.jobs.len());
    Ok(ExitStatus::Fault)
}

fn tell_missing(missing: &[&Job], planned: usize) {
    say(&format!(
        "{} of {planned} jobs missing: no folder has them; run their shards again and merge again",
        missing.len()
    ));
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

pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
