//! How long a benchmark may take, guessed before anything runs, so that shards can be balanced.
//!
//! It is a guess and nothing more: it knows neither the machine nor the engine's speed, and no
//! report shows it as a time. What counts is that every machine finds the same number, and that it is
//! larger for a larger model, a longer recording and more trials.

use crate::model::{AudioDefinition, BenchmarkSpec, EngineFacts, ModelSize};

/// Seconds that a recording of unknown length counts with.
const UNKNOWN_SECONDS: f64 = 10.0;
/// Seconds from the start of an engine's process to its hello.
const START_SECONDS: f64 = 0.05;
/// Seconds that a program of which nothing is known takes to start.
const COMMAND_START_SECONDS: f64 = 0.2;

/// Returns the seconds that a model of a size class takes to load, and how many seconds of audio it
/// transcribes in one: the order of what two cores of a server did.
fn pace(size: ModelSize) -> (f64, f64) {
    match size {
        ModelSize::Tiny => (0.1, 10.0),
        ModelSize::Base => (0.2, 5.0),
        ModelSize::Small => (0.6, 2.0),
        ModelSize::Medium => (1.8, 0.7),
        ModelSize::Large => (3.5, 0.35),
    }
}

/// How long the recordings of a benchmark are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Length {
    seconds: f64,
    utterances: f64,
}

impl Length {
    /// Adds the utterances of a clip or a data set up.
    pub(super) fn of(audio: &AudioDefinition) -> Self {
        let lengths = audio
            .utterances
            .iter()
            .map(|utterance| utterance.seconds.unwrap_or(UNKNOWN_SECONDS));
        lengths.fold(
            Self {
                seconds: 0.0,
                utterances: 0.0,
            },
            |sum, seconds| Self {
                seconds: sum.seconds + seconds,
                utterances: sum.utterances + 1.0,
            },
        )
    }
}

/// Returns the seconds that a benchmark may take, at most if it is adaptive, to a thousandth: for each
/// launch start, load and its trials, warm-up included; a command starts and loads anew for each
/// utterance of each trial. A model that the catalog does not know counts as a base one.
pub(super) fn expected_seconds(
    spec: &BenchmarkSpec,
    engine: &EngineFacts,
    size: Option<ModelSize>,
    length: Length,
) -> f64 {
    let (load, speed) = pace(size.unwrap_or(ModelSize::Base));
    let trials = f64::from(spec.warmup.saturating_add(spec.repeat));
    let speech = trials * length.seconds / speed;
    let starts = if engine.command {
        trials * length.utterances * (COMMAND_START_SECONDS + load)
    } else {
        START_SECONDS + load
    };
    let seconds = f64::from(spec.most_launches()) * (starts + speech);
    (seconds * 1000.0).round() / 1000.0
}
