//! A launch of a command backend: one process for each trial.
//!
//! A command has no load phase and no protocol, so what is timed is its process, from its start to
//! its end, on the clock of its shim.

use super::attempt::{Conversation, Limits};
use super::benchmark::Launch;
use super::context::{Cancellation, RunContext};
use super::engine::{default_threads, pinned};
use super::inputs::PreparedAudio;
use super::notes::Notes;
use super::supervise::{Ended, Task, supervise};
use super::work_folder::WorkFolder;
use crate::clock::Clock;
use crate::engine::command::{CommandBackend, CommandInputs, Place};
use crate::event::RunEvent;
use crate::model::{BackendDefinition, ChildUsage, LeakedProcess, Outcome, Phase, Sample};
use std::path::PathBuf;
use std::time::Duration;

/// Runs the trials of a launch, one process after the other.
pub(super) async fn run_command(
    context: &RunContext,
    definition: &BackendDefinition,
    launch: &Launch,
    notes: &Notes,
    cancel: Cancellation,
) -> Ended {
    let backend = match CommandBackend::new(definition) {
        Ok(backend) => backend,
        Err(mistakes) => {
            // The planner refuses such a definition, unless something else made the plan.
            let reasons: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            return Ended::not_started(reasons.join("; "));
        }
    };
    let work = match WorkFolder::open(&context.work) {
        Ok(work) => work,
        Err(reason) => return Ended::not_started(reason),
    };
    let version = context.versions.get(launch.spec.backend.as_str());
    notes.tell(RunEvent::EngineReady {
        job: launch.job.clone(),
        launch: launch.number,
        version: version.cloned().unwrap_or_default(),
        start_seconds: Some(0.0),
        settings: launch.spec.engine_settings(),
    });
    let commands = Commands {
        context,
        backend: &backend,
        launch,
        work: &work,
        begun: context.live.clock.now(),
        whole: context
            .plan
            .deadlines
            .job_of(&launch.spec.backend, &launch.spec.model),
    };
    let mut sum = Sum::default();
    for (position, trial) in &launch.trials {
        let utterance = &launch.utterances[*position];
        let (ended, sample) = commands.run(utterance, *trial, notes, cancel.clone()).await;
        let outcome = sum.add(ended);
        match sample {
            Some(sample) => notes.tell(RunEvent::TrialEnded {
                job: launch.job.clone(),
                sample,
            }),
            None => return sum.into_ended(outcome),
        }
    }
    sum.into_ended(Outcome::Completed)
}

/// What the processes of one launch have in common.
struct Commands<'a> {
    context: &'a RunContext,
    backend: &'a CommandBackend,
    launch: &'a Launch,
    work: &'a WorkFolder,
    begun: Duration,
    /// The limit of all of them together.
    whole: Option<Duration>,
}

