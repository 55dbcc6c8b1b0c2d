//! Tests of the attempt as a machine.

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::protocol::{AudioInput, ErrorKind};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);

fn attempt(trials: u32) -> Attempt {
    let limits = Limits {
        start: 5 * SECOND,
        load: 4 * SECOND,
        close: 2 * SECOND,
        whole: None,
        slow: 0.5,
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
            number: trial,
            request: Request::Transcribe {
                trial,
                samples: "s".into(),
                file: None,
                language: None,
            },
            limit: 3 * SECOND,
        })
        .collect();
    let conversation = Conversation::Engine {
        expected: "fake".into(),
        load,
        trials,
    };
    Attempt::new(limits, conversation, Duration::ZERO)
}

fn hello() -> Input {
    Input::Reply(Box::new(Reply::Hello {
        protocol: VERSION,
        engine: "fake".into(),
        version: "1".into(),
        device: "cpu".into(),
        artifacts: Vec::new(),
        audio: AudioInput::Samples,
        settings: Vec::new(),
    }))
}

fn loaded() -> Input {
    Input::Reply(Box::new(Reply::Loaded {
        seconds: 0.1,
        settings: BTreeMap::new(),
    }))
}

fn done(trial: u32) -> Input {
    Input::Reply(Box::new(Reply::Done {
        trial,
        text: "t".into(),
        segments: Vec::new(),
        language: None,
        transcribe_seconds: 0.1,
        first_segment_seconds: None,
        cpu_seconds: None,
        tokens: None,
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
    for input in [hello(), loaded(), done(0), done(1)] {
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
    if let Conversation::Engine { expected, .. } = &mut attempt.conversation {
        *expected = "candle".into();
    }
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
        (0u32..3).prop_map(done),
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

#[test]
fn an_answer_to_another_trial_is_a_violation() {
    let mut attempt = attempt(2);
    attempt.on(hello(), SECOND);
    attempt.on(loaded(), SECOND);
    assert_eq!(attempt.on(done(1), SECOND), vec![Effect::Terminate]);
    let end = attempt.on(gone(0), SECOND);
    let reason = finish(&end).unwrap().reason();
    assert!(reason.contains("answered trial 1 when trial 0"), "{reason}");
}

#[test]
fn it_is_told_to_be_slow_once_in_a_phase() {
    let mut attempt = attempt(0);
    assert_eq!(attempt.wakes_at(), Some(SECOND * 5 / 2));
    let told = attempt.on(Input::Tick, 3 * SECOND);
    assert_eq!(
        told,
        vec![Effect::Slow {
            phase: Phase::Start,
            taken: 3 * SECOND,
            limit: 5 * SECOND
        }]
    );
    assert_eq!(attempt.on(Input::Tick, 4 * SECOND), vec![]);
    assert_eq!(attempt.wakes_at(), Some(5 * SECOND));
    attempt.on(hello(), 4 * SECOND);
    assert_eq!(attempt.wakes_at(), Some(6 * SECOND));
}

#[test]
fn the_limit_of_the_whole_ends_a_phase_that_has_time_left() {
    let mut attempt = attempt(1);
    attempt.limits.whole = Some(6 * SECOND);
    attempt.on(hello(), 4 * SECOND);
    assert_eq!(attempt.on(loaded(), 7 * SECOND), vec![Effect::Terminate]);
    let end = attempt.on(gone(0), 7 * SECOND);
    assert_eq!(
        finish(&end),
        Some(&Outcome::TimedOut {
            phase: Phase::Job,
            limit_seconds: 6.0
        })
    );
}

fn program() -> Attempt {
    let mut limits = attempt(0).limits;
    limits.start = 3 * SECOND;
    let phase = Phase::Download;
    Attempt::new(
        limits,
        Conversation::Program {
            phase,
            name: "the recipe",
        },
        Duration::ZERO,
    )
}

#[test]
fn a_program_says_by_its_status_how_it_went() {
    assert_eq!(
        finish(&program().on(gone(0), SECOND)),
        Some(&Outcome::Completed)
    );
    let failed = Input::Gone(Gone {
        exit_code: Some(3),
        stderr_tail: "one\ntwo\n\n".into(),
        ..Gone::default()
    });
    assert_eq!(
        finish(&program().on(failed, SECOND)).unwrap().reason(),
        "download: the recipe ended with status 3: two"
    );
    let killed = Input::Gone(Gone {
        signal: Some(11),
        ..Gone::default()
    });
    assert_eq!(
        finish(&program().on(killed, SECOND)).unwrap().status(),
        "crashed"
    );
    assert_eq!(
        program().on(Input::Tick, 3 * SECOND),
        vec![Effect::Terminate]
    );
}

proptest! {
    #[test]
    fn it_ends_once_in_time_and_takes_nothing_while_it_ends(
        trials in 0u32..4,
        speaks in any::<bool>(),
        whole in proptest::option::of(0u64..20),
        inputs in proptest::collection::vec((any_input(), 0u64..4_000), 0..40),
    ) {
        let clock = ManualClock::default();
        let mut attempt = if speaks { attempt(trials) } else { program() };
        attempt.limits.whole = whole.map(|seconds| SECOND * u32::try_from(seconds).unwrap());
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
                    Effect::Kill | Effect::Send(_) | Effect::Tell(_) | Effect::Slow { .. } => {}
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
    fn it_ends_no_later_than_its_limit_grace_and_drain(
        trials in 0u32..4,
        inputs in proptest::collection::vec((any_input(), 0u64..3_000), 0..40),
    ) {
        let clock = ManualClock::default();
        let mut attempt = attempt(trials);
        let mut latest = attempt.wakes_at();
        for (input, pause) in inputs {
            // An alarm is answered when it rings, whatever else comes later.
            clock.advance(Duration::from_millis(pause));
            while let Some(at) = attempt.wakes_at().filter(|at| *at <= clock.now()) {
                attempt.on(Input::Tick, at);
            }
            attempt.on(input, clock.now());
            latest = attempt.wakes_at().max(latest);
        }
        while let Some(at) = attempt.wakes_at() {
            latest = Some(at);
            attempt.on(Input::Tick, at);
        }
        // The longest phase begins now at the latest, and has five seconds.
        prop_assert!(latest.unwrap() <= clock.now() + 5 * SECOND + SECOND + SECOND);
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
