//! `earmark run`: verify, fetch, measure, report.

mod arguments;
mod carry_out;
mod part;
mod place;
mod present;
mod repository;
mod sinks;
mod unmet;

pub(super) use arguments::{RunArguments, RunFormat};
pub(super) use carry_out::{
    Errand, Resumption, backend_versions, carry_out, store_here, surroundings, variable,
};
pub(super) use place::{RUNS, named_run, run_folder};
pub(super) use sinks::Telling;

use super::arguments::Selection;
use super::cluster;
use super::exit::{ExitStatus, Failure, print, say};
use super::gates;
use super::history::{Indexing, index};
use super::load::{Ready, narrow, plan_of};
use super::merge::tell_missing;
use super::report::{formats, unwritten};
use super::saved::{keep, read_saved, refuse_if_stale};
use crate::cluster::Submissions;
use crate::exec::{RunOptions, RunSummary};
use crate::model::{DownloadPolicy, Plan};
use crate::plan::Filter;
use crate::record::{Rerun, RunFolder, RunRecord, missing};
use crate::report::{PageTemplates, ReportFormat, write_formats};
use arguments::{Downloads, RerunWish};
use place::Place;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

pub(super) fn run(
    arguments: &RunArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    let mut selection = arguments.selection.clone();
    selection.download = arguments.download.map(|downloads| match downloads {
        Downloads::Never => DownloadPolicy::Never,
        Downloads::Missing => DownloadPolicy::Missing,
    });
    // Before anything is started: it may be wrong, and `latest` means a run before this one.
    let base = arguments.base.as_deref().map(named_run).transpose()?;
    let resumed = arguments.resume.as_deref().map(place::locate).transpose()?;
    if let Some(folder) = resumed
        .as_deref()
        .filter(|folder| Submissions::exist(folder))
    {
        let asked = arguments.matrix.as_deref();
        let asked = asked.map(|matrix| plan_elsewhere(matrix, &selection));
        return cluster::resume(folder, arguments, asked.transpose()?.as_ref(), base);
    }
    if arguments.on.is_none() && (arguments.site.is_some() || arguments.detach) {
        let name = if arguments.detach {
            "--detach"
        } else {
            "--site"
        };
        return Err(Failure::Usage(format!(
            "{name} is for a run that a scheduler has; hand this one over with `--on slurm`, or leave {name} out"
        )));
    }
    let plan = match (&arguments.matrix, &resumed) {
        (Some(matrix), _) => plan_to_run(matrix, &selection, arguments)?,
        // The command line asks for one of the two.
        (None, Some(folder)) => kept_plan(folder, &selection)?,
        (None, None) => return Err(Failure::Usage("name a matrix file".into())),
    };
    if arguments.on.is_some() {
        let folder = place::run_folder(arguments.out.as_deref(), &plan);
        return cluster::run_on(&plan, arguments, &folder, base, command_line);
    }
    if arguments.dry_run {
        print(&super::plan::table(&plan))?;
        return Ok(ExitStatus::Success);
    }
    let mut part = part::chosen(&plan, arguments)?;
    let place = Place::choose(
        arguments.out.as_deref(),
        resumed.as_deref(),
        &plan,
        part.as_ref(),
    )?;
    if let Some(part) = &mut part {
        place.leave_out_what_is_done(&plan, part);
    }
    let rerun = arguments
        .rerun
        .iter()
        .map(|wish| rerun(wish, &plan))
        .collect::<Result<Vec<Rerun>, Failure>>()?;
    let summary = carry_out(Errand {
        plan,
        source: arguments.matrix.as_deref(),
        path: &place.folder,
        part,
        attempt: place.attempt,
        fence: arguments
            .shard
            .is_some()
            .then(|| place.fence(arguments.stand_down.as_deref())),
        resumption: resumed.is_some().then_some(Resumption { rerun: &rerun }),
        options: RunOptions {
            fail_fast: arguments.fail_fast,
            max_failures: arguments.max_failures.map(|most| most as usize),
            time_budget: arguments.time_budget,
            fresh: arguments.fresh,
        },
        command_line,
        telling: match arguments.format {
            RunFormat::Text => Telling::Progress,
            RunFormat::Json => Telling::Events,
        },
    })?;
    let base = base.as_ref().map(|(_, record)| record);
    let ended = Ended {
        folder: &place.folder,
        base,
        formats: &formats(&arguments.to),
        indexing: &arguments.indexing,
    };
    report(&ended, &summary)
}

/// What is done with a run that has ended.
struct Ended<'a> {
    folder: &'a Path,
    /// The run that allowed regressions are judged against.
    base: Option<&'a RunRecord>,
    formats: &'a [ReportFormat],
    indexing: &'a Indexing,
}

