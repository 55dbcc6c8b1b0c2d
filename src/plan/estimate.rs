//! What a plan may cost, as far as it can be known before anything runs.

use crate::model::{
    BenchmarkSpec, DownloadSpec, Job, JobSpec, Plan, Retries, VerifyMethod, VerifySpec,
};
use std::time::Duration;

/// Returns the longest that a job can take by its limits, all its attempts together. A verify that
/// only looks at files counts with none, a skipped job takes no time, and a recording of unknown
/// length counts with the floor of its limit.
#[must_use]
pub fn worst_case(plan: &Plan, job: &Job) -> Duration {
    if job.skip.is_some() {
        return Duration::ZERO;
    }
    match &job.spec {
        JobSpec::Download(_) => plan
            .deadlines
            .download_total
            .saturating_add(plan.deadlines.grace),
        JobSpec::Verify(spec) => verify(plan, spec),
        JobSpec::Benchmark(spec) => benchmark(plan, spec),
    }
}

fn verify(plan: &Plan, spec: &VerifySpec) -> Duration {
    let loads = match spec.method {
        VerifyMethod::CacheCheck | VerifyMethod::Checksum => return Duration::ZERO,
        VerifyMethod::Load => 1,
        // Its short clip has the same limit once more.
        VerifyMethod::Transcribe => 2,
    };
    let Some(model) = plan
        .models
        .get(spec.model.as_str())
        .filter(|_| spec.artifact.is_some())
    else {
        return Duration::ZERO;
    };
    let deadlines = &plan.deadlines;
    let limit = deadlines.verify_of(&spec.backend, &spec.model, model.size);
    let parts = deadlines
        .start_of(&spec.backend, &spec.model)
        .saturating_add(limit.saturating_mul(loads));
    with_retries(
        &plan.retries,
        whole(plan, &spec.backend, &spec.model, parts),
    )
}

/// Returns the longest of one launch whose parts have limits.
fn whole(plan: &Plan, backend: &str, model: &str, parts: Duration) -> Duration {
    let limit = plan.deadlines.job_of(backend, model);
    limit
        .map_or(parts, |limit| limit.min(parts))
        .saturating_add(plan.deadlines.grace)
}

/// Returns the longest of all attempts of a launch that may crash.
fn with_retries(retries: &Retries, once: Duration) -> Duration {
    (2..=retries.crash.saturating_add(1))
        .map(|attempt| retries.pause_before(attempt).saturating_add(once))
        .fold(once, Duration::saturating_add)
}

fn benchmark(plan: &Plan, spec: &BenchmarkSpec) -> Duration {
    let deadlines = &plan.deadlines;
    let trial = |seconds| deadlines.trial_of(&spec.backend, &spec.model, seconds);
    let once = match plan.audio.get(spec.audio.as_str()) {
        Some(audio) => audio
            .utterances
            .iter()
            .map(|utterance| trial(utterance.seconds.unwrap_or(0.0)))
            .fold(Duration::ZERO, Duration::saturating_add),
        None => trial(0.0),
    };
    let trials = spec.warmup.saturating_add(spec.repeat);
    let is_command = plan
        .backends
        .get(spec.backend.as_str())
        .is_some_and(|definition| !definition.speaks_protocol());
    let parts = if is_command {
        // Each trial is a process, and the limit of a trial covers it.
        let utterances = plan
            .audio
            .get(spec.audio.as_str())
            .map_or(1, |audio| audio.utterances.len());
        let utterances = u32::try_from(utterances).unwrap_or(u32::MAX);
        once.saturating_add(deadlines.grace.saturating_mul(utterances))
            .saturating_mul(trials)
    } else {
        deadlines
            .start_of(&spec.backend, &spec.model)
            .saturating_add(deadlines.load_of(&spec.backend, &spec.model))
            .saturating_add(once.saturating_mul(trials))
    };
    with_retries(
        &plan.retries,
        whole(plan, &spec.backend, &spec.model, parts),
    )
    .saturating_mul(spec.most_launches())
}

/// How much a download brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Bytes.
    pub bytes: u64,
    /// Whether the catalog knows them file by file, and not only about.
    pub exact: bool,
}

/// Returns what a download brings if nothing of it is here: `None` if the catalog does not even know
/// about how much. `is_here` tells which artifacts (model, artifact) need no fetching.
#[must_use]
pub fn bytes_to_fetch(
    plan: &Plan,
    spec: &DownloadSpec,
    is_here: impl Fn(&str, &str) -> bool,
) -> Option<Amount> {
    let nothing = Amount {
        bytes: 0,
        exact: true,
    };
    spec.artifacts
        .iter()
        .filter(|(model, artifact)| !is_here(model, artifact))
        .try_fold(nothing, |sum, (model, artifact)| {
            let artifact = plan.models.get(model)?.artifacts.get(artifact)?;
            let expected = artifact.expected_bytes();
            Some(Amount {
                bytes: (sum.bytes).saturating_add(expected.or(artifact.approximate_bytes)?),
                exact: sum.exact && expected.is_some(),
            })
        })
}
