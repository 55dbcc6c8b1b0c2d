//! Driving one attempt over one process: bytes and time in, bytes and signals out.

use super::attempt::{Attempt, Conversation, Effect, Input, Limits};
use super::child::Child;
use super::context::{Cancellation, RunContext};
use super::process::spawn;
use crate::clock::Clock;
use crate::engine::LaunchSpec;
use crate::model::{ChildUsage, LeakedProcess, Outcome, Phase, ProcessEnd};
use crate::protocol::{Reply, encode};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// What one attempt needs beside its state machine.
pub(super) struct Task {
    /// How the child is started.
    pub(super) launch: LaunchSpec,
    /// Where it is started.
    pub(super) directory: Option<PathBuf>,
    /// The shim's own limit: later than anything the runner would allow.
    pub(super) backstop: Duration,
    /// Where its output is kept.
    pub(super) log: Option<PathBuf>,
    /// Its standard output is its answer.
    pub(super) answers: bool,
    /// The CPUs that it is bound to; empty = all.
    pub(super) cpus: Vec<u32>,
}

/// What an attempt came to.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) process: ProcessEnd,
    pub(super) usage: Option<ChildUsage>,
    pub(super) stderr_tail: String,
    /// Processes that were left by the one that was started.
    pub(super) leaked: Vec<LeakedProcess>,
    /// How many there were.
    pub(super) leaked_count: u32,
    /// What came on standard output, if that is the answer.
    pub(super) answer: Vec<u8>,
    /// The answer was longer than is taken, and is cut.
    pub(super) is_too_long: bool,
    /// Doing the same once more would end the same.
    pub(super) is_final: bool,
}

impl Ended {
    /// Returns the end of something that could not be started.
    pub(super) fn not_started(reason: String) -> Self {
        let phase = Phase::Spawn;
        Self::without_process(Outcome::Failed { phase, reason })
    }

    /// Returns an end without a process.
    pub(super) fn without_process(outcome: Outcome) -> Self {
        Self {
            outcome,
            process: ProcessEnd::default(),
            usage: None,
            stderr_tail: String::new(),
            leaked: Vec::new(),
            leaked_count: 0,
            answer: Vec::new(),
            is_too_long: false,
            is_final: false,
        }
    }
}

/// What an attempt lets others hear while it runs.
pub(super) enum Heard {
    /// A reply that counts, with the runner's own time since the request before it.
    Reply(Reply, Duration),
    /// A line of a program's error output.
    Line(String),
    /// A phase takes long.
    Slow {
        phase: Phase,
        taken: Duration,
        limit: Duration,
    },
}

/// Runs an attempt to its end.
pub(super) async fn supervise(
    context: &RunContext,
    task: Task,
    limits: Limits,
    conversation: Conversation,
    cancel: Cancellation,
    hear: impl FnMut(Heard),
) -> Ended {
    start(context, task, limits, conversation, cancel, hear)
        .await
        .0
}

/// Starts a process and runs an attempt over it to its end. Returns the process too if it is to be kept.
pub(super) async fn start(
    context: &RunContext,
    task: Task,
    limits: Limits,
    conversation: Conversation,
    cancel: Cancellation,
    hear: impl FnMut(Heard),
) -> (Ended, Option<Child>) {
    let tells_lines = matches!(conversation, Conversation::Program { .. });
    // The first reply is timed from before the spawn: that is what a start is.
    let now = context.live.clock.now();
    let attempt = Attempt::new(limits, conversation, now);
    let process = match spawn(context, &task) {
        Ok(process) => process,
        Err(error) => return (Ended::not_started(error.to_string()), None),
    };
    let child = Child::new(process, &context.live, &task, tells_lines);
    drive(context, child, attempt, (now, None), cancel, hear).await
}

/// Runs an attempt to its end over a process that another one left. Returns the process too if it is kept once
/// more.
pub(super) async fn go_on(
    context: &RunContext,
    child: Child,
    limits: Limits,
    conversation: Conversation,
    cancel: Cancellation,
    hear: impl FnMut(Heard),
) -> (Ended, Option<Child>) {
    let now = context.live.clock.now();
    let (attempt, first) = Attempt::going_on(limits, conversation, now);
    drive(context, child, attempt, (now, Some(first)), cancel, hear).await
}

/// Runs an attempt that began at a time, with the first thing that is to be done.
async fn drive(
    context: &RunContext,
    mut child: Child,
    mut attempt: Attempt,
    (began, first): (Duration, Option<Effect>),
    cancel: Cancellation,
    mut hear: impl FnMut(Heard),
) -> (Ended, Option<Child>) {
    let live = &context.live;
    let (mut now, mut request_sent) = (began, began);
    let mut cancel = Cancel(cancel);
    let mut effects: Vec<Effect> = first.into_iter().collect();
    loop {
        for effect in effects {
            match effect {
                Effect::Send(request) => {
                    request_sent = live.clock.now();
                    child.send(&encode(&request)).await;
                }
                Effect::Terminate => child.control(b'T'),
                Effect::Kill => child.control(b'K'),
                Effect::Accept(reply) => {
                    hear(Heard::Reply(*reply, now.saturating_sub(request_sent)));
                }
                Effect::Tell(text) => hear(Heard::Line(text)),
                Effect::Slow {
                    phase,
                    taken,
                    limit,
                } => hear(Heard::Slow {
                    phase,
                    taken,
                    limit,
                }),
                Effect::Finish(outcome) => {
                    let ended = child.finish(outcome).await;
                    return (told_together(ended, &mut cancel).await, None);
                }
                Effect::Keep => {
                    let ended = Ended::without_process(Outcome::Completed);
                    return (ended, Some(child));
                }
            }
        }
        // Until it ends, an attempt has an alarm.
        let wakes_at = attempt.wakes_at().unwrap_or_default();
        let input = tokio::select! {
            // A child that never stops talking must not keep its limit from being seen.
            biased;
            reason = cancel.wait() => Input::Cancel(reason),
            () = live.sleep_until(wakes_at) => Input::Tick,
            input = child.next() => input,
        };
        now = live.clock.now();
        effects = attempt.on(input, now);
    }
}

/// How long after a child's end the wish to end the whole run may come that ended the child too.
const TOGETHER: Duration = Duration::from_secs(1);

/// Whoever ends a service or a scheduler's job sends one signal to all of its processes, and the child may
/// die of it before the runner hears it. Then it did not crash: the run was cancelled.
async fn told_together(mut ended: Ended, cancel: &mut Cancel) -> Ended {
    // As a shell tells a signal: 128 and its number.
    let asks_to_end = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP];
    let was_asked = match &ended.outcome {
        Outcome::Crashed {
            signal, exit_code, ..
        } => {
            let told = signal.or(exit_code.map(|code| code - 128));
            told.is_some_and(|signal| asks_to_end.contains(&signal))
        }
        _ => false,
    };
    if was_asked && let Ok(reason) = tokio::time::timeout(TOGETHER, cancel.wait()).await {
        ended.outcome = Outcome::Cancelled { reason };
    }
    ended
}

/// A wish to cancel, told once.
pub(super) struct Cancel(pub(super) watch::Receiver<Option<String>>);

impl Cancel {
    /// Waits for the next wish. A second wish comes through again: it ends things at once.
    pub(super) async fn wait(&mut self) -> String {
        loop {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            if let Some(reason) = self.0.borrow_and_update().clone() {
                return reason;
            }
        }
    }
}
