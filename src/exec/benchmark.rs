//! One launch of a benchmark: its trials, told as they end.

use super::attempt::TrialRequest;
use super::command::run_command;
use super::context::{Cancellation, RunContext};
use super::engine::{EngineTask, KeptEngine, run_engine, wants_file};
use super::inputs::PreparedAudio;
use super::notes::Notes;
use super::supervise::Ended;
use super::trials::{PlannedTrial, trials_to_do};
use crate::event::RunEvent;
use crate::model::{BenchmarkSpec, JobId, Sample};
use crate::protocol::{Reply, Request};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One launch of a benchmark.
#[derive(Clone)]
pub(super) struct Launch {
    pub(super) job: JobId,
    pub(super) spec: BenchmarkSpec,
    /// The launch, from 0.
    pub(super) number: u32,
    /// The attempt at it, from 1.
    pub(super) attempt: u32,
    /// The artifact's folder and the names of its files.
    pub(super) folder: Option<(PathBuf, Vec<String>)>,
    pub(super) utterances: Vec<PreparedAudio>,
    /// What is to be done, by positions in `utterances`.
    pub(super) trials: Vec<PlannedTrial>,
    /// Its process serves launches of other benchmarks after it; so long they may take it at most.
    pub(super) keep: Option<Duration>,
}

impl Launch {
    /// All trials are to be done but those that are `done`, by their utterances and numbers.
    pub(super) fn do_without(&mut self, done: &BTreeSet<(String, u32)>) {
        let names: Vec<&str> = self
            .utterances
            .iter()
            .map(|audio| audio.id.as_str())
            .collect();
        self.trials = trials_to_do(&self.spec, &names, done);
    }

    /// All trials are to be done, whatever was done before.
    pub(super) fn begin_anew(&mut self) {
        self.do_without(&BTreeSet::new());
    }

    /// Returns the language of a trial: the one that was asked for, else the recording's own.
    pub(super) fn language(&self, utterance: &PreparedAudio) -> Option<String> {
        let given = self.spec.settings.get("language");
        given
            .map(|value| value.written.clone())
            .or_else(|| utterance.language.clone())
    }

    /// Returns what all of its trials may take together.
    pub(super) fn limit_of_trials(&self, context: &RunContext) -> Duration {
        self.trials
            .iter()
            .map(|(position, _)| self.limit(context, &self.utterances[*position]))
            .fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Returns the limit of one trial.
    pub(super) fn limit(&self, context: &RunContext, utterance: &PreparedAudio) -> Duration {
        let deadlines = &context.plan.deadlines;
        deadlines.trial_of(&self.spec.backend, &self.spec.model, utterance.seconds)
    }

    /// Returns what is known of a trial before it is done.
    pub(super) fn sample(&self, utterance: &PreparedAudio, trial: u32) -> Sample {
        Sample {
            launch: self.number,
            utterance: utterance.id.clone(),
            trial,
            attempt: self.attempt,
            warmup: trial < self.spec.warmup,
            audio_seconds: utterance.seconds,
            transcribe_seconds: 0.0,
            wall_seconds: 0.0,
            first_segment_seconds: None,
            cpu_seconds: None,
            text: String::new(),
            segments: Vec::new(),
            language: None,
            tokens: None,
        }
    }
}

/// Runs one launch of a benchmark and tells every trial: in the process that was kept for it, if there is
/// one. Returns the process if it is kept for the next.
pub(super) async fn run_launch(
    context: Arc<RunContext>,
    launch: Launch,
    kept: Option<KeptEngine>,
    notes: Notes,
    cancel: Cancellation,
) -> (Ended, Option<KeptEngine>) {
    match context.plan.backends.get(launch.spec.backend.as_str()) {
        Some(definition) if !definition.speaks_protocol() => {
            let ended = run_command(&context, definition, &launch, &notes, cancel).await;
            (ended, None)
        }
        _ => run_by_protocol(&context, &launch, kept, &notes, cancel).await,
    }
}

async fn run_by_protocol(
    context: &RunContext,
    launch: &Launch,
    kept: Option<KeptEngine>,
    notes: &Notes,
    cancel: Cancellation,
) -> (Ended, Option<KeptEngine>) {
    let planned: Vec<(&PreparedAudio, u32)> = launch
        .trials
        .iter()
        .map(|(position, trial)| (&launch.utterances[*position], *trial))
        .collect();
    let hands_files = wants_file(context, &launch.spec.backend);
    let file_of = |utterance: &PreparedAudio| {
        let wav = utterance.wav.as_ref().filter(|_| hands_files)?;
        Some(wav.display().to_string())
    };
    let trials = planned
        .iter()
        .zip(0u32..)
        .map(|((utterance, _), number)| TrialRequest {
            number,
            request: Request::Transcribe {
                trial: number,
                samples: utterance.path.display().to_string(),
                file: file_of(utterance),
                language: launch.language(utterance),
            },
            limit: launch.limit(context, utterance),
        })
        .collect();
    let spec = &launch.spec;
    let deadlines = &context.plan.deadlines;
    let task = EngineTask {
        job: launch.job.clone(),
        backend: spec.backend.to_string(),
        model: spec.model.to_string(),
        folder: launch.folder.clone(),
        settings: spec.engine_settings(),
        launch: launch.number,
        load_limit: deadlines.load_of(&spec.backend, &spec.model),
        trials,
        timed: true,
        shared: context.plan.keeps_engine(&spec.backend),
        keep: launch.keep,
    };
    let mut left = planned.into_iter();
    run_engine(context, task, kept, notes, cancel, |reply, took| {
        let Reply::Done {
            text,
            segments,
            language,
            transcribe_seconds,
            first_segment_seconds,
            cpu_seconds,
            tokens,
            trial: _,
        } = reply
        else {
            return;
        };
        // The attempt asks for them one by one and takes no other answer.
        let Some((utterance, trial)) = left.next() else {
            return;
        };
        notes.tell(RunEvent::TrialEnded {
            job: launch.job.clone(),
            sample: Sample {
                transcribe_seconds,
                wall_seconds: took.as_secs_f64(),
                first_segment_seconds,
                cpu_seconds,
                text,
                segments,
                language,
                tokens,
                ..launch.sample(utterance, trial)
            },
        });
    })
    .await
}
