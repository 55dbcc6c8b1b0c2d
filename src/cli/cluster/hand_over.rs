//! Handing parts over: written down before, and after each of them.

use super::interruption::Interruptions;
use super::prepare::Prepared;
use super::watch::what_goes_on;
use crate::cli::exit::{Failure, say};
use crate::cli::merge::counted;
use crate::cli::run::RunArguments;
use crate::cluster::slurm::{
    Controller, ScriptFacts, array_arguments, merge_arguments, merge_script, minutes, shard_script,
    submit,
};
use crate::cluster::{
    Attempts, CommandFailure, IntendedGroup, Intent, SlurmSite, Submission, SubmissionError,
    Submissions,
};
use crate::model::{Plan, hexadecimal};
use crate::ui::printable;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

/// What was handed over, and how often it is asked after.
pub(super) struct Handed {
    pub(super) submission: Submission,
    pub(super) poll: Duration,
    pub(super) controller: Option<Controller>,
    /// Somebody interrupted the handing over: what was handed over is to be called back.
    pub(super) is_interrupted: bool,
}

/// What is handed over again.
pub(super) struct Again<'a> {
    /// The benchmarks that are missing.
    pub(super) missing: &'a [String],
    /// The submission that they are missing of. If there is a later one by now, somebody else was faster.
    pub(super) after: u32,
}

/// What is handed over.
pub(super) struct Order<'a> {
    pub(super) prepared: &'a Prepared,
    /// If it is not the first time.
    pub(super) again: Option<Again<'a>>,
    pub(super) arguments: &'a RunArguments,
}

/// Hands over what was prepared.
pub(super) fn begin(
    plan: &Plan,
    site: &SlurmSite,
    run: &Path,
    order: &Order<'_>,
    interrupted: &Interruptions,
) -> Result<Handed, Failure> {
    let (prepared, again) = (order.prepared, order.again.as_ref());
    let submissions = Submissions::of(run);
    let number = again.map_or(0, |again| again.after) + 1;
    let mut attempts = Attempts::of(run);
    attempts.look();
    let attempt = attempts.largest_number() + 1;
    let program = match &site.program {
        Some(program) => program.clone(),
        None => {
            let here = std::env::current_exe().map_err(Failure::internal)?;
            here.display().to_string()
        }
    };
    let intent = Intent {
        version: 0,
        scheduler: "slurm".into(),
        name: name_of(plan, run, number),
        plan_digest: plan.digest.clone(),
        earmark_version: env!("CARGO_PKG_VERSION").into(),
        attempt,
        listed: again.is_some(),
        stops: prepared.stops,
        groups: prepared
            .division
            .groups
            .iter()
            .zip(&prepared.arguments)
            .zip(1..)
            .map(|((group, words), number)| IntendedGroup {
                number,
                requires: group.requires.clone(),
                benchmarks: group.benchmarks,
                shards: group.shards,
                minutes: minutes(group.worst),
                arguments: words.clone(),
            })
            .collect(),
    };
    let mut further = Vec::new();
    if order.arguments.indexing.no_history {
        further.push("--no-history".to_owned());
    }
    let list = submissions.list_path(number);
    let stand_down = submissions.intent_path(number + 1);
    let facts = ScriptFacts {
        run,
        program: &program,
        version: concat!("earmark ", env!("CARGO_PKG_VERSION")),
        setup: &site.setup,
        submission: number,
        attempt,
        list: again.is_some().then_some(list.as_path()),
        stops: prepared.stops,
        fresh: order.arguments.fresh,
        stand_down: &stand_down,
        merge: &further,
    };
    let scripts = [
        ("shard", shard_script(&facts)),
        ("merge", merge_script(&facts)),
    ];
    let list = again.map(|again| again.missing.join("\n") + "\n");
    let begun = submissions.begin(number, intent, list.as_deref(), &scripts);
    let (mut submission, _handing) = begun.map_err(|error| taken(&error))?;
    if let Some(words) = prepared.stops_in_words() {
        say(&words);
    }
    let is_whole = finish(&mut submission, site, run, interrupted)?;
    Ok(Handed {
        submission,
        poll: site.poll,
        controller: Some(prepared.preflight.controller.clone()),
        is_interrupted: !is_whole,
    })
}

/// A part that Slurm did not take, with what it has taken before.
fn not_taken(error: &CommandFailure, submission: &Submission, run: &Path) -> Failure {
    let run_folder = run.display();
    if submission.ids().is_empty() {
        return Failure::Internal(format!(
            "{error}\nnothing was handed over; `earmark run --resume {run_folder}` tries again"
        ));
    }
    Failure::Internal(format!(
        "{error}\n{}; `earmark run --resume {run_folder}` hands the rest over",
        what_goes_on(submission, run)
    ))
}

/// What somebody else does is no fault, and needs another command.
pub(super) fn taken(error: &SubmissionError) -> Failure {
    match error {
        SubmissionError::Taken(_) | SubmissionError::Held(_) => Failure::Usage(error.to_string()),
        SubmissionError::File(..) | SubmissionError::Content(..) => Failure::internal(error),
    }
}

/// Hands over what of a submission is not known to be handed over. Returns false if somebody interrupted that.
pub(super) fn finish(
    submission: &mut Submission,
    site: &SlurmSite,
    run: &Path,
    interrupted: &Interruptions,
) -> Result<bool, Failure> {
    let submissions = Submissions::of(run);
    let logs = run.join("scheduler-logs");
    let script = |what| submissions.script_path(submission.number, what);
    let (shard, merge) = (script("shard"), script("merge"));
    for group in submission.intent.groups.clone() {
        if submission.submitted.arrays.contains_key(&group.number) {
            continue;
        }
        interrupted.say_at_the_second(what_goes_on(submission, run));
        if interrupted.within(Duration::ZERO) {
            return Ok(false);
        }
        let told = array_arguments(&submission.intent, &group, &shard, &logs);
        let id = submit(&told).map_err(|error| not_taken(&error, submission, run))?;
        say(&format!(
            "Slurm job {id}: {} ({}), in {}",
            counted(group.benchmarks, "benchmark", "benchmarks"),
            group.requires,
            counted(group.shards as usize, "part", "parts"),
        ));
        submission.submitted.arrays.insert(group.number, id);
        submissions.record(submission).map_err(Failure::internal)?;
    }
    interrupted.say_at_the_second(what_goes_on(submission, run));
    if interrupted.within(Duration::ZERO) {
        return Ok(false);
    }
    if submission.submitted.merge.is_none() {
        let arrays: Vec<String> = submission.submitted.arrays.values().cloned().collect();
        let told = merge_arguments(&submission.intent, &site.base, &arrays, &merge, &logs);
        match submit(&told) {
            Ok(id) => {
                submission.submitted.merge = Some(id);
                submissions.record(submission).map_err(Failure::internal)?;
            }
            // The parts are what counts; whoever looks after them puts them together as well.
            Err(error) => say(&format!(
                "warning: Slurm does not take the job that puts results together: {}\n{}",
                printable(&error.to_string()),
                what_goes_on(submission, run)
            )),
        }
    }
    interrupted.say_at_the_second(what_goes_on(submission, run));
    Ok(true)
}

/// Returns the name under which a scheduler knows a submission: no other run has it.
fn name_of(plan: &Plan, run: &Path, number: u32) -> String {
    let plan: String = plan.digest.chars().take(10).collect();
    let folder = hexadecimal(&Sha256::digest(run.as_os_str().as_encoded_bytes()));
    format!("earmark-{plan}-{}-{number}", &folder[..8])
}
