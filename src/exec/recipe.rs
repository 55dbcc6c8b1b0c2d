//! A recipe's command, in a process of its own, under the limits of a download.

use super::attempt::{Conversation, Limits};
use super::fetching::Fetching;
use super::supervise::{Ended, Task, supervise};
use crate::engine::{LaunchSpec, child_environment};
use crate::event::RunEvent;
use crate::fetch::RecipeRun;
use crate::model::{Phase, Recipe};
use std::time::Duration;

/// Runs a recipe's command under the limits of a download. What it says on standard error is told
/// as progress.
pub(super) async fn run_recipe(fetching: &Fetching, recipe: &Recipe, run: &RecipeRun) -> Ended {
    let (context, job, notes) = (&fetching.context, &fetching.job, &fetching.notes);
    let limits = Limits::of_program(&context.plan.deadlines, fetching.remaining());
    let mut environment = child_environment(true, |name| context.variable(name));
    // What its tools leave behind when they are killed goes with the workplace.
    environment.insert("TMPDIR".into(), run.temporary.clone().into());
    let task = Task {
        launch: LaunchSpec {
            command: run.command.iter().map(Into::into).collect(),
            environment,
            network: true,
            protocol: false,
        },
        directory: recipe.directory.clone(),
        backstop: limits.backstop(Duration::ZERO),
        log: Some(context.log_of(job, 0)),
        answers: false,
        cpus: Vec::new(),
    };
    let conversation = Conversation::Program {
        phase: Phase::Download,
        name: "the recipe",
    };
    let cancel = fetching.cancel.clone();
    supervise(context, task, limits, conversation, cancel, |heard| {
        notes.hear(job, 0, heard, |message| {
            Some(RunEvent::DownloadProgress {
                job: job.clone(),
                message,
                transfer: None,
            })
        });
    })
    .await
}
