//! Verifies and downloads: all of them end before the first timed trial.

use super::dispatcher::Dispatcher;
use super::download::{Downloaded, download};
use super::engine::default_threads;
use super::fetching::Fetching;
use super::retry::delay_before_next;
use super::schedule::{Claim, Resources, Waiting};
use super::supervise::{Cancel, Ended};
use super::verify::{Verified, verify};
use crate::clock::Clock;
use crate::event::RunEvent;
use crate::model::{Job, JobKind, JobSpec, Outcome, Stage, Verdict};
use crate::plan::DependencyGraph;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// What a task came to, with the position of its job in the plan.
enum Finished {
    Verify(usize, Box<Verified>),
    Download(usize, Box<Downloaded>),
    /// The wait before the next attempt is over.
    Waited(usize),
}

impl Dispatcher<'_> {
    /// Runs verifies and downloads, in the order of their needs. All of them end before the first
    /// timed trial.
    pub(super) async fn run_checks(&mut self) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let checks: Vec<usize> = (0..context.plan.jobs.len())
            .filter(|position| context.plan.jobs[*position].kind != JobKind::Benchmark)
            .filter(|position| context.does(*position))
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
        let mut ready = graph.ready();
        // In the order of the plan, whatever became ready when.
        let mut waiting = Waiting::default();
        let mut running: JoinSet<Finished> = JoinSet::new();
        let mut resources = Resources::new(context.machine.cores);
        loop {
            let stopped = self.stop_reason().is_some();
            while let Some(place) = ready.pop() {
                let position = checks[place];
                match self.without_running(position) {
                    _ if stopped => {}
                    Some(outcome) => {
                        self.end(position, outcome)?;
                        ready.extend(graph.finish(place));
                    }
                    None => waiting.add(position, self.claim(position)),
                }
            }
            if !stopped {
                for position in resources.start(&mut waiting) {
                    self.start_check(position, &mut running)?;
                }
            }
            if running.is_empty() {
                return Ok(());
            }
            let finished = {
                let next = running.join_next();
                tokio::pin!(next);
                self.listen(next).await?
            };
            let Some(finished) = finished else {
                return Ok(());
            };
            let position = match finished.map_err(|error| io::Error::other(error.to_string()))? {
                Finished::Waited(position) => {
                    if self.stop_reason().is_none() {
                        waiting.add(position, self.claim(position));
                    }
                    continue;
                }
                Finished::Verify(position, verified) => {
                    self.finish_verify(position, *verified, &mut running)?;
                    position
                }
                Finished::Download(position, downloaded) => {
                    self.finish_download(position, *downloaded, &mut running)?;
                    position
                }
            };
            resources.give_back(position);
            if self.state.jobs[position].outcome.is_some() {
                ready.extend(graph.finish(places[&position]));
            }
        }
    }

    fn claim(&self, position: usize) -> Claim {
        let plan = &self.context.plan;
        let threads = default_threads(&self.context, false);
        Claim::of(plan, &plan.jobs[position].spec, threads)
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
                    let verified = verify(context, job, spec, notes, cancel).await;
                    Finished::Verify(position, Box::new(verified))
                });
            }
            JobSpec::Download(spec) => {
                let spec = spec.clone();
                // One limit for all attempts.
                let total = context.plan.deadlines.download_total;
                let limit = total.saturating_sub(self.state.jobs[position].took);
                self.begin(position, 0, Some(limit.as_secs_f64()))?;
                let deadline = context.live.clock.now().saturating_add(limit);
                let is_refused = self.is_refused(&job);
                let fetching = Fetching {
                    context,
                    job: job.id,
                    limit,
                    deadline,
                    is_refused,
                    notes,
                    cancel,
                };
                running.spawn(async move {
                    let downloaded = download(fetching, spec).await;
                    Finished::Download(position, Box::new(downloaded))
                });
            }
            JobSpec::Benchmark(_) => {}
        }
        Ok(())
    }

    /// Returns whether an engine has refused what a download is about, although it is whole as far as a
    /// look tells.
    fn is_refused(&self, download: &Job) -> bool {
        let needs = self.state.positions(&download.needs);
        let mut findings =
            (needs.iter()).filter_map(|need| self.state.jobs[*need].finding.as_ref());
        findings.any(|finding| {
            finding.verdict == Verdict::Corrupt
                && finding.files.iter().all(|file| file.verdict != "corrupt")
        })
    }

    fn finish_verify(
        &mut self,
        position: usize,
        verified: Verified,
        running: &mut JoinSet<Finished>,
    ) -> io::Result<()> {
        if let (Some(place), JobSpec::Verify(spec)) =
            (verified.place, &self.context.plan.jobs[position].spec)
            && let Some(artifact) = &spec.artifact
        {
            let key = (spec.model.to_string(), artifact.to_string());
            self.state.places.insert(key, place);
        }
        // Where no process was started there is nothing to tell but the verdict.
        if verified.ended.usage.is_some() {
            self.attempt_ended(position, 0, &verified.ended)?;
        }
        if self.plan_retry(position, &verified.ended, running)? {
            return Ok(());
        }
        self.state.jobs[position].finding = Some(verified.finding);
        self.end(position, verified.ended.outcome)
    }

    fn finish_download(
        &mut self,
        position: usize,
        downloaded: Downloaded,
        running: &mut JoinSet<Finished>,
    ) -> io::Result<()> {
        self.attempt_ended(position, 0, &downloaded.ended)?;
        if self.plan_retry(position, &downloaded.ended, running)? {
            return Ok(());
        }
        self.state.jobs[position].bytes = downloaded.bytes;
        self.end(position, downloaded.ended.outcome)
    }

    /// Waits, beside what else runs, for the next attempt at what may heal. Returns whether there
    /// will be one.
    fn plan_retry(
        &mut self,
        position: usize,
        ended: &Ended,
        running: &mut JoinSet<Finished>,
    ) -> io::Result<bool> {
        let Some(delay) = self.tell_retry(position, 0, ended)? else {
            return Ok(false);
        };
        let context = Arc::clone(&self.context);
        let cancel = self.cancel.clone();
        running.spawn(async move {
            let until = context.live.clock.now().saturating_add(delay);
            let mut cancel = Cancel(cancel);
            tokio::select! {
                _ = cancel.wait() => {}
                () = context.live.sleep_until(until) => {}
            }
            Finished::Waited(position)
        });
        Ok(true)
    }

    /// Tells that an attempt will be made again, if it will, and returns how long to wait before.
    pub(super) fn tell_retry(
        &mut self,
        position: usize,
        launch: u32,
        ended: &Ended,
    ) -> io::Result<Option<Duration>> {
        if ended.is_final || self.stop_reason().is_some() {
            return Ok(None);
        }
        let job = &self.context.plan.jobs[position];
        let failed = self.state.jobs[position].tries(launch);
        let delay = delay_before_next(&self.context.plan.retries, job.kind, &ended.outcome, failed);
        if let Some(delay) = delay {
            let attempt = self.state.jobs[position].attempt(launch) + 1;
            let job = job.id.clone();
            self.emit(RunEvent::RetryPlanned {
                job,
                launch,
                attempt,
                delay_seconds: delay.as_secs_f64(),
            })?;
        }
        Ok(delay)
    }

    /// Tells that a launch is tried again in a new process, if it fell over in one that had served others
    /// before it: the engine crashed or broke the protocol. That is no retry of those that the matrix allows.
    pub(super) fn tell_new_process(
        &mut self,
        position: usize,
        launch: u32,
        ended: &Ended,
    ) -> io::Result<bool> {
        let fell_over = matches!(
            ended.outcome,
            Outcome::Crashed { .. } | Outcome::ProtocolViolation { .. }
        );
        if !fell_over || self.stop_reason().is_some() {
            return Ok(false);
        }
        let state = &mut self.state.jobs[position];
        state.forgive(launch);
        let attempt = state.attempt(launch) + 1;
        let job = self.context.plan.jobs[position].id.clone();
        self.emit(RunEvent::RetryPlanned {
            job,
            launch,
            attempt,
            delay_seconds: 0.0,
        })?;
        Ok(true)
    }

    /// Returns the end of a check that needs no work, if it needs none. A second verify takes over
    /// the first one's finding where nothing was downloaded in between.
    fn without_running(&mut self, position: usize) -> Option<Outcome> {
        let job = &self.context.plan.jobs[position];
        let needs = self.state.positions(&job.needs);
        match (&job.spec, job.stage) {
            (JobSpec::Download(spec), _) => {
                // Files whose names a repository's list tells may all be here without that list, as
                // older programs leave them: the hub is asked for it, and what is right stays.
                let lacks_list = spec.artifacts.iter().any(|(model, id)| {
                    let model = self.context.plan.models.get(model);
                    let artifact = model.and_then(|model| model.artifacts.get(id));
                    artifact.is_some_and(|artifact| !artifact.names_all_files())
                });
                let wanted = needs.iter().any(|need| {
                    let finding = self.state.jobs[*need].finding.as_ref();
                    finding.is_some_and(|finding| {
                        let verdict = finding.verdict;
                        verdict.wants_download() || (lacks_list && verdict == Verdict::Unknown)
                    })
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
}
