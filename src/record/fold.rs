//! Events fold into a record: what was measured, job by job.

use super::combine::combine;
use super::run_record::{
    AttemptRecord, JobRecord, Leak, QuietWait, Reopening, Retry, RoundsLeftOut, RunRecord, Session,
    SlowWarning, Suspension,
};
use crate::event::{RunEvent, Stamped};
use crate::model::{JobId, Plan, Sample};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What became of the jobs of one run.
pub(super) type Jobs = BTreeMap<JobId, JobRecord>;

/// What is wrong with a journal that does not begin as every journal does.
pub(super) const NO_START: &str =
    "it does not begin with the start of a run; put the journal of this run back";

/// Folds events into a record.
///
/// # Errors
///
/// Returns the reason if the first event is not the start of a run, or the last start is not of this
/// plan.
pub fn fold(plan: Plan, events: impl IntoIterator<Item = Stamped>) -> Result<RunRecord, String> {
    let mut folding = Folding::default();
    for event in events {
        folding.apply(event)?;
    }
    let digest = folding.plan_digest()?;
    if digest != plan.digest {
        return Err(format!(
            "the journal is of another plan ({digest}) than this one ({})",
            plan.digest
        ));
    }
    folding.finish(plan)
}

/// A record that is being folded.
#[derive(Debug, Default)]
pub(super) struct Folding {
    sessions: Vec<Session>,
    /// The jobs of the runs before the current one.
    runs: Vec<Jobs>,
    /// The jobs of the current run.
    jobs: Jobs,
    events: u64,
    elapsed_seconds: f64,
}

impl Folding {
    /// Returns the digest of the plan that the last session went by.
    ///
    /// # Errors
    ///
    /// Returns the reason if there was none.
    pub(super) fn plan_digest(&self) -> Result<&str, String> {
        let last = self.sessions.last();
        last.map(|session| session.plan_digest.as_str())
            .ok_or_else(|| "it is empty: the run was never started; start it again".to_owned())
    }

    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// Returns the reason if it is the first and not the start of a run.
    pub(super) fn apply(&mut self, stamped: Stamped) -> Result<(), String> {
        let now = stamped.elapsed_seconds;
        if let RunEvent::RunStarted { .. } = stamped.event {
            self.begin_session(stamped.at, now, stamped.event);
        } else {
            let position = self.sessions.len().checked_sub(1);
            let (Some(position), Some(session)) = (position, self.sessions.last_mut()) else {
                return Err(NO_START.to_owned());
            };
            apply(&mut self.jobs, session, position, now, stamped.event);
        }
        self.events += 1;
        self.elapsed_seconds = now;
        Ok(())
    }

    fn begin_session(&mut self, at: String, now: f64, event: RunEvent) {
        let RunEvent::RunStarted {
            run_id,
            plan_digest,
            earmark_version,
            build_profile,
            crates,
            command_line,
            repository,
            machine,
            jobs,
            shard,
            attempt,
            resumed,
        } = event
        else {
            return;
        };
        self.lose_what_is_open();
        // A resumed session does not look again at what it has no use for.
        let (audio, artifacts) = match self.sessions.last() {
            Some(before) if resumed => (before.audio.clone(), before.artifacts.clone()),
            Some(_) => {
                self.runs.push(std::mem::take(&mut self.jobs));
                Default::default()
            }
            None => Default::default(),
        };
        self.sessions.push(Session {
            run: self.runs.len(),
            run_id,
            plan_digest,
            machine: *machine,
            shard,
            attempt,
            earmark_version,
            build_profile,
            crates,
            command_line,
            repository,
            started_at: at,
            started_elapsed: now,
            resumed,
            jobs,
            audio,
            artifacts,
            ..Session::default()
        });
    }

    /// Nobody saw the end of what a session left open.
    fn lose_what_is_open(&mut self) {
        let attempts = self.jobs.values_mut().flat_map(|job| &mut job.attempts);
        for attempt in attempts.filter(|attempt| attempt.ended_at.is_none()) {
            attempt.ended_at = Some(self.elapsed_seconds);
            attempt.lost = true;
        }
    }

