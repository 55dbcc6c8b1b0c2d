//! Launches of benchmarks: their trials, told as they end.

use super::attempt::TrialRequest;
use super::command::run_command;
use super::context::{Cancellation, RunContext};
use super::engine::{EngineJob, EngineTask, run_engine, wants_file};
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
}

impl Launch {
    /// Makes a launch without the trials that are `done`, by their utterances and numbers.
    pub(super) fn new(
        job: JobId,
        spec: BenchmarkSpec,
        number: u32,
        folder: Option<(PathBuf, Vec<String>)>,
        utterances: Vec<PreparedAudio>,
        done: &BTreeSet<(String, u32)>,
    ) -> Self {
        let mut launch = Self {
            job,
            spec,
            number,
            attempt: 1,
            folder,
            utterances,
            trials: Vec::new(),
        };
        launch.trials = launch.trials_without(done);
        launch
    }

    /// All trials are to be done, whatever was done before.
    pub(super) fn begin_anew(&mut self) {
        self.trials = self.trials_without(&BTreeSet::new());
    }

    fn trials_without(&self, done: &BTreeSet<(String, u32)>) -> Vec<PlannedTrial> {
        let names: Vec<&str> = self
            .utterances
            .iter()
            .map(|audio| audio.id.as_str())
            .collect();
        trials_to_do(&self.spec, &names, done)
    }

    /// Returns the language of a trial: the one that was asked for, else the recording's own.
    pub(super) fn language(&self, utterance: &PreparedAudio) -> Option<String> {
        let given = self.spec.settings.get("language");
        given
            .map(|value| value.written.clone())
            .or_else(|| utterance.language.clone())
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

/// Runs one launch of each of some benchmarks in one process, and tells every trial. There is more than
/// one only if they want the same of an engine that can be kept.
pub(super) async fn run_launches(
    context: Arc<RunContext>,
    launches: Vec<Launch>,
    notes: Notes,
    cancel: Cancellation,
) -> Ended {
    let Some(first) = launches.first() else {
        return Ended::not_started("there is nothing to do".into());
    };
    match context.plan.backends.get(first.spec.backend.as_str()) {
        Some(definition) if !definition.speaks_protocol() => {
            run_command(&context, definition, first, &notes, cancel).await
        }
        _ => run_by_protocol(&context, &launches, &notes, cancel).await,
    }
}

async fn run_by_protocol(
    context: &RunContext,
    launches: &[Launch],
    notes: &Notes,
    cancel: Cancellation,
) -> Ended {
    let first = &launches[0];
    let spec = &first.spec;
    let deadlines = &context.plan.deadlines;
    let mut numbers = 0u32..;
    let task = EngineTask {
        jobs: launches
            .iter()
            .map(|launch| EngineJob {
                job: launch.job.clone(),
                trials: requests(context, launch, &mut numbers),
            })
            .collect(),
        shared: context.plan.keeps_engine(&spec.backend),
        backend: spec.backend.to_string(),
        model: spec.model.to_string(),
        folder: first.folder.clone(),
        settings: spec.engine_settings(),
        launch: first.number,
        load_limit: deadlines.load_of(&spec.backend, &spec.model),
        timed: true,
    };
    let mut left: Vec<_> = launches.iter().map(|launch| launch.trials.iter()).collect();
    run_engine(context, task, notes, cancel, |position, reply, took| {
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
        let launch = &launches[position];
        // The attempt asks for them one by one and takes no other answer.
        let Some((utterance, trial)) = left[position].next() else {
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
                ..launch.sample(&launch.utterances[*utterance], *trial)
            },
        });
    })
    .await
}

/// Returns what an engine is asked for in a launch; `numbers` are the next ones that it has not been
/// asked for.
fn requests(
    context: &RunContext,
    launch: &Launch,
    numbers: &mut impl Iterator<Item = u32>,
) -> Vec<TrialRequest> {
    let hands_files = wants_file(context, &launch.spec.backend);
    let file_of = |utterance: &PreparedAudio| {
        let wav = utterance.wav.as_ref().filter(|_| hands_files)?;
        Some(wav.display().to_string())
    };
    launch
        .trials
        .iter()
        .zip(numbers)
        .map(|((position, _), number)| {
            let utterance = &launch.utterances[*position];
            TrialRequest {
                number,
                request: Request::Transcribe {
                    trial: number,
                    samples: utterance.path.display().to_string(),
                    file: file_of(utterance),
                    language: launch.language(utterance),
                },
                limit: launch.limit(context, utterance),
                begins_job: false,
            }
        })
        .collect()
}
