//! One process of an engine that speaks the protocol: it loads a model and answers trials, of one job or, if
//! it is kept (`isolation: model`), of several that want the same of it. Each of these is an attempt of
//! its own, with its own limits and its own log.

use super::attempt::{Conversation, Limits, TrialRequest};
use super::child::Child;
use super::context::{Cancellation, RunContext};
use super::notes::Notes;
use super::supervise::{Ended, Task, go_on, start};
use crate::clock::Clock;
use crate::engine::bridge::{self, BridgeTerms};
use crate::engine::command::protocol_launch;
use crate::engine::launch_any;
use crate::event::RunEvent;
use crate::model::{AudioInput, ChildUsage, JobId, Value};
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
    /// What its process costs is no single job's, even if it happens to serve only one.
    pub(super) shared: bool,
    /// The process serves jobs after this one; so long they may take it at most.
    pub(super) keep: Option<Duration>,
}

/// A process of an engine that has loaded its model, and waits for the next job.
pub(super) struct KeptEngine {
    child: Child,
    limits: Limits,
    conversation: Conversation,
    version: String,
    /// The settings in effect, as the engine said.
    settings: BTreeMap<String, Value>,
}

impl KeptEngine {
    /// Returns whether it may be given another job: it is there, and said nothing unasked.
    pub(super) async fn is_silent(&mut self) -> bool {
        self.child.is_silent().await
    }

    /// Asks it to end, and sees to it that it does.
    pub(super) async fn end(self, context: &RunContext, cancel: Cancellation) {
        // Its last job is over; there is nobody left to whom its end could be told.
        go_on(
            context,
            self.child,
            self.limits,
            self.conversation,
            cancel,
            |_| {},
        )
        .await;
    }
}

/// Runs the trials of a job in a process of an engine: in the one that was kept, if there is one, else in a
/// new one. `on_reply` hears the replies that count. Returns the process too if it is kept.
pub(super) async fn run_engine(
    context: &RunContext,
    task: EngineTask,
    kept: Option<KeptEngine>,
    notes: &Notes,
    cancel: Cancellation,
    mut on_reply: impl FnMut(Reply, Duration),
) -> (Ended, Option<KeptEngine>) {
    let begun = context.live.clock.now();
    let (process, limits, conversation) = match start_of(context, &task) {
        Ok(start) => start,
        Err(reason) => return (Ended::not_started(reason), None),
    };
    // What loads anew for each recording has no time of its own for it.
    let tells_load = !bridge::definition(&task.backend).is_some_and(|it| it.loads_each_trial);
    let ending = conversation.without_trials();
    let ready = |version: &str, start_seconds, settings: &BTreeMap<String, Value>| {
        notes.tell(RunEvent::EngineReady {
            job: task.job.clone(),
            launch: task.launch,
            version: version.to_owned(),
            start_seconds,
            settings: settings.clone(),
        });
    };
    let mut start_seconds = 0.0;
    let (mut version, mut in_effect) = (String::new(), BTreeMap::new());
    if let Some(kept) = &kept {
        version.clone_from(&kept.version);
        in_effect.clone_from(&kept.settings);
        ready(&version, None, &in_effect);
    }
    let hear = |heard| {
        let reply = notes.hear(&task.job, task.launch, heard, |_| None);
        let Some((reply, took)) = reply else { return };
        match &reply {
            Reply::Hello { version: told, .. } => {
                start_seconds = took.as_secs_f64();
                version.clone_from(told);
            }
            Reply::Loaded { seconds, settings } => {
                in_effect.clone_from(settings);
                ready(&version, Some(start_seconds), settings);
                if tells_load {
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
    };
    let (mut ended, child) = match kept {
        Some(mut kept) => {
            kept.child.log_to(process.log.as_deref());
            go_on(context, kept.child, limits, conversation, cancel, hear).await
        }
        None => start(context, process, limits, conversation, cancel, hear).await,
    };
    if task.shared {
        let took = context.live.clock.now().saturating_sub(begun);
        ended.usage = part(took, ended.usage, child.as_ref());
    }
    let kept = child.map(|child| KeptEngine {
        child,
        limits,
        conversation: ending,
        version,
        settings: in_effect,
    });
    (ended, kept)
}

/// Returns what is known of what a process cost for one of the jobs that it serves.
fn part(took: Duration, whole: Option<ChildUsage>, child: Option<&Child>) -> Option<ChildUsage> {
    let (leaked_processes, network_wall) = match (whole, child) {
        (Some(whole), _) => (whole.leaked_processes, whole.network_wall),
        (None, Some(child)) => (0, child.wall().to_owned()),
        (None, None) => return None,
    };
    Some(ChildUsage {
        wall_seconds: took.as_secs_f64(),
        leaked_processes,
        network_wall,
        ..ChildUsage::default()
    })
}

/// Returns how an engine is started for a task, its limits, and what is said to it; or why it cannot be.
fn start_of(
    context: &RunContext,
    task: &EngineTask,
) -> Result<(Task, Limits, Conversation), String> {
    let engine = context
        .plan
        .engines
        .get(&task.backend)
        .ok_or_else(|| format!("the plan knows nothing of `{}`", task.backend))?;
    let deadlines = &context.plan.deadlines;
    let limits = Limits::of_engine(
        deadlines,
        deadlines.start_of(&task.backend, &task.model),
        task.load_limit,
        deadlines.job_of(&task.backend, &task.model),
    );
    let mut settings = task.settings.clone();
    let threads = settings
        .entry("threads".into())
        .or_insert_with(|| Value::integer(i64::from(default_threads(context, task.timed))))
        .as_integer()
        .and_then(|threads| u32::try_from(threads).ok())
        .unwrap_or(1);
    let terms = BridgeTerms {
        settings: &settings,
        threads,
        measured: task.timed,
    };
    let variable = |name: &str| context.variable(name);
    let own = context.plan.backends.get(&task.backend);
    let launch = match own {
        Some(definition) => protocol_launch(definition, threads, variable),
        None => launch_any(&context.program, engine, &terms, variable)?,
    };
    let (folder, files) = match &task.folder {
        Some((folder, files)) => (Some(folder.display().to_string()), files.clone()),
        None => (None, Vec::new()),
    };
    let trials: Duration = task
        .trials
        .iter()
        .map(|trial| trial.limit)
        .fold(Duration::ZERO, Duration::saturating_add);
    let later = task.keep.unwrap_or_default();
    let process = Task {
        launch,
        directory: own.map(|definition| definition.directory.clone()),
        backstop: limits.backstop(trials).saturating_add(later),
        log: Some(context.log_of(&task.job, task.launch)),
        answers: false,
        cpus: pinned(context, task.timed),
    };
    let conversation = Conversation::Engine {
        expected: task.backend.clone(),
        version: engine.version.clone(),
        load: Request::Load {
            directory: folder,
            files,
            model: task.model.clone(),
            settings,
        },
        trials: task.trials.clone().into(),
        keep: task.keep.is_some(),
    };
    Ok((process, limits, conversation))
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