    /// Returns the record.
    ///
    /// # Errors
    ///
    /// Returns the reason if no session was begun.
    pub(super) fn finish(mut self, plan: Plan) -> Result<RunRecord, String> {
        let Some(first) = self.sessions.first().cloned() else {
            return Err(self.plan_digest().err().unwrap_or_default());
        };
        self.runs.push(self.jobs);
        for job in self.runs.iter_mut().flat_map(|run| run.values_mut()) {
            keep_later_trials(job);
        }
        let combined = combine(self.runs, &self.sessions);
        let last_of_runs = || {
            let next_runs = self
                .sessions
                .iter()
                .skip(1)
                .map(|session| Some(session.run));
            self.sessions
                .iter()
                .zip(next_runs.chain([None]))
                .filter(|(session, next)| *next != Some(session.run))
                .map(|(session, _)| session)
        };
        let ends: Option<Vec<f64>> = last_of_runs()
            .map(|session| Some(session.started_elapsed + session.seconds?))
            .collect();
        Ok(RunRecord {
            run_id: first.run_id,
            plan,
            earmark_version: first.earmark_version,
            build_profile: first.build_profile,
            command_line: first.command_line,
            machine: first.machine,
            started_at: first.started_at,
            seconds: ends.map(|ends| ends.into_iter().fold(0.0, f64::max)),
            interrupted: last_of_runs().any(|session| session.interrupted),
            audio: last_seen(&self.sessions, |session| &session.audio),
            artifacts: last_seen(&self.sessions, |session| &session.artifacts),
            sessions: self.sessions,
            jobs: combined.jobs,
            elsewhere: combined.elsewhere,
            duplicates: combined.duplicates,
            next_sequence: self.events,
            elapsed_seconds: self.elapsed_seconds,
        })
    }
}

fn last_seen<K: Ord + Clone, V: Clone>(
    sessions: &[Session],
    field: impl Fn(&Session) -> &BTreeMap<K, V>,
) -> BTreeMap<K, V> {
    let all = sessions.iter().flat_map(field);
    all.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Keeps of a trial that was done twice the later one, in the place of the earlier: a launch that
/// goes on in another process warms up again, and a retry begins anew.
fn keep_later_trials(job: &mut JobRecord) {
    let mut launches = HashSet::new();
    if job
        .current_attempts()
        .all(|attempt| launches.insert(attempt.launch))
    {
        return;
    }
    let mut places: HashMap<(u32, String, u32), usize> = HashMap::new();
    let mut kept: Vec<Sample> = Vec::with_capacity(job.samples.len());
    for sample in job.samples.drain(..) {
        let key = (sample.launch, sample.utterance.clone(), sample.trial);
        let place = *places.entry(key).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = sample,
            None => kept.push(sample),
        }
    }
    job.samples = kept;
}

