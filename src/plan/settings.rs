//! Settings that the runner has itself, whatever the backend.

use crate::model::{
    Affects, MOST_TRIALS, REQUIRES, Requirements, SettingDeclaration, SettingKind, Value,
};

/// Returns the declarations of the runner's own settings.
#[must_use]
pub fn runner_settings() -> Vec<SettingDeclaration> {
    let whole = |name: &str, minimum, default, description: &str| SettingDeclaration {
        name: name.into(),
        kind: SettingKind::Integer {
            minimum,
            maximum: i64::from(MOST_TRIALS),
        },
        affects: Affects::Measurement,
        default: Some(Value::integer(default)),
        description: description.into(),
    };
    vec![
        whole(
            "warmup",
            0,
            1,
            "Trials before the measured ones, in each launch.",
        ),
        SettingDeclaration {
            kind: SettingKind::Repetition {
                minimum: 1,
                maximum: i64::from(MOST_TRIALS),
            },
            ..whole(
                "repeat",
                1,
                6,
                "Measured trials of each utterance in each launch; or, over all launches, the fewest \
                 and the most, and how narrow the median's interval is to be.",
            )
        },
        whole(
            "launches",
            1,
            1,
            "Processes that a benchmark is spread over.",
        ),
    ]
}

/// Returns the declaration of what a combination requires of the machine: a setting of the runner's that
/// stands in specs, so that what is measured on two kinds of machine is two jobs.
#[must_use]
pub fn requires_setting() -> SettingDeclaration {
    SettingDeclaration {
        name: REQUIRES.into(),
        kind: SettingKind::Requirements,
        affects: Affects::Measurement,
        default: Some(Value::text(Requirements::NONE_WORD)),
        description:
            "What the machine must have, such as `{os: macos, memory: 16GiB}` or `gpu:cuda`; \
                      `none`: nothing."
                .into(),
    }
}
