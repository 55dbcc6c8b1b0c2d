//! One attempt at a download, whatever it fetches from: its limit, who is told, and how what arrived
//! in a temporary place gets into the store.

use super::context::{Cancellation, RunContext};
use super::download::failed;
use super::notes::Notes;
use super::supervise::{Cancel, Ended};
use crate::clock::Clock;
use crate::event::RunEvent;
use crate::fetch::{Failure, Held, Limits, Publication, Teller, Told, Workplace};
use crate::model::{Artifact, JobId, Outcome, Phase, SLOW_DISK_BYTES_PER_SECOND};
use crate::sharing::LeaseRules;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long it may take to move what arrived into the store, beside reading it.
const PUBLICATION: Duration = Duration::from_mins(1);

/// One attempt at a download: what all ways of fetching need.
pub(super) struct Fetching {
    pub(super) context: Arc<RunContext>,
    pub(super) job: JobId,
    /// The limit of this attempt.
    pub(super) limit: Duration,
    /// What the run's clock shows when it is over.
    pub(super) deadline: Duration,
    /// An engine has refused what is there, although it is whole as far as a look tells.
    pub(super) is_refused: bool,
    pub(super) notes: Notes,
    pub(super) cancel: Cancellation,
}

impl Fetching {
    /// Returns how much of the limit is left.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_sub(self.context.live.clock.now())
    }

    /// Says something of it.
    pub(super) fn tell(&self, message: String) {
        self.notes.tell(RunEvent::DownloadProgress {
            job: self.job.clone(),
            message,
            transfer: None,
        });
    }

    /// Returns who is told by a fetch.
    pub(super) fn teller(&self) -> Teller {
        let (job, notes) = (self.job.clone(), self.notes.clone());
        Arc::new(move |told| {
            let job = job.clone();
            notes.tell(match told {
                Told::Resolved {
                    repository,
                    revision,
                    commit,
                } => RunEvent::CommitResolved {
                    job,
                    repository,
                    revision,
                    commit,
                },
                Told::Transfer(transfer) => RunEvent::DownloadProgress {
                    job,
                    message: String::new(),
                    transfer: Some(transfer),
                },
                Told::Note(message) => RunEvent::DownloadProgress {
                    job,
                    message,
                    transfer: None,
                },
            });
        })
    }

    /// Returns the limits of what goes over the network.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            clock: self.context.live.clock.clone(),
            stall: self.context.plan.deadlines.download_stall,
            deadline: self.deadline,
            lease: LeaseRules::from_environment(|name| self.context.variable(name)),
        }
    }

    /// Waits for a fetch under the limit of its download. Dropping the fetch closes its connections:
    /// nothing goes on behind it.
    pub(super) async fn within_limit<T>(
        &self,
        fetch: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Ended> {
        let mut cancel = Cancel(self.cancel.clone());
        let phase = Phase::Download;
        let outcome = tokio::select! {
            biased;
            reason = cancel.wait() => Outcome::Cancelled { reason },
            () = self.context.live.sleep_until(self.deadline) => Outcome::TimedOut {
                phase,
                limit_seconds: self.limit.as_secs_f64(),
            },
            fetched = fetch => match fetched {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => {
                    return Err(Ended {
                        is_final: !failure.may_heal,
                        ..Ended::without_process(failed(failure.reason))
                    });
                }
            },
        };
        Err(Ended::without_process(outcome))
    }

    /// Checks what arrived and moves it into the store, for as long as a slow disk needs.
    pub(super) async fn publish(
        &self,
        artifacts: Vec<Artifact>,
        arrival: Arrival,
    ) -> Result<u64, Outcome> {
        let phase = Phase::Download;
        let bytes: u64 = artifacts.iter().filter_map(Artifact::expected_bytes).sum();
        let limit = PUBLICATION + Duration::from_secs(bytes / SLOW_DISK_BYTES_PER_SECOND);
        let store = self.context.store.clone();
        let publishing = tokio::task::spawn_blocking(move || {
            let published = Publication {
                store: &store,
                folder: &arrival.destination,
            }
            .publish(&artifacts);
            // Not before: what is being moved must not be removed under it, nor fetched by others, even
            // if nobody waits for it any more.
            drop((arrival.workplace, arrival.held));
            published
        });
        let live = &self.context.live;
        let deadline = live.clock.now().saturating_add(limit);
        let mut cancel = Cancel(self.cancel.clone());
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
}

/// What has arrived in a temporary place.
pub(super) struct Arrival {
    pub(super) workplace: Workplace,
    pub(super) destination: PathBuf,
    /// Locks that keep others from fetching the same.
    pub(super) held: Vec<Arc<Held>>,
}
