//! What each job of a plan requires of the machine, and the parts of a plan that require the same.

use crate::model::{
    BenchmarkSpec, EngineFacts, Job, JobSpec, Model, Plan, Requirement, Requirements,
};
use indexmap::IndexMap;

/// Returns what a benchmark requires: what its engine, its model and its combination require together.
///
/// # Errors
///
/// Returns in words why no machine has all of it.
pub(super) fn of_benchmark(
    spec: &BenchmarkSpec,
    engine: Option<&EngineFacts>,
    model: Option<&Model>,
) -> Result<Requirements, String> {
    let by_engine = engine.map_or(Requirements::NONE, |engine| engine.requires.clone());
    let by_model = model.map_or(Requirements::NONE, |model| model.requires.clone());
    by_engine
        .and(&by_model)
        .and_then(|both| both.and(&spec.requires()))
        .map_err(|reason| format!("what it requires does not go together: {reason}"))
}

/// Returns what a benchmark of a plan requires of the machine that it is measured on. Verifies and
/// downloads go with the benchmarks that need them, and require nothing of their own.
#[must_use]
pub fn requirements(plan: &Plan, job: &Job) -> Requirements {
    let JobSpec::Benchmark(spec) = &job.spec else {
        return Requirements::NONE;
    };
    let engine = plan.engines.get(spec.backend.as_str());
    let model = plan.models.get(spec.model.as_str());
    // What does not go together is a planned skip, which any machine can record.
    of_benchmark(spec, engine, model).unwrap_or_default()
}

/// Returns the benchmarks of a plan by what they require, as positions, in the order in which the plan
/// first asks for each kind of machine. There is always one group at least.
///
/// A planned skip needs no machine: it goes with the first group.
#[must_use]
pub fn groups(plan: &Plan) -> IndexMap<Requirements, Vec<usize>> {
    let mut groups: IndexMap<Requirements, Vec<usize>> = IndexMap::new();
    let mut skipped = Vec::new();
    for (position, job) in plan.jobs.iter().enumerate() {
        if !matches!(job.spec, JobSpec::Benchmark(_)) {
            continue;
        }
        if job.skip.is_some() {
            skipped.push(position);
        } else {
            let group = groups.entry(requirements(plan, job)).or_default();
            group.push(position);
        }
    }
    if groups.is_empty() {
        groups.insert(Requirements::NONE, Vec::new());
    }
    if let Some((_, first)) = groups.first_mut() {
        first.extend(skipped);
        first.sort_unstable();
    }
    groups
}

/// Returns in words who asks for a requirement: an engine, a model or a combination, with the first
/// benchmark of the plan that has it. `None` if nobody does.
#[must_use]
pub fn asked_by(plan: &Plan, requirement: &Requirement) -> Option<String> {
    let asks = |set: &Requirements| set.iter().any(|one| one == requirement);
    plan.jobs.iter().find_map(|job| {
        let JobSpec::Benchmark(spec) = &job.spec else {
            return None;
        };
        if job.skip.is_some() {
            return None;
        }
        let engine = plan.engines.get(spec.backend.as_str());
        let model = plan.models.get(spec.model.as_str());
        if engine.is_some_and(|engine| asks(&engine.requires)) {
            return Some(format!("the engine `{}`", spec.backend));
        }
        if model.is_some_and(|model| asks(&model.requires)) {
            return Some(format!("the model `{}`", spec.model));
        }
        let combination = *job.combinations.first()?;
        asks(&spec.requires()).then(|| {
            let values = plan.values(combination).into_iter();
            let values: Vec<String> = values
                .map(|(name, value)| format!("{name}: {}", value.written))
                .collect();
            format!("the combination {{{}}}", values.join(", "))
        })
    })
}
