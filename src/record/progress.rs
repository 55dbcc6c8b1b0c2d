//! What of a record still stands, and what is to be done again: where a resumed run goes on.

use super::run_record::{AttemptRecord, JobRecord, RunRecord};
use crate::model::{
    BenchmarkSpec, Job, JobId, JobKind, JobProgress, JobSpec, LaunchProgress, Outcome, Plan,
    Progress, RerunReason, TimedTrial,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// What is true now, as far as it is known. What is not known counts as unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// This machine's id.
    pub machine_id: String,
    /// The version of each engine, by its id.
    pub engine_versions: HashMap<String, Option<String>>,
    /// The digest of each artifact, by model and artifact.
    pub artifacts: HashMap<(String, String), String>,
    /// The digest of each recording, by utterance.
    pub audio: HashMap<String, String>,
}

/// Which benchmarks the command line asks to do anew although they ended.
pub enum Rerun {
    /// Those that failed, crashed or broke the protocol.
    Failed,
    /// Those whose limit passed.
    TimedOut,
    /// Those that it names.
    Matching(Box<dyn Fn(&Job) -> bool>),
}

impl fmt::Debug for Rerun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
            Self::Matching(_) => "Matching",
        })
    }
}

/// Returns what is done of each job of a plan, given the record of earlier sessions.
///
/// A verify or a download is always done again. A benchmark stands if it was carried out to an end,
/// good or bad, unless it is asked for again, or what it was measured with is something else now:
/// then it starts anew and nothing of it is kept. One that was not carried out to its end goes on
/// behind its last trial. Trials are kept exactly where the reason is [`RerunReason::NotFinished`].
#[must_use]
pub fn progress(record: &RunRecord, plan: &Plan, present: &Present, rerun: &[Rerun]) -> Progress {
    let earlier = EarlierPlan::of(&record.plan, plan);
    let mut fingerprints = Fingerprints {
        record,
        plan,
        present,
        audio: HashMap::new(),
    };
    let jobs = plan.jobs.iter().filter_map(|job| {
        let progress = match record.job(&job.id) {
            Some(found) => decide(job, found, rerun, &mut fingerprints),
            None => JobProgress {
                rerun: Some(earlier.reason_for_new(job)?),
                ..JobProgress::default()
            },
        };
        Some((job.id.clone(), progress))
    });
    Progress {
        jobs: jobs.collect(),
        next_sequence: record.next_sequence,
        elapsed_seconds: record.elapsed_seconds,
    }
}

/// Decides about a job that the record holds.
fn decide<'a>(
    job: &'a Job,
    found: &JobRecord,
    rerun: &[Rerun],
    fingerprints: &mut Fingerprints<'a>,
) -> JobProgress {
    let left_out = match &found.outcome {
        Some(Outcome::Skipped {
            because_of: None,
            reason,
        }) => Some(reason),
        _ => None,
    };
    if job.skip.is_some() && left_out.is_some() {
        return stands(found);
    }
    let JobSpec::Benchmark(spec) = &job.spec else {
        return JobProgress {
            rerun: Some((RerunReason::Verdict, String::new())),
            ..JobProgress::default()
        };
    };
    let outcome = found.outcome.as_ref();
    let asked = rerun.iter().find_map(|rerun| asked(rerun, job, outcome));
    let anew = asked.or_else(|| fingerprints.difference(spec, found));
    if let Some((reason, detail)) = anew {
        return JobProgress {
            rerun: Some((reason, detail)),
            launches: launches(found, false),
            ..JobProgress::default()
        };
    }
    let launches = launches(found, true);
    let done = launches.values().filter(|launch| launch.completed).count();
    // A time budget may have had no room for the others.
    let most = spec.most_launches();
    let has_stopped = (found.looks.last()).is_some_and(|look| look.decision.stops());
    let lacks_launches = matches!(outcome, Some(Outcome::Completed))
        && !has_stopped
        && u32::try_from(done).is_ok_and(|done| done < most);
    if is_standing(outcome) && !lacks_launches {
        return stands(found);
    }
    let why = if lacks_launches {
        let at_most = if spec.adaptive.is_some() {
            "at most "
        } else {
            ""
        };
        format!("{done} of {at_most}{most} launches were done")
    } else {
        why_not_finished(found)
    };
    JobProgress {
        outcome: None,
        rerun: Some((RerunReason::NotFinished, why)),
        launches,
        seconds: found.current_attempts().map(duration).sum(),
        timed: match spec.adaptive {
            Some(_) => timed(found),
            None => Vec::new(),
        },
        looks: found.looks.clone(),
    }
}

