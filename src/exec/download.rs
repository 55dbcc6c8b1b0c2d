//! Download jobs: a recipe in a process of its own, or a hub's files, into a temporary place; then
//! checked, then moved whole into the store.

use super::context::{Cancellation, RunContext};
use super::notes::Notes;
use super::recipe::run_recipe;
use super::supervise::{Cancel, Ended};
use crate::clock::Clock;
use crate::event::RunEvent;
use crate::fetch::{HubRequest, Publication, RecipeRun, Workplace, fetch_hub};
use crate::model::{
    Artifact, DownloadSpec, JobId, Outcome, Phase, SLOW_DISK_BYTES_PER_SECOND, Source,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long it may take to move what arrived into the store, beside reading it.
const PUBLICATION: Duration = Duration::from_mins(1);

/// What a download came to.
pub(super) struct Downloaded {
    pub(super) ended: Ended,
    pub(super) bytes: u64,
}

impl Downloaded {
    fn nothing(outcome: Outcome) -> Self {
        Self {
            ended: Ended::without_process(outcome),
            bytes: 0,
        }
    }

    fn failed(reason: String) -> Self {
        let phase = Phase::Download;
        Self::nothing(Outcome::Failed { phase, reason })
    }
}

/// One attempt at a download: what both ways of fetching need.
pub(super) struct Fetching {
    pub(super) context: Arc<RunContext>,
    pub(super) job: JobId,
    /// The limit of this attempt.
    pub(super) limit: Duration,
    pub(super) notes: Notes,
    pub(super) cancel: Cancellation,
}

/// Carries out one download.
pub(super) async fn download(fetching: Fetching, spec: DownloadSpec) -> Downloaded {
    let context = &fetching.context;
    let artifacts: Vec<Artifact> = spec
        .artifacts
        .iter()
        .filter_map(|(model, id)| context.plan.models.get(model)?.artifacts.get(id).cloned())
        .collect();
    let recipe = spec
        .recipe
        .as_ref()
        .and_then(|id| context.plan.recipes.get(id));
    let workplace = match Workplace::new(&context.store) {
        Ok(workplace) => workplace,
        Err(reason) => return Downloaded::failed(reason),
    };
    let destination;
    let ended = if let Some(recipe) = recipe {
        let run = match RecipeRun::new(recipe, &artifacts, &workplace) {
            Ok(run) => run,
            Err(reason) => return Downloaded::failed(reason),
        };
        destination = run.destination.clone();
        run_recipe(&fetching, recipe, &run).await
    } else {
        destination = workplace.path().join("destination");
        run_hub(&fetching, &artifacts, &destination).await
    };
    if ended.outcome != Outcome::Completed {
        return Downloaded { ended, bytes: 0 };
    }
    match publish(&fetching, artifacts, workplace, destination).await {
        Ok(bytes) => Downloaded { ended, bytes },
        Err(outcome) => Downloaded {
            ended: Ended { outcome, ..ended },
            bytes: 0,
        },
    }
}

/// Checks what arrived and moves it into the store, for as long as a slow disk needs.
async fn publish(
    fetching: &Fetching,
    artifacts: Vec<Artifact>,
    workplace: Workplace,
    destination: PathBuf,
) -> Result<u64, Outcome> {
    let phase = Phase::Download;
    let bytes: u64 = artifacts.iter().filter_map(Artifact::expected_bytes).sum();
    let limit = PUBLICATION + Duration::from_secs(bytes / SLOW_DISK_BYTES_PER_SECOND);
    let store = fetching.context.store.clone();
    let publishing = tokio::task::spawn_blocking(move || {
        let published = Publication {
            store: &store,
            folder: &destination,
        }
        .publish(&artifacts);
        // Not before: what is being moved must not be removed under it, even if nobody waits for it
        // any more.
        drop(workplace);
        published
    });
    let live = &fetching.context.live;
    let deadline = live.clock.now().saturating_add(limit);
    let mut cancel = Cancel(fetching.cancel.clone());
    tokio::select! {
        biased;
        reason = cancel.wait() => Err(Outcome::Cancelled { reason }),
        published = publishing => published
            .unwrap_or_else(|error| Err(error.to_string()))
            .map_err(|reason| Outcome::Failed { phase, reason }),
        () = live.sleep_until(deadline) => Err(Outcome::TimedOut {
            phase,
            limit_seconds: limit.as_secs_f64(),
        }),
    }
}

/// Fetches artifacts from their hubs under the limits of a download.
async fn run_hub(fetching: &Fetching, artifacts: &[Artifact], destination: &Path) -> Ended {
    let Fetching {
        context,
        job,
        limit,
        notes,
        cancel,
    } = fetching;
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
                    ..
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
    let mut cancel = Cancel(cancel.clone());
    let deadline = context.live.clock.now().saturating_add(*limit);
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
