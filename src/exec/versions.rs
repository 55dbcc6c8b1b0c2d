//! What command backends say their version is.

use super::attempt::{Conversation, Limits};
use super::context::{Cancellation, RunContext};
use super::supervise::{Task, supervise};
use crate::engine::command::CommandBackend;
use crate::model::{JobSpec, Outcome, Phase};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The longest version that is kept.
const LONGEST: usize = 200;

/// Asks the command backends that a run measures, where their definition says how, for their
/// version, each within the limit of a start. Returns the first line of each answer by backend, and
/// a sentence for each that gave none.
pub async fn probe_versions(
    context: &RunContext,
    cancel: Cancellation,
) -> (BTreeMap<String, String>, Vec<String>) {
    let mut versions = BTreeMap::new();
    let mut complaints = Vec::new();
    let jobs = context.plan.jobs.iter().enumerate();
    let used: BTreeSet<&str> = jobs
        .filter(|(position, job)| job.skip.is_none() && context.does(*position))
        .filter_map(|(_, job)| match &job.spec {
            JobSpec::Benchmark(spec) => Some(spec.backend.as_str()),
            _ => None,
        })
        .collect();
    for (id, definition) in &context.plan.backends {
        if !used.contains(id.as_str()) || definition.version.is_none() {
            continue;
        }
        let Ok(backend) = CommandBackend::new(definition) else {
            // Its jobs will say what is wrong with it.
            continue;
        };
        match ask(context, id, &backend, cancel.clone()).await {
            Ok(version) => {
                versions.insert(id.clone(), version);
            }
            Err(reason) => complaints.push(format!("the version of `{id}` is not known: {reason}")),
        }
    }
    (versions, complaints)
}

async fn ask(
    context: &RunContext,
    id: &str,
    backend: &CommandBackend,
    cancel: Cancellation,
) -> Result<String, String> {
    let get = |name: &str| context.variable(name);
    let launch = backend
        .version_launch(get)?
        .ok_or("its definition does not say how to ask")?;
    let deadlines = &context.plan.deadlines;
    let limits = Limits::of_program(deadlines, deadlines.start_of(id, ""));
    let task = Task {
        launch,
        directory: Some(backend.directory().to_path_buf()),
        backstop: limits.backstop(Duration::ZERO),
        log: None,
        answers: true,
        cpus: Vec::new(),
    };
    let conversation = Conversation::Program {
        phase: Phase::Start,
        name: "the version command",
    };
    let ended = supervise(context, task, limits, conversation, cancel, |_| {}).await;
    if ended.outcome != Outcome::Completed {
        return Err(ended.outcome.reason());
    }
    let text = String::from_utf8_lossy(&ended.answer);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    first
        .map(|line| line.chars().take(LONGEST).collect())
        .ok_or_else(|| "it wrote nothing".into())
}
