//! What did not go as planned: faults with the end of their log, what was left behind, planned skips.

use super::MOST_ROWS;
use crate::model::{LeakedProcess, Outcome};
use crate::record::{AttemptRecord, JobRecord, RunRecord};
use crate::report::job_columns::job_rows;
use crate::report::machine_names::MachineNames;
use crate::report::not_run::NotRun;
use schemars::JsonSchema;
use serde::Serialize;

/// Jobs that did not complete.
#[derive(Serialize, JsonSchema)]
pub(super) struct TroublesView {
    /// What went wrong.
    faults: Vec<TroubleView>,
    /// What was skipped because something else went wrong.
    followers: Vec<TroubleView>,
    /// What the run did not get to.
    not_run: Vec<TroubleView>,
    /// What the plan skipped from the start, by reason.
    skips: Vec<SkipView>,
    /// Jobs that left processes behind, however they ended.
    leaks: Vec<LeakView>,
}

/// A job that left processes behind.
#[derive(Serialize, JsonSchema)]
struct LeakView {
    job: String,
    count: u32,
    /// Names and ids of the first of them; empty if nobody told.
    processes: String,
}

/// Jobs that the plan skips for one reason.
#[derive(Serialize, JsonSchema)]
struct SkipView {
    reason: String,
    jobs: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
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
        leaks: Vec::new(),
    };
    let names = MachineNames::of(record);
    for row in job_rows(record) {
        let found = row.found;
        let outcome = row.outcome();
        let session = found.and_then(|found| record.session_of(found));
        let machine = names.told(session.map(|session| session.machine.id.as_str()));
        let name = match machine {
            Some(machine) => format!("{} on {machine}", row.job.spec.slug()),
            None => row.job.spec.slug(),
        };
        view.leaks
            .extend(found.and_then(|found| leak(name.clone(), found)));
        if outcome.is_some_and(Outcome::is_good) {
            continue;
        }
        let trouble = TroubleView {
            job: name,
            status: outcome.map_or("not-run", Outcome::status),
            reason: match NotRun::of(record, row.job, found) {
                Some(reason) => reason.words().to_owned(),
                None => outcome.map(Outcome::reason).unwrap_or_default(),
            },
            log_tail: found
                .and_then(|found| found.current_attempts().next_back())
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
    for troubles in [&mut view.faults, &mut view.followers, &mut view.not_run] {
        troubles.truncate(MOST_ROWS);
    }
    view.leaks.truncate(MOST_ROWS);
    for skip in &mut view.skips {
        skip.jobs.truncate(MOST_ROWS);
    }
    view
}

/// Returns what a job left behind, if it did.
fn leak(job: String, found: &JobRecord) -> Option<LeakView> {
    let counts = found
        .attempts
        .iter()
        .filter_map(AttemptRecord::leaked_processes);
    let count: u32 = counts.sum();
    let told = found.attempts.iter().filter_map(|a| a.leak.as_ref());
    let processes: Vec<String> = told.flat_map(|leak| &leak.processes).map(shown).collect();
    (count > 0).then(|| LeakView {
        job,
        count,
        processes: processes.join(", "),
    })
}

fn shown(process: &LeakedProcess) -> String {
    if process.name.is_empty() {
        format!("process {}", process.pid)
    } else {
        format!("{} ({})", process.name, process.pid)
    }
}
