//! What a plan costs as a whole: bytes to fetch, time.

use crate::model::units::{show_bytes, show_seconds};
use crate::model::{Job, JobSpec, Plan};
use crate::plan::{Amount, bytes_to_fetch, worst_case};
use crate::store::{Store, find};
use std::collections::BTreeSet;
use std::time::Duration;

/// Which artifacts are in place on this machine, by size alone: nothing is read, nothing fetched.
pub(super) struct Here(BTreeSet<(String, String)>);

impl Here {
    /// Looks for every artifact that a download of the plan would bring.
    pub(super) fn look(plan: &Plan) -> Self {
        // Without a place for models nothing is here.
        let Ok(store) = Store::from_environment(|name| std::env::var_os(name)) else {
            return Self::nowhere();
        };
        let wanted = plan.jobs.iter().filter_map(|job| match &job.spec {
            JobSpec::Download(spec) => Some(&spec.artifacts),
            _ => None,
        });
        Self(
            wanted
                .flatten()
                .filter(|(model, id)| {
                    plan.models
                        .get(model)
                        .and_then(|model| model.artifacts.get(id))
                        .is_some_and(|artifact| find(artifact, &store).is_complete())
                })
                .cloned()
                .collect(),
        )
    }

    /// Returns that nothing is here.
    pub(super) fn nowhere() -> Self {
        Self(BTreeSet::new())
    }

    fn has(&self, model: &str, artifact: &str) -> bool {
        self.0.contains(&(model.to_owned(), artifact.to_owned()))
    }
}

/// What a job would fetch.
pub(super) enum Fetch {
    /// It is no download.
    Nothing,
    /// All of it is here.
    Here,
    /// So much.
    Some(Amount),
    /// The catalog does not say how much.
    Unknown,
}

/// Returns what a job would fetch.
pub(super) fn fetch(plan: &Plan, job: &Job, here: &Here) -> Fetch {
    let JobSpec::Download(spec) = &job.spec else {
        return Fetch::Nothing;
    };
    match bytes_to_fetch(plan, spec, |model, artifact| here.has(model, artifact)) {
        Some(Amount { bytes: 0, .. }) => Fetch::Here,
        Some(amount) => Fetch::Some(amount),
        None => Fetch::Unknown,
    }
}

/// Returns an amount in words.
pub(super) fn show_amount(amount: Amount) -> String {
    let about = if amount.exact { "" } else { "~ " };
    format!("{about}{}", show_bytes(amount.bytes))
}

/// Returns in words what all downloads of a plan bring.
pub(super) fn fetch_in_words(plan: &Plan, here: &Here) -> String {
    let mut bytes = 0;
    let mut exact = true;
    let mut known = true;
    let mut downloads = 0;
    for job in &plan.jobs {
        match fetch(plan, job, here) {
            Fetch::Nothing => continue,
            Fetch::Here => {}
            Fetch::Some(more) => {
                bytes += more.bytes;
                exact &= more.exact;
            }
            Fetch::Unknown => known = false,
        }
        downloads += 1;
    }
    let amount = show_amount(Amount { bytes, exact });
    match (downloads, bytes, known) {
        (0, ..) => "nothing".into(),
        (_, 0, true) => "nothing: all of it is here".into(),
        (_, 0, false) => "unknown: the catalog does not say".into(),
        (.., true) => format!("{amount}, if the verifies find it missing"),
        (.., false) => format!("{amount} and more, whose size is unknown"),
    }
}

/// Returns the bytes that all downloads bring to an empty store, as far as the catalog knows them.
pub(super) fn bytes_of_all(plan: &Plan) -> u64 {
    plan.jobs
        .iter()
        .filter_map(|job| match &job.spec {
            JobSpec::Download(spec) => bytes_to_fetch(plan, spec, |_, _| false),
            _ => None,
        })
        .map(|amount| amount.bytes)
        .sum()
}

/// Returns the longest that all jobs can take by their limits.
pub(super) fn longest(plan: &Plan) -> Duration {
    plan.jobs
        .iter()
        .map(|job| worst_case(plan, job))
        .fold(Duration::ZERO, Duration::saturating_add)
}

/// Returns the longest time in words; empty for none.
pub(super) fn at_most(limit: Duration) -> String {
    if limit.is_zero() {
        String::new()
    } else {
        show_seconds(limit.as_secs_f64())
    }
}