impl Commands<'_> {
    /// Runs one trial. Without a sample, it did not end well.
    async fn run(
        &self,
        utterance: &PreparedAudio,
        trial: u32,
        notes: &Notes,
        cancel: Cancellation,
    ) -> (Ended, Option<Sample>) {
        let (context, launch) = (self.context, self.launch);
        let output = match self.output_folder() {
            Ok(output) => output,
            Err(reason) => return (Ended::not_started(reason), None),
        };
        let get = |name: &str| context.variable(name);
        let mut spec = match self.backend.launch(&self.inputs(utterance, &output), get) {
            Ok(spec) => spec,
            Err(reason) => return (Ended::not_started(reason), None),
        };
        spec.environment
            .insert("TMPDIR".into(), self.work.temporary().into());
        let started = context.live.clock.now();
        let spent = started.saturating_sub(self.begun);
        let mut limits =
            Limits::of_program(&context.plan.deadlines, launch.limit(context, utterance));
        limits.whole = self.whole.map(|whole| whole.saturating_sub(spent));
        let task = Task {
            launch: spec,
            directory: Some(self.backend.directory().to_path_buf()),
            backstop: limits.backstop(Duration::ZERO),
            log: Some(context.log_of(&launch.job, launch.number)),
            answers: true,
            cpus: pinned(context, true),
        };
        let conversation = Conversation::Program {
            phase: Phase::Trial,
            name: "the command",
        };
        let mut complaint = None;
        let mut ended = supervise(context, task, limits, conversation, cancel, |heard| {
            notes.hear(&launch.job, launch.number, heard, |line| {
                complaint = complaint.take().or(self.backend.complaint_in(&line));
                None
            });
        })
        .await;
        let took = context.live.clock.now().saturating_sub(started);
        // The last line may have no end.
        let last = ended.stderr_tail.lines().last().unwrap_or_default();
        let complaint = complaint.or(self.backend.complaint_in(last));
        let text = match self.text_of(&mut ended, complaint, &output) {
            Ok(text) => text,
            Err(outcome) => {
                ended.outcome = outcome;
                self.work.clear();
                return (ended, None);
            }
        };
        self.work.clear();
        let usage = ended.usage.as_ref();
        let sample = Sample {
            // The shim's clock is nearer to the process than the runner's.
            transcribe_seconds: usage.map_or(0.0, |usage| usage.wall_seconds),
            wall_seconds: took.as_secs_f64(),
            cpu_seconds: usage.and_then(|usage| usage.cpu_seconds),
            text,
            language: launch.language(utterance),
            ..launch.sample(utterance, trial)
        };
        (ended, Some(sample))
    }

    /// Makes the folder that the process writes into, if it is told one.
    fn output_folder(&self) -> Result<PathBuf, String> {
        if self.backend.places().contains(&Place::Output) {
            self.work.make_output()
        } else {
            Ok(PathBuf::new())
        }
    }

    fn inputs(&self, utterance: &PreparedAudio, output: &std::path::Path) -> CommandInputs {
        let spec = &self.launch.spec;
        let settings = spec.settings.to_map();
        let told = settings
            .get("threads")
            .and_then(|value| u32::try_from(value.as_integer()?).ok());
        let (model_directory, model_files) = match &self.launch.folder {
            Some((folder, files)) => (Some(folder.clone()), files.clone()),
            None => (None, Vec::new()),
        };
        CommandInputs {
            model_directory,
            model_files,
            model_id: spec.model.to_string(),
            audio_wav: utterance.wav.clone(),
            audio_samples: Some(utterance.path.clone()),
            audio_id: utterance.id.clone(),
            language: self.launch.language(utterance),
            threads: told.unwrap_or_else(|| default_threads(self.context, true)),
            output: output.to_path_buf(),
            settings,
        }
    }

    /// Returns the transcript of a process that ended well, else how the trial ended.
    fn text_of(
        &self,
        ended: &mut Ended,
        complaint: Option<&str>,
        output: &std::path::Path,
    ) -> Result<String, Outcome> {
        let phase = Phase::Trial;
        match (&ended.outcome, self.whole) {
            (Outcome::Completed, _) => {}
            // What was left of the limit says less than the limit.
            (Outcome::TimedOut { phase, .. }, Some(whole)) if *phase == Phase::Job => {
                return Err(Outcome::TimedOut {
                    phase: *phase,
                    limit_seconds: whole.as_secs_f64(),
                });
            }
            (other, _) => return Err(other.clone()),
        }
        if ended.is_too_long {
            let reason =
                "the command wrote more than any transcript has; `output` may have to be a \
                          file or a JSON path"
                    .into();
            return Err(Outcome::Failed { phase, reason });
        }
        let failed = |reason| Outcome::Failed { phase, reason };
        if let Some(complaint) = complaint {
            return Err(failed(format!(
                "it ended with status 0, and wrote `{complaint}` on standard error, which counts as \
                 failure"
            )));
        }
        let answer = std::mem::take(&mut ended.answer);
        let text = self.backend.text_of(&answer, output).map_err(failed)?;
        match self.backend.failure_of(&answer, &text) {
            Some(reason) => Err(failed(format!(
                "it ended with status 0, and {reason}, which counts as failure"
            ))),
            None => Ok(text),
        }
    }
}

/// What the processes of a launch cost together.
#[derive(Default)]
struct Sum {
    last: Option<Ended>,
    usage: Option<ChildUsage>,
    leaked: Vec<LeakedProcess>,
    leaked_count: u32,
}

/// How many leaked processes are named.
const MOST_LEAKS_NAMED: usize = 16;

impl Sum {
    /// Adds a process that has ended, and returns how it did.
    fn add(&mut self, mut ended: Ended) -> Outcome {
        if let Some(usage) = ended.usage.take() {
            self.usage = Some(match self.usage.take() {
                Some(sum) => ChildUsage {
                    wall_seconds: sum.wall_seconds + usage.wall_seconds,
                    cpu_seconds: sum
                        .cpu_seconds
                        .zip(usage.cpu_seconds)
                        .map(|(before, now)| before + now),
                    peak_rss_bytes: sum.peak_rss_bytes.max(usage.peak_rss_bytes),
                    peak_anonymous_bytes: sum.peak_anonymous_bytes.max(usage.peak_anonymous_bytes),
                    leaked_processes: sum.leaked_processes.saturating_add(usage.leaked_processes),
                    network_wall: usage.network_wall,
                },
                None => usage,
            });
        }
        self.leaked.append(&mut ended.leaked);
        self.leaked.truncate(MOST_LEAKS_NAMED);
        self.leaked_count = self.leaked_count.saturating_add(ended.leaked_count);
        let outcome = ended.outcome.clone();
        self.last = Some(ended);
        outcome
    }

    fn into_ended(self, outcome: Outcome) -> Ended {
        let last = self
            .last
            .unwrap_or_else(|| Ended::without_process(Outcome::Completed));
        Ended {
            outcome,
            usage: self.usage,
            leaked: self.leaked,
            leaked_count: self.leaked_count,
            ..last
        }
    }
}
