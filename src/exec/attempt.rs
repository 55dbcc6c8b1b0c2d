//! One attempt as a pure state machine: what happened goes in with the time, what to do comes out.
//!
//! It knows no process and reads no clock. However its inputs come, it ends exactly once, never
//! later than the running limit, the grace and the drain together, and it accepts no trial once it
//! is being ended.

use crate::model::{Deadlines, Outcome, Phase};
use crate::protocol::{Reply, Request, VERSION};
use std::collections::VecDeque;
use std::time::Duration;

/// The limits of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Spawn to the end of the first phase: an engine's hello, or a program's own end.
    pub(super) start: Duration,
    /// Load to loaded.
    pub(super) load: Duration,
    /// Asked to end to ended.
    pub(super) close: Duration,
    /// All of it together, but for grace and drain; `None` = the phases' limits are enough.
    pub(super) whole: Option<Duration>,
    /// The share of a limit after which an attempt is told to be slow; 1 = never.
    pub(super) slow: f64,
    /// Asked to end by signal to the forced end.
    pub(super) grace: Duration,
    /// Forced end to giving up on seeing it.
    pub(super) drain: Duration,
}

/// How long an engine may take to end once it was asked to.
const CLOSE: Duration = Duration::from_secs(10);
/// How long a killed tree may take to be seen gone.
const DRAIN: Duration = Duration::from_secs(1);
/// How much later than the runner a shim ends things by itself.
const BEHIND: Duration = Duration::from_secs(5);

impl Limits {
    /// Returns the limits of an engine: its hello, its load, and what the deadlines say.
    pub(super) fn of_engine(
        deadlines: &Deadlines,
        start: Duration,
        load: Duration,
        whole: Option<Duration>,
    ) -> Self {
        Self {
            start,
            load,
            close: CLOSE,
            whole,
            slow: deadlines.slow,
            grace: deadlines.grace,
            drain: DRAIN,
        }
    }

    /// Returns the limits of a program that does its work in one phase.
    pub(super) fn of_program(deadlines: &Deadlines, limit: Duration) -> Self {
        Self::of_engine(deadlines, limit, Duration::ZERO, None)
    }

    /// Returns the shim's own limit, which is later than anything that the runner allows. `trials`
    /// is what all trials may take together.
    pub(super) fn backstop(&self, trials: Duration) -> Duration {
        let phases = [self.start, self.load, trials, self.close]
            .into_iter()
            .fold(Duration::ZERO, Duration::saturating_add);
        let working = self.whole.map_or(phases, |whole| whole.min(phases));
        [self.grace, self.drain, BEHIND]
            .into_iter()
            .fold(working, Duration::saturating_add)
    }
}

/// One trial to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TrialRequest {
    /// Its number, which the answer must give back.
    pub(super) number: u32,
    /// What is sent.
    pub(super) request: Request,
    /// Its limit.
    pub(super) limit: Duration,
}

/// What an attempt talks to.
#[derive(Clone, Debug)]
pub(super) enum Conversation {
    /// An engine, by the protocol: hello, load, trials, shutdown.
    Engine {
        /// The engine that must say hello.
        expected: String,
        /// The version that it must tell; `None` = any.
        version: Option<String>,
        /// The request to load.
        load: Request,
        /// The trials in their order.
        trials: VecDeque<TrialRequest>,
        /// The process serves another job after this one: it is not asked to end.
        keep: bool,
    },
    /// A program that does its work and ends by itself, all in one phase.
    Program {
        /// The phase.
        phase: Phase,
        /// What it is called in a reason, such as `the recipe`.
        name: &'static str,
    },
}

impl Conversation {
    /// Returns the same without anything to ask for but the end.
    pub(super) fn without_trials(&self) -> Self {
        let mut rest = self.clone();
        if let Self::Engine { trials, keep, .. } = &mut rest {
            trials.clear();
            *keep = false;
        }
        rest
    }
}

/// What happens to an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    /// The engine said something.
    Reply(Box<Reply>),
    /// The engine said something before it had been sent the request that is open now.
    Unasked(Box<Reply>),
    /// The engine said something that is no message.
    Garbage(String),
    /// A child that speaks no protocol said a line.
    Line(String),
    /// The process and all it started are gone.
    Gone(Gone),
    /// The run is over, or its user does not want to wait.
    Cancel(String),
    /// Nothing happened; a limit may have passed.
    Tick,
}

