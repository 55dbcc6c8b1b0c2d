//! The dispatcher: it owns the state of the run, starts what may start, and is the only one that
//! says anything.

use super::context::{Cancellation, RunContext};
use super::fence::Fence;
use super::notes::Notes;
use super::state::RunState;
use super::supervise::Ended;
use crate::clock::{Clock, wall_time};
use crate::engine::crate_versions;
use crate::event::{EventSink, RunEvent, Stamped};
use crate::machine::{SystemFiles, governor, load_average, machine_state};
use crate::model::{
    JobSpec, LoadAverage, MachineState, Outcome, RerunReason, SpecDigest, Stage, Verdict,
    VerifyFinding, VerifySpec,
};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long what was read of the machine's state is good: it changes slowly, and reading it for
/// each of thousands of small jobs would cost more than the jobs.
const FRESH: Duration = Duration::from_millis(200);

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
    pub(super) sink: &'a mut (dyn EventSink + Send),
    sequence: u64,
    pub(super) state: RunState,
    pub(super) notes: Notes,
    heard: mpsc::UnboundedReceiver<RunEvent>,
    pub(super) cancel: Cancellation,
    /// What the machine was like, and when that was read.
    machine_now: Option<(Instant, MachineNow)>,
}

/// What the machine is like at a moment.
#[derive(Clone, Debug)]
struct MachineNow {
    load: Option<LoadAverage>,
    governor: Option<String>,
    state: MachineState,
}

/// Carries out a plan, inside a runtime. What runs beside the dispatcher are tasks of that runtime:
/// a journal that is slow to write holds up no limit.
///
/// # Errors
///
/// Fails if the journal cannot be written; then everything that ran has been ended.
pub async fn run(
    context: RunContext,
    sink: &mut (dyn EventSink + Send),
    cancel: Cancellation,
) -> io::Result<RunSummary> {
    // Where this is not possible, what a killed shim leaves is found in its control group at most.
    let _ = crate::shim::become_subreaper();
    let (sender, heard) = mpsc::unbounded_channel();
    let state = RunState::new(&context);
    let sequence = context
        .resumed
        .as_ref()
        .map_or(0, |done| done.next_sequence);
    let mut dispatcher = Dispatcher {
        context: Arc::new(context),
        sink,
        sequence,
        state,
        notes: Notes(sender),
        heard,
        cancel,
        machine_now: None,
    };
    dispatcher.run().await
}

