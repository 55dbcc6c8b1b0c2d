//! Events fold into a record: what was measured, job by job. Nothing is derived here.

use crate::event::{RunEvent, Stamped};
use crate::model::{
    ChildUsage, JobId, LoadAverage, MachineFacts, Outcome, Plan, Sample, Value, VerifyFinding,
};
use std::collections::BTreeMap;

/// One launch of a job's process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttemptRecord {
    /// The launch, from 0.
    pub launch: u32,
    /// Seconds into the run at which it began.
    pub started_at: f64,
    /// Seconds into the run at which it ended.
    pub ended_at: Option<f64>,
    /// Load averages when it began.
    pub load: Option<LoadAverage>,
    /// Load averages when it ended.
    pub load_after: Option<LoadAverage>,
    /// The frequency governor when it began.
    pub governor: Option<String>,
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
    /// What it cost.
    pub usage: Option<ChildUsage>,
    /// The end of its error output.
    pub stderr_tail: String,
}

/// What became of a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobRecord {
    /// Its launches in the order in which they began.
    pub attempts: Vec<AttemptRecord>,
    /// Its trials, warm-ups included.
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
}

/// A run, as its journal tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// The run's id.
    pub run_id: String,
    /// The plan it carried out.
    pub plan: Plan,
    /// The version of this program.
    pub earmark_version: String,
    /// The profile it was built with.
    pub build_profile: String,
    /// The command line.
    pub command_line: Vec<String>,
    /// The machine.
    pub machine: MachineFacts,
    /// Date and time of the start, UTC.
    pub started_at: String,
    /// Seconds it took; `None` if it did not end in order.
    pub seconds: Option<f64>,
    /// It was interrupted.
    pub interrupted: bool,
    /// What became of each job that was begun or ended.
    pub jobs: BTreeMap<JobId, JobRecord>,
    /// Digest and seconds of each recording that was decoded.
    pub audio: BTreeMap<String, (String, f64)>,
    /// Digest of each artifact that was measured, by model and artifact.
    pub artifacts: BTreeMap<(String, String), String>,
}

impl RunRecord {
    /// Returns what became of a job, if anything did.
    #[must_use]
    pub fn job(&self, id: &JobId) -> Option<&JobRecord> {
        self.jobs.get(id)
    }
}

/// Folds events into a record.
///
/// # Errors
///
/// Returns the reason if the first event is not the start of a run of this plan.
pub fn fold(plan: Plan, events: impl IntoIterator<Item = Stamped>) -> Result<RunRecord, String> {
    let mut events = events.into_iter();
    let first = events
        .next()
        .ok_or("the journal is empty: the run was never started")?;
    let RunEvent::RunStarted {
        run_id,
        plan_digest,
        earmark_version,
        build_profile,
        command_line,
        machine,
        ..
    } = first.event
    else {
        return Err("the journal does not begin with the start of a run".into());
    };
    if plan_digest != plan.digest {
        return Err("the journal is of another plan than the plan.json beside it".into());
    }
    let mut record = RunRecord {
        run_id,
        plan,
        earmark_version,
        build_profile,
        command_line,
        machine,
        started_at: first.at,
        seconds: None,
        interrupted: false,
        jobs: BTreeMap::new(),
        audio: BTreeMap::new(),
        artifacts: BTreeMap::new(),
    };
    for event in events {
        apply(&mut record, event);
    }
    Ok(record)
}

fn apply(record: &mut RunRecord, stamped: Stamped) {
    let now = stamped.elapsed_seconds;
    let mut attempt = |job: JobId, launch: u32, change: &dyn Fn(&mut AttemptRecord)| {
        let attempts = &mut record.jobs.entry(job).or_default().attempts;
        if let Some(attempt) = attempts
            .iter_mut()
            .rev()
            .find(|attempt| attempt.launch == launch)
        {
            change(attempt);
        }
    };
    match stamped.event {
        RunEvent::RunStarted { .. }
        | RunEvent::DownloadProgress { .. }
        | RunEvent::JobReopened { .. }
        | RunEvent::Slow { .. }
        | RunEvent::ProcessesLeaked { .. }
        | RunEvent::RetryPlanned { .. }
        | RunEvent::QuietAwaited { .. }
        | RunEvent::Suspended { .. }
        | RunEvent::RoundsLeftOut { .. } => {}
        RunEvent::AttemptStarted {
            job,
            launch,
            limit_seconds,
            load,
            governor,
            ..
        } => {
            record
                .jobs
                .entry(job)
                .or_default()
                .attempts
                .push(AttemptRecord {
                    launch,
                    started_at: now,
                    load,
                    governor,
                    limit_seconds,
                    ..AttemptRecord::default()
                });
        }
        RunEvent::EngineReady {
            job,
            launch,
            version,
            start_seconds,
            settings,
        } => {
            attempt(job, launch, &|attempt| {
                attempt.version = Some(version.clone());
                attempt.start_seconds = Some(start_seconds);
                attempt.settings.clone_from(&settings);
            });
        }
        RunEvent::ModelLoaded {
            job,
            launch,
            load_seconds,
        } => {
            attempt(job, launch, &|attempt| {
                attempt.load_seconds = Some(load_seconds);
            });
        }
        RunEvent::AttemptEnded {
            job,
            launch,
            outcome,
            usage,
            stderr_tail,
            load,
            ..
        } => {
            attempt(job, launch, &|attempt| {
                attempt.outcome = Some(outcome.clone());
                attempt.usage.clone_from(&usage);
                attempt.stderr_tail.clone_from(&stderr_tail);
                attempt.ended_at = Some(now);
                attempt.load_after = load;
            });
        }
        RunEvent::TrialEnded { job, sample } => {
            record.jobs.entry(job).or_default().samples.push(sample);
        }
        RunEvent::AudioPrepared {
            utterance,
            sha256,
            seconds,
        } => {
            record.audio.insert(utterance, (sha256, seconds));
        }
        RunEvent::ArtifactIdentified {
            model,
            artifact,
            digest,
        } => {
            record.artifacts.insert((model, artifact), digest);
        }
        RunEvent::JobEnded {
            job,
            outcome,
            finding,
            seconds,
            bytes,
        } => {
            let entry = record.jobs.entry(job).or_default();
            entry.outcome = Some(outcome);
            entry.finding = finding;
            entry.seconds = seconds;
            entry.bytes = bytes;
            entry.ended_at = Some(now);
            for attempt in entry
                .attempts
                .iter_mut()
                .filter(|attempt| attempt.ended_at.is_none())
            {
                attempt.ended_at = Some(now);
            }
        }
        RunEvent::RunEnded {
            interrupted,
            seconds,
        } => {
            record.interrupted = interrupted;
            record.seconds = Some(seconds);
        }
    }
}
