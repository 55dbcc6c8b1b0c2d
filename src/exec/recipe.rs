//! A recipe's command, in a process of its own, under the limits of a download.

use super::attempt::{Gone, Input};
use super::context::{Cancellation, RunContext};
use super::dispatcher::Notes;
use super::process::spawn;
use super::supervise::{Cancel, Child, Ended};
use crate::engine::{LaunchSpec, child_environment};
use crate::event::RunEvent;
use crate::fetch::RecipeRun;
use crate::model::{JobId, Outcome, Phase, Recipe};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Runs a recipe's command under the limits of a download. What it says on standard error is told
/// as progress, and counts as such.
pub(super) async fn run_recipe(
    context: &RunContext,
    job: &JobId,
    recipe: &Recipe,
    run: &RecipeRun,
    notes: &Notes,
    cancel: Cancellation,
) -> Ended {
    let deadlines = &context.plan.deadlines;
    let spec = LaunchSpec {
        command: run.command.iter().map(Into::into).collect(),
        environment: child_environment(true, |name| context.variable(name)),
        network: true,
        protocol: false,
    };
    let total = deadlines.download_total;
    let backstop = total + deadlines.grace + Duration::from_secs(5);
    let directory: Option<PathBuf> = recipe.directory.clone();
    let process = match spawn(&context.program, &spec, directory.as_deref(), backstop) {
        Ok(process) => process,
        Err(error) => {
            return Ended {
                outcome: Outcome::Failed {
                    phase: Phase::Spawn,
                    reason: error.to_string(),
                },
                usage: None,
                stderr_tail: String::new(),
            };
        }
    };
    let log = context
        .logs
        .join(format!("{}.0.log", super::benchmark::file_name(job)));
    let mut child = Child::new(process, Some(&log));
    child.tell_lines();
    let mut cancel = Cancel(cancel);
    let deadline = Instant::now() + total;
    let mut ending: Option<(Outcome, Instant)> = None;
    let mut killed = false;
    loop {
        let wakes_at = match &ending {
            None => deadline,
            Some((_, since)) if !killed => *since + deadlines.grace,
            Some((_, since)) => *since + deadlines.grace + Duration::from_secs(1),
        };
        let input = tokio::select! {
            biased;
            reason = cancel.wait() => Input::Cancel(reason),
            input = child.next() => input,
            () = sleep_until(wakes_at) => Input::Tick,
        };
        match (input, ending.take()) {
            (Input::Line(line), unfinished) => {
                notes.tell(RunEvent::DownloadProgress {
                    job: job.clone(),
                    message: line,
                });
                ending = unfinished;
            }
            (Input::Gone(gone), unfinished) => {
                let outcome = unfinished.map_or_else(|| recipe_outcome(gone), |(end, _)| end);
                return child.finish(outcome).await;
            }
            (Input::Cancel(reason), None) => {
                child.control(b"T").await;
                ending = Some((Outcome::Cancelled { reason }, Instant::now()));
            }
            (Input::Tick, None) => {
                let limit_seconds = total.as_secs_f64();
                let outcome = Outcome::TimedOut {
                    phase: Phase::Download,
                    limit_seconds,
                };
                child.control(b"T").await;
                ending = Some((outcome, Instant::now()));
            }
            (Input::Cancel(_) | Input::Tick, Some(unfinished)) if !killed => {
                child.control(b"K").await;
                killed = true;
                ending = Some(unfinished);
            }
            (_, Some((outcome, _))) => return child.finish(outcome).await,
            (Input::Reply(_) | Input::Garbage(_), None) => {}
        }
    }
}

fn recipe_outcome(gone: Gone) -> Outcome {
    if let Some(reason) = gone.not_started {
        return Outcome::Failed {
            phase: Phase::Spawn,
            reason,
        };
    }
    match (gone.exit_code, gone.signal) {
        (Some(0), _) => Outcome::Completed,
        (Some(code), _) => {
            let last = gone
                .stderr_tail
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty());
            let said = last.map_or_else(String::new, |line| format!(": {}", line.trim()));
            Outcome::Failed {
                phase: Phase::Download,
                reason: format!("the recipe ended with status {code}{said}"),
            }
        }
        (exit_code, signal) => Outcome::Crashed {
            phase: Phase::Download,
            signal,
            exit_code,
            stderr_tail: gone.stderr_tail,
        },
    }
}
