//! What has become of each job so far.

use crate::model::{JobId, Outcome, Plan, VerifyFinding};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

/// A job while the run goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct JobState {
    pub(super) outcome: Option<Outcome>,
    pub(super) finding: Option<VerifyFinding>,
    /// When its running attempt began.
    pub(super) started: Option<Duration>,
    /// What its ended attempts took together.
    pub(super) took: Duration,
    /// Launches of a benchmark that have completed.
    pub(super) launches: u32,
    /// Bytes a download brought.
    pub(super) bytes: u64,
}

/// All jobs, by their position in the plan.
#[derive(Debug)]
pub(super) struct RunState {
    pub(super) jobs: Vec<JobState>,
    positions: HashMap<JobId, usize>,
    /// Folders of artifacts that were found complete, by (model, artifact).
    pub(super) folders: HashMap<(String, String), PathBuf>,
}

impl RunState {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            jobs: vec![JobState::default(); plan.jobs.len()],
            positions: plan
                .jobs
                .iter()
                .enumerate()
                .map(|(position, job)| (job.id.clone(), position))
                .collect(),
            folders: HashMap::new(),
        }
    }

    /// Returns the positions of jobs.
    pub(super) fn positions(&self, ids: &[JobId]) -> Vec<usize> {
        ids.iter()
            .filter_map(|id| self.positions.get(id).copied())
            .collect()
    }

    /// Returns the number of jobs that went wrong, or were skipped because of one.
    pub(super) fn faults(&self) -> usize {
        self.jobs
            .iter()
            .filter(|job| job.outcome.as_ref().is_some_and(Outcome::is_fault))
            .count()
    }
}
