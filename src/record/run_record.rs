//! What a journal folds into: sessions, jobs, attempts, trials. Nothing is derived here.

use crate::model::{
    ChildUsage, JobId, LeakedProcess, LoadAverage, MachineFacts, MachineState, Outcome, Phase,
    Plan, ProcessEnd, RepeatLook, RepositoryFacts, RerunReason, Sample, Shard, Value,
    VerifyFinding,
};
use std::collections::{BTreeMap, BTreeSet};

/// One stretch of a run: from a start of the program to its end. A resumed run has several, and so
/// has what is merged from several runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// The number of the run that it belongs to, from 0: a resumed session belongs to the same run
    /// as the one before it. Journals that are not merged hold one run.
    pub run: usize,
    /// The run's id.
    pub run_id: String,
    /// The digest of the plan that it went by.
    pub plan_digest: String,
    /// The machine.
    pub machine: MachineFacts,
    /// The part of the plan that it did; `None` = all of it.
    pub shard: Option<Shard>,
    /// Which attempt at its part it was, from 1.
    pub attempt: u32,
    /// The version of this program.
    pub earmark_version: String,
    /// The profile it was built with.
    pub build_profile: String,
    /// The crates that did its work, with their versions.
    pub crates: BTreeMap<String, String>,
    /// The command line.
    pub command_line: Vec<String>,
    /// The repository that the matrix lay in, if it was in one.
    pub repository: Option<RepositoryFacts>,
    /// Date and time of its start, UTC.
    pub started_at: String,
    /// Seconds on the run's clock at which it began.
    pub started_elapsed: f64,
    /// Seconds it took; `None` if it did not end in order.
    pub seconds: Option<f64>,
    /// It was interrupted.
    pub interrupted: bool,
    /// It went on with what the journal held already.
    pub resumed: bool,
    /// How many jobs it was to do.
    pub jobs: usize,
    /// Digest and seconds of each recording that it decoded, or the sessions before it in its run.
    pub audio: BTreeMap<String, (String, f64)>,
    /// Digest of each artifact that it identified, or the sessions before it, by model and artifact.
    pub artifacts: BTreeMap<(String, String), String>,
    /// Its waits for a quiet machine, in order.
    pub quiet_waits: Vec<QuietWait>,
    /// When it was stopped from outside and went on.
    pub suspensions: Vec<Suspension>,
    /// Rounds that the time budget left out.
    pub rounds_left_out: Option<RoundsLeftOut>,
}

/// A wait for other programs to leave the machine alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuietWait {
    /// Seconds on the run's clock at which it ended.
    pub at: f64,
    /// Seconds that it took.
    pub seconds: f64,
    /// CPUs that others kept busy at its end.
    pub busy: f64,
    /// How many of them were allowed.
    pub allowed: f64,
    /// Whether it became quiet.
    pub quiet: bool,
}

/// A time in which the runner was stopped from outside; the run's clock stood still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspension {
    /// Seconds on the run's clock at which it was.
    pub at: f64,
    /// Seconds on a clock that does not stand still.
    pub seconds: f64,
}

/// Rounds of launches that a time budget left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundsLeftOut {
    /// Seconds on the run's clock at which it was decided.
    pub at: f64,
    /// Rounds that were done.
    pub done: u32,
    /// Rounds that were planned.
    pub planned: u32,
    /// The budget in seconds.
    pub budget_seconds: f64,
}

/// A warning that something takes long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowWarning {
    /// What.
    pub phase: Phase,
    /// Seconds that it had taken by then.
    pub seconds: f64,
    /// Its limit in seconds.
    pub limit_seconds: f64,
}

/// Processes that outlived the one that had started them, and were ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// How many.
    pub count: u32,
    /// The first of them.
    pub processes: Vec<LeakedProcess>,
}

/// What followed an attempt that failed in a way that may heal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// The number of the attempt that was to be made.
    pub attempt: u32,
    /// Seconds that it waited before.
    pub delay_seconds: f64,
}

/// One process of a job, or one look for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttemptRecord {
    /// Its session, by position.
    pub session: usize,
    /// The launch, from 0.
    pub launch: u32,
    /// The attempt at the launch, from 1.
    pub attempt: u32,
    /// Seconds into the run at which it began.
    pub started_at: f64,
    /// Seconds into the run at which it ended; where it was lost, at which its session was last
    /// heard of.
    pub ended_at: Option<f64>,
    /// Its session was over before it ended: nobody saw what became of it.
    pub lost: bool,
    /// A later session began the job anew: what was measured then counts instead.
    pub superseded: bool,
    /// Load averages when it began.
    pub load: Option<LoadAverage>,
    /// Load averages when it ended.
    pub load_after: Option<LoadAverage>,
    /// The frequency governor when it began.
    pub governor: Option<String>,
    /// The frequency governor when it ended.
    pub governor_after: Option<String>,
    /// What else of the machine may change, when it began.
    pub state: MachineState,
    /// The same when it ended.
    pub state_after: MachineState,
    /// Its limit as a whole, in seconds.
    pub limit_seconds: Option<f64>,
    /// The engine's version.
    pub version: Option<String>,
    /// The settings in effect.
    pub settings: BTreeMap<String, Value>,
    /// Spawn to hello.
    pub start_seconds: Option<f64>,
    /// Load to ready.
    pub load_seconds: Option<f64>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How its process ended.
    pub process: ProcessEnd,
    /// What it cost.
    pub usage: Option<ChildUsage>,
    /// The end of its error output.
    pub stderr_tail: String,
    /// What was slow in it.
    pub slow: Vec<SlowWarning>,
    /// The processes that it left behind.
    pub leak: Option<Leak>,
    /// The retry that followed it.
    pub retry: Option<Retry>,
    /// The repository and the commit of it that a download fetched from, if it asked a hub.
    pub commit: Option<(String, String)>,
}