impl Dispatcher<'_> {
    async fn run(&mut self) -> io::Result<RunSummary> {
        let context = Arc::clone(&self.context);
        let begun = context.live.clock.now();
        let jobs = self.state.jobs.iter().filter(|job| !job.is_over()).count();
        self.emit(RunEvent::RunStarted {
            run_id: context.run_id.clone(),
            plan_digest: context.plan.digest.clone(),
            earmark_version: env!("CARGO_PKG_VERSION").into(),
            build_profile: build_profile().into(),
            crates: crate_versions(),
            command_line: context.command_line.clone(),
            repository: context.repository.clone(),
            machine: Box::new(context.machine.clone()),
            jobs,
            shard: context.part.as_ref().map(|part| part.shard.clone()),
            attempt: context.attempt,
            resumed: context.resumed.is_some(),
        })?;
        self.reopen()?;
        for position in 0..context.plan.jobs.len() {
            let planned = context.plan.jobs[position].skip.clone();
            let skip = planned.or_else(|| context.unmet.get(&position).cloned());
            if let Some(reason) = skip.filter(|_| !self.state.jobs[position].is_over()) {
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
            if !self.state.jobs[position].is_over() {
                self.end(
                    position,
                    Outcome::Cancelled {
                        reason: reason.clone(),
                    },
                )?;
            }
        }
        let interrupted = self.interrupted().is_some();
        let seconds = (context.live.clock.now().saturating_sub(begun)).as_secs_f64();
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

    /// Tells of each job that an earlier run knew, and that is done again or further, why.
    fn reopen(&mut self) -> io::Result<()> {
        let context = Arc::clone(&self.context);
        let Some(done) = &context.resumed else {
            return Ok(());
        };
        for (position, job) in context.plan.jobs.iter().enumerate() {
            if self.state.jobs[position].is_over() {
                continue;
            }
            let Some(progress) = done.jobs.get(&job.id) else {
                continue;
            };
            if let Some((reason, detail)) = &progress.rerun {
                self.emit(RunEvent::JobReopened {
                    job: job.id.clone(),
                    reason: *reason,
                    detail: detail.clone(),
                    keeps_trials: *reason == RerunReason::NotFinished,
                })?;
            }
        }
        Ok(())
    }

    /// Says something: to the journal first, whose failure ends the run.
    pub(super) fn emit(&mut self, event: RunEvent) -> io::Result<()> {
        for stretch in self.context.live.take_suspensions() {
            let seconds = stretch.as_secs_f64();
            self.emit_stamped(RunEvent::Suspended { seconds })?;
        }
        if let RunEvent::TrialEnded { job, sample } = &event {
            self.state.heard_trial(&self.context, job, sample);
        }
        self.emit_stamped(event)
    }

    fn emit_stamped(&mut self, event: RunEvent) -> io::Result<()> {
        let stamped = Stamped {
            v: 1,
            sequence: self.sequence,
            at: wall_time(),
            elapsed_seconds: self.context.live.clock.now().as_secs_f64(),
            event,
        };
        self.sequence += 1;
        self.sink.emit(&stamped)
    }

    /// Waits for something, and passes on what tasks tell meanwhile, and all that they told before.
    pub(super) async fn listen<F: Future + Unpin>(&mut self, mut task: F) -> io::Result<F::Output> {
        let output = loop {
            let again = self.sink.settle()?;
            let settled = async {
                match again {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(event) = self.heard.recv() => self.emit(event)?,
                output = &mut task => break output,
                () = settled => {}
            }
        };
        self.emit_heard()?;
        Ok(output)
    }

    /// Passes on what tasks have told.
    fn emit_heard(&mut self) -> io::Result<()> {
        while let Ok(event) = self.heard.try_recv() {
            self.emit(event)?;
        }
        Ok(())
    }

    fn interrupted(&self) -> Option<String> {
        self.cancel.borrow().clone()
    }

    /// Returns why nothing new may be started, if so.
    pub(super) fn stop_reason(&self) -> Option<String> {
        if let Some(reason) = self.interrupted() {
            return Some(reason);
        }
        if let Some(reason) = self.context.fence.as_ref().and_then(Fence::reason) {
            return Some(reason);
        }
        let faults = self.state.new_faults;
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

    /// An attempt begins. Returns its number.
    pub(super) fn begin(
        &mut self,
        position: usize,
        launch: u32,
        limit: Option<f64>,
    ) -> io::Result<u32> {
        let now = self.context.live.clock.now();
        let state = &mut self.state.jobs[position];
        state.started = Some(now);
        let attempt = state.next_attempt(launch);
        let MachineNow {
            load,
            governor,
            state,
        } = self.machine_now();
        let job = &self.context.plan.jobs[position];
        self.emit(RunEvent::AttemptStarted {
            job: job.id.clone(),
            kind: job.kind,
            launch,
            attempt,
            limit_seconds: limit,
            load,
            governor,
            state,
        })?;
        Ok(attempt)
    }

    /// An attempt has ended, and with it the process that it had.
    pub(super) fn attempt_ended(
        &mut self,
        position: usize,
        launch: u32,
        ended: &Ended,
    ) -> io::Result<()> {
        self.pause(position);
        let job = self.context.plan.jobs[position].id.clone();
        if ended.leaked_count > 0 {
            self.emit(RunEvent::ProcessesLeaked {
                job: job.clone(),
                launch,
                count: ended.leaked_count,
                processes: ended.leaked.clone(),
            })?;
        }
        let now = self.machine_now();
        let attempt = self.state.jobs[position].attempt(launch);
        self.emit(RunEvent::AttemptEnded {
            job,
            launch,
            attempt,
            outcome: ended.outcome.clone(),
            process: ended.process,
            usage: ended.usage.clone(),
            stderr_tail: ended.stderr_tail.clone(),
            load: now.load,
            governor: now.governor,
            state: now.state,
        })
    }

    /// A job's attempt is over; until the next one begins its time does not run.
    fn pause(&mut self, position: usize) {
        let now = self.context.live.clock.now();
        let state = &mut self.state.jobs[position];
        state.took += state
            .started
            .take()
            .map_or(Duration::ZERO, |started| now.saturating_sub(started));
    }

    /// Ends a job, once.
    pub(super) fn end(&mut self, position: usize, outcome: Outcome) -> io::Result<()> {
        self.pause(position);
        let state = &mut self.state.jobs[position];
        if state.is_over() {
            return Ok(());
        }
        state.outcome = Some(outcome.clone());
        let seconds = state.took.as_secs_f64();
        let (finding, bytes) = (state.finding.clone(), state.bytes);
        self.state.new_faults += usize::from(outcome.is_fault());
        let job = self.context.plan.jobs[position].id.clone();
        self.emit(RunEvent::JobEnded {
            job,
            outcome,
            finding,
            seconds,
            bytes,
        })
    }

    /// Returns what the machine is like, as of a moment ago.
    fn machine_now(&mut self) -> MachineNow {
        let now = Instant::now();
        if let Some((read, known)) = &self.machine_now
            && now.duration_since(*read) < FRESH
        {
            return known.clone();
        }
        let found = MachineNow {
            load: load_average(),
            governor: governor(),
            state: machine_state(&SystemFiles::of_this_system()),
        };
        self.machine_now = Some((now, found.clone()));
        found
    }

    /// Counts the artifacts whose last verdict is not complete.
    fn not_complete(&self) -> usize {
        let mut last: BTreeMap<SpecDigest, Option<Verdict>> = BTreeMap::new();
        for (job, state) in self.context.plan.jobs.iter().zip(&self.state.jobs) {
            // Another part of the plan answers for its own.
            if state.is_not_ours && state.outcome.is_none() {
                continue;
            }
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
