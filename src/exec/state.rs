//! What has become of each job so far.

use super::context::RunContext;
use super::repetition::Looked;
use crate::model::{JobId, JobProgress, JobSpec, Outcome, Sample, TimedTrial, VerifyFinding};
use crate::store::Place;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// A job while the run goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct JobState {
    pub(super) outcome: Option<Outcome>,
    /// Its end is that of an earlier run, or it belongs to another part of the plan.
    pub(super) is_not_ours: bool,
    pub(super) finding: Option<VerifyFinding>,
    /// When its running attempt began.
    pub(super) started: Option<Duration>,
    /// What its ended attempts took together.
    pub(super) took: Duration,
    /// Attempts that were begun, at each launch.
    attempts: HashMap<u32, u32>,
    /// Those of them that this run began.
    tries: HashMap<u32, u32>,
    /// Launches of a benchmark that have completed.
    completed: BTreeSet<u32>,
    /// Trials of launches that an earlier run did not finish.
    trials: HashMap<u32, BTreeSet<(String, u32)>>,
    /// What decides whether an adaptive benchmark goes on.
    pub(super) looked: Option<Box<Looked>>,
    /// Bytes a download brought.
    pub(super) bytes: u64,
}

impl JobState {
    /// Returns whether nothing of it is to be done any more.
    pub(super) fn is_over(&self) -> bool {
        self.outcome.is_some() || self.is_not_ours
    }

    /// Returns whether it came to no end by itself: nobody did it, or it was cancelled.
    pub(super) fn is_open(&self) -> bool {
        !self.is_over() || matches!(self.outcome, Some(Outcome::Cancelled { .. }))
    }

    /// Counts an attempt at a launch, and returns its number, from 1.
    pub(super) fn next_attempt(&mut self, launch: u32) -> u32 {
        *self.tries.entry(launch).or_default() += 1;
        let attempts = self.attempts.entry(launch).or_default();
        *attempts += 1;
        *attempts
    }

    /// Returns how often this run has tried a launch.
    pub(super) fn tries(&self, launch: u32) -> u32 {
        self.tries.get(&launch).copied().unwrap_or(0)
    }

    /// The last try of a launch does not count as one of those that are allowed.
    pub(super) fn forgive(&mut self, launch: u32) {
        let tries = self.tries.entry(launch).or_default();
        *tries = tries.saturating_sub(1);
    }

    /// Returns the number of the attempt at a launch that was begun last.
    pub(super) fn attempt(&self, launch: u32) -> u32 {
        self.attempts.get(&launch).copied().unwrap_or(0)
    }

    /// A launch is done.
    pub(super) fn complete(&mut self, launch: u32) {
        self.completed.insert(launch);
        self.trials.remove(&launch);
    }

    /// Returns whether a launch is done.
    pub(super) fn has_completed(&self, launch: u32) -> bool {
        self.completed.contains(&launch)
    }

    /// Returns how many launches are done.
    pub(super) fn launches(&self) -> usize {
        self.completed.len()
    }

    /// Returns the trials of a launch that an earlier run did.
    pub(super) fn done(&self, launch: u32) -> BTreeSet<(String, u32)> {
        self.trials.get(&launch).cloned().unwrap_or_default()
    }

    fn take_over(&mut self, progress: &JobProgress) {
        self.outcome.clone_from(&progress.outcome);
        self.is_not_ours = progress.outcome.is_some();
        self.took = Duration::try_from_secs_f64(progress.seconds).unwrap_or_default();
        if !progress.timed.is_empty() {
            let looked = Looked::resumed(progress.timed.clone(), progress.looks.last().copied());
            self.looked = Some(Box::new(looked));
        }
        for (launch, done) in &progress.launches {
            self.attempts.insert(*launch, done.attempts);
            if done.completed {
                self.completed.insert(*launch);
            } else {
                self.trials.insert(*launch, done.trials.clone());
            }
        }
    }
}

/// All jobs, by their position in the plan.
#[derive(Debug)]
pub(super) struct RunState {
    pub(super) jobs: Vec<JobState>,
    positions: HashMap<JobId, usize>,
    /// Where artifacts were found complete, by (model, artifact).
    pub(super) places: HashMap<(String, String), Place>,
    /// Artifacts that are not what is locked, with the reason, by (model, artifact).
    pub(super) not_locked: HashMap<(String, String), String>,
    /// Jobs that went wrong in this run, or were skipped because of one.
    pub(super) new_faults: usize,
    /// Whether some benchmark is adaptive.
    has_adaptive: bool,
}

impl RunState {
    pub(super) fn new(context: &RunContext) -> Self {
        let plan = &context.plan;
        let done = context.resumed.as_ref();
        let jobs = plan.jobs.iter().enumerate().map(|(position, job)| {
            let mut state = JobState {
                is_not_ours: !context.does(position),
                ..JobState::default()
            };
            let progress = done.and_then(|done| done.jobs.get(&job.id));
            if let Some(progress) = progress.filter(|_| !state.is_not_ours) {
                state.take_over(progress);
            }
            state
        });
        Self {
            jobs: jobs.collect(),
            positions: plan
                .jobs
                .iter()
                .enumerate()
                .map(|(position, job)| (job.id.clone(), position))
                .collect(),
            places: HashMap::new(),
            not_locked: HashMap::new(),
            new_faults: 0,
            has_adaptive: (plan.jobs.iter()).any(|job| is_adaptive(&job.spec)),
        }
    }

    /// A trial was told. Its time is kept where it decides something.
    pub(super) fn heard_trial(&mut self, context: &RunContext, job: &JobId, sample: &Sample) {
        if !self.has_adaptive || sample.warmup {
            return;
        }
        let Some(position) = self.positions.get(job).copied() else {
            return;
        };
        if is_adaptive(&context.plan.jobs[position].spec) {
            let looked = &mut self.jobs[position].looked;
            looked.get_or_insert_default().take(TimedTrial {
                launch: sample.launch,
                trial: sample.trial,
                utterance: sample.utterance.clone(),
                seconds: sample.transcribe_seconds,
            });
        }
    }

    /// Returns the positions of jobs.
    pub(super) fn positions(&self, ids: &[JobId]) -> Vec<usize> {
        ids.iter()
            .filter_map(|id| self.positions.get(id).copied())
            .collect()
    }

    /// Returns the number of jobs that went wrong, or were skipped because of one, whenever that
    /// was.
    pub(super) fn faults(&self) -> usize {
        self.jobs
            .iter()
            .filter(|job| job.outcome.as_ref().is_some_and(Outcome::is_fault))
            .count()
    }
}

fn is_adaptive(spec: &JobSpec) -> bool {
    matches!(spec, JobSpec::Benchmark(benchmark) if benchmark.adaptive.is_some())
}
