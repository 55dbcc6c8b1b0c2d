//! What is left of a run that was handed over, also where whoever handed it over was killed meanwhile.

use super::hand_over::{Handed, finish, taken};
use super::interruption::{Interruptions, nothing_was_changed};
use super::watch::GRACE;
use crate::cli::exit::{Failure, say};
use crate::cli::merge::counted;
use crate::cli::run::RunArguments;
use crate::cluster::slurm::{self, Liveness};
use crate::cluster::{
    Attempts, PartStanding, SlurmSite, StopRules, Submission, Submissions, Watch,
};
use crate::model::{JobKind, Plan};
use crate::record::MergeSource;
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest pause between the two questions that decide whether something was handed over.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// What is left.
pub(super) enum Left {
    /// Something still runs or waits.
    Running(Box<Handed>),
    /// Nothing runs.
    Missing {
        /// These benchmarks are missing.
        missing: Vec<String>,
        /// When their parts are to stop.
        stops: StopRules,
        /// The number of the submission that they are missing after.
        after: u32,
    },
    /// Nothing is missing.
    Nothing,
}

/// Finds out what is left of a run.
pub(super) fn what_is_left(
    plan: &Plan,
    site: &SlurmSite,
    run: &Path,
    arguments: &RunArguments,
    interrupted: &Interruptions,
) -> Result<Left, Failure> {
    if !arguments.rerun.is_empty() {
        return Err(Failure::Usage(
            "--rerun cannot be asked of a run that a scheduler has; run the plan anew, or its rows here: \
             `earmark run plan.json --filter …`"
                .into(),
        ));
    }
    let mut handed = last(run, site.poll, interrupted)?;
    let kept = handed.submission.intent.stops;
    let stops = kept.renewed(arguments.stops(), arguments.keep_going);
    let mut attempts = Attempts::of(run);
    attempts.look();
    let grace = GRACE.max(site.poll * 3);
    let mut watch = Watch::new(handed.submission.clone(), grace);
    find_out(&handed, &mut attempts, &mut watch, interrupted)?;
    if watch.is_alive(&attempts) {
        if stops != kept {
            return Err(already_told(run, kept));
        }
        if !arguments.dry_run {
            let _handing = Submissions::of(run)
                .hold(handed.submission.number)
                .map_err(|error| taken(&error))?;
            // What of it was never handed over is now.
            handed.is_interrupted = !finish(&mut handed.submission, site, run, interrupted)?;
        }
        return Ok(Left::Running(Box::new(handed)));
    }
    attempts.leave_out(|attempt| MergeSource::read(attempt).is_err());
    let mut done = attempts.done();
    let mut cut_short = 0;
    if stops.time_budget > kept.time_budget {
        // In the same time they would come to the same again, and in less to less.
        for job in attempts.cut_short() {
            cut_short += usize::from(done.remove(job));
        }
    }
    let missing: Vec<String> = plan
        .jobs
        .iter()
        .filter(|job| job.kind == JobKind::Benchmark && job.skip.is_none())
        .filter(|job| !done.contains(&job.id))
        .map(|job| job.id.0.to_string())
        .collect();
    if missing.is_empty() {
        return Ok(Left::Nothing);
    }
    // Whatever the scheduler starts again of the old parts would only be in the way.
    if !arguments.dry_run
        && let Err(error) = slurm::cancel(&handed.submission.ids())
    {
        say(&format!("warning: {error}"));
    }
    say(&format!(
        "{} missing",
        counted(missing.len(), "benchmark", "benchmarks")
    ));
    if cut_short > 0 {
        say(&format!(
            "{} fewer launches than planned, for which there is more time now",
            counted(cut_short, "of them has", "of them have")
        ));
    }
    Ok(Left::Missing {
        missing,
        stops,
        after: handed.submission.number,
    })
}

/// Refuses to have parts stop otherwise that the scheduler has already: nothing reaches them.
fn already_told(run: &Path, kept: StopRules) -> Failure {
    let kept = if kept.are_none() {
        "nothing that stops them early".to_owned()
    } else {
        kept.to_string()
    };
    let run = run.display();
    Failure::Usage(format!(
        "parts of {run} run or wait, and were handed over with {kept}; resume it without --fail-fast, \
         --max-failures, --keep-going and --time-budget to look after them, or call them back first: \
         `earmark attach {run} --cancel`"
    ))
}

