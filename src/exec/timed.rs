//! Timed work: benchmarks, each launch alone on the machine.

use super::benchmark::{Launch, run_launch};
use super::dispatcher::Dispatcher;
use super::engine::KeptEngine;
use super::inputs::{PreparedAudio, prepare_audio};
use super::quiet::await_quiet;
use super::schedule::{by_process, fits_budget, rounds};
use super::supervise::Cancel;
use crate::clock::Clock;
use crate::event::RunEvent;
use crate::model::{
    BenchmarkSpec, Job, JobKind, JobSpec, Outcome, Phase, Stage, Verdict, VerifyPolicy,
};
use crate::store::{Place, find, identify};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Decoded recordings, or why there are none, by utterance.
type Recordings = BTreeMap<String, Result<PreparedAudio, String>>;

/// What may pass between two jobs of one process, beside a wait for a quiet machine.
const BETWEEN: Duration = Duration::from_secs(1);

impl Dispatcher<'_> {
    /// Runs the benchmarks, launch by launch, with the machine to themselves.
    pub(super) async fn run_benchmarks(&mut self) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let mut todo = Vec::new();
        for (position, job) in context.plan.jobs.iter().enumerate() {
            if job.kind != JobKind::Benchmark || self.state.jobs[position].is_over() {
                continue;
            }
            // Where the run was ended before all was asked that it needs, nobody refused it.
            let needs = self.state.positions(&job.needs);
            if needs.iter().any(|need| self.state.jobs[*need].is_open()) {
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
        // Decoding has no limit of its own, but nobody who wants to leave waits for it.
        let mut cancel = Cancel(self.cancel.clone());
        let audio = tokio::select! {
            biased;
            _ = cancel.wait() => return Ok(()),
            audio = prepare_audio(&context, &todo) => audio,
        };
        for prepared in audio.values().flatten() {
            self.emit(RunEvent::AudioPrepared {
                utterance: prepared.id.clone(),
                sha256: prepared.sha256.clone(),
                seconds: prepared.seconds,
            })?;
        }
        self.identify_artifacts(&todo).await?;
        self.run_rounds(&todo, &audio).await
    }

    async fn run_rounds(&mut self, todo: &[usize], audio: &Recordings) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let begun = context.live.clock.now();
        self.settle_looks(todo)?;
        let rounds = rounds(&context.plan, todo);
        let planned = u32::try_from(rounds.len()).unwrap_or(u32::MAX);
        let mut launches_done = 0;
        for (block, launch) in rounds.into_iter().zip(0u32..) {
            let block: Vec<usize> = block
                .into_iter()
                .filter(|position| {
                    let job = &self.state.jobs[*position];
                    !job.is_over() && !job.has_completed(launch)
                })
                .collect();
            if let Some(budget) = context.options.time_budget {
                let now = context.live.clock.now();
                let took = now.saturating_sub(begun);
                let offset = context
                    .resumed
                    .as_ref()
                    .map_or(0.0, |done| done.elapsed_seconds);
                let offset = Duration::try_from_secs_f64(offset).unwrap_or_default();
                let spent = now.saturating_sub(offset);
                if !fits_budget(budget, spent, launches_done, took, block.len()) {
                    return self.leave_out_rounds(todo, launch, planned, budget);
                }
            }
            for mut served in by_process(&context.plan, block) {
                if self.stop_reason().is_some() {
                    return Ok(());
                }
                // An earlier launch may have failed: then the job has its end already.
                served.retain(|position| !self.state.jobs[*position].is_over());
                launches_done += served.len();
                self.run_together(&served, launch, audio).await?;
            }
        }
        // What an earlier run completed but could not say so.
        for position in todo {
            self.end_if_complete(*position)?;
        }
        Ok(())
    }

    /// Ends what the time budget has no room for: with the launches that it has, or as skipped if
    /// there are none.
    fn leave_out_rounds(
        &mut self,
        todo: &[usize],
        done: u32,
        planned: u32,
        budget: Duration,
    ) -> io::Result<()> {
        let budget_seconds = budget.as_secs_f64();
        self.emit(RunEvent::RoundsLeftOut {
            done,
            planned,
            budget_seconds,
        })?;
        for position in todo {
            let outcome = if self.state.jobs[*position].launches() > 0 {
                Outcome::Completed
            } else {
                Outcome::Skipped {
                    reason: format!("the time budget of {budget_seconds} s was spent"),
                    because_of: None,
                }
            };
            self.end(*position, outcome)?;
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
        let first = *unproven.first().filter(|_| refused)?;
        let jobs = &self.context.plan.jobs;
        if let Some((download, reason)) = self.failed_download_of(first) {
            return Some(Outcome::Skipped {
                reason: format!("the model could not be fetched ({reason})"),
                because_of: Some(jobs[download].id.clone()),
            });
        }
        let found = self.state.jobs[first].finding.as_ref().map_or_else(
            || "was not asked".to_owned(),
            |finding| format!("{}: {}", finding.verdict, finding.reason),
        );
        Some(Outcome::Skipped {
            reason: format!("the model was not verified ({found})"),
            because_of: Some(jobs[first].id.clone()),
        })
    }

    /// Returns the download that a verify waited for and that went wrong, with its reason.
    fn failed_download_of(&self, verify: usize) -> Option<(usize, String)> {
        let job = &self.context.plan.jobs[verify];
        if job.stage != Some(Stage::After) {
            return None;
        }
        let needs = self.state.positions(&job.needs);
        needs.into_iter().find_map(|need| {
            let outcome = self.state.jobs[need].outcome.as_ref()?;
            let is_download = self.context.plan.jobs[need].kind == JobKind::Download;
            (is_download && outcome.is_fault()).then(|| (need, outcome.reason()))
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
            let Some(place) = self.place_of(&model, &id) else {
                continue;
            };
            let locked = context.plan.models[&model].artifacts[&id].locked;
            let mut cancel = Cancel(self.cancel.clone());
            let identified = tokio::select! {
                biased;
                _ = cancel.wait() => return Ok(()),
                identified = tokio::task::spawn_blocking(move || {
                    let identity = identify(&place)?;
                    let differing = if locked { identity.differing(&place)? } else { Vec::new() };
                    io::Result::Ok((identity.digest, differing))
                }) => identified,
            };
            if let Ok(Ok((digest, differing))) = identified {
                if !differing.is_empty() {
                    let reason = format!(
                        "`{id}` of `{model}` is not what is locked: {}",
                        differing.join("; ")
                    );
                    let key = (model.clone(), id.clone());
                    self.state.not_locked.insert(key, reason);
                }
                self.emit(RunEvent::ArtifactIdentified {
                    model,
                    artifact: id,
                    digest,
                })?;
            }
        }
        Ok(())
    }

    /// Returns the place of an artifact: where a verify found it, else where it may be.
    fn place_of(&self, model: &str, id: &str) -> Option<Place> {
        let key = (model.to_owned(), id.to_owned());
        self.state.places.get(&key).cloned().or_else(|| {
            let artifact = self.context.plan.models.get(model)?.artifacts.get(id)?;
            Some(find(artifact, &self.context.store).place)
        })
    }

    /// Runs one launch of each of some benchmarks that one process may serve, one after the other. One that
    /// crashes is run again if the matrix allows that; it and those after it get a new process.
    async fn run_together(
        &mut self,
        positions: &[usize],
        launch: u32,
        audio: &Recordings,
    ) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let mut left = VecDeque::new();
        for position in positions {
            match self.prepare(*position, launch, audio) {
                Ok(prepared) => left.extend(prepared),
                Err(outcome) => self.end(*position, outcome)?,
            }
        }
        let mut kept: Option<KeptEngine> = None;
        while let Some((position, mut task)) = left.pop_front() {
            self.await_quiet().await?;
            let stops = self.stop_reason().is_some();
            if let Some(mut engine) = kept.take() {
                // One that said something unasked, or ended, is given no other job.
                if !stops && engine.is_silent().await {
                    kept = Some(engine);
                } else {
                    engine.end(&context, self.cancel.clone()).await;
                }
            }
            if stops {
                return Ok(());
            }
            task.attempt = self.begin(position, launch, None)?;
            task.keep = self.limit_of_rest(&left);
            let was_kept = kept.is_some();
            let (notes, cancel) = (self.notes.clone(), self.cancel.clone());
            // A task of its own: what the dispatcher waits for must not hold up its limits.
            let running = run_launch(
                Arc::clone(&context),
                task.clone(),
                kept.take(),
                notes,
                cancel,
            );
            let ended = self.listen(tokio::spawn(running)).await?;
            let (ended, then) = ended.map_err(|error| io::Error::other(error.to_string()))?;
            kept = then;
            self.attempt_ended(position, launch, &ended)?;
            if ended.outcome == Outcome::Completed {
                self.state.jobs[position].complete(launch);
                self.end_if_complete(position)?;
                continue;
            }
            // What it fell over may be what those before it left in the process.
            let delay = if was_kept && self.tell_new_process(position, launch, &ended)? {
                Duration::ZERO
            } else if let Some(delay) = self.tell_retry(position, launch, &ended)? {
                delay
            } else {
                self.end(position, ended.outcome)?;
                continue;
            };
            // What a process that crashed has measured is not believed.
            task.begin_anew();
            left.push_front((position, task));
            let until = context.live.clock.now().saturating_add(delay);
            let mut cancel = Cancel(self.cancel.clone());
            tokio::select! {
                _ = cancel.wait() => {}
                () = context.live.sleep_until(until) => {}
            }
        }
        Ok(())
    }

    /// Returns how long launches may take the process that serves them, with the waits before them; `None`
    /// without any.
    fn limit_of_rest(&self, launches: &VecDeque<(usize, Launch)>) -> Option<Duration> {
        let quiet = self
            .context
            .plan
            .quiet
            .map_or(Duration::ZERO, |quiet| quiet.wait);
        // As much again for what lies between them.
        let between = quiet.saturating_add(BETWEEN);
        launches
            .iter()
            .map(|(_, launch)| {
                launch
                    .limit_of_trials(&self.context)
                    .saturating_add(between)
            })
            .reduce(Duration::saturating_add)
    }

    /// Returns the launch of a benchmark that is to be done, or how the benchmark ends because it cannot be.
    fn prepare(
        &self,
        position: usize,
        launch: u32,
        audio: &Recordings,
    ) -> Result<Option<(usize, Launch)>, Outcome> {
        let job = &self.context.plan.jobs[position];
        let JobSpec::Benchmark(spec) = &job.spec else {
            return Ok(None);
        };
        let utterances = self
            .utterances(spec, audio)
            .map_err(|reason| Outcome::Failed {
                phase: Phase::Spawn,
                reason,
            })?;
        let not_locked = spec.artifact.as_ref().and_then(|id| {
            let key = (spec.model.to_string(), id.to_string());
            self.state.not_locked.get(&key).cloned()
        });
        if let Some(reason) = not_locked {
            let phase = Phase::Verify;
            return Err(Outcome::Failed { phase, reason });
        }
        let folder = spec.artifact.as_ref().and_then(|id| {
            let place = self.place_of(&spec.model, id)?;
            Some((place.folder.clone(), place.names()))
        });
        let mut task = Launch {
            job: job.id.clone(),
            spec: spec.clone(),
            number: launch,
            attempt: 1,
            folder,
            utterances,
            trials: Vec::new(),
            keep: None,
        };
        task.do_without(&self.state.jobs[position].done(launch));
        Ok(Some((position, task)))
    }

    /// Waits until other programs leave the machine alone, if the matrix asks for that.
    async fn await_quiet(&mut self) -> io::Result<()> {
        let Some(quiet) = self.context.plan.quiet else {
            return Ok(());
        };
        let context = Arc::clone(&self.context);
        let mut cancel = Cancel(self.cancel.clone());
        let waited = tokio::select! {
            biased;
            _ = cancel.wait() => return Ok(()),
            waited = await_quiet(&context.live, &quiet) => waited,
        };
        if waited.at_once && waited.quiet {
            return Ok(());
        }
        self.emit(RunEvent::QuietAwaited {
            seconds: waited.seconds,
            busy: waited.busy,
            allowed: quiet.load,
            quiet: waited.quiet,
        })
    }

    /// Ends a benchmark that needs no further launch.
    pub(super) fn end_if_complete(&mut self, position: usize) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let JobSpec::Benchmark(spec) = &context.plan.jobs[position].spec else {
            return Ok(());
        };
        if self.has_enough(position, spec)? {
            self.end(position, Outcome::Completed)?;
        }
        Ok(())
    }

    fn utterances(
        &self,
        spec: &BenchmarkSpec,
        audio: &Recordings,
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
