//! Timed work: benchmarks, each launch alone on the machine.

use super::benchmark::benchmark_launch;
use super::dispatcher::Dispatcher;
use super::inputs::{PreparedAudio, prepare_audio};
use super::schedule::timed_order;
use crate::clock::Clock;
use crate::event::RunEvent;
use crate::model::{BenchmarkSpec, Job, JobKind, JobSpec, Outcome, Phase, Verdict, VerifyPolicy};
use crate::store::{artifact_digest, candidates, check};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

impl Dispatcher<'_> {
    /// Runs the benchmarks, launch by launch, with the machine to themselves.
    pub(super) async fn run_benchmarks(&mut self) -> io::Result<()> {
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
                JobSpec::Benchmark(spec) => {
                    Some((spec.model.to_string(), spec.artifact.as_ref()?.to_string()))
                }
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
                .get(spec.model.as_str())?
                .artifacts
                .get(id.as_str())?
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
        let now = self.clock.now();
        let state = &mut self.state.jobs[position];
        state.took += state
            .started
            .take()
            .map_or(Duration::ZERO, |started| now.saturating_sub(started));
        state.launches += 1;
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
        let definition = self
            .context
            .plan
            .audio
            .get(spec.audio.as_str())
            .ok_or_else(|| format!("the plan knows nothing of the recording `{}`", spec.audio))?;
        definition
            .utterances
            .iter()
            .map(|utterance| match audio.get(&utterance.id) {
                Some(prepared) => prepared.clone(),
                None => Err(format!("`{}` was not decoded", utterance.id)),
            })
            .collect()
    }
}
