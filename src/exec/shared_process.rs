//! One process of an engine that serves several jobs, which want the same model and settings of it
//! (`isolation: model`).
//!
//! The process is one attempt of the state machine, with the trials of all its jobs in one row; but each
//! job has an attempt of its own in the record, which ends with its last trial. So a fault is that of the
//! job whose turn it is, what was done before it stays done, and what comes after it gets a new
//! process. Whoever runs the process knows whose turn it is by counting answers ([`Serving`]), and tells the
//! dispatcher between the last trial of one job and the first of the next ([`Turns`]).

use super::dispatcher::Dispatcher;
use super::engine::EngineJob;
use super::live::Live;
use super::notes::Notes;
use super::supervise::Ended;
use crate::clock::Clock;
use crate::event::RunEvent;
use crate::model::{ChildUsage, JobId, Outcome, Value};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// What a process has done for its jobs so far.
pub(super) struct Serving<'a> {
    live: &'a Live,
    notes: &'a Notes,
    /// The jobs, with their numbers of trials.
    jobs: Vec<(JobId, usize)>,
    launch: u32,
    shared: bool,
    /// Whose turn it is.
    current: usize,
    /// When that began.
    since: Duration,
    /// How many of its trials are done.
    done: usize,
    wall: String,
    version: String,
    start_seconds: f64,
    settings: BTreeMap<String, Value>,
}

impl<'a> Serving<'a> {
    /// Begins with the first of some jobs.
    pub(super) fn new(
        live: &'a Live,
        notes: &'a Notes,
        jobs: &[EngineJob],
        launch: u32,
        shared: bool,
    ) -> Self {
        let jobs = jobs.iter().map(|job| (job.job.clone(), job.trials.len()));
        Self {
            live,
            notes,
            jobs: jobs.collect(),
            launch,
            shared,
            current: 0,
            since: live.clock.now(),
            done: 0,
            wall: String::new(),
            version: String::new(),
            start_seconds: 0.0,
            settings: BTreeMap::new(),
        }
    }

    /// Returns how many jobs there are.
    pub(super) fn jobs(&self) -> u32 {
        u32::try_from(self.jobs.len()).unwrap_or(u32::MAX)
    }

    /// Returns the position of the job whose turn it is.
    pub(super) fn position(&self) -> usize {
        self.current
    }

    /// Returns the job whose turn it is.
    pub(super) fn job(&self) -> &JobId {
        &self.jobs[self.current].0
    }

    /// The shim told what keeps the process from a network.
    pub(super) fn walled(&mut self, wall: String) {
        self.wall = wall;
    }

    /// The engine said hello, so long after the spawn.
    pub(super) fn said_hello(&mut self, version: String, took: Duration) {
        self.version = version;
        self.start_seconds = took.as_secs_f64();
    }

    /// The engine loaded its model. Without seconds, it has no time for that.
    pub(super) fn loaded(&mut self, settings: BTreeMap<String, Value>, seconds: Option<f64>) {
        self.settings = settings;
        self.tell_ready(Some(self.start_seconds));
        if let Some(load_seconds) = seconds {
            self.notes.tell(RunEvent::ModelLoaded {
                job: self.job().clone(),
                launch: self.launch,
                load_seconds,
            });
        }
    }

    /// A trial was answered. If it was the last of its job, it is the next one's turn.
    pub(super) fn trial_done(&mut self) {
        self.done += 1;
        if self.done < self.jobs[self.current].1 || self.current + 1 == self.jobs.len() {
            return;
        }
        let mut ended = Ended::without_process(Outcome::Completed);
        ended.usage = Some(self.part());
        self.notes.next_job(ended);
        self.current += 1;
        self.done = 0;
        self.since = self.live.clock.now();
        self.tell_ready(None);
    }

    /// Returns the end of the process as that of the job whose turn it was.
    pub(super) fn end(&self, mut ended: Ended) -> Ended {
        if self.shared {
            ended.usage = ended.usage.map(|usage| ChildUsage {
                leaked_processes: usage.leaked_processes,
                ..self.part()
            });
        }
        ended
    }

    fn tell_ready(&self, start_seconds: Option<f64>) {
        self.notes.tell(RunEvent::EngineReady {
            job: self.job().clone(),
            launch: self.launch,
            version: self.version.clone(),
            start_seconds,
            settings: self.settings.clone(),
        });
    }

    /// Returns what is known of what the process cost for the job whose turn it is.
    fn part(&self) -> ChildUsage {
        let took = self.live.clock.now().saturating_sub(self.since);
        ChildUsage {
            wall_seconds: took.as_secs_f64(),
            network_wall: self.wall.clone(),
            ..ChildUsage::default()
        }
    }
}

/// The jobs that a running process serves, as the dispatcher knows them.
#[derive(Debug)]
pub(super) struct Turns {
    launch: u32,
    /// Their positions in the plan.
    positions: Vec<usize>,
    /// Whose turn it is.
    current: usize,
}

impl Turns {
    /// It is the turn of the first.
    pub(super) fn new(launch: u32, positions: Vec<usize>) -> Self {
        Self {
            launch,
            positions,
            current: 0,
        }
    }

    /// Returns how many jobs the process is done with, each of which ended well.
    pub(super) fn over(&self) -> usize {
        self.current
    }
}

impl Dispatcher<'_> {
    /// A process is done with a job and goes on to the next.
    pub(super) fn hand_over(&mut self, ended: &Ended) -> io::Result<()> {
        let Some(turns) = &mut self.turns else {
            return Ok(());
        };
        let launch = turns.launch;
        let before = turns.positions[turns.current];
        turns.current += 1;
        let next = turns.positions.get(turns.current).copied();
        self.launch_completed(before, launch, ended)?;
        if let Some(next) = next {
            self.begin(next, launch, None)?;
        }
        Ok(())
    }

    /// A launch of a benchmark ended well, and perhaps with it the benchmark.
    pub(super) fn launch_completed(
        &mut self,
        position: usize,
        launch: u32,
        ended: &Ended,
    ) -> io::Result<()> {
        self.attempt_ended(position, launch, ended)?;
        self.state.jobs[position].complete(launch);
        self.end_if_complete(position)
    }
}
