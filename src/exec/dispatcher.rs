//! The dispatcher: it owns the state of the run, starts what may start, and is the only one that
//! says anything.

use super::context::{Cancellation, RunContext};
use super::state::RunState;
use super::supervise::Ended;
use crate::clock::{Clock, SystemClock, wall_time};
use crate::event::{EventSink, RunEvent, Stamped};
use crate::machine::{governor, load_average};
use crate::model::{
    JobSpec, Outcome, ProcessEnd, SpecDigest, Stage, Verdict, VerifyFinding, VerifySpec,
};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

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

pub(super) struct Dispatcher<'a> {
    pub(super) context: Arc<RunContext>,
    pub(super) sink: &'a mut dyn EventSink,
    pub(super) clock: SystemClock,
    pub(super) sequence: u64,
    pub(super) state: RunState,
    pub(super) notes: Notes,
    pub(super) heard: mpsc::UnboundedReceiver<RunEvent>,
    pub(super) cancel: Cancellation,
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
            shard: None,
            attempt: 1,
            resumed: false,
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
    pub(super) fn emit(&mut self, event: RunEvent) -> io::Result<()> {
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
    pub(super) fn stop_reason(&self) -> Option<String> {
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

    pub(super) fn begin(
        &mut self,
        position: usize,
        launch: u32,
        limit: Option<f64>,
    ) -> io::Result<()> {
        let now = self.clock.now();
        self.state.jobs[position].started = Some(now);
        let job = &self.context.plan.jobs[position];
        self.emit(RunEvent::AttemptStarted {
            job: job.id.clone(),
            kind: job.kind,
            launch,
            attempt: 1,
            limit_seconds: limit,
            load: load_average(),
            governor: governor(),
        })
    }

    pub(super) fn attempt_ended(
        &mut self,
        position: usize,
        launch: u32,
        ended: &Ended,
    ) -> io::Result<()> {
        self.emit(RunEvent::AttemptEnded {
            job: self.context.plan.jobs[position].id.clone(),
            launch,
            attempt: 1,
            outcome: ended.outcome.clone(),
            process: ProcessEnd::default(),
            usage: ended.usage.clone(),
            stderr_tail: ended.stderr_tail.clone(),
            load: load_average(),
        })
    }

    /// Ends a job, once.
    pub(super) fn end(&mut self, position: usize, outcome: Outcome) -> io::Result<()> {
        let now = self.clock.now();
        let state = &mut self.state.jobs[position];
        if state.outcome.is_some() {
            return Ok(());
        }
        state.outcome = Some(outcome.clone());
        state.took += state
            .started
            .take()
            .map_or(Duration::ZERO, |started| now.saturating_sub(started));
        let seconds = state.took.as_secs_f64();
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

    /// Counts the artifacts whose last verdict is not complete.
    fn not_complete(&self) -> usize {
        let mut last: BTreeMap<SpecDigest, Option<Verdict>> = BTreeMap::new();
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

/// Returns the profile this program was built with: numbers from unoptimised code must be told
/// apart.
fn build_profile() -> &'static str {
    if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    }
}
