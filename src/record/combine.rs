//! Several runs of one plan as one: which of them counts for which job.

use super::fold::Jobs;
use super::run_record::{JobRecord, Session};
use crate::model::{JobId, Outcome};
use std::collections::BTreeMap;

/// The jobs of several runs.
#[derive(Debug, Default)]
pub(super) struct Combined {
    /// The one record of each job that counts.
    pub(super) jobs: Jobs,
    /// Verifies and downloads on other machines.
    pub(super) elsewhere: BTreeMap<JobId, Vec<JobRecord>>,
    /// Records of benchmarks that were left out for newer ones.
    pub(super) duplicates: usize,
}

/// Chooses what counts: the newest record of a job that ended. A verdict and what was fetched belong
/// to a machine, so of those the newest of each machine stays.
pub(super) fn combine(mut runs: Vec<Jobs>, sessions: &[Session]) -> Combined {
    if runs.len() == 1 {
        return Combined {
            jobs: runs.pop().unwrap_or_default(),
            ..Combined::default()
        };
    }
    let mut together: BTreeMap<JobId, Vec<JobRecord>> = BTreeMap::new();
    for (id, job) in runs.into_iter().flatten() {
        together.entry(id).or_default().push(job);
    }
    let mut combined = Combined::default();
    for (id, mut records) in together {
        // The newest last; equal ones stay in the order of the journal.
        records.sort_by(|one, other| age(one, sessions).cmp(&age(other, sessions)));
        let Some(newest) = records.pop() else {
            continue;
        };
        if id.0.starts_with("benchmark/") {
            let measured =
                |job: &&JobRecord| is_end(job.outcome.as_ref()) || !job.samples.is_empty();
            combined.duplicates += records.iter().filter(measured).count();
        } else {
            let machine = |job: &JobRecord| {
                let session = sessions.get(job.session);
                session.map(|session| session.machine.id.as_str())
            };
            let mut seen = vec![machine(&newest)];
            for other in records.into_iter().rev() {
                if !seen.contains(&machine(&other)) {
                    seen.push(machine(&other));
                    let others = combined.elsewhere.entry(id.clone()).or_default();
                    others.push(other);
                }
            }
        }
        combined.jobs.insert(id, newest);
    }
    combined
}

/// Returns whether a job was carried out to its end: it was not cancelled, nor left out.
#[must_use]
pub fn is_end(outcome: Option<&Outcome>) -> bool {
    !matches!(
        outcome,
        None | Some(
            Outcome::Cancelled { .. }
                | Outcome::Skipped {
                    because_of: None,
                    ..
                }
        )
    )
}

/// What makes a record of a job newer than another: that it ended, then its run's attempt, start and
/// id.
fn age<'a>(job: &JobRecord, sessions: &'a [Session]) -> impl Ord + use<'a> {
    let rank = match &job.outcome {
        outcome if is_end(outcome.as_ref()) => 2,
        Some(_) => 1,
        None => 0,
    };
    let session = sessions.get(job.session);
    let session = session.map(|session| {
        (
            session.attempt,
            session.started_at.as_str(),
            session.run_id.as_str(),
        )
    });
    (rank, session)
}
