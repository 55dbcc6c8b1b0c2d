//! Verifies and downloads: all of them end before the first timed trial.

use super::dispatcher::Dispatcher;
use super::download::{Downloaded, download};
use super::schedule::ResourceClass;
use super::verify::{Verified, verify};
use crate::model::{Job, JobKind, JobSpec, Outcome, Stage};
use crate::plan::DependencyGraph;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use tokio::task::JoinSet;

enum Finished {
    Verify(usize, Verified),
    Download(usize, Downloaded),
}

impl Dispatcher<'_> {
    /// Runs verifies and downloads, in the order of their needs. All of them end before the first
    /// timed trial.
    pub(super) async fn run_checks(&mut self) -> io::Result<()> {
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

    pub(super) fn emit_heard(&mut self) -> io::Result<()> {
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
                    let key = (spec.model.to_string(), artifact.to_string());
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
