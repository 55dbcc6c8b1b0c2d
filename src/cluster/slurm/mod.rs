//! Slurm: a plan's parts as job arrays. All of it goes through Slurm's own commands (`sbatch`, `squeue`,
//! `sacct`, `scancel`, `scontrol`), as an ordinary user, on the machine that submits; nodes call none of
//! them.

mod arguments;
mod preflight;
mod query;
mod script;

pub use arguments::{array_arguments, group_arguments, merge_arguments, minutes};
pub use preflight::{Controller, Preflight, PreflightError, ask_controller, preflight, unshared};
pub use query::{Liveness, Standing, TaskState, parse_sacct, parse_squeue};
pub use script::{ScriptFacts, merge_script, shard_script};

use super::command::{CommandFailure, run_command};
use std::time::Duration;

/// How long a command of Slurm's may take. A controller that is busy answers late.
pub const COMMAND_LIMIT: Duration = Duration::from_mins(1);

/// Hands a job over and returns Slurm's id for it.
///
/// # Errors
///
/// Fails if `sbatch` does, with what it said.
pub fn submit(arguments: &[String]) -> Result<String, CommandFailure> {
    let told = run_command("sbatch", arguments, COMMAND_LIMIT)?;
    // With --parsable: the id, and behind a semicolon the cluster, if there are several.
    let id = told.trim().lines().last().unwrap_or_default();
    let id = id.split(';').next().unwrap_or_default();
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(id.to_owned());
    }
    Err(CommandFailure::Failed {
        program: "sbatch".into(),
        status: "ended well, and told no id".into(),
        told: told.trim().to_owned(),
    })
}

/// Asks which tasks of jobs with some names the scheduler knows: one question for all of them.
///
/// # Errors
///
/// Fails if `squeue` does; what it does not name is unknown, and not gone.
pub fn ask_queue(names: &[String]) -> Result<Liveness, CommandFailure> {
    let arguments = [
        "--noheader".to_owned(),
        "--array".into(),
        "--states=all".into(),
        format!("--format={}", query::QUEUE_FORMAT),
        format!("--name={}", names.join(",")),
    ];
    run_command("squeue", &arguments, COMMAND_LIMIT).map(|told| parse_squeue(&told))
}

/// Asks the accounts which became of tasks of jobs with some names: one question for all of them.
///
/// # Errors
///
/// Fails if `sacct` does, as it does where no accounts are kept.
pub fn ask_accounts(names: &[String]) -> Result<Liveness, CommandFailure> {
    let arguments = [
        "--allocations".to_owned(),
        "--noheader".into(),
        "--parsable2".into(),
        "--duplicates".into(),
        format!("--format={}", query::ACCOUNTS_FORMAT),
        format!("--name={}", names.join(",")),
    ];
    run_command("sacct", &arguments, COMMAND_LIMIT).map(|told| parse_sacct(&told))
}

/// Asks whether the controller says that it has no such job. Where it says nothing of it, or something else, it
/// may have one.
#[must_use]
pub fn is_denied(id: &str) -> bool {
    let arguments = [
        "--oneliner".to_owned(),
        "show".into(),
        "job".into(),
        id.into(),
    ];
    let answer = run_command("scontrol", &arguments, COMMAND_LIMIT);
    matches!(answer, Err(CommandFailure::Failed { told, .. }) if told.contains("Invalid job id"))
}

/// Calls jobs back, all their tasks.
///
/// # Errors
///
/// Fails if `scancel` does.
pub fn cancel(ids: &[String]) -> Result<(), CommandFailure> {
    if ids.is_empty() {
        return Ok(());
    }
    run_command("scancel", ids, COMMAND_LIMIT).map(|_| ())
}
