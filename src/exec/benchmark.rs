//! One launch of an engine: load a model, and for benchmarks time its trials.

use super::attempt::{Attempt, Limits, TrialRequest};
use super::context::{Cancellation, RunContext};
use super::dispatcher::Notes;
use super::inputs::PreparedAudio;
use super::supervise::{Ended, Task, supervise};
use crate::engine::launch;
use crate::event::RunEvent;
use crate::model::{BenchmarkSpec, JobId, Outcome, Phase, Sample, Value};
use crate::protocol::{Reply, Request};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long an engine may take to end once it was asked to.
const CLOSE: Duration = Duration::from_secs(10);
/// How long a killed tree may take to be seen gone.
const DRAIN: Duration = Duration::from_secs(1);

/// An engine to be run once.
pub(super) struct EngineTask {
    pub(super) job: JobId,
    pub(super) backend: String,
    pub(super) model: String,
    /// The artifact's folder and the names of its files.
    pub(super) folder: Option<(PathBuf, Vec<String>)>,
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) launch: u32,
    pub(super) load_limit: Duration,
    pub(super) trials: Vec<TrialRequest>,
}

/// Runs an engine to its end. `on_reply` hears the replies that count.
pub(super) async fn run_engine(
    context: &Arc<RunContext>,
    task: EngineTask,
    notes: &Notes,
    cancel: Cancellation,
    mut on_reply: impl FnMut(Reply, Duration),
) -> Ended {
    let Some(engine) = context.plan.engines.get(&task.backend) else {
        let reason = format!("the plan knows nothing of `{}`", task.backend);
        return Ended {
            outcome: Outcome::Failed {
                phase: Phase::Spawn,
                reason,
            },
            usage: None,
            stderr_tail: String::new(),
        };
    };
    let deadlines = &context.plan.deadlines;
    let limits = Limits {
        start: deadlines.start_of(&task.backend, &task.model),
        load: task.load_limit,
        close: CLOSE,
        grace: deadlines.grace,
        drain: DRAIN,
    };
    let mut settings = task.settings.clone();
    let threads = settings
        .entry("threads".into())
        .or_insert_with(|| Value::integer(i64::from(context.machine.physical_cores)))
        .as_integer()
        .and_then(|threads| u32::try_from(threads).ok())
        .unwrap_or(1);
    let spec = launch(&context.program, engine, &settings, threads, |name| {
        context.variable(name)
    });
    let total: Duration = task.trials.iter().map(|trial| trial.limit).sum();
    let backstop =
        limits.start + limits.load + total + CLOSE + limits.grace + DRAIN + Duration::from_secs(5);
    let (folder, files) = match task.folder {
        Some((folder, files)) => (Some(folder.display().to_string()), files),
        None => (None, Vec::new()),
    };
    let load = Request::Load {
        directory: folder,
        files,
        model: task.model,
        settings,
    };
    let log = context
        .logs
        .join(format!("{}.{}.log", file_name(&task.job), task.launch));
    let process = Task {
        shim_program: context.program.clone(),
        launch: spec,
        directory: None,
        backstop,
        log: Some(log),
    };
    let (accepted, mut replies) = mpsc::unbounded_channel();
    let backend = task.backend;
    let trials = task.trials;
    let attempt = supervise(
        process,
        move |now| Attempt::new(limits, backend, load, trials, now),
        accepted,
        cancel,
    );
    tokio::pin!(attempt);
    let mut start_seconds = 0.0;
    let mut version = String::new();
    let mut hear = |reply: Reply, took: Duration| {
        match &reply {
            Reply::Hello { version: told, .. } => {
                start_seconds = took.as_secs_f64();
                version.clone_from(told);
            }
            Reply::Loaded { seconds, settings } => {
                notes.tell(RunEvent::EngineReady {
                    job: task.job.clone(),
                    launch: task.launch,
                    version: version.clone(),
                    start_seconds,
                    settings: settings.clone(),
                });
                notes.tell(RunEvent::ModelLoaded {
                    job: task.job.clone(),
                    launch: task.launch,
                    load_seconds: *seconds,
                });
            }
            _ => {}
        }
        on_reply(reply, took);
    };
    loop {
        tokio::select! {
            biased;
            Some((reply, took)) = replies.recv() => hear(reply, took),
            ended = &mut attempt => {
                while let Ok((reply, took)) = replies.try_recv() {
                    hear(reply, took);
                }
                return ended;
            }
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call site; a struct would only rename them"
)]
/// Runs one launch of a benchmark and tells every trial.
pub(super) async fn benchmark_launch(
    context: Arc<RunContext>,
    job: JobId,
    spec: BenchmarkSpec,
    launch: u32,
    folder: Option<(PathBuf, Vec<String>)>,
    audio: Vec<PreparedAudio>,
    notes: Notes,
    cancel: Cancellation,
) -> Ended {
    let deadlines = &context.plan.deadlines;
    let mut trials = Vec::new();
    let mut keys = Vec::new();
    let given = spec
        .settings
        .get("language")
        .map(|value| value.written.clone());
    for utterance in &audio {
        for trial in 0..spec.warmup + spec.repeat {
            let number = u32::try_from(trials.len()).unwrap_or(u32::MAX);
            trials.push(TrialRequest {
                request: Request::Transcribe {
                    trial: number,
                    samples: utterance.path.display().to_string(),
                    language: given.clone().or_else(|| utterance.language.clone()),
                },
                limit: deadlines.trial_of(&spec.backend, &spec.model, utterance.seconds),
            });
            keys.push((utterance.id.clone(), utterance.seconds, trial));
        }
    }
    let task = EngineTask {
        job: job.clone(),
        backend: spec.backend.to_string(),
        model: spec.model.to_string(),
        folder,
        settings: spec.settings.to_map(),
        launch,
        load_limit: deadlines.load_of(&spec.backend, &spec.model),
        trials,
    };
    let mut done = 0;
    run_engine(&context, task, &notes, cancel, |reply, took| {
        let Reply::Done {
            text,
            segments,
            language,
            transcribe_seconds,
            first_segment_seconds,
            cpu_seconds,
            ..
        } = reply
        else {
            return;
        };
        let Some((utterance, audio_seconds, trial)) = keys.get(done).cloned() else {
            return;
        };
        done += 1;
        notes.tell(RunEvent::TrialEnded {
            job: job.clone(),
            sample: Sample {
                launch,
                utterance,
                trial,
                attempt: 1,
                warmup: trial < spec.warmup,
                audio_seconds,
                transcribe_seconds,
                wall_seconds: took.as_secs_f64(),
                first_segment_seconds,
                cpu_seconds,
                text,
                segments,
                language,
            },
        });
    })
    .await
}

/// Returns a job's id as one file name.
pub(super) fn file_name(job: &JobId) -> String {
    let name = job.0.replace('/', "+");
    // File systems stop at 255 bytes; the digest at the end keeps it unique.
    let start = name.len().saturating_sub(200);
    name[start..].to_owned()
}
