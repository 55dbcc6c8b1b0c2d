//! One process of an engine that speaks the protocol: it loads a model and answers trials, of one job or
//! of several that want the same of it.

use super::attempt::{Conversation, Limits, TrialRequest};
use super::context::{Cancellation, RunContext};
use super::notes::Notes;
use super::shared_process::Serving;
use super::supervise::{Ended, Heard, Task, supervise};
use crate::engine::bridge::{self, BridgeTerms};
use crate::engine::command::protocol_launch;
use crate::engine::launch_any;
use crate::model::{AudioInput, JobId, Value};
use crate::protocol::{Reply, Request};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

/// What an engine does for a job.
pub(super) struct EngineJob {
    pub(super) job: JobId,
    pub(super) trials: Vec<TrialRequest>,
}

/// An engine to be run once.
pub(super) struct EngineTask {
    /// The jobs that it serves, one after the other; one at least.
    pub(super) jobs: Vec<EngineJob>,
    /// What the process costs is no single job's, even if it happens to serve only one.
    pub(super) shared: bool,
    pub(super) backend: String,
    pub(super) model: String,
    /// The artifact's folder and the names of its files.
    pub(super) folder: Option<(PathBuf, Vec<String>)>,
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) launch: u32,
    pub(super) load_limit: Duration,
    /// It is timed, and so bound to the CPUs that the matrix names.
    pub(super) timed: bool,
}

/// Runs an engine to its end, which is that of its last job; the ends of those before it are told. `on_reply`
/// hears the replies that count, with the position of the job that they are for.
pub(super) async fn run_engine(
    context: &RunContext,
    task: EngineTask,
    notes: &Notes,
    cancel: Cancellation,
    mut on_reply: impl FnMut(usize, Reply, Duration),
) -> Ended {
    let Some(engine) = context.plan.engines.get(&task.backend) else {
        let reason = format!("the plan knows nothing of `{}`", task.backend);
        return Ended::not_started(reason);
    };
    let Some(first) = task.jobs.first() else {
        return Ended::not_started("there is nothing to do".into());
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
    let log = context.log_of(&first.job, task.launch);
    let mut serving = Serving::new(&context.live, notes, &task.jobs, task.launch, task.shared);
    let trials = in_one_row(task.jobs);
    let together: Duration = trials
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
        trials,
    };
    let process = Task {
        launch: spec,
        directory: own.map(|definition| definition.directory.clone()),
        backstop: limits.backstop(together, serving.jobs()),
        log: Some(log),
        answers: false,
        cpus: pinned(context, task.timed),
    };
    // What loads anew for each recording has no time of its own for it.
    let tells_load = !bridge.is_some_and(|bridge| bridge.loads_each_trial);
    let ended = supervise(context, process, limits, conversation, cancel, |heard| {
        let heard = match heard {
            Heard::Wall(wall) => return serving.walled(wall),
            other => other,
        };
        let reply = notes.hear(serving.job(), task.launch, heard, |_| None);
        let Some((reply, took)) = reply else { return };
        match &reply {
            Reply::Hello { version, .. } => serving.said_hello(version.clone(), took),
            Reply::Loaded { seconds, settings } => {
                serving.loaded(settings.clone(), tells_load.then_some(*seconds));
            }
            _ => {}
        }
        let is_trial = matches!(reply, Reply::Done { .. });
        on_reply(serving.position(), reply, took);
        if is_trial {
            serving.trial_done();
        }
    })
    .await;
    serving.end(ended)
}

/// Returns the trials of all jobs, in their order.
fn in_one_row(jobs: Vec<EngineJob>) -> VecDeque<TrialRequest> {
    let mut row = VecDeque::new();
    for mut job in jobs {
        if let (Some(first), false) = (job.trials.first_mut(), row.is_empty()) {
            first.begins_job = true;
        }
        row.extend(job.trials);
    }
    row
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
