//! One attempt as a pure state machine: what happened goes in with the time, what to do comes out.
//!
//! It knows no process and reads no clock. However its inputs come, it ends exactly once, never
//! later than the running limit, the grace and the drain together, and it accepts no trial once it
//! is being ended.

use crate::model::{Outcome, Phase};
use crate::protocol::{Reply, Request, VERSION};
use std::collections::VecDeque;
use std::time::Duration;

/// The limits of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Spawn to hello.
    pub(super) start: Duration,
    /// Load to loaded.
    pub(super) load: Duration,
    /// Asked to end to ended.
    pub(super) close: Duration,
    /// Asked to end by signal to the forced end.
    pub(super) grace: Duration,
    /// Forced end to giving up on seeing it.
    pub(super) drain: Duration,
}

/// One trial to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TrialRequest {
    /// What is sent.
    pub(super) request: Request,
    /// Its limit.
    pub(super) limit: Duration,
}

/// What happens to an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    /// The engine said something.
    Reply(Box<Reply>),
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
    /// It is over.
    Finish(Outcome),
}

#[derive(Clone, Debug)]
enum State {
    /// In a phase, since when and with which limit.
    Working {
        phase: Phase,
        since: Duration,
        limit: Duration,
    },
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
    load: Option<Request>,
    trials: VecDeque<TrialRequest>,
    expected_engine: String,
    state: State,
}

impl Attempt {
    /// Begins: the process is being made at this moment.
    pub(super) fn new(
        limits: Limits,
        expected_engine: String,
        load: Request,
        trials: Vec<TrialRequest>,
        now: Duration,
    ) -> Self {
        let state = State::Working {
            phase: Phase::Start,
            since: now,
            limit: limits.start,
        };
        Self {
            limits,
            load: Some(load),
            trials: trials.into(),
            expected_engine,
            state,
        }
    }

    /// Returns when the attempt wants to be looked at again if nothing happens.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        match &self.state {
            State::Working { since, limit, .. } => Some(*since + *limit),
            State::Ending {
                since,
                killed: false,
                ..
            } => Some(*since + self.limits.grace),
            State::Ending {
                since,
                killed: true,
                ..
            } => Some(*since + self.limits.grace + self.limits.drain),
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
            } => self.on_ending(&input, outcome, since, killed, now),
            State::Working {
                phase,
                since,
                limit,
            } => {
                // A reply that arrives after its limit is late, however it was delivered.
                if now >= since + limit && !matches!(input, Input::Gone(_) | Input::Cancel(_)) {
                    let limit_seconds = limit.as_secs_f64();
                    return self.end(
                        Outcome::TimedOut {
                            phase,
                            limit_seconds,
                        },
                        now,
                    );
                }
                match input {
                    Input::Tick | Input::Line(_) => Vec::new(),
                    Input::Cancel(reason) => self.end(Outcome::Cancelled { reason }, now),
                    Input::Garbage(reason) => {
                        self.end(Outcome::ProtocolViolation { phase, reason }, now)
                    }
                    Input::Gone(gone) => {
                        self.state = State::Ended;
                        vec![Effect::Finish(gone_while(phase, gone))]
                    }
                    Input::Reply(reply) => self.on_reply(phase, reply, now),
                }
            }
        }
    }

    fn on_ending(
        &mut self,
        input: &Input,
        outcome: Outcome,
        since: Duration,
        killed: bool,
        now: Duration,
    ) -> Vec<Effect> {
        if matches!(input, Input::Gone(_)) {
            self.state = State::Ended;
            return vec![Effect::Finish(outcome)];
        }
        if !killed && (now >= since + self.limits.grace || matches!(input, Input::Cancel(_))) {
            self.state = State::Ending {
                outcome,
                since,
                killed: true,
            };
            return vec![Effect::Kill];
        }
        if killed && now >= since + self.limits.grace + self.limits.drain {
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
                    protocol, engine, ..
                },
            ) => {
                if *protocol != VERSION {
                    let reason = format!("it speaks version {protocol}, expected {VERSION}");
                    return self.end(Outcome::ProtocolViolation { phase, reason }, now);
                }
                if *engine != self.expected_engine {
                    let reason = format!(
                        "it says it is `{engine}`, expected `{}`",
                        self.expected_engine
                    );
                    return self.end(Outcome::ProtocolViolation { phase, reason }, now);
                }
                self.enter(Phase::Load, self.limits.load, now);
                let mut effects = vec![Effect::Accept(reply)];
                effects.extend(self.load.take().map(Effect::Send));
                effects
            }
            (Phase::Load, Reply::Loaded { .. }) => {
                let mut effects = vec![Effect::Accept(reply)];
                effects.push(self.next_trial(now));
                effects
            }
            (Phase::Trial, Reply::Segment { .. }) => Vec::new(),
            (Phase::Trial, Reply::Done { .. }) => {
                let mut effects = vec![Effect::Accept(reply)];
                effects.push(self.next_trial(now));
                effects
            }
            (_, Reply::Error { message, .. }) => {
                let reason = message.clone();
                self.end(Outcome::Failed { phase, reason }, now)
            }
            (_, other) => {
                let word = serde_json::to_value(other)
                    .ok()
                    .and_then(|json| json.get("reply")?.as_str().map(str::to_owned))
                    .unwrap_or_default();
                let reason = format!("it said `{word}` when nothing like it was asked");
                self.end(Outcome::ProtocolViolation { phase, reason }, now)
            }
        }
    }

    fn next_trial(&mut self, now: Duration) -> Effect {
        match self.trials.pop_front() {
            Some(trial) => {
                self.enter(Phase::Trial, trial.limit, now);
                Effect::Send(trial.request)
            }
            None => {
                self.enter(Phase::Close, self.limits.close, now);
                Effect::Send(Request::Shutdown)
            }
        }
    }

    fn enter(&mut self, phase: Phase, limit: Duration, now: Duration) {
        self.state = State::Working {
            phase,
            since: now,
            limit,
        };
    }

    fn end(&mut self, outcome: Outcome, now: Duration) -> Vec<Effect> {
        self.state = State::Ending {
            outcome,
            since: now,
            killed: false,
        };
        vec![Effect::Terminate]
    }
}

