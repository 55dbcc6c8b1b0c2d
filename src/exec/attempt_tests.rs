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
        version: Some("1".into()),
        load,
        trials,
        keep: false,
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

fn segment(trial: u32) -> Input {
    Input::Reply(Box::new(Reply::Segment {
        trial,
        segment: crate::model::Segment {
            start_seconds: 0.0,
            end_seconds: 1.0,
            text: "t".into(),
        },
    }))
}

fn unasked(input: Input) -> Input {
    match input {
        Input::Reply(reply) => Input::Unasked(reply),
        other => other,
    }
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
        (0u32..3).prop_map(segment),
        (0u32..3).prop_map(|trial| unasked(done(trial))),
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
    assert_eq!(
        reason,
        "trial: it sent `done` of trial 1, expected the answer to trial 0"
    );
}

/// Returns why an attempt of two trials ended that heard this.
fn reason_of(inputs: impl IntoIterator<Item = Input>) -> String {
    let mut attempt = attempt(2);
    for input in inputs {
        attempt.on(input, SECOND);
    }
    let end = attempt.on(gone(0), SECOND);
    finish(&end).unwrap().reason()
}

#[test]
fn what_came_and_what_was_expected_is_named() {
    assert_eq!(
        reason_of([loaded()]),
        "start: it sent `loaded`, expected `hello`"
    );
    assert_eq!(
        reason_of([hello(), hello()]),
        "load: it sent `hello`, expected `loaded`"
    );
    assert_eq!(
        reason_of([hello(), unasked(loaded())]),
        "load: it sent `loaded`, expected nothing before it was asked to load"
    );
    assert_eq!(
        reason_of([hello(), loaded(), segment(4)]),
        "trial: it sent `segment` of trial 4, expected the answer to trial 0"
    );
    assert_eq!(
        reason_of([hello(), loaded(), segment(0), done(0), unasked(done(0))]),
        "trial: it sent `done` of trial 0, expected nothing before trial 1 was asked for"
    );
    assert_eq!(
        reason_of([hello(), loaded(), done(0), done(1), done(1)]),
        "close: it sent `done` of trial 1, expected nothing but its end"
    );
}

#[test]
fn an_engine_of_another_version_than_the_planned_one_is_a_violation() {
    let mut attempt = attempt(1);
    if let Conversation::Engine { version, .. } = &mut attempt.conversation {
        *version = Some("2".into());
    }
    assert_eq!(attempt.on(hello(), SECOND), vec![Effect::Terminate]);
    let end = attempt.on(gone(0), SECOND);
    let reason = finish(&end).unwrap().reason();
    assert!(reason.contains("version `1`, expected `2`"), "{reason}");
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

/// Returns the replies that keep to the protocol, with so many segments in each trial.
fn right_conversation(segments: &[u32]) -> Vec<Input> {
    let mut inputs = vec![hello(), loaded()];
    for (trial, count) in (0..).zip(segments) {
        inputs.extend((0..*count).map(|_| segment(trial)));
        inputs.push(done(trial));
    }
    inputs
}

proptest! {
    #[test]
    fn one_wrong_reply_anywhere_is_a_violation_and_nothing_after_it_counts(
        segments in proptest::collection::vec(0u32..4, 1..4),
        at in any::<proptest::sample::Index>(),
        wrong in any_input().prop_filter("a reply", |input| {
            matches!(input, Input::Reply(reply) if !matches!(**reply, Reply::Error { .. }))
        }),
    ) {
        let right = right_conversation(&segments);
        let at = at.index(right.len() + 1);
        let is_segment_of_it = matches!(&wrong, Input::Reply(reply) if matches!(
            **reply, Reply::Segment { .. } | Reply::Done { .. }
        ));
        // What fits as well as the right one is no mistake: a segment more, or an answer without.
        prop_assume!(right.get(at) != Some(&wrong));
        let open = right[..at].iter().filter(|input| matches!(
            input, Input::Reply(reply) if matches!(**reply, Reply::Done { .. })
        )).count();
        let running = u32::try_from(open).unwrap();
        let fits = at >= 2 && open < segments.len()
            && (wrong == segment(running) || wrong == done(running));
        prop_assume!(!(is_segment_of_it && fits));
        let mut attempt = attempt(u32::try_from(segments.len()).unwrap());
        let mut accepted = 0;
        let mut inputs = right.clone();
        inputs.insert(at, wrong);
        for input in inputs {
            let effects = attempt.on(input, SECOND);
            accepted += effects.iter().filter(|effect| matches!(effect, Effect::Accept(_))).count();
        }
        let before = right[..at].iter().filter(|input| matches!(
            input, Input::Reply(reply) if !matches!(**reply, Reply::Segment { .. })
        )).count();
        prop_assert_eq!(accepted, before);
        let end = attempt.on(gone(0), SECOND);
        let outcome = finish(&end).unwrap();
        prop_assert!(matches!(outcome, Outcome::ProtocolViolation { .. }), "{:?}", outcome);
        prop_assert!(outcome.reason().contains("it sent `"), "{}", outcome.reason());
        prop_assert!(outcome.reason().contains("expected"), "{}", outcome.reason());
    }

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
                    Effect::Kill
                    | Effect::Send(_)
                    | Effect::Tell(_)
                    | Effect::Slow { .. }
                    | Effect::Keep => {}
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

#[test]
fn a_process_that_is_kept_is_not_asked_to_end_and_goes_on_with_the_limits_of_the_next_job() {
    let mut attempt = attempt(1);
    if let Conversation::Engine { keep, .. } = &mut attempt.conversation {
        *keep = true;
    }
    attempt.on(hello(), SECOND);
    attempt.on(loaded(), SECOND);
    let effects = attempt.on(done(0), 2 * SECOND);
    assert!(matches!(effects[..], [Effect::Accept(_), Effect::Keep]));
    assert_eq!(attempt.wakes_at(), None);

    let next = self::attempt(1);
    let limits = Limits {
        whole: Some(2 * SECOND),
        ..next.limits
    };
    let (mut next, first) = Attempt::going_on(limits, next.conversation, 60 * SECOND);
    assert!(matches!(first, Effect::Send(Request::Transcribe { .. })));
    assert_eq!(next.on(Input::Tick, 61 * SECOND), Vec::new());
    assert_eq!(next.on(Input::Tick, 62 * SECOND), vec![Effect::Terminate]);
    assert_eq!(
        finish(&next.on(gone(0), 62 * SECOND)),
        Some(&Outcome::TimedOut {
            phase: Phase::Job,
            limit_seconds: 2.0
        })
    );
}