fn stands(found: &JobRecord) -> JobProgress {
    JobProgress {
        outcome: found.outcome.clone(),
        rerun: None,
        launches: launches(found, true),
        seconds: found.seconds,
        ..JobProgress::default()
    }
}

/// Returns the times of the trials that are measured.
fn timed(found: &JobRecord) -> Vec<TimedTrial> {
    let measured = found.samples.iter().filter(|sample| !sample.warmup);
    measured
        .map(|sample| TimedTrial {
            launch: sample.launch,
            trial: sample.trial,
            utterance: sample.utterance.clone(),
            seconds: sample.transcribe_seconds,
        })
        .collect()
}

/// Whether a benchmark's end is one that a resumed run leaves as it is.
fn is_standing(outcome: Option<&Outcome>) -> bool {
    matches!(
        outcome,
        Some(
            Outcome::Completed
                | Outcome::Failed { .. }
                | Outcome::TimedOut { .. }
                | Outcome::Crashed { .. }
                | Outcome::ProtocolViolation { .. }
        )
    )
}

fn why_not_finished(found: &JobRecord) -> String {
    match &found.outcome {
        Some(outcome) => outcome.reason(),
        None if found.attempts.iter().any(|attempt| attempt.lost) => {
            "the run ended while it ran".to_owned()
        }
        None => String::new(),
    }
}

fn asked(rerun: &Rerun, job: &Job, outcome: Option<&Outcome>) -> Option<(RerunReason, String)> {
    let detail = || outcome.map(Outcome::reason).unwrap_or_default();
    match (rerun, outcome) {
        (
            Rerun::Failed,
            Some(
                Outcome::Failed { .. }
                | Outcome::Crashed { .. }
                | Outcome::ProtocolViolation { .. },
            ),
        ) => Some((RerunReason::Failed, detail())),
        (Rerun::TimedOut, Some(Outcome::TimedOut { .. })) => {
            Some((RerunReason::TimedOut, detail()))
        }
        (Rerun::Matching(matches), _) if matches(job) => Some((RerunReason::Asked, String::new())),
        _ => None,
    }
}

/// Returns what is done of the launches; the numbers of attempts go on even where nothing is kept,
/// so that no two processes of a journal have the same.
fn launches(found: &JobRecord, keeps_trials: bool) -> BTreeMap<u32, LaunchProgress> {
    let mut launches: BTreeMap<u32, LaunchProgress> = BTreeMap::new();
    for attempt in &found.attempts {
        let launch = launches.entry(attempt.launch).or_default();
        launch.attempts = launch.attempts.max(attempt.attempt);
        launch.completed = keeps_trials
            && !attempt.superseded
            && matches!(attempt.outcome, Some(Outcome::Completed));
    }
    if keeps_trials {
        for sample in &found.samples {
            let launch = launches.entry(sample.launch).or_default();
            launch
                .trials
                .insert((sample.utterance.clone(), sample.trial));
        }
    }
    launches
}

fn duration(attempt: &AttemptRecord) -> f64 {
    let ended = attempt.ended_at.unwrap_or(attempt.started_at);
    (ended - attempt.started_at).max(0.0)
}

/// What the plan of the record asked for that the new plan does not hold any more.
struct EarlierPlan<'a> {
    /// All of its jobs.
    ids: HashSet<&'a JobId>,
    /// Those that are gone, by the readable part of their ids.
    by_slug: HashMap<&'a str, &'a JobId>,
    /// The benchmarks that are gone, by backend, model and audio.
    by_combination: HashMap<[&'a str; 3], &'a JobId>,
}

impl<'a> EarlierPlan<'a> {
    fn of(earlier: &'a Plan, plan: &'a Plan) -> Self {
        let now: HashSet<&JobId> = plan.jobs.iter().map(|job| &job.id).collect();
        let mut found = Self {
            ids: earlier.jobs.iter().map(|job| &job.id).collect(),
            by_slug: HashMap::new(),
            by_combination: HashMap::new(),
        };
        for job in earlier.jobs.iter().filter(|job| !now.contains(&job.id)) {
            found.by_slug.entry(slug(&job.id)).or_insert(&job.id);
            if let JobSpec::Benchmark(spec) = &job.spec {
                let combination = found.by_combination.entry(combination(spec));
                combination.or_insert(&job.id);
            }
        }
        found
    }