/// Returns the outcome of an attempt whose process ended by itself.
fn gone_while(phase: Phase, gone: Gone) -> Outcome {
    if let Some(reason) = gone.not_started {
        return Outcome::Failed {
            phase: Phase::Spawn,
            reason,
        };
    }
    if phase == Phase::Close && gone.exit_code == Some(0) {
        return Outcome::Completed;
    }
    Outcome::Crashed {
        phase,
        signal: gone.signal,
        exit_code: gone.exit_code,
        stderr_tail: gone.stderr_tail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::protocol::ErrorKind;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SECOND: Duration = Duration::from_secs(1);

    fn attempt(trials: u32) -> Attempt {
        let limits = Limits {
            start: 5 * SECOND,
            load: 4 * SECOND,
            close: 2 * SECOND,
            grace: SECOND,
            drain: SECOND,
        };
        let load = Request::Load {
            directory: None,
            files: Vec::new(),
            model: "m".into(),
            settings: BTreeMap::new(),
        };
        let trials = (0..trials)
            .map(|trial| TrialRequest {
                request: Request::Transcribe {
                    trial,
                    samples: "s".into(),
                    language: None,
                },
                limit: 3 * SECOND,
            })
            .collect();
        Attempt::new(limits, "fake".into(), load, trials, Duration::ZERO)
    }

    fn hello() -> Input {
        Input::Reply(Box::new(Reply::Hello {
            protocol: VERSION,
            engine: "fake".into(),
            version: "1".into(),
            device: "cpu".into(),
        }))
    }

    fn loaded() -> Input {
        Input::Reply(Box::new(Reply::Loaded {
            seconds: 0.1,
            settings: BTreeMap::new(),
        }))
    }

    fn done() -> Input {
        Input::Reply(Box::new(Reply::Done {
            trial: 0,
            text: "t".into(),
            segments: Vec::new(),
            language: None,
            transcribe_seconds: 0.1,
            first_segment_seconds: None,
            cpu_seconds: None,
        }))
    }

    fn gone(exit_code: i32) -> Input {
        Input::Gone(Gone {
            exit_code: Some(exit_code),
            ..Gone::default()
        })
    }

    fn finish(effects: &[Effect]) -> Option<&Outcome> {
        effects.iter().find_map(|effect| match effect {
            Effect::Finish(outcome) => Some(outcome),
            _ => None,
        })
    }

    #[test]
    fn the_straight_way_is_hello_load_trials_shutdown() {
        let mut attempt = attempt(2);
        let mut sent = 0;
        let mut accepted = 0;
        for input in [hello(), loaded(), done(), done()] {
            for effect in attempt.on(input, SECOND) {
                match effect {
                    Effect::Send(_) => sent += 1,
                    Effect::Accept(_) => accepted += 1,
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
        assert_eq!((sent, accepted), (4, 4));
        assert_eq!(
            finish(&attempt.on(gone(0), SECOND)),
            Some(&Outcome::Completed)
        );
    }

    #[test]
    fn a_limit_of_zero_is_past_at_once() {
        let mut attempt = attempt(1);
        attempt.limits.load = Duration::ZERO;
        attempt.on(hello(), SECOND);
        assert_eq!(attempt.on(loaded(), SECOND), vec![Effect::Terminate]);
        let end = attempt.on(gone(0), SECOND);
        assert_eq!(
            finish(&end),
            Some(&Outcome::TimedOut {
                phase: Phase::Load,
                limit_seconds: 0.0
            })
        );
    }

    #[test]
    fn an_end_that_was_not_asked_for_is_a_crash() {
        let mut attempt = attempt(1);
        attempt.on(hello(), SECOND);
        let effects = attempt.on(gone(0), SECOND);
        assert!(matches!(
            finish(&effects),
            Some(Outcome::Crashed {
                phase: Phase::Load,
                ..
            })
        ));
    }

    #[test]
    fn another_engine_than_the_expected_one_is_a_violation() {
        let mut attempt = attempt(1);
        attempt.expected_engine = "candle".into();
        attempt.on(hello(), SECOND);
        let effects = attempt.on(gone(0), SECOND);
        assert!(matches!(
            finish(&effects),
            Some(Outcome::ProtocolViolation { .. })
        ));
    }

    fn any_input() -> impl Strategy<Value = Input> {
        prop_oneof![
            Just(hello()),
            Just(loaded()),
            Just(done()),
            Just(gone(0)),
            Just(gone(1)),
            Just(Input::Tick),
            Just(Input::Garbage("?".into())),
            Just(Input::Cancel("interrupted".into())),
            Just(Input::Reply(Box::new(Reply::Error {
                kind: ErrorKind::Engine,
                message: "no".into()
            }))),
        ]
    }

    proptest! {
        #[test]
        fn it_ends_once_in_time_and_takes_nothing_while_it_ends(
            trials in 0u32..4,
            inputs in proptest::collection::vec((any_input(), 0u64..4_000), 0..40),
        ) {
            let clock = ManualClock::default();
            let mut attempt = attempt(trials);
            let mut finishes = 0;
            let mut ending_since = None;
            let mut steps: Vec<(Input, u64)> = inputs;
            // However it went, time passes and nobody answers.
            steps.extend((0..40).map(|_| (Input::Tick, 500)));
            for (input, pause) in steps {
                clock.advance(Duration::from_millis(pause));
                let before = attempt.wakes_at();
                for effect in attempt.on(input, clock.now()) {
                    match effect {
                        Effect::Accept(_) => prop_assert!(ending_since.is_none()),
                        Effect::Terminate => {
                            prop_assert!(ending_since.is_none());
                            ending_since = Some(clock.now());
                        }
                        Effect::Finish(_) => finishes += 1,
                        Effect::Kill | Effect::Send(_) => {}
                    }
                }
                if before.is_none() {
                    prop_assert_eq!(finishes, 1);
                }
            }
            prop_assert_eq!(finishes, 1);
            prop_assert!(attempt.wakes_at().is_none());
        }

        #[test]
        fn driven_by_its_own_alarm_it_ends_within_limit_grace_and_drain(trials in 0u32..4) {
            let clock = ManualClock::default();
            let mut attempt = attempt(trials);
            let mut wakes = 0;
            while let Some(at) = attempt.wakes_at() {
                clock.advance(at.saturating_sub(clock.now()));
                attempt.on(Input::Tick, clock.now());
                wakes += 1;
                prop_assert!(wakes < 10);
            }
            prop_assert!(clock.now() <= 5 * SECOND + SECOND + SECOND);
        }
    }
}
