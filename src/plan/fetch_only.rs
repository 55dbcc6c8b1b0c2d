//! A plan that only fetches: for a machine that has the network, but not the engines.

use super::seal::seal;
use crate::model::{ChosenSettings, Job, JobId, JobKind, JobSpec, Plan, VerifyMethod, VerifySpec};
use indexmap::IndexMap;

/// Returns a plan that fetches what a plan fetches, and asks after it by looking at files only, so that no
/// engine is started. Its jobs have ids of their own.
#[must_use]
pub fn fetch_only(plan: &Plan) -> Plan {
    let mut new_ids: IndexMap<&JobId, JobId> = IndexMap::new();
    let mut jobs: IndexMap<JobId, Job> = IndexMap::new();
    for job in &plan.jobs {
        let spec = match &job.spec {
            JobSpec::Benchmark(_) => continue,
            JobSpec::Download(spec) => JobSpec::Download(spec.clone()),
            JobSpec::Verify(spec) => JobSpec::Verify(VerifySpec {
                method: VerifyMethod::CacheCheck,
                settings: ChosenSettings::default(),
                ..spec.clone()
            }),
        };
        let new = Job {
            skip: job.skip.clone(),
            ..Job::new(spec)
        };
        new_ids.insert(&job.id, new.id.clone());
        let needs: Vec<JobId> = job
            .needs
            .iter()
            .filter_map(|need| new_ids.get(need).cloned())
            .collect();
        let known = jobs.entry(new.id.clone()).or_insert(new);
        known.combinations.extend(job.combinations.iter().copied());
        for need in needs {
            if !known.needs.contains(&need) {
                known.needs.push(need);
            }
        }
    }
    for job in jobs.values_mut() {
        job.combinations.sort_unstable();
        job.combinations.dedup();
    }
    let mut fetching = Plan {
        jobs: jobs.into_values().collect(),
        ..plan.clone()
    };
    // In the order in which they are carried out: a verify that two shared may stand behind its download.
    fetching
        .jobs
        .sort_by_key(|job| match (job.kind, job.stage) {
            (JobKind::Verify, Some(crate::model::Stage::Before)) => 0,
            (JobKind::Download, _) => 1,
            _ => 2,
        });
    seal(&mut fetching);
    fetching
}
