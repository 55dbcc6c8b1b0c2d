//! `earmark run`: verify, fetch, measure, report.

mod carry_out;
mod sinks;

pub(super) use carry_out::{Errand, carry_out, variable};
pub(super) use sinks::Telling;

use super::arguments::{Downloads, RunArguments, RunFormat};
use super::exit::{ExitStatus, Failure, print, say};
use super::load::{narrow, plan_of};
use super::saved::{keep, read_saved, refuse_if_stale};
use crate::exec::{RunOptions, RunSummary};
use crate::model::{DownloadPolicy, Plan};
use crate::record::RunFolder;
use crate::report::{gate_failures, write_reports};
use crate::ui::printable;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(super) fn run(
    arguments: &RunArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    let mut selection = arguments.selection.clone();
    selection.download = arguments.download.map(|downloads| match downloads {
        Downloads::Never => DownloadPolicy::Never,
        Downloads::Missing => DownloadPolicy::Missing,
    });
    let plan = match read_saved(&arguments.matrix)? {
        Some(mut plan) => {
            refuse_if_stale(&arguments.matrix, &mut plan)?;
            narrow(&mut plan, &selection)?;
            plan
        }
        None => {
            let mut plan = plan_of(&arguments.matrix, &selection)?;
            if !arguments.dry_run {
                keep(&mut plan);
            }
            plan
        }
    };
    if arguments.dry_run {
        print(&super::plan::table(&plan))?;
        return Ok(ExitStatus::Success);
    }
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_folder(&plan));
    let options = RunOptions {
        fail_fast: arguments.fail_fast,
        max_failures: arguments.max_failures.map(|most| most as usize),
        time_budget: arguments.time_budget,
    };
    let telling = match arguments.format {
        RunFormat::Text => Telling::Progress,
        RunFormat::Json => Telling::Events,
    };
    let summary = carry_out(Errand {
        plan: &plan,
        path: &path,
        options,
        command_line,
        telling,
    })?;
    let record = RunFolder::read(&path).map_err(Failure::internal)?;
    write_reports(&record, &path).map_err(Failure::internal)?;
    let gates = gate_failures(&record);
    for failure in &gates {
        say(&format!("gate: {}", printable(&failure.0)));
    }
    say(&format!("\n{}", path.join("report.html").display()));
    Ok(match status_of(&summary) {
        ExitStatus::Success if !gates.is_empty() => ExitStatus::Gate,
        status => status,
    })
}

/// Returns the exit status that a run's end stands for.
pub(super) fn status_of(summary: &RunSummary) -> ExitStatus {
    if summary.interrupted {
        ExitStatus::Interrupted
    } else if summary.faults > 0 || summary.not_complete > 0 {
        ExitStatus::Fault
    } else {
        ExitStatus::Success
    }
}

fn default_folder(plan: &Plan) -> PathBuf {
    let now = jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string();
    let name: String = plan
        .name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '-'
            }
        })
        .collect();
    Path::new("runs").join(format!("{now}-{name}"))
}
