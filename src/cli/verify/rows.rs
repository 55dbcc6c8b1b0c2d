//! What is known of each model that was asked for, as the table and the document show it.

use crate::model::{JobSpec, Plan, Stage, Verdict, VerifyFinding};
use crate::record::RunRecord;
use std::collections::BTreeSet;

/// One answer.
pub(super) struct Row {
    /// The job's id; nothing where none was planned.
    pub(super) job: Option<String>,
    /// What it is called in a list of details.
    pub(super) name: String,
    pub(super) backend: String,
    pub(super) model: String,
    pub(super) artifact: Option<String>,
    pub(super) method: String,
    /// The finding; nothing if the job ended without one.
    pub(super) finding: Option<VerifyFinding>,
    pub(super) seconds: f64,
}

/// Returns the answers of the verifies of a stage, in the order of the plan.
pub(super) fn asked(record: &RunRecord, stage: Stage) -> Vec<Row> {
    let jobs = record.plan.jobs.iter();
    jobs.filter_map(|job| {
        let JobSpec::Verify(spec) = &job.spec else {
            return None;
        };
        let found = record.job(&job.id);
        (spec.stage == stage).then(|| Row {
            job: Some(job.id.0.to_string()),
            name: job.spec.slug(),
            backend: spec.backend.to_string(),
            model: spec.model.to_string(),
            artifact: spec.artifact.as_ref().map(ToString::to_string),
            method: spec.method.to_string(),
            finding: found.and_then(|found| found.finding.clone()),
            seconds: found.map_or(0.0, |found| found.seconds),
        })
    })
    .collect()
}

/// Returns an answer for each combination of engine, model and method that cannot be here, and so
/// has no verify.
pub(super) fn unsupported(plan: &Plan) -> Vec<Row> {
    let mut told = BTreeSet::new();
    let mut rows = Vec::new();
    for job in &plan.jobs {
        let (JobSpec::Benchmark(spec), Some(reason), true) =
            (&job.spec, &job.skip, job.needs.is_empty())
        else {
            continue;
        };
        let first = job.combinations.first().copied();
        let method = first.and_then(|first| plan.combinations.value(first, "verify-method"));
        let method = method.map_or_else(String::new, |method| method.written.clone());
        let (backend, model) = (spec.backend.to_string(), spec.model.to_string());
        let quantization = spec.quantization.to_string();
        if told.insert((backend.clone(), model.clone(), quantization, reason.clone())) {
            rows.push(Row {
                job: None,
                name: format!("{backend} with {model}"),
                backend,
                model,
                artifact: spec.artifact.as_ref().map(ToString::to_string),
                method,
                finding: Some(VerifyFinding::plain(Verdict::Unsupported, reason.clone())),
                seconds: 0.0,
            });
        }
    }
    rows
}