/// How a process ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Gone {
    pub(super) exit_code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) stderr_tail: String,
    /// It was never started, and why.
    pub(super) not_started: Option<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Send a request.
    Send(Request),
    /// Ask the tree to end.
    Terminate,
    /// End the tree.
    Kill,
    /// Take note of a reply: hello, loaded, or a finished trial.
    Accept(Box<Reply>),
    /// Tell a line of a program.
    Tell(String),
    /// Tell that a phase takes long.
    Slow {
        phase: Phase,
        taken: Duration,
        limit: Duration,
    },
    /// It is over.
    Finish(Outcome),
    /// It is over, and ended well; the process waits for the next job.
    Keep,
}

/// A phase that runs, and what it may take.
#[derive(Clone, Copy, Debug)]
struct Working {
    phase: Phase,
    since: Duration,
    limit: Duration,
    told_slow: bool,
}

#[derive(Clone, Debug)]
enum State {
    Working(Working),
    /// Asked to end by signal, then forced; the outcome is decided.
    Ending {
        outcome: Outcome,
        since: Duration,
        killed: bool,
    },
    Ended,
}

/// An attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    limits: Limits,
    conversation: Conversation,
    begun: Duration,
    /// The trial that is running.
    trial: Option<u32>,
    state: State,
}

impl Attempt {
    /// Begins: the process is being made at this moment.
    pub(super) fn new(limits: Limits, conversation: Conversation, now: Duration) -> Self {
        let phase = match &conversation {
            Conversation::Engine { .. } => Phase::Start,
            Conversation::Program { phase, .. } => *phase,
        };
        Self {
            limits,
            conversation,
            begun: now,
            trial: None,
            state: State::Working(Working {
                phase,
                since: now,
                limit: limits.start,
                told_slow: false,
            }),
        }
    }

    /// Goes on with a process that another attempt left, whose model is loaded: its first trial is sent, or,
    /// without one, it is asked to end.
    pub(super) fn going_on(
        limits: Limits,
        conversation: Conversation,
        now: Duration,
    ) -> (Self, Effect) {
        let mut attempt = Self::new(limits, conversation, now);
        let first = attempt.next_trial(now);
        (attempt, first)
    }

