//! What did not go as planned: faults with the end of their log, and planned skips.

use crate::model::Outcome;
use crate::record::RunRecord;
use serde::Serialize;

/// Jobs that did not complete.
#[derive(Serialize)]
pub(super) struct TroublesView {
    /// What went wrong.
    faults: Vec<TroubleView>,
    /// What was skipped because something else went wrong.
    followers: Vec<TroubleView>,
    /// What the run did not get to.
    not_run: Vec<TroubleView>,
    /// What the plan skipped from the start, by reason.
    skips: Vec<SkipView>,
}

/// Jobs that the plan skips for one reason.
#[derive(Serialize)]
struct SkipView {
    reason: String,
    jobs: Vec<String>,
}

#[derive(Serialize)]
struct TroubleView {
    job: String,
    status: &'static str,
    reason: String,
    log_tail: String,
}

/// Returns the jobs that did not complete, in the order of the plan.
pub(super) fn troubles(record: &RunRecord) -> TroublesView {
    let mut view = TroublesView {
        faults: Vec::new(),
        followers: Vec::new(),
        not_run: Vec::new(),
        skips: Vec::new(),
    };
    for job in &record.plan.jobs {
        let found = record.job(&job.id);
        let outcome = found.and_then(|found| found.outcome.as_ref());
        if outcome.is_some_and(Outcome::is_good) {
            continue;
        }
        let trouble = TroubleView {
            job: job.spec.slug(),
            status: outcome.map_or("not-run", Outcome::status),
            reason: outcome.map_or_else(|| "the run ended before it".to_owned(), Outcome::reason),
            log_tail: found
                .and_then(|found| found.attempts.last())
                .map(|attempt| attempt.stderr_tail.trim().to_owned())
                .unwrap_or_default(),
        };
        match outcome {
            None => view.not_run.push(trouble),
            Some(Outcome::Skipped {
                because_of: None, ..
            }) => {
                let same = |skip: &&mut SkipView| skip.reason == trouble.reason;
                match view.skips.iter_mut().find(same) {
                    Some(skip) => skip.jobs.push(trouble.job),
                    None => view.skips.push(SkipView {
                        reason: trouble.reason,
                        jobs: vec![trouble.job],
                    }),
                }
            }
            Some(Outcome::Skipped { .. }) => view.followers.push(trouble),
            Some(_) => view.faults.push(trouble),
        }
    }
    view
}
