//! Download jobs: a recipe in a process of its own, or a hub's files, into a temporary place; then
//! checked, then moved whole into the store.

use super::context::{Cancellation, RunContext};
use super::notes::Notes;
use super::recipe::run_recipe;
use super::supervise::{Cancel, Ended};
use crate::clock::Clock;
use crate::event::RunEvent;
use crate::fetch::{HubRequest, Publication, RecipeRun, Workplace, fetch_hub};
use crate::model::{Artifact, DownloadSpec, JobId, Outcome, Phase, Source};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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
    limit: Duration,
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
        ended: Ended::without_process(Outcome::Failed {
            phase: Phase::Download,
            reason,
        }),
        bytes: 0,
    };
    let workplace = match Workplace::new(&context.store) {
        Ok(workplace) => workplace,
        Err(reason) => return failed(reason),
    };
    let destination;
    let ended = if let Some(recipe) = recipe {
        let run = match RecipeRun::new(recipe, &artifacts, &workplace) {
            Ok(run) => run,
            Err(reason) => return failed(reason),
        };
        destination = run.destination.clone();
        run_recipe(&context, &job, recipe, &run, limit, &notes, cancel).await
    } else {
        destination = workplace.path().join("destination");
        run_hub(
            &context,
            &job,
            &artifacts,
            &destination,
            limit,
            &notes,
            cancel,
        )
        .await
    };
    if ended.outcome != Outcome::Completed {
        return Downloaded { ended, bytes: 0 };
    }
    let store = context.store.clone();
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

/// Fetches artifacts from their hubs under the limits of a download.
async fn run_hub(
    context: &RunContext,
    job: &JobId,
    artifacts: &[Artifact],
    destination: &Path,
    limit: Duration,
    notes: &Notes,
    cancel: Cancellation,
) -> Ended {
    let deadlines = &context.plan.deadlines;
    let tell = |message: String| {
        notes.tell(RunEvent::DownloadProgress {
            job: job.clone(),
            message,
        });
    };
    let fetch = async {
        for artifact in artifacts {
            let source = artifact.sources.iter().find_map(|source| match source {
                Source::Hub {
                    repository,
                    revision,
                } => Some((repository, revision)),
                _ => None,
            });
            let (repository, revision) = source.ok_or_else(|| no_source(artifact))?;
            let get = |name: &str| context.variable(name);
            let request = HubRequest::new(repository, revision, artifact, get);
            let folder = destination.join(&artifact.model).join(&artifact.id);
            fetch_hub(&request, &folder, deadlines.download_stall, tell).await?;
        }
        Ok::<(), String>(())
    };
    let mut cancel = Cancel(cancel);
    let deadline = context.live.clock.now().saturating_add(limit);
    let phase = Phase::Download;
    // Dropping the fetch closes its connections: nothing goes on behind it.
    let outcome = tokio::select! {
        biased;
        reason = cancel.wait() => Outcome::Cancelled { reason },
        () = context.live.sleep_until(deadline) => Outcome::TimedOut {
            phase,
            limit_seconds: limit.as_secs_f64(),
        },
        fetched = fetch => match fetched {
            Ok(()) => Outcome::Completed,
            Err(reason) => Outcome::Failed { phase, reason },
        },
    };
    Ended::without_process(outcome)
}

fn no_source(artifact: &Artifact) -> String {
    format!(
        "`{}` of `{}` has no source that this version fetches from; name a recipe or a hub, or put \
         the files where a `path` source names them",
        artifact.id, artifact.model
    )
}
