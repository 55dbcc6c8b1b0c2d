//! Download jobs: a recipe in a process of its own, or a hub's files, into a temporary place; then
//! checked, then moved whole into the store.

use super::context::{Cancellation, RunContext};
use super::dispatcher::Notes;
use super::process::spawn;
use super::supervise::{Cancel, Child, Ended};
use crate::engine::{LaunchSpec, child_environment};
use crate::event::RunEvent;
use crate::exec::attempt::Input;
use crate::fetch::{Publication, RecipeRun, Workplace};
use crate::model::{Artifact, DownloadSpec, JobId, Outcome, Phase, Recipe, Source};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What a download came to.
pub(super) struct Downloaded {
    pub(super) ended: Ended,
    pub(super) bytes: u64,
}

/// Carries out one download.
pub(super) async fn download(
    context: Arc<RunContext>,
    job: JobId,
    spec: DownloadSpec,
    notes: Notes,
    cancel: Cancellation,
) -> Downloaded {
    let artifacts: Vec<Artifact> = spec
        .artifacts
        .iter()
        .filter_map(|(model, id)| context.plan.models.get(model)?.artifacts.get(id).cloned())
        .collect();
    let recipe = spec
        .recipe
        .as_ref()
        .and_then(|id| context.plan.recipes.get(id));
    let failed = |reason: String| Downloaded {
        ended: Ended {
            outcome: Outcome::Failed {
                phase: Phase::Download,
                reason,
            },
            usage: None,
            stderr_tail: String::new(),
        },
        bytes: 0,
    };
    let Some(recipe) = recipe else {
        return failed(unsupported_source(&artifacts));
    };
    let workplace = match Workplace::new(&context.store) {
        Ok(workplace) => workplace,
        Err(reason) => return failed(reason),
    };
    let run = match RecipeRun::new(recipe, &artifacts, &workplace) {
        Ok(run) => run,
        Err(reason) => return failed(reason),
    };
    let ended = run_recipe(&context, &job, recipe, &run, &notes, cancel).await;
    if ended.outcome != Outcome::Completed {
        return Downloaded { ended, bytes: 0 };
    }
    let store = context.store.clone();
    let destination = run.destination.clone();
    let published = tokio::task::spawn_blocking(move || {
        Publication {
            store: &store,
            folder: &destination,
        }
        .publish(&artifacts)
    })
    .await
    .unwrap_or_else(|error| Err(error.to_string()));
    // The temporary place goes with `workplace`, whatever became of it.
    drop(workplace);
    match published {
        Ok(bytes) => Downloaded { ended, bytes },
        Err(reason) => Downloaded {
            ended: Ended {
                outcome: Outcome::Failed {
                    phase: Phase::Download,
                    reason,
                },
                ..ended
            },
            bytes: 0,
        },
    }
}

fn unsupported_source(artifacts: &[Artifact]) -> String {
    let kinds: Vec<&str> = artifacts
        .iter()
        .flat_map(|artifact| &artifact.sources)
        .map(|source| match source {
            Source::Path(_) => "path",
            Source::Hub { .. } => "hub",
            Source::Url(_) => "url",
            Source::Recipe(_) => "recipe",
        })
        .collect();
    format!(
        "this version fetches by recipes only, and the sources are: {}; put the files where a \
         `path` source names them",
        kinds.join(", ")
    )
}

/// Runs a recipe's command under the limits of a download. What it says on standard error is told
/// as progress, and counts as such.
async fn run_recipe(
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
    let process = match spawn(
        &context.program,
        &spec,
        directory.as_deref(),
        Some(backstop),
    ) {
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

fn recipe_outcome(gone: super::attempt::Gone) -> Outcome {
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
