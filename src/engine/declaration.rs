//! Declarations of settings that several engines share, so that one name means one thing.

use crate::model::{Affects, SettingDeclaration, SettingKind, Value};

fn declare(
    name: &str,
    kind: SettingKind,
    affects: Affects,
    default: Option<Value>,
    description: &str,
) -> SettingDeclaration {
    SettingDeclaration {
        name: name.into(),
        kind,
        affects,
        default,
        description: description.into(),
    }
}

pub(super) fn language() -> SettingDeclaration {
    declare(
        "language",
        SettingKind::Text,
        Affects::Decode,
        None,
        "Language code such as `en`; default: the clip's own, else detection.",
    )
}

pub(super) fn threads() -> SettingDeclaration {
    declare(
        "threads",
        SettingKind::Integer {
            minimum: 1,
            maximum: 1024,
        },
        Affects::Decode,
        None,
        "Threads of the engine; default: the physical cores.",
    )
}

pub(super) fn beam_size(maximum: i64) -> SettingDeclaration {
    declare(
        "beam-size",
        SettingKind::Integer {
            minimum: 1,
            maximum,
        },
        Affects::Decode,
        Some(Value::integer(1)),
        "Hypotheses kept while decoding; 1 is greedy.",
    )
}

pub(super) fn flash_attention() -> SettingDeclaration {
    declare(
        "flash-attention",
        SettingKind::Boolean,
        Affects::Load,
        Some(Value::boolean(false)),
        "Fused attention; slower on CPUs.",
    )
}

pub(super) fn wait_policy() -> SettingDeclaration {
    declare(
        "wait-policy",
        SettingKind::Choice(vec!["active".into(), "passive".into()]),
        Affects::Load,
        Some(Value::text("active")),
        "How threads wait for one another: `active` spins and is fastest on an idle machine, \
         `passive` sleeps and survives a busy one.",
    )
}

/// How the built-in Whisper engines decode, under the names that other engines have for it: one
/// window after the other, each once, with timestamps, silence and all.
#[cfg(any(feature = "whisper-cpp", feature = "candle"))]
pub(super) fn each_window_once() -> std::collections::BTreeMap<String, Value> {
    [
        ("batch-size", Value::integer(1)),
        ("temperature-fallback", Value::boolean(false)),
        ("timestamps", Value::boolean(true)),
        ("vad", Value::boolean(false)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

pub(super) fn fake_fault() -> SettingDeclaration {
    let words = [
        "none",
        "fail-load",
        "fail-trial",
        "hang-load",
        "hang-trial",
        "crash-load",
        "crash-trial",
    ];
    declare(
        "fake-fault",
        SettingKind::Choice(words.map(str::to_owned).to_vec()),
        Affects::Load,
        Some(Value::text("none")),
        "What the fake engine does wrong.",
    )
}

pub(super) fn fake_jitter() -> SettingDeclaration {
    declare(
        "fake-jitter",
        SettingKind::Number {
            minimum: 0.0,
            maximum: 100.0,
        },
        Affects::Decode,
        Some(Value::number(0.0)),
        "How much longer than `fake-seconds` a trial of the fake engine may take, as a share of it; \
         trials differ in a fixed order.",
    )
}

pub(super) fn fake_seconds() -> SettingDeclaration {
    declare(
        "fake-seconds",
        SettingKind::Number {
            minimum: 0.0,
            maximum: 3600.0,
        },
        Affects::Decode,
        Some(Value::number(0.0)),
        "How long a trial of the fake engine takes, in seconds.",
    )
}
