//! One process of an engine that speaks the protocol: it loads a model and answers trials.

use super::attempt::{Conversation, Limits, TrialRequest};
use super::context::{Cancellation, RunContext};
use super::notes::Notes;
use super::supervise::{Ended, Task, supervise};
use crate::engine::bridge::{self, BridgeTerms};
use crate::engine::command::protocol_launch;
use crate::engine::launch_any;
use crate::event::RunEvent;
use crate::model::{AudioInput, JobId, Value};
use crate::protocol::{Reply, Request};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

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
    /// It is timed, and so bound to the CPUs that the matrix names.
    pub(super) timed: bool,
}

/// Runs an engine to its end. `on_reply` hears the replies that count.
pub(super) async fn run_engine(
    context: &RunContext,
    task: EngineTask,
    notes: &Notes,
    cancel: Cancellation,
    mut on_reply: impl FnMut(Reply, Duration),
) -> Ended {
    let Some(engine) = context.plan.engines.get(&task.backend) else {
        let reason = format!("the plan knows nothing of `{}`", task.backend);
        return Ended::not_started(reason);
    };
    let deadlines = &context.plan.deadlines;
    let limits = Limits::of_engine(
        deadlines,
        deadlines.start_of(&task.backend, &task.model),
        task.load_limit,
        deadlines.job_of(&task.backend, &task.model),
    );
    let mut settings = task.settings;
    let threads = settings
        .entry("threads".into())
        .or_insert_with(|| Value::integer(i64::from(default_threads(context, task.timed))))
        .as_integer()
        .and_then(|threads| u32::try_from(threads).ok())
        .unwrap_or(1);
    let bridge = bridge::definition(&task.backend);
    let terms = BridgeTerms {
        settings: &settings,
        threads,
        measured: task.timed,
    };
    let variable = |name: &str| context.variable(name);
    let own = context.plan.backends.get(&task.backend);
    let spec = match own {
        Some(definition) => Ok(protocol_launch(definition, threads, variable)),
        None => launch_any(&context.program, engine, &terms, variable),
    };
    let spec = match spec {
        Ok(spec) => spec,
        Err(reason) => return Ended::not_started(reason),
    };
    let (folder, files) = match task.folder {
        Some((folder, files)) => (Some(folder.display().to_string()), files),
        None => (None, Vec::new()),
    };
    let trials: Duration = task
        .trials
        .iter()
        .map(|trial| trial.limit)
        .fold(Duration::ZERO, Duration::saturating_add);
    let conversation = Conversation::Engine {
        expected: task.backend,
        version: engine.version.clone(),
        load: Request::Load {
            directory: folder,
            files,
            model: task.model,
            settings,
        },
        trials: task.trials.into(),
    };
    let process = Task {
        launch: spec,
        directory: own.map(|definition| definition.directory.clone()),
        backstop: limits.backstop(trials),
        log: Some(context.log_of(&task.job, task.launch)),
        answers: false,
        cpus: pinned(context, task.timed),
    };
    let mut start_seconds = 0.0;
    let mut version = String::new();
    supervise(context, process, limits, conversation, cancel, |heard| {
        let reply = notes.hear(&task.job, task.launch, heard, |_| None);
        let Some((reply, took)) = reply else { return };
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
                // What loads anew for each recording has no time of its own for it.
                if !bridge.is_some_and(|bridge| bridge.loads_each_trial) {
                    notes.tell(RunEvent::ModelLoaded {
                        job: task.job.clone(),
                        launch: task.launch,
                        load_seconds: *seconds,
                    });
                }
            }
            _ => {}
        }
        on_reply(reply, took);
    })
    .await
}

/// Returns whether an engine wants to be handed recordings as files.
pub(super) fn wants_file(context: &RunContext, backend: &str) -> bool {
    // What an engine of one's own wants is known only when it runs: it may have both.
    context.plan.backends.contains_key(backend)
        || bridge::definition(backend).is_some_and(|bridge| bridge.audio == AudioInput::File)
}

/// Returns how many threads an engine has that is not told: the physical cores, or as many CPUs as
/// it is bound to.
pub(super) fn default_threads(context: &RunContext, timed: bool) -> u32 {
    let pinned = u32::try_from(pinned(context, timed).len()).unwrap_or(u32::MAX);
    let physical = context.machine.physical_cores.max(1);
    if pinned == 0 {
        physical
    } else {
        pinned.min(physical)
    }
}

/// Returns the CPUs that a process is bound to; none = it may use all.
pub(super) fn pinned(context: &RunContext, timed: bool) -> Vec<u32> {
    if timed {
        context.plan.pin_cpus.clone()
    } else {
        Vec::new()
    }
}
