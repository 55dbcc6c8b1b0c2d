//! `earmark run --on` and `earmark attach`: a run that a scheduler has.

mod finish;
mod hand_over;
mod interruption;
mod prepare;
mod recover;
mod refusals;
mod site;
mod watch;

pub(in crate::cli) use site::site_of;

use super::exit::{ExitStatus, Failure, print, say};
use super::history::Indexing;
use super::report::formats;
use super::run::{RUNS, RunArguments};
use crate::cluster::{Submissions, slurm};
use crate::model::Plan;
use crate::record::RunRecord;
use crate::report::ReportFormat;
use clap::{Args, ValueEnum, ValueHint};
use hand_over::{Again, Handed, Order};
use interruption::Interruptions;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Who carries out a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Scheduler {
    /// A Slurm cluster, by its own commands.
    Slurm,
}

#[derive(Debug, Args)]
pub(super) struct AttachArguments {
    /// The run folder, or `latest`.
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    run: PathBuf,
    /// Call back what the scheduler still has of it.
    #[arg(long)]
    cancel: bool,
    #[command(flatten)]
    indexing: Indexing,
}

/// How a run that was handed over is looked after.
pub(in crate::cli) struct Looking<'a> {
    /// The run folder, absolute.
    pub(in crate::cli) run: PathBuf,
    pub(in crate::cli) formats: Vec<ReportFormat>,
    /// The run that allowed regressions are judged against.
    pub(in crate::cli) base: Option<RunRecord>,
    pub(in crate::cli) indexing: &'a Indexing,
}

/// Hands a plan over to a scheduler and looks after it, unless that is left for later.
pub(in crate::cli) fn run_on(
    plan: &Plan,
    arguments: &RunArguments,
    folder: &Path,
    base: Option<(PathBuf, RunRecord)>,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    let site = site_of(arguments.site.as_deref())?;
    let slurm = site.slurm.unwrap_or_default();
    let stops = arguments.stops();
    let prepared = prepare::prepare(plan, &slurm, None, stops)?;
    if arguments.dry_run {
        print(&prepare::table(&prepared))?;
        return Ok(ExitStatus::Success);
    }
    let run = prepare::folder(folder, plan, arguments.site.as_deref())?;
    prepare::tell_unshared(&run, &slurm);
    prepare::fetch(plan, command_line)?;
    let interrupted = Interruptions::listen()?;
    let order = Order {
        prepared: &prepared,
        again: None,
        arguments,
    };
    let handed = hand_over::begin(plan, &slurm, &run, &order, &interrupted)?;
    let looking = looking(run, arguments, base);
    go_on(&handed, plan, &looking, arguments, &interrupted)
}

/// Goes on with a run that was handed over: what still runs is looked after, and what is missing is handed
/// over again.
pub(in crate::cli) fn resume(
    run: &Path,
    arguments: &RunArguments,
    asked: Option<&Plan>,
    base: Option<(PathBuf, RunRecord)>,
) -> Result<ExitStatus, Failure> {
    let run = std::path::absolute(run).map_err(Failure::internal)?;
    let plan = prepare::plan_in(&run)?;
    refusals::refuse_what_is_passed_over(&run, &plan, asked, arguments)?;
    let kept = run.join(prepare::SITE);
    let named = arguments
        .site
        .clone()
        .or_else(|| kept.exists().then_some(kept));
    let slurm = site_of(named.as_deref())?.slurm.unwrap_or_default();
    let interrupted = Interruptions::listen()?;
    let handed = match recover::what_is_left(&plan, &slurm, &run, arguments, &interrupted)? {
        recover::Left::Running(_) if arguments.dry_run => {
            print("parts of it run or wait; nothing was handed over\n")?;
            return Ok(ExitStatus::Success);
        }
        recover::Left::Nothing if arguments.dry_run => {
            print("nothing is missing; nothing was handed over\n")?;
            return Ok(ExitStatus::Success);
        }
        recover::Left::Running(handed) => *handed,
        recover::Left::Nothing => return finish::finish(&looking(run, arguments, base)),
        recover::Left::Missing {
            missing,
            stops,
            after,
        } => {
            let prepared = prepare::prepare(&plan, &slurm, Some(&missing), stops)?;
            if arguments.dry_run {
                print(&prepare::table(&prepared))?;
                return Ok(ExitStatus::Success);
            }
            let order = Order {
                prepared: &prepared,
                again: Some(Again {
                    missing: &missing,
                    after,
                }),
                arguments,
            };
            hand_over::begin(&plan, &slurm, &run, &order, &interrupted)?
        }
    };
    let looking = looking(run, arguments, base);
    go_on(&handed, &plan, &looking, arguments, &interrupted)
}

fn go_on(
    handed: &Handed,
    plan: &Plan,
    looking: &Looking<'_>,
    arguments: &RunArguments,
    interrupted: &Interruptions,
) -> Result<ExitStatus, Failure> {
    if handed.is_interrupted {
        return Ok(watch::call_back(handed, looking, interrupted));
    }
    if arguments.detach {
        say(&format!("earmark attach {}", looking.run.display()));
        return Ok(ExitStatus::Success);
    }
    watch::look_after(handed, plan, looking, interrupted)
}

fn looking(
    run: PathBuf,
    arguments: &RunArguments,
    base: Option<(PathBuf, RunRecord)>,
) -> Looking<'_> {
    Looking {
        run,
        formats: formats(&arguments.to),
        base: base.map(|(_, record)| record),
        indexing: &arguments.indexing,
    }
}

/// Returns the run that was handed over last of those where runs lie. It may have left nothing yet that could
/// be read.
fn newest() -> Result<PathBuf, Failure> {
    let begun = |run: &PathBuf| {
        let first = Submissions::of(run).intent_path(1);
        std::fs::metadata(first)
            .and_then(|data| data.modified())
            .ok()
    };
    let entries = std::fs::read_dir(RUNS).into_iter().flatten().flatten();
    let runs = entries
        .map(|entry| entry.path())
        .filter_map(|run| Some((begun(&run)?, run)));
    runs.max().map(|(_, run)| run).ok_or_else(|| {
        Failure::Usage(format!(
            "no run under {RUNS} was handed over to a scheduler; name the folder of one"
        ))
    })
}

/// `earmark attach`.
pub(super) fn attach(arguments: &AttachArguments) -> Result<ExitStatus, Failure> {
    let run = if arguments.run == Path::new("latest") {
        newest()?
    } else {
        arguments.run.clone()
    };
    let run = std::path::absolute(run).map_err(Failure::internal)?;
    if !Submissions::exist(&run) {
        return Err(Failure::Usage(format!(
            "{} was handed over to no scheduler; name the folder of a run that `earmark run --on` made",
            run.display()
        )));
    }
    let plan = prepare::plan_in(&run)?;
    let kept = run.join(prepare::SITE);
    let site = site_of(kept.exists().then_some(kept.as_path()))?;
    let poll = site.slurm.unwrap_or_default().poll;
    let interrupted = Interruptions::listen()?;
    let handed = recover::last(&run, poll, &interrupted)?;
    let looking = Looking {
        run,
        formats: formats(&[]),
        base: None,
        indexing: &arguments.indexing,
    };
    if arguments.cancel {
        let ids = handed.submission.ids();
        slurm::cancel(&ids).map_err(|error| {
            let still = watch::what_goes_on(&handed.submission, &looking.run);
            Failure::Internal(format!("{error}\n{still}"))
        })?;
        say("called back");
        return finish::finish(&looking);
    }
    watch::look_after(&handed, &plan, &looking, &interrupted)
}
