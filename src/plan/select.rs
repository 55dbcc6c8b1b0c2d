//! A part of a plan: by filters, or by the kinds of jobs that a verb runs.

use super::seal::seal;
use crate::model::{DownloadPolicy, Job, JobId, JobKind, Plan};
use globset::Glob;
use std::collections::BTreeSet;
use std::str::FromStr;

/// One condition on jobs, such as `backend=candle`, `model~large` or `kind=verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    key: String,
    contains: bool,
    wanted: String,
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let position = text.find(['=', '~']).ok_or_else(|| {
            format!("`{text}` is no filter; write `key=value`, `key=glob*` or `key~part`")
        })?;
        let (key, rest) = text.split_at(position);
        let filter = Self {
            key: key.into(),
            contains: rest.starts_with('~'),
            wanted: rest[1..].into(),
        };
        if filter.key.is_empty() || filter.wanted.is_empty() {
            return Err(format!(
                "`{text}` is no filter; write `key=value` or `key~part`"
            ));
        }
        if !filter.contains && Glob::new(&filter.wanted).is_err() {
            return Err(format!("`{}` is no glob", filter.wanted));
        }
        Ok(filter)
    }
}

impl Filter {
    /// Returns what it asks for.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns whether a value of its key is wanted.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        if self.contains {
            return value.contains(&self.wanted);
        }
        value == self.wanted
            || Glob::new(&self.wanted).is_ok_and(|glob| glob.compile_matcher().is_match(value))
    }

    /// Returns whether a job is wanted: by its kind, its id, or any combination that asked for it.
    #[must_use]
    pub fn keeps(&self, job: &Job, plan: &Plan) -> bool {
        match self.key.as_str() {
            "kind" => self.accepts(&job.kind.to_string()),
            "id" | "job" => self.accepts(&job.id.0),
            key => job.combinations.iter().any(|position| {
                plan.combinations
                    .value(*position, key)
                    .is_some_and(|value| self.accepts(&value.written))
            }),
        }
    }

    /// Returns the key if no job of the plan can have it.
    #[must_use]
    pub fn unknown_key(&self, plan: &Plan) -> Option<&str> {
        let known = ["kind", "id", "job"].contains(&self.key.as_str())
            || plan
                .combinations
                .columns()
                .iter()
                .any(|column| column.name == self.key)
            || plan.axes.contains(&self.key);
        (!known).then_some(self.key.as_str())
    }
}

/// Changes whether a plan may fetch anything. With `Never` its downloads go, and a second verify
/// that waits for one waits for the first verify only.
pub fn set_downloads(plan: &mut Plan, policy: DownloadPolicy) {
    plan.download = policy;
    if policy == DownloadPolicy::Never {
        let downloads: BTreeSet<JobId> = plan
            .jobs
            .iter()
            .filter(|job| job.kind == JobKind::Download)
            .map(|job| job.id.clone())
            .collect();
        for job in &mut plan.jobs {
            job.needs.retain(|need| !downloads.contains(need));
        }
        plan.jobs.retain(|job| job.kind != JobKind::Download);
    }
    seal(plan);
}

/// Keeps the jobs of a plan that every filter and `wanted` accept, with all that they need.
pub fn restrict(plan: &mut Plan, filters: &[Filter], wanted: impl Fn(&Job) -> bool) {
    let mut kept: BTreeSet<JobId> = plan
        .jobs
        .iter()
        .filter(|job| wanted(job) && filters.iter().all(|filter| filter.keeps(job, plan)))
        .map(|job| job.id.clone())
        .collect();
    // Needs stand before those who need them, so one walk from the end finds all of them.
    for job in plan.jobs.iter().rev() {
        if kept.contains(&job.id) {
            kept.extend(job.needs.iter().cloned());
        }
    }
    plan.jobs.retain(|job| kept.contains(&job.id));
    seal(plan);
}
