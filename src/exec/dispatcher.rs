//! The dispatcher: it owns the state of the run, starts what may start, and is the only one that
//! says anything.

use super::benchmark::benchmark_launch;
use super::context::{Cancellation, RunContext};
use super::download::{Downloaded, download};
use super::inputs::{PreparedAudio, prepare_audio};
use super::schedule::{ResourceClass, timed_order};
use super::state::RunState;
use super::supervise::Ended;
use super::verify::{Verified, verify};
use crate::clock::{Clock, SystemClock, wall_time};
use crate::event::{EventSink, RunEvent, Stamped};
use crate::model::{
    BenchmarkSpec, Job, JobKind, JobSpec, LoadAverage, Outcome, Phase, Stage, Verdict,
    VerifyFinding, VerifyPolicy, VerifySpec,
};
use crate::plan::DependencyGraph;
use crate::store::{artifact_digest, candidates, check};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Where tasks tell the dispatcher what happens.
#[derive(Clone)]
pub(super) struct Notes(mpsc::UnboundedSender<RunEvent>);

impl Notes {
    pub(super) fn tell(&self, event: RunEvent) {
        // The dispatcher outlives its tasks; if it is gone, so is the run.
        let _ = self.0.send(event);
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// It was interrupted.
    pub interrupted: bool,
    /// Jobs that went wrong, or were skipped because of one.
    pub faults: usize,
    /// Artifacts that the last verify did not find complete.
    pub not_complete: usize,
}

enum Finished {
    Verify(usize, Verified),
    Download(usize, Downloaded),
}

struct Dispatcher<'a> {
    context: Arc<RunContext>,
    sink: &'a mut dyn EventSink,
    clock: SystemClock,
    sequence: u64,
    state: RunState,
    notes: Notes,
    heard: mpsc::UnboundedReceiver<RunEvent>,
    cancel: Cancellation,
}

/// Carries out a plan.
///
/// # Errors
///
/// Fails if the journal cannot be written; then everything that ran has been ended.
pub async fn run(
    context: RunContext,
    sink: &mut dyn EventSink,
    cancel: Cancellation,
) -> io::Result<RunSummary> {
    let (sender, heard) = mpsc::unbounded_channel();
    let state = RunState::new(&context.plan);
    let mut dispatcher = Dispatcher {
        context: Arc::new(context),
        sink,
        clock: SystemClock::default(),
        sequence: 0,
        state,
        notes: Notes(sender),
        heard,
        cancel,
    };
    dispatcher.run().await
}