    /// Returns why a job without a record is done, if the earlier plan did not hold it.
    fn reason_for_new(&self, job: &Job) -> Option<(RerunReason, String)> {
        if self.ids.contains(&job.id) {
            return None;
        }
        if job.kind != JobKind::Benchmark {
            return Some((RerunReason::Verdict, String::new()));
        }
        let same = self.by_slug.get(slug(&job.id)).or_else(|| match &job.spec {
            JobSpec::Benchmark(spec) => self.by_combination.get(&combination(spec)),
            _ => None,
        });
        Some(match same {
            Some(earlier) => (RerunReason::SpecChanged, format!("was {earlier}")),
            None => (RerunReason::NewInPlan, String::new()),
        })
    }
}

fn slug(id: &JobId) -> &str {
    id.0.rsplit_once('/').map_or(&id.0, |(slug, _)| slug)
}

fn combination(spec: &BenchmarkSpec) -> [&str; 3] {
    [&spec.backend, &spec.model, &spec.audio]
}

/// What was measured with, against what there is now.
struct Fingerprints<'a> {
    record: &'a RunRecord,
    plan: &'a Plan,
    present: &'a Present,
    /// What is another recording, by session and audio: many jobs hear the same.
    audio: HashMap<(usize, &'a str), Option<String>>,
}

impl<'a> Fingerprints<'a> {
    /// Returns what is something else than when the job was measured, if anything is.
    fn difference(
        &mut self,
        spec: &'a BenchmarkSpec,
        found: &JobRecord,
    ) -> Option<(RerunReason, String)> {
        if found.current_attempts().next().is_none() && !is_standing(found.outcome.as_ref()) {
            // Nothing of it would be dropped.
            return None;
        }
        let record = self.record;
        let sessions = found.current_sessions();
        let known = || {
            sessions
                .iter()
                .filter_map(|at| Some((*at, record.sessions.get(*at)?)))
        };
        let changed = |name: &str, was: &str, is: &str| format!("{name}: was {was}, is {is}");
        let now = &self.present.machine_id;
        if let Some((_, session)) = known().find(|(_, session)| session.machine.id != *now) {
            let detail = changed("machine", &session.machine.id, now);
            return Some((RerunReason::MachineChanged, detail));
        }
        let isolation = |plan: &Plan| {
            let keeps = plan.keeps_engine(&spec.backend);
            if keeps { "model" } else { "job" }
        };
        let (was, is) = (isolation(&record.plan), isolation(self.plan));
        if was != is {
            let detail = changed("isolation", was, is);
            return Some((RerunReason::SpecChanged, detail));
        }
        if let Some(Some(now)) = self.present.engine_versions.get(spec.backend.as_str()) {
            let mut versions = found.current_attempts().filter_map(|a| a.version.as_ref());
            if let Some(was) = versions.find(|version| *version != now) {
                let detail = changed(&spec.backend, was, now);
                return Some((RerunReason::EngineVersionChanged, detail));
            }
        }
        if let Some(artifact) = &spec.artifact {
            let key = (spec.model.to_string(), artifact.to_string());
            if let Some(now) = self.present.artifacts.get(&key) {
                let mut digests = known().filter_map(|(_, session)| session.artifacts.get(&key));
                if let Some(was) = digests.find(|digest| *digest != now) {
                    let name = format!("{} of {}", key.1, key.0);
                    let detail = changed(&name, was, now);
                    return Some((RerunReason::ArtifactChanged, detail));
                }
            }
        }
        let detail = sessions
            .iter()
            .find_map(|session| self.other_audio(*session, &spec.audio))?;
        Some((RerunReason::AudioChanged, detail))
    }

    /// Returns which recording of an audio is another than a session heard, if one is.
    fn other_audio(&mut self, session: usize, audio: &'a str) -> Option<String> {
        let (record, plan, present) = (self.record, self.plan, self.present);
        self.audio
            .entry((session, audio))
            .or_insert_with(|| {
                let heard = &record.sessions.get(session)?.audio;
                let utterances = &plan.audio.get(audio)?.utterances;
                utterances.iter().find_map(|utterance| {
                    let (was, _) = heard.get(&utterance.id)?;
                    let now = present.audio.get(&utterance.id)?;
                    (was != now).then(|| format!("{}: was {was}, is {now}", utterance.id))
                })
            })
            .clone()
    }
}