/// Puts a run into the history, makes its reports, and returns the exit status that it stands for.
fn report(ended: &Ended<'_>, summary: &RunSummary) -> Result<ExitStatus, Failure> {
    let path = ended.folder;
    let record = RunFolder::read(path).map_err(Failure::internal)?;
    // First, because the page tells what it says.
    let history = index(ended.indexing, path, &record);
    write_formats(
        &record,
        history.as_ref(),
        path,
        ended.formats,
        &PageTemplates::default(),
    )
    .map_err(|error| unwritten(path, &error))?;
    let passed = gates::passed(&record, path, ended.base);
    say(&format!("\n{}", path.join("report.html").display()));
    let is_whole = tell_what_a_merge_lacks(&record);
    Ok(match status_of(summary) {
        ExitStatus::Success if !is_whole => ExitStatus::Fault,
        ExitStatus::Success if !passed => ExitStatus::Gate,
        status => status,
    })
}

/// Tells what is missing in a folder that was merged of several runs, of which only the last goes on: with its
/// part, if it did one. Returns whether nothing is missing.
fn tell_what_a_merge_lacks(record: &RunRecord) -> bool {
    let Some(last) = record.sessions.last().filter(|session| session.run > 0) else {
        return true;
    };
    let missing = missing(record);
    if missing.is_empty() {
        return true;
    }
    let part = last.shard.as_ref();
    let part = part.map_or_else(String::new, |shard| format!(", shard {shard},"));
    let remedy = format!(
        "this folder was merged, and the last of its runs{part} was gone on with; run what is missing in a \
         folder of its own, and merge both"
    );
    tell_missing(record, &missing, record.plan.jobs.len(), &remedy);
    false
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

/// Returns the plan of a matrix file, or one that was saved.
fn plan_to_run(
    path: &Path,
    selection: &Selection,
    arguments: &RunArguments,
) -> Result<Plan, Failure> {
    if let Some(mut plan) = read_saved(path)? {
        let part = part::chosen(&plan, arguments)?;
        // What is carried out elsewhere is held against what is there.
        let none = BTreeSet::new();
        let jobs = match (&part, arguments.on) {
            (Some(part), _) => Some(&part.jobs),
            (None, Some(_)) => Some(&none),
            (None, None) => None,
        };
        refuse_if_stale(path, &mut plan, jobs)?;
        // What another part is to do must be the same for all of them.
        if arguments.shard.is_some() && !selection.filter.is_empty() {
            return Err(Failure::Usage(
                "--filter would make another plan of it, and --shard does a part of this one; \
                 filter when the plan is made: `earmark plan MATRIX --filter … --format json`"
                    .into(),
            ));
        }
        narrow(&mut plan, selection)?;
        return Ok(plan);
    }
    let mut selection = selection.clone();
    if arguments.on.is_some() {
        selection.ready = if arguments.assume_ready {
            Ready::All
        } else {
            Ready::Elsewhere
        };
    }
    let mut plan = plan_of(path, &selection)?;
    if !arguments.dry_run {
        keep(&mut plan);
    }
    Ok(plan)
}

/// Returns the plan that a matrix file, or one that was saved, would be handed over as.
fn plan_elsewhere(path: &Path, selection: &Selection) -> Result<Plan, Failure> {
    if let Some(mut plan) = read_saved(path)? {
        narrow(&mut plan, selection)?;
        return Ok(plan);
    }
    let mut selection = selection.clone();
    selection.ready = Ready::Elsewhere;
    let mut plan = plan_of(path, &selection)?;
    keep(&mut plan);
    Ok(plan)
}

/// Returns the plan that a run has.
fn kept_plan(folder: &Path, selection: &Selection) -> Result<Plan, Failure> {
    let path = RunFolder::at(folder).plan();
    let Some(mut plan) = read_saved(&path)? else {
        return Err(Failure::Usage(format!(
            "{} is no plan; name the matrix as well",
            path.display()
        )));
    };
    refuse_if_stale(&path, &mut plan, None)?;
    narrow(&mut plan, selection)?;
    Ok(plan)
}

/// Returns which jobs a wish means.
fn rerun(wish: &RerunWish, plan: &Plan) -> Result<Rerun, Failure> {
    Ok(match wish {
        RerunWish::Failed => Rerun::Failed,
        RerunWish::TimedOut => Rerun::TimedOut,
        RerunWish::Matching(filter) => {
            if let Some(key) = filter.unknown_key(plan) {
                return Err(Failure::Usage(format!(
                    "--rerun: no job has `{key}`; it may be kind, id, or one of {}",
                    plan.axes.join(", ")
                )));
            }
            let (filter, plan): (Filter, Plan) = (filter.clone(), plan.clone());
            Rerun::Matching(Box::new(move |job| filter.keeps(job, &plan)))
        }
    })
}