impl Dispatcher<'_> {
    async fn run(&mut self) -> io::Result<RunSummary> {
        let context = Arc::clone(&self.context);
        self.emit(RunEvent::RunStarted {
            run_id: context.run_id.clone(),
            plan_digest: context.plan.digest.clone(),
            earmark_version: env!("CARGO_PKG_VERSION").into(),
            build_profile: build_profile().into(),
            command_line: context.command_line.clone(),
            machine: context.machine.clone(),
            jobs: context.plan.jobs.len(),
        })?;
        for position in 0..context.plan.jobs.len() {
            if let Some(reason) = context.plan.jobs[position].skip.clone() {
                self.end(
                    position,
                    Outcome::Skipped {
                        reason,
                        because_of: None,
                    },
                )?;
            }
        }
        self.run_checks().await?;
        self.run_benchmarks().await?;
        // Whatever is left was not reached because the run was ended.
        let reason = self
            .stop_reason()
            .unwrap_or_else(|| "the run was ended".into());
        for position in 0..context.plan.jobs.len() {
            if self.state.jobs[position].outcome.is_none() {
                self.end(
                    position,
                    Outcome::Cancelled {
                        reason: reason.clone(),
                    },
                )?;
            }
        }
        let interrupted = self.interrupted().is_some();
        let seconds = self.clock.now().as_secs_f64();
        self.emit(RunEvent::RunEnded {
            interrupted,
            seconds,
        })?;
        Ok(RunSummary {
            interrupted,
            faults: self.state.faults(),
            not_complete: self.not_complete(),
        })
    }

    /// Says something: to the journal first, whose failure ends the run.
    fn emit(&mut self, event: RunEvent) -> io::Result<()> {
        let stamped = Stamped {
            v: 1,
            sequence: self.sequence,
            at: wall_time(),
            elapsed_seconds: self.clock.now().as_secs_f64(),
            event,
        };
        self.sequence += 1;
        self.sink.emit(&stamped)
    }

    fn interrupted(&self) -> Option<String> {
        self.cancel.borrow().clone()
    }

    /// Returns why nothing new may be started, if so.
    fn stop_reason(&self) -> Option<String> {
        if let Some(reason) = self.interrupted() {
            return Some(reason);
        }
        let faults = self.state.faults();
        let options = &self.context.options;
        if options.fail_fast && faults > 0 {
            return Some("another job failed, and --fail-fast was given".into());
        }
        match options.max_failures {
            Some(most) if faults >= most => Some(format!(
                "{faults} jobs failed, and --max-failures {most} was given"
            )),
            _ => None,
        }
    }

    fn begin(&mut self, position: usize, launch: u32, limit: Option<f64>) -> io::Result<()> {
        let now = self.clock.now();
        self.state.jobs[position].started.get_or_insert(now);
        let job = &self.context.plan.jobs[position];
        self.emit(RunEvent::AttemptStarted {
            job: job.id.clone(),
            kind: job.kind,
            launch,
            attempt: 1,
            limit_seconds: limit,
            load: load_average(),
        })
    }

    fn attempt_ended(&mut self, position: usize, launch: u32, ended: &Ended) -> io::Result<()> {
        self.emit(RunEvent::AttemptEnded {
            job: self.context.plan.jobs[position].id.clone(),
            launch,
            outcome: ended.outcome.clone(),
            usage: ended.usage.clone(),
            stderr_tail: ended.stderr_tail.clone(),
        })
    }

    /// Ends a job, once.
    fn end(&mut self, position: usize, outcome: Outcome) -> io::Result<()> {
        let now = self.clock.now();
        let state = &mut self.state.jobs[position];
        if state.outcome.is_some() {
            return Ok(());
        }
        state.outcome = Some(outcome.clone());
        let seconds = state
            .started
            .map_or(0.0, |started| (now - started).as_secs_f64());
        let (finding, bytes) = (state.finding.clone(), state.bytes);
        let job = self.context.plan.jobs[position].id.clone();
        self.emit(RunEvent::JobEnded {
            job,
            outcome,
            finding,
            seconds,
            bytes,
        })
    }

    /// Runs verifies and downloads, in the order of their needs. All of them end before the first
    /// timed trial.
    async fn run_checks(&mut self) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let checks: Vec<usize> = (0..context.plan.jobs.len())
            .filter(|position| context.plan.jobs[*position].kind != JobKind::Benchmark)
            .collect();
        let places: BTreeMap<usize, usize> = checks
            .iter()
            .enumerate()
            .map(|(place, position)| (*position, place))
            .collect();
        let needs: Vec<Vec<usize>> = checks
            .iter()
            .map(|position| {
                let needs = self.state.positions(&context.plan.jobs[*position].needs);
                needs
                    .iter()
                    .filter_map(|need| places.get(need).copied())
                    .collect()
            })
            .collect();
        let mut graph = DependencyGraph::new(&needs)
            .map_err(|_| io::Error::other("the plan's jobs wait for one another"))?;
        let mut ready: VecDeque<usize> = graph.ready().into();
        let mut running: JoinSet<Finished> = JoinSet::new();
        let mut busy: Vec<(usize, ResourceClass)> = Vec::new();
        loop {
            // Start what may start beside what runs.
            let mut waiting = VecDeque::new();
            while let Some(place) = ready.pop_front() {
                let position = checks[place];
                if self.stop_reason().is_some() {
                    continue;
                }
                if let Some(outcome) = self.without_running(position) {
                    self.end(position, outcome)?;
                    ready.extend(graph.finish(place));
                    continue;
                }
                let class = ResourceClass::of(&context.plan.jobs[position].spec);
                if !may_start(class, &busy) {
                    waiting.push_back(place);
                    continue;
                }
                busy.push((position, class));
                self.start_check(position, &mut running)?;
            }
            ready = waiting;
            if running.is_empty() {
                return Ok(());
            }
            let finished = loop {
                tokio::select! {
                    Some(event) = self.heard.recv() => self.emit(event)?,
                    Some(finished) = running.join_next() => break finished,
                }
            };
            self.emit_heard()?;
            let finished = finished.map_err(|error| io::Error::other(error.to_string()))?;
            let position = self.finish_check(finished)?;
            busy.retain(|(busy, _)| *busy != position);
            ready.extend(graph.finish(places[&position]));
        }
    }

    fn emit_heard(&mut self) -> io::Result<()> {
        while let Ok(event) = self.heard.try_recv() {
            self.emit(event)?;
        }
        Ok(())
    }

    fn start_check(&mut self, position: usize, running: &mut JoinSet<Finished>) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let job: Job = context.plan.jobs[position].clone();
        let (notes, cancel) = (self.notes.clone(), self.cancel.clone());
        match &job.spec {
            JobSpec::Verify(spec) => {
                let spec = spec.clone();
                self.begin(position, 0, None)?;
                running.spawn(async move {
                    Finished::Verify(position, verify(context, job, spec, notes, cancel).await)
                });
            }
            JobSpec::Download(spec) => {
                let spec = spec.clone();
                let limit = context.plan.deadlines.download_total.as_secs_f64();
                self.begin(position, 0, Some(limit))?;
                running.spawn(async move {
                    let downloaded = download(context, job.id, spec, notes, cancel).await;
                    Finished::Download(position, downloaded)
                });
            }
            JobSpec::Benchmark(_) => {}
        }
        Ok(())
    }

    fn finish_check(&mut self, finished: Finished) -> io::Result<usize> {
        match finished {
            Finished::Verify(position, verified) => {
                if let (Some(folder), JobSpec::Verify(spec)) =
                    (verified.folder, &self.context.plan.jobs[position].spec)
                    && let Some(artifact) = &spec.artifact
                {
                    let key = (spec.model.clone(), artifact.clone());
                    self.state.folders.insert(key, folder);
                }
                self.state.jobs[position].finding = Some(verified.finding);
                self.end(position, verified.outcome)?;
                Ok(position)
            }
            Finished::Download(position, downloaded) => {
                self.attempt_ended(position, 0, &downloaded.ended)?;
                self.state.jobs[position].bytes = downloaded.bytes;
                self.end(position, downloaded.ended.outcome)?;
                Ok(position)
            }
        }
    }

    /// Returns the end of a check that needs no work, if it needs none. A second verify takes over
    /// the first one's finding where nothing was downloaded in between.
    fn without_running(&mut self, position: usize) -> Option<Outcome> {
        let job = &self.context.plan.jobs[position];
        let needs = self.state.positions(&job.needs);
        match (&job.spec, job.stage) {
            (JobSpec::Download(_), _) => {
                let wanted = needs.iter().any(|need| {
                    let finding = self.state.jobs[*need].finding.as_ref();
                    finding.is_some_and(|finding| finding.verdict.wants_download())
                });
                (!wanted).then(|| Outcome::NotNeeded {
                    reason: "nothing is missing".into(),
                })
            }
            (JobSpec::Verify(_), Some(Stage::After)) => {
                let downloaded = needs.iter().any(|need| {
                    self.context.plan.jobs[*need].kind == JobKind::Download
                        && self.state.jobs[*need].outcome == Some(Outcome::Completed)
                });
                if downloaded {
                    return None;
                }
                let finding = needs
                    .iter()
                    .find_map(|need| self.state.jobs[*need].finding.clone());
                self.state.jobs[position].finding = finding;
                let reason = "nothing was downloaded: the first verdict stands".into();
                Some(Outcome::NotNeeded { reason })
            }
            _ => None,
        }
    }

    async fn run_benchmarks(&mut self) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let mut todo = Vec::new();
        for (position, job) in context.plan.jobs.iter().enumerate() {
            if job.kind != JobKind::Benchmark || self.state.jobs[position].outcome.is_some() {
                continue;
            }
            match self.refusal(job) {
                Some(outcome) => self.end(position, outcome)?,
                None => todo.push(position),
            }
        }
        if todo.is_empty() || self.stop_reason().is_some() {
            return Ok(());
        }
        let audio = prepare_audio(&context, &todo).await;
        for prepared in audio.values().flatten() {
            self.emit(RunEvent::AudioPrepared {
                utterance: prepared.id.clone(),
                sha256: prepared.sha256.clone(),
                seconds: prepared.seconds,
            })?;
        }
        self.identify_artifacts(&todo).await?;
        for (launch, position) in timed_order(&context.plan, &todo) {
            if self.stop_reason().is_some() {
                return Ok(());
            }
            // An earlier launch may have failed: then the job has its end already.
            if self.state.jobs[position].outcome.is_none() {
                self.run_launch(position, launch, &audio).await?;
            }
        }
        Ok(())
    }

    /// Returns why a benchmark may not run, by the verdicts it needs.
    fn refusal(&self, job: &Job) -> Option<Outcome> {
        let needs = self.state.positions(&job.needs);
        let unproven: Vec<usize> = needs
            .iter()
            .copied()
            .filter(|need| {
                let finding = self.state.jobs[*need].finding.as_ref();
                finding.is_none_or(|finding| finding.verdict != Verdict::Complete)
            })
            .collect();
        let refused = match self.context.plan.verify_policy {
            VerifyPolicy::All => !unproven.is_empty(),
            VerifyPolicy::Any => !needs.is_empty() && unproven.len() == needs.len(),
            VerifyPolicy::Ignore => false,
        };
        let first = unproven.first().filter(|_| refused)?;
        let cause = &self.context.plan.jobs[*first];
        let found = self.state.jobs[*first].finding.as_ref().map_or_else(
            || "was not asked".to_owned(),
            |finding| format!("{}: {}", finding.verdict, finding.reason),
        );
        Some(Outcome::Skipped {
            reason: format!("the model was not verified ({found})"),
            because_of: Some(cause.id.clone()),
        })
    }

    /// Tells the digest of every artifact that is about to be measured.
    async fn identify_artifacts(&mut self, benchmarks: &[usize]) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let wanted: BTreeSet<(String, String)> = benchmarks
            .iter()
            .filter_map(|position| match &context.plan.jobs[*position].spec {
                JobSpec::Benchmark(spec) => Some((spec.model.clone(), spec.artifact.clone()?)),
                _ => None,
            })
            .collect();
        for (model, id) in wanted {
            let Some(folder) = self.folder_of(&model, &id) else {
                continue;
            };
            let files = context.plan.models[&model].artifacts[&id].files.clone();
            let digest =
                tokio::task::spawn_blocking(move || artifact_digest(&folder, files.keys())).await;
            if let Ok(Ok(digest)) = digest {
                self.emit(RunEvent::ArtifactIdentified {
                    model,
                    artifact: id,
                    digest,
                })?;
            }
        }
        Ok(())
    }

    /// Returns the folder of an artifact: where a verify found it, else where it may be.
    fn folder_of(&self, model: &str, id: &str) -> Option<PathBuf> {
        let key = (model.to_owned(), id.to_owned());
        self.state.folders.get(&key).cloned().or_else(|| {
            let artifact = self.context.plan.models.get(model)?.artifacts.get(id)?;
            let folders = candidates(artifact, &self.context.store);
            folders
                .iter()
                .find(|folder| check(artifact, &[folder], false).verdict == Verdict::Complete)
                .or(folders.first())
                .cloned()
        })
    }

    async fn run_launch(
        &mut self,
        position: usize,
        launch: u32,
        audio: &BTreeMap<String, Result<PreparedAudio, String>>,
    ) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let job = &context.plan.jobs[position];
        let JobSpec::Benchmark(spec) = &job.spec else {
            return Ok(());
        };
        let utterances = match self.utterances(spec, audio) {
            Ok(utterances) => utterances,
            Err(reason) => {
                return self.end(
                    position,
                    Outcome::Failed {
                        phase: Phase::Spawn,
                        reason,
                    },
                );
            }
        };
        let folder = spec.artifact.as_ref().and_then(|id| {
            let files = context
                .plan
                .models
                .get(&spec.model)?
                .artifacts
                .get(id)?
                .files
                .keys();
            Some((self.folder_of(&spec.model, id)?, files.cloned().collect()))
        });
        self.begin(position, launch, None)?;
        let (notes, cancel) = (self.notes.clone(), self.cancel.clone());
        let task = benchmark_launch(
            Arc::clone(&context),
            job.id.clone(),
            spec.clone(),
            launch,
            folder,
            utterances,
            notes,
            cancel,
        );
        tokio::pin!(task);
        let ended = loop {
            tokio::select! {
                Some(event) = self.heard.recv() => self.emit(event)?,
                ended = &mut task => break ended,
            }
        };
        self.emit_heard()?;
        self.attempt_ended(position, launch, &ended)?;
        if ended.outcome != Outcome::Completed {
            return self.end(position, ended.outcome);
        }
        self.state.jobs[position].launches += 1;
        if self.state.jobs[position].launches == spec.launches {
            self.end(position, Outcome::Completed)?;
        }
        Ok(())
    }

    fn utterances(
        &self,
        spec: &BenchmarkSpec,
        audio: &BTreeMap<String, Result<PreparedAudio, String>>,
    ) -> Result<Vec<PreparedAudio>, String> {
        let definition =
            self.context.plan.audio.get(&spec.audio).ok_or_else(|| {
                format!("the plan knows nothing of the recording `{}`", spec.audio)
            })?;
        definition
            .utterances
            .iter()
            .map(|utterance| match audio.get(&utterance.id) {
                Some(prepared) => prepared.clone(),
                None => Err(format!("`{}` was not decoded", utterance.id)),
            })
            .collect()
    }

    /// Counts the artifacts whose last verdict is not complete.
    fn not_complete(&self) -> usize {
        let mut last: BTreeMap<String, Option<Verdict>> = BTreeMap::new();
        for (job, state) in self.context.plan.jobs.iter().zip(&self.state.jobs) {
            if let JobSpec::Verify(spec) = &job.spec {
                let asked = VerifySpec {
                    stage: Stage::Before,
                    ..spec.clone()
                };
                let verdict = state
                    .finding
                    .as_ref()
                    .map(|finding: &VerifyFinding| finding.verdict);
                // Those after the downloads stand behind those before in the plan.
                last.insert(JobSpec::Verify(asked).digest(), verdict);
            }
        }
        last.values()
            .filter(|verdict| **verdict != Some(Verdict::Complete))
            .count()
    }
}

/// Whether a job of a class may start beside those that run.
fn may_start(class: ResourceClass, busy: &[(usize, ResourceClass)]) -> bool {
    if busy
        .iter()
        .any(|(_, other)| *other == ResourceClass::Machine)
    {
        return false;
    }
    match class {
        ResourceClass::Machine => busy.is_empty(),
        _ => busy.iter().filter(|(_, other)| *other == class).count() < class.slots(),
    }
}

/// Returns the profile this program was built with: numbers from unoptimised code must be told
/// apart.
fn build_profile() -> &'static str {
    if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    }
}

fn load_average() -> Option<LoadAverage> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let mut numbers = text.split(' ').map_while(|field| field.parse().ok());
    Some(LoadAverage(
        numbers.next()?,
        numbers.next()?,
        numbers.next()?,
    ))
}