impl AttemptRecord {
    /// Returns how many processes it left behind; `None` if it had no process.
    #[must_use]
    pub fn leaked_processes(&self) -> Option<u32> {
        let counted = self.usage.as_ref().map(|usage| usage.leaked_processes);
        let told = self.leak.as_ref().map(|leak| leak.count);
        counted.max(told)
    }
}

/// Why a job was done again, or further, by a resumed run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopening {
    /// The session that did it, by position.
    pub session: usize,
    /// Why.
    pub reason: RerunReason,
    /// What changed, in words; may be empty.
    pub detail: String,
    /// The trials that were done stayed good.
    pub keeps_trials: bool,
}

/// What became of a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobRecord {
    /// The session that last worked at it, by position.
    pub session: usize,
    /// Its attempts in the order in which they began, those that do not count any more too.
    pub attempts: Vec<AttemptRecord>,
    /// Its trials, warm-ups included; of a trial that was done twice the later one.
    pub samples: Vec<Sample>,
    /// Its one end; `None` if the run did not get that far.
    pub outcome: Option<Outcome>,
    /// What a verify found.
    pub finding: Option<VerifyFinding>,
    /// Seconds that its attempts took together.
    pub seconds: f64,
    /// Bytes a download brought.
    pub bytes: u64,
    /// Seconds into the run at which it ended.
    pub ended_at: Option<f64>,
    /// The looks that were taken at it, if it is measured until its median is known well enough.
    pub looks: Vec<RepeatLook>,
    /// When resumed runs did it again, and why.
    pub reopened: Vec<Reopening>,
}

impl JobRecord {
    /// Returns the attempts that count: all but those of which nothing was kept.
    #[must_use]
    pub fn current_attempts(&self) -> impl DoubleEndedIterator<Item = &AttemptRecord> {
        self.attempts.iter().filter(|attempt| !attempt.superseded)
    }

    /// Returns the sessions that did what counts of it, by position.
    #[must_use]
    pub fn current_sessions(&self) -> BTreeSet<usize> {
        let sessions: BTreeSet<usize> = self
            .current_attempts()
            .map(|attempt| attempt.session)
            .collect();
        if sessions.is_empty() {
            BTreeSet::from([self.session])
        } else {
            sessions
        }
    }
}

/// A run, or several that were merged, as the journal tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// The run's id; of several runs, the first one's.
    pub run_id: String,
    /// The plan, as it was in the last session.
    pub plan: Plan,
    /// The version of this program in the first session.
    pub earmark_version: String,
    /// The profile it was built with in the first session.
    pub build_profile: String,
    /// The command line of the first session.
    pub command_line: Vec<String>,
    /// The machine of the first session.
    pub machine: MachineFacts,
    /// Date and time of the first start, UTC.
    pub started_at: String,
    /// Seconds it took on its clock, all sessions together; of several runs, the longest; `None` if
    /// a run's last session did not end in order.
    pub seconds: Option<f64>,
    /// A run's last session was interrupted.
    pub interrupted: bool,
    /// Its sessions in the order of the journal. There is one at least.
    pub sessions: Vec<Session>,
    /// What became of each job that was begun or ended. Of several runs that did the same job, this
    /// is the newest that ended, on whatever machine.
    pub jobs: BTreeMap<JobId, JobRecord>,
    /// What became of the same jobs on machines other than those under `jobs`: what a machine found,
    /// fetched or measured belongs to it, and is put together with nothing of another.
    pub elsewhere: BTreeMap<JobId, Vec<JobRecord>>,
    /// Records of benchmarks that were left out for a newer one of the same machine, or of a later
    /// attempt at the same part of the plan.
    pub duplicates: usize,
    /// Digest and seconds of each recording that was decoded, as last seen.
    pub audio: BTreeMap<String, (String, f64)>,
    /// Digest of each artifact that was measured, by model and artifact, as last seen.
    pub artifacts: BTreeMap<(String, String), String>,
    /// The number of the journal's next event.
    pub next_sequence: u64,
    /// Seconds on the run's clock where the journal ended.
    pub elapsed_seconds: f64,
}

impl RunRecord {
    /// Returns what became of a job, if anything did.
    #[must_use]
    pub fn job(&self, id: &JobId) -> Option<&JobRecord> {
        self.jobs.get(id)
    }

    /// Returns everything that is known of a job, once for each machine that did it, in the order of the
    /// sessions.
    #[must_use]
    pub fn job_everywhere(&self, id: &JobId) -> Vec<&JobRecord> {
        let others = self.elsewhere.get(id).into_iter().flatten();
        let mut all: Vec<&JobRecord> = others.chain(self.job(id)).collect();
        all.sort_by_key(|job| job.session);
        all
    }

    /// Returns the session that last worked at a job.
    #[must_use]
    pub fn session_of(&self, job: &JobRecord) -> Option<&Session> {
        self.sessions.get(job.session)
    }

    /// Returns the machines, each once, in the order of the sessions.
    #[must_use]
    pub fn machines(&self) -> Vec<&MachineFacts> {
        let mut machines: Vec<&MachineFacts> = Vec::new();
        for session in &self.sessions {
            if machines.iter().all(|known| known.id != session.machine.id) {
                machines.push(&session.machine);
            }
        }
        machines
    }
}
