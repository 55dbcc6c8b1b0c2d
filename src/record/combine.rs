//! Several runs of one plan as one: which of them counts for which job.

use super::fold::Jobs;
use super::run_record::{JobRecord, Session};
use crate::model::{JobId, Outcome};
use std::collections::BTreeMap;

/// The jobs of several runs.
#[derive(Debug, Default)]
pub(super) struct Combined {
    /// The newest record of each job.
    pub(super) jobs: Jobs,
    /// What other machines did of the same jobs: of each machine the newest record.
    pub(super) elsewhere: BTreeMap<JobId, Vec<JobRecord>>,
    /// Records of benchmarks that were left out for newer ones.
    pub(super) duplicates: usize,
}

/// Chooses what counts. What a machine did belongs to it, so of each machine the newest record of a job
/// stays: its verdict, what it fetched, what it measured. Two records of one machine are never rows
/// beside each other, and neither are two attempts at one part of a plan: the later attempt stands for
/// the earlier one, on whatever machine it ran, because that is why it was begun.
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
        let is_benchmark = id.0.starts_with("benchmark/");
        let mut kept = vec![newest];
        for other in records.into_iter().rev() {
            let is_replaced = kept
                .iter()
                .any(|newer| replaces(newer, &other, is_benchmark, sessions));
            if !is_replaced {
                kept.push(other);
            } else if is_benchmark && (is_end(other.outcome.as_ref()) || !other.samples.is_empty())
            {
                combined.duplicates += 1;
            }
        }
        let mut kept = kept.into_iter();
        combined
            .jobs
            .extend(kept.next().map(|job| (id.clone(), job)));
        let others: Vec<JobRecord> = kept.collect();
        if !others.is_empty() {
            combined.elsewhere.insert(id, others);
        }
    }
    combined
}

/// Whether a record stands for one of the same job that is not newer.
fn replaces(
    newer: &JobRecord,
    older: &JobRecord,
    is_benchmark: bool,
    sessions: &[Session],
) -> bool {
    let (Some(session), Some(former)) = (sessions.get(newer.session), sessions.get(older.session))
    else {
        return true;
    };
    if session.machine.id == former.machine.id {
        return true;
    }
    // What did not end is no row beside one that did.
    let is_unfinished = !is_end(older.outcome.as_ref());
    // A list names what was missing when it was made, so what is dealt of it stands for whatever part it
    // was missing from.
    let is_resent = session
        .shard
        .as_ref()
        .is_some_and(|shard| shard.list.is_some());
    let is_later_attempt = session.shard.is_some()
        && (session.shard == former.shard || is_resent && former.shard.is_some())
        && session.attempt > former.attempt;
    is_benchmark && (is_unfinished || is_later_attempt)
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