/// Applies an event that is not the start of a run.
fn apply(jobs: &mut Jobs, session: &mut Session, position: usize, now: f64, event: RunEvent) {
    let mut attempt = |job: &JobId, launch: u32, change: &mut dyn FnMut(&mut AttemptRecord)| {
        let attempts = jobs.get_mut(job).map(|job| &mut job.attempts);
        let mut latest_first = attempts.into_iter().flatten().rev();
        if let Some(attempt) = latest_first.find(|attempt| attempt.launch == launch) {
            change(attempt);
        }
    };
    match event {
        RunEvent::RunStarted { .. } | RunEvent::DownloadProgress { .. } => {}
        RunEvent::CommitResolved {
            job,
            repository,
            commit,
            revision: _,
        } => attempt(&job, 0, &mut |attempt| {
            attempt.commit = Some((repository.clone(), commit.clone()));
        }),
        RunEvent::JobReopened {
            job,
            reason,
            detail,
            keeps_trials,
        } => {
            let entry = jobs.entry(job).or_default();
            entry.outcome = None;
            entry.finding = None;
            entry.ended_at = None;
            if !keeps_trials {
                entry.samples.clear();
                entry.looks.clear();
                entry.seconds = 0.0;
                entry.bytes = 0;
                for attempt in &mut entry.attempts {
                    attempt.superseded = true;
                }
            }
            entry.reopened.push(Reopening {
                session: position,
                reason,
                detail,
                keeps_trials,
            });
        }
        RunEvent::AttemptStarted {
            job,
            launch,
            attempt,
            limit_seconds,
            load,
            governor,
            state,
            kind: _,
        } => {
            let entry = jobs.entry(job).or_default();
            entry.session = position;
            entry.attempts.push(AttemptRecord {
                session: position,
                launch,
                attempt,
                started_at: now,
                load,
                governor,
                state,
                limit_seconds,
                ..AttemptRecord::default()
            });
        }
        RunEvent::EngineReady {
            job,
            launch,
            version,
            start_seconds,
            mut settings,
        } => attempt(&job, launch, &mut |attempt| {
            attempt.version = Some(version.clone());
            attempt.start_seconds = start_seconds;
            attempt.settings = std::mem::take(&mut settings);
        }),
        RunEvent::ModelLoaded {
            job,
            launch,
            load_seconds,
        } => attempt(&job, launch, &mut |attempt| {
            attempt.load_seconds = Some(load_seconds);
        }),
        RunEvent::Slow {
            job,
            launch,
            phase,
            seconds,
            limit_seconds,
        } => attempt(&job, launch, &mut |attempt| {
            attempt.slow.push(SlowWarning {
                phase,
                seconds,
                limit_seconds,
            });
        }),
        RunEvent::ProcessesLeaked {
            job,
            launch,
            count,
            processes,
        } => attempt(&job, launch, &mut |attempt| {
            attempt.leak = Some(Leak {
                count,
                processes: processes.clone(),
            });
        }),
        RunEvent::RetryPlanned {
            job,
            launch,
            attempt: next,
            delay_seconds,
        } => attempt(&job, launch, &mut |attempt| {
            attempt.retry = Some(Retry {
                attempt: next,
                delay_seconds,
            });
        }),
        RunEvent::AttemptEnded {
            job,
            launch,
            outcome,
            process,
            usage,
            stderr_tail,
            load,
            governor,
            state,
            attempt: _,
        } => attempt(&job, launch, &mut |attempt| {
            attempt.outcome = Some(outcome.clone());
            attempt.process = process;
            attempt.usage.clone_from(&usage);
            attempt.stderr_tail.clone_from(&stderr_tail);
            attempt.ended_at = Some(now);
            attempt.load_after = load;
            attempt.governor_after.clone_from(&governor);
            attempt.state_after = state;
        }),
        RunEvent::TrialEnded { job, sample } => {
            let entry = jobs.entry(job).or_default();
            entry.session = position;
            entry.samples.push(sample);
        }
        RunEvent::RepeatJudged { job, look } => {
            jobs.entry(job).or_default().looks.push(look);
        }
        RunEvent::AudioPrepared {
            utterance,
            sha256,
            seconds,
        } => {
            session.audio.insert(utterance, (sha256, seconds));
        }
        RunEvent::ArtifactIdentified {
            model,
            artifact,
            digest,
        } => {
            session.artifacts.insert((model, artifact), digest);
        }
        RunEvent::JobEnded {
            job,
            outcome,
            finding,
            seconds,
            bytes,
        } => {
            let entry = jobs.entry(job).or_default();
            entry.session = position;
            entry.outcome = Some(outcome);
            entry.finding = finding;
            entry.seconds = seconds;
            entry.bytes = bytes;
            entry.ended_at = Some(now);
            let open = entry.attempts.iter_mut();
            for attempt in open.filter(|attempt| attempt.ended_at.is_none()) {
                attempt.ended_at = Some(now);
            }
        }
        RunEvent::QuietAwaited {
            seconds,
            busy,
            allowed,
            quiet,
        } => session.quiet_waits.push(QuietWait {
            at: now,
            seconds,
            busy,
            allowed,
            quiet,
        }),
        RunEvent::Suspended { seconds } => {
            session.suspensions.push(Suspension { at: now, seconds });
        }
        RunEvent::RoundsLeftOut {
            done,
            planned,
            budget_seconds,
        } => {
            session.rounds_left_out = Some(RoundsLeftOut {
                at: now,
                done,
                planned,
                budget_seconds,
            });
        }
        RunEvent::RunEnded { interrupted, .. } => {
            session.interrupted = interrupted;
            session.seconds = Some(now - session.started_elapsed);
        }
    }
}
