//! What this machine does not have of what jobs require.

use super::variable;
use crate::exec::Part;
use crate::machine::{Here, LABELS_FILE, LABELS_VARIABLE, SystemFiles};
use crate::model::{JobKind, MachineFacts, Plan};
use crate::plan::{requirements, with_needs};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the jobs that this machine is not to do, by their positions, each with the reason: benchmarks
/// that require what it does not have, and what only those need.
pub(super) fn unmet(
    plan: &Plan,
    part: Option<&Part>,
    machine: &MachineFacts,
) -> BTreeMap<usize, String> {
    let labels = variable(LABELS_VARIABLE).or_else(|| {
        let lines = std::fs::read_to_string(LABELS_FILE).ok()?;
        Some(lines.trim().replace('\n', ","))
    });
    let cuda_devices = variable("CUDA_VISIBLE_DEVICES");
    let here = Here {
        facts: machine,
        files: &SystemFiles::of_this_system(),
        system: std::env::consts::OS,
        labels: labels.as_deref(),
        cuda_devices: cuda_devices.as_deref(),
    };
    let is_ours = |position: &usize| part.is_none_or(|part| part.jobs.contains(position));
    let mut unmet = BTreeMap::new();
    let mut met = Vec::new();
    for (position, job) in plan.jobs.iter().enumerate() {
        if job.kind != JobKind::Benchmark || job.skip.is_some() || !is_ours(&position) {
            continue;
        }
        match here.lacks(&requirements(plan, job)) {
            Some(reason) => {
                unmet.insert(position, reason);
            }
            None => met.push(position),
        }
    }
    if unmet.is_empty() {
        return unmet;
    }
    let needed: BTreeSet<usize> = with_needs(plan, met.into_iter()).into_iter().collect();
    let in_vain = with_needs(plan, unmet.keys().copied());
    for position in in_vain {
        if !needed.contains(&position) && is_ours(&position) {
            unmet
                .entry(position)
                .or_insert_with(|| "no benchmark that this machine can do needs it".to_owned());
        }
    }
    unmet
}