    /// Returns when the attempt wants to be looked at again if nothing happens.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        match &self.state {
            State::Working(working) => {
                let hard = self.deadline(*working).0;
                Some(match self.slow_at(*working) {
                    Some(soft) => soft.min(hard),
                    None => hard,
                })
            }
            State::Ending {
                since,
                killed: false,
                ..
            } => Some(since.saturating_add(self.limits.grace)),
            State::Ending { since, .. } => Some(self.given_up_at(*since)),
            State::Ended => None,
        }
    }

    /// Takes an input and returns what is to be done.
    pub(super) fn on(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        match self.state.clone() {
            State::Ended => Vec::new(),
            State::Ending {
                outcome,
                since,
                killed,
            } => self.on_ending(input, outcome, since, killed, now),
            State::Working(working) => self.on_working(input, working, now),
        }
    }

    /// Returns when the running phase is over, and which limit that is.
    fn deadline(&self, working: Working) -> (Duration, Phase, Duration) {
        let own = working.since.saturating_add(working.limit);
        match self.limits.whole {
            Some(whole) if self.begun.saturating_add(whole) < own => {
                (self.begun.saturating_add(whole), Phase::Job, whole)
            }
            _ => (own, working.phase, working.limit),
        }
    }

    /// Returns when the running phase is slow; `None` if that is told already, or never.
    fn slow_at(&self, working: Working) -> Option<Duration> {
        let share = self.limits.slow;
        if working.told_slow || !(0.0..1.0).contains(&share) {
            return None;
        }
        Some(working.since.saturating_add(working.limit.mul_f64(share)))
    }

    fn given_up_at(&self, since: Duration) -> Duration {
        since
            .saturating_add(self.limits.grace)
            .saturating_add(self.limits.drain)
    }

    fn on_working(&mut self, input: Input, working: Working, now: Duration) -> Vec<Effect> {
        let phase = working.phase;
        let (deadline, over, limit) = self.deadline(working);
        // A reply that arrives after its limit is late, however it was delivered.
        if now >= deadline && !matches!(input, Input::Gone(_) | Input::Cancel(_)) {
            let limit_seconds = limit.as_secs_f64();
            let outcome = Outcome::TimedOut {
                phase: over,
                limit_seconds,
            };
            return self.end(outcome, now);
        }
        match input {
            Input::Tick => self.on_tick(working, now),
            Input::Line(line) => vec![Effect::Tell(line)],
            Input::Cancel(reason) => self.end(Outcome::Cancelled { reason }, now),
            Input::Garbage(reason) => self.end(Outcome::ProtocolViolation { phase, reason }, now),
            Input::Gone(gone) => {
                self.state = State::Ended;
                vec![Effect::Finish(self.gone_while(phase, gone))]
            }
            Input::Unasked(reply) => {
                let asked = match phase {
                    Phase::Load => "it was asked to load".to_owned(),
                    Phase::Trial => format!("{} was asked for", self.asked()),
                    _ => "it was asked to end".to_owned(),
                };
                let reason = format!(
                    "it sent {}, expected nothing before {asked}",
                    in_words(&reply)
                );
                self.end(Outcome::ProtocolViolation { phase, reason }, now)
            }
            Input::Reply(reply) => self.on_reply(phase, reply, now),
        }
    }

    fn on_tick(&mut self, working: Working, now: Duration) -> Vec<Effect> {
        if self.slow_at(working).is_none_or(|soft| now < soft) {
            return Vec::new();
        }
        self.state = State::Working(Working {
            told_slow: true,
            ..working
        });
        vec![Effect::Slow {
            phase: working.phase,
            taken: now.saturating_sub(working.since),
            limit: working.limit,
        }]
    }

    fn on_ending(
        &mut self,
        input: Input,
        outcome: Outcome,
        since: Duration,
        killed: bool,
        now: Duration,
    ) -> Vec<Effect> {
        match input {
            Input::Gone(_) => {
                self.state = State::Ended;
                return vec![Effect::Finish(outcome)];
            }
            // What it was told to end for is in there, often as its last words.
            Input::Line(line) => return vec![Effect::Tell(line)],
            _ => {}
        }
        let impatient = matches!(input, Input::Cancel(_));
        if !killed && (impatient || now >= since.saturating_add(self.limits.grace)) {
            self.state = State::Ending {
                outcome,
                since,
                killed: true,
            };
            return vec![Effect::Kill];
        }
        if killed && now >= self.given_up_at(since) {
            // It does not die: a process in the kernel's hands. The run goes on without it.
            self.state = State::Ended;
            return vec![Effect::Finish(outcome)];
        }
        Vec::new()
    }

    fn on_reply(&mut self, phase: Phase, reply: Box<Reply>, now: Duration) -> Vec<Effect> {
        match (phase, reply.as_ref()) {
            (
                Phase::Start,
                Reply::Hello {
                    protocol,
                    engine,
                    version,
                    ..
                },
            ) => match self.refuse_hello(*protocol, engine, version) {
                Some(reason) => self.end(Outcome::ProtocolViolation { phase, reason }, now),
                None => {
                    self.enter(Phase::Load, self.limits.load, now);
                    let mut effects = vec![Effect::Accept(reply)];
                    if let Conversation::Engine { load, .. } = &self.conversation {
                        effects.push(Effect::Send(load.clone()));
                    }
                    effects
                }
            },
            (Phase::Load, Reply::Loaded { .. }) => {
                vec![Effect::Accept(reply), self.next_trial(now)]
            }
            (Phase::Trial, Reply::Segment { trial, .. }) if Some(*trial) == self.trial => {
                Vec::new()
            }
            (Phase::Trial, Reply::Done { trial, .. }) if Some(*trial) == self.trial => {
                vec![Effect::Accept(reply), self.next_trial(now)]
            }
            (_, Reply::Error { message, .. }) => {
                let reason = message.clone();
                self.end(Outcome::Failed { phase, reason }, now)
            }
            (_, other) => {
                let expected = match phase {
                    Phase::Start => "`hello`".to_owned(),
                    Phase::Load => "`loaded`".to_owned(),
                    Phase::Trial => format!("the answer to {}", self.asked()),
                    _ => "nothing but its end".to_owned(),
                };
                let reason = format!("it sent {}, expected {expected}", in_words(other));
                self.end(Outcome::ProtocolViolation { phase, reason }, now)
            }
        }
    }

    /// Returns the words for the trial that is running.
    fn asked(&self) -> String {
        format!("trial {}", self.trial.unwrap_or_default())
    }

    /// Returns what is wrong with a hello.
    fn refuse_hello(&self, protocol: u32, engine: &str, version: &str) -> Option<String> {
        if protocol != VERSION {
            return Some(format!("it speaks version {protocol}, expected {VERSION}"));
        }
        match &self.conversation {
            Conversation::Engine { expected, .. } if engine != expected => {
                Some(format!("it says it is `{engine}`, expected `{expected}`"))
            }
            Conversation::Engine {
                version: Some(expected),
                ..
            } if version != expected => Some(format!(
                "it says it is version `{version}`, expected `{expected}`, which was planned with"
            )),
            _ => None,
        }
    }

    fn next_trial(&mut self, now: Duration) -> Effect {
        let (next, keep) = match &mut self.conversation {
            Conversation::Engine { trials, keep, .. } => (trials.pop_front(), *keep),
            Conversation::Program { .. } => (None, false),
        };
        self.trial = next.as_ref().map(|trial| trial.number);
        match next {
            Some(trial) => {
                self.enter(Phase::Trial, trial.limit, now);
                Effect::Send(trial.request)
            }
            None if keep => {
                self.state = State::Ended;
                Effect::Keep
            }
            None => {
                self.enter(Phase::Close, self.limits.close, now);
                Effect::Send(Request::Shutdown)
            }
        }
    }

    fn enter(&mut self, phase: Phase, limit: Duration, now: Duration) {
        self.state = State::Working(Working {
            phase,
            since: now,
            limit,
            told_slow: false,
        });
    }

    fn end(&mut self, outcome: Outcome, now: Duration) -> Vec<Effect> {
        self.state = State::Ending {
            outcome,
            since: now,
            killed: false,
        };
        vec![Effect::Terminate]
    }

    /// Returns the outcome of an attempt whose process ended by itself.
    fn gone_while(&self, phase: Phase, gone: Gone) -> Outcome {
        if let Some(reason) = gone.not_started {
            return Outcome::Failed {
                phase: Phase::Spawn,
                reason,
            };
        }
        match (&self.conversation, gone.exit_code) {
            (Conversation::Program { .. }, Some(0)) => Outcome::Completed,
            // A program's status is how it says that it failed.
            (Conversation::Program { name, .. }, Some(code)) => Outcome::Failed {
                phase,
                reason: failed_with(name, code, &gone.stderr_tail),
            },
            (Conversation::Engine { .. }, Some(0)) if phase == Phase::Close => Outcome::Completed,
            (_, exit_code) => Outcome::Crashed {
                phase,
                signal: gone.signal,
                exit_code,
                stderr_tail: gone.stderr_tail,
            },
        }
    }
}

/// Returns the words for what an engine sent.
pub(super) fn in_words(reply: &Reply) -> String {
    match reply {
        Reply::Hello { .. } => "`hello`".into(),
        Reply::Probed { .. } => "`probed`".into(),
        Reply::Loaded { .. } => "`loaded`".into(),
        Reply::Segment { trial, .. } => format!("`segment` of trial {trial}"),
        Reply::Done { trial, .. } => format!("`done` of trial {trial}"),
        Reply::Error { kind, message } => format!("`error` of kind {kind}: {message}"),
    }
}

fn failed_with(name: &str, code: i32, stderr_tail: &str) -> String {
    let last = stderr_tail
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty());
    match last {
        Some(line) => format!("{name} ended with status {code}: {}", line.trim()),
        None => format!("{name} ended with status {code}"),
    }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