/// Asks the scheduler until it is known of every part that it came to its end, that something may still come of it,
/// or that nothing does. That an answer lacks a part says nothing: it is asked for again, and what it writes is
/// looked at, until the scheduler says that there is no such job, or nothing was heard for long.
fn find_out(
    handed: &Handed,
    attempts: &mut Attempts,
    watch: &mut Watch,
    interrupted: &Interruptions,
) -> Result<(), Failure> {
    let controller = handed.controller.as_ref();
    let keeps_accounts = controller.is_some_and(slurm::Controller::keeps_accounts);
    let names = handed.submission.intent.names();
    let begun = Instant::now();
    let mut heard = begun;
    let mut looks = 0;
    while !watch.is_over(attempts) {
        if looks > 0 {
            pause(handed.poll, interrupted)?;
            if attempts.look() {
                heard = Instant::now();
            }
        }
        looks += 1;
        let asked = names.clone();
        let mut answer = interrupted.ask(move || slurm::ask_queue(&asked))?;
        if keeps_accounts {
            // The queue's word counts where both have one.
            let asked = names.clone();
            let mut known =
                interrupted.ask(move || Ok(slurm::ask_accounts(&asked).unwrap_or_default()))?;
            known.take(answer);
            answer = known;
        }
        watch.take(&answer, begun.elapsed(), heard.elapsed());
        if watch.is_alive(attempts) {
            break;
        }
        for array in watch.absent(attempts) {
            let asked = array.clone();
            if interrupted.ask(move || Ok(slurm::is_denied(&asked)))? {
                watch.deny(&array);
            }
        }
        let unknown = watch
            .tally(attempts)
            .counts
            .get(&PartStanding::Unknown)
            .copied();
        if let Some(unknown) = unknown.filter(|_| looks == 2) {
            say(&format!(
                "Slurm's answer does not have {}, which says nothing of them; they are asked for again, and \
                 given up if nothing is heard of them for {} s",
                counted(unknown, "part", "parts"),
                watch.grace().as_secs(),
            ));
        }
    }
    Ok(())
}

/// Returns the last submission of a run, with the scheduler's names for it; where nobody wrote those down,
/// the scheduler is asked for them.
pub(super) fn last(
    run: &Path,
    poll: Duration,
    interrupted: &Interruptions,
) -> Result<Handed, Failure> {
    let submissions = Submissions::of(run);
    let mut all = submissions.all().map_err(Failure::internal)?;
    let Some(mut submission) = all.pop() else {
        return Err(Failure::Usage(format!(
            "{} was handed over to no scheduler",
            run.display()
        )));
    };
    if !submission.is_whole() {
        // Whoever is handing it over writes down what becomes of it.
        let _handing = submissions
            .hold(submission.number)
            .map_err(|error| taken(&error))?;
        let names = submission.intent.names();
        let ask = || {
            let names = names.clone();
            interrupted.ask(move || slurm::ask_queue(&names))
        };
        let mut found = ask()?;
        if found.tasks.is_empty() {
            // One empty answer means nothing. The accounts, where there are some, know older jobs.
            pause(poll, interrupted)?;
            found = ask()?;
            found.take(slurm::ask_accounts(&names).unwrap_or_default());
        }
        if take_over(&mut submission, &found) {
            submissions.record(&submission).map_err(Failure::internal)?;
        }
    }
    Ok(Handed {
        submission,
        poll,
        // Whether accounts are kept; without an answer, they are not asked.
        controller: slurm::ask_controller().ok(),
        is_interrupted: false,
    })
}

/// Lets a moment pass between two questions.
fn pause(poll: Duration, interrupted: &Interruptions) -> Result<(), Failure> {
    if interrupted.within(poll.min(SECOND_LOOK)) {
        return Err(nothing_was_changed());
    }
    Ok(())
}

/// Takes over the scheduler's ids for what carries our names. Returns whether there were any.
fn take_over(submission: &mut Submission, found: &Liveness) -> bool {
    let mut any = false;
    for group in submission.intent.groups.clone() {
        let name = submission.intent.job_name(group.number);
        if let Some(id) = found.ids_of(&name).last()
            && !submission.submitted.arrays.contains_key(&group.number)
        {
            say(&format!("found again: Slurm job {id}"));
            submission
                .submitted
                .arrays
                .insert(group.number, (*id).to_owned());
            any = true;
        }
    }
    let merge = found
        .ids_of(&submission.intent.merge_name())
        .last()
        .map(|id| (*id).to_owned());
    if submission.submitted.merge.is_none() && merge.is_some() {
        submission.submitted.merge = merge;
        any = true;
    }
    any
}
