//! Several run folders of one plan become one.
//!
//! A journal is taken apart into its runs; the merged journal holds every run once, in an order that
//! depends on the runs alone. So it does not matter which folder was named first, and a merged folder
//! merged with its own parts is itself again. Nothing is dropped here: which run counts for which job
//! is decided where a journal is folded.

use super::combine::is_end;
use super::error::RecordError;
use super::folder::RunFolder;
use super::run_record::RunRecord;
use crate::event::{RunEvent, Stamped};
use crate::model::{Job, JobId, JobKind, JobSpec, Outcome, Plan, Shard};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A run folder that is to be merged.
#[derive(Clone, Debug, PartialEq)]
pub struct MergeSource {
    /// The folder, for messages.
    pub path: PathBuf,
    /// The plan that its journal goes by.
    pub plan: Plan,
    /// The events of its journal.
    pub events: Vec<Stamped>,
}

impl MergeSource {
    /// Reads a run folder.
    ///
    /// # Errors
    ///
    /// Fails if it is none, or what is in it is broken; a torn end is not.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let (plan, events) = RunFolder::read_events(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            plan,
            events,
        })
    }
}

/// What several run folders are together.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// Their plan.
    pub plan: Plan,
    /// The events of their runs, numbered anew.
    pub events: Vec<Stamped>,
}

/// Why run folders cannot be merged.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("none of the folders holds a run that was started; name those that do")]
    Nothing,
    /// Two folders are of two plans; the reason names both, with their digests.
    #[error("{0}; merge only runs of one plan.json")]
    OtherPlan(String),
    /// Two folders were measured with different files of one artifact; the reason names both, with
    /// the digests.
    #[error(
        "{0}: their rows cannot be compared; leave one folder out, and run its part again with the \
         same files"
    )]
    OtherArtifact(String),
}

/// Merges run folders.
///
/// # Errors
///
/// Fails if they are not of one plan, or were measured with different files of one artifact.
pub fn merge(mut sources: Vec<MergeSource>) -> Result<Merged, MergeError> {
    // So that a message does not depend on the order of the command line.
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    let first = sources.first().ok_or(MergeError::Nothing)?;
    let plan = first.plan.clone();
    if let Some(other) = sources
        .iter()
        .find(|other| other.plan.digest != plan.digest)
    {
        return Err(MergeError::OtherPlan(format!(
            "{} and {} are of two plans, {} and {}",
            first.path.display(),
            other.path.display(),
            plan.digest,
            other.plan.digest
        )));
    }
    let mut runs: Vec<Run> = Vec::new();
    for source in sources {
        runs.extend(runs_of(source));
    }
    if runs.is_empty() {
        return Err(MergeError::Nothing);
    }
    refuse_other_artifacts(&runs)?;
    let mut runs: Vec<(RunKey, Run)> = runs
        .into_iter()
        .map(|run| (RunKey::of(&run), run))
        .collect();
    runs.sort_by(|one, other| {
        let by_key = one.0.cmp(&other.0);
        // Copies that went on apart, and got equally far.
        by_key.then_with(|| text_of(&one.1).cmp(&text_of(&other.1)))
    });
    let mut kept: Vec<(RunKey, Run)> = Vec::new();
    for (key, run) in runs {
        // A folder may be a copy of another, or of a time when that had not got as far.
        let copies = kept
            .iter()
            .rev()
            .take_while(|other| other.0.name == key.name);
        let first_copy = kept.len() - copies.count();
        let mut copies = kept.split_off(first_copy);
        copies.retain(|(_, shorter)| !is_beginning(shorter, &run));
        kept.append(&mut copies);
        kept.push((key, run));
    }
    let mut events: Vec<Stamped> = kept.into_iter().flat_map(|(_, run)| run.events).collect();
    for (number, event) in events.iter_mut().enumerate() {
        event.sequence = number as u64;
    }
    Ok(Merged { plan, events })
}

impl Merged {
    /// Writes it as a run folder like any other.
    ///
    /// # Errors
    ///
    /// Fails if the folder holds a run already, is in use, or cannot be written.
    pub fn write(&self, path: &Path) -> Result<RunFolder, RecordError> {
        let (folder, mut journal) = RunFolder::create(path, &self.plan)?;
        self.events
            .iter()
            .try_for_each(|event| journal.append(event))
            .and_then(|()| journal.flush())
            .map_err(|error| RecordError::unwritable(path, error))?;
        Ok(folder)
    }

    /// Merges run folders, and what an earlier merge left in the folder that they are merged into, and
    /// writes that in its place. Whoever reads the folder meanwhile finds one or the other. The earlier
    /// merge is read under the folder's lock, so that of two who add to it neither loses the other's.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be merged, the earlier merge cannot be read, or the folder is in use or cannot
    /// be written. Then the earlier merge is as it was.
    pub fn write_over(path: &Path, sources: &[MergeSource]) -> Result<Self, ReplaceError> {
        RunFolder::replace(path, |folder| {
            let mut sources = sources.to_vec();
            sources.extend(earlier(folder)?);
            Ok(merge(sources)?)
        })
    }
}

/// Why run folders cannot be merged into one that may hold an earlier merge.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// They cannot be merged.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The folder cannot be used.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What the folder holds cannot be read, so whatever only it holds would be lost.
    #[error(
        "{path} holds a merge that cannot be read, and was left as it is: {error}; or move it away to \
         merge without it"
    )]
    Earlier {
        /// The folder.
        path: PathBuf,
        /// What is wrong with what it holds.
        error: RecordError,
    },
}

/// Returns what an earlier merge left in a folder: its runs, or its plan if none was merged yet.
fn earlier(folder: &RunFolder) -> Result<Option<MergeSource>, ReplaceError> {
    let unreadable = |error| ReplaceError::Earlier {
        path: folder.path.clone(),
        error,
    };
    folder.list();
    if is_there(&folder.journal()) {
        return MergeSource::read(&folder.path)
            .map(Some)
            .map_err(unreadable);
    }
    if !is_there(&folder.plan()) {
        return Ok(None);
    }
    // A journal of another plan beside it could be read by nobody.
    let plan = folder.own_plan().map_err(unreadable)?;
    Ok(Some(MergeSource {
        path: folder.path.clone(),
        plan,
        events: Vec::new(),
    }))
}

/// Whether anything has a name. What cannot be looked at is there.
fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

/// Returns the jobs of a record's plan that nobody did, in the order of the plan. Planned skips are
/// not among them, nor is what was found not to be needed.
#[must_use]
pub fn missing(record: &RunRecord) -> Vec<&Job> {
    let is_missing = |job: &&Job| {
        let outcome = record.job(&job.id).and_then(|found| found.outcome.as_ref());
        let is_done = match job.kind {
            JobKind::Benchmark => is_end(outcome),
            JobKind::Verify | JobKind::Download => {
                !matches!(outcome, None | Some(Outcome::Cancelled { .. }))
            }
        };
        job.skip.is_none() && !is_done
    };
    record.plan.jobs.iter().filter(is_missing).collect()
}

/// Returns the completed benchmarks of a record, once for each machine, of which the time budget left launches
/// out, with that budget in seconds.
#[must_use]
pub fn cut_short(record: &RunRecord) -> Vec<(&Job, f64)> {
    let mut found = Vec::new();
    for job in &record.plan.jobs {
        let JobSpec::Benchmark(spec) = &job.spec else {
            continue;
        };
        let elsewhere = record.elsewhere.get(&job.id).into_iter().flatten();
        for done in record.job(&job.id).into_iter().chain(elsewhere) {
            let session = record.session_of(done);
            let launches: BTreeSet<u32> = done.samples.iter().map(|one| one.launch).collect();
            let is_known = done.looks.last().is_some_and(|look| look.decision.stops());
            if let Some(left_out) = session.and_then(|session| session.rounds_left_out)
                && done.outcome == Some(Outcome::Completed)
                && !is_known
                && u32::try_from(launches.len()).is_ok_and(|done| done < spec.most_launches())
            {
                found.push((job, left_out.budget_seconds));
            }
        }
    }
    found
}

/// Returns the benchmarks of a record that were carried out to their end, however that was.
pub fn ended(record: &RunRecord) -> impl Iterator<Item = &JobId> {
    let jobs = record.plan.jobs.iter();
    jobs.filter(|job| job.kind == JobKind::Benchmark)
        .filter(|job| is_end(record.job(&job.id).and_then(|job| job.outcome.as_ref())))
        .map(|job| &job.id)
}

/// A run of a journal: its first session and those that went on with it.
#[derive(Debug)]
struct Run {
    /// The folder that it was read from.
    path: PathBuf,
    events: Vec<Stamped>,
}

/// Takes a journal apart.
fn runs_of(source: MergeSource) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for event in source.events {
        let begins = matches!(event.event, RunEvent::RunStarted { resumed: false, .. });
        match runs.last_mut() {
            Some(run) if !begins => run.events.push(event),
            _ => runs.push(Run {
                path: source.path.clone(),
                events: vec![event],
            }),
        }
    }
    runs
}

/// What tells a run from others, and decides about its place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RunKey {
    name: RunName,
    /// How far it got: of two copies the one that got further stands behind the other.
    length: usize,
}

/// What copies of a run have in common: what its first session says of itself.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct RunName {
    attempt: u32,
    started_at: String,
    run_id: String,
    machine: String,
    shard: Option<Shard>,
}

impl RunKey {
    fn of(run: &Run) -> Self {
        let name = match run.events.first() {
            Some(Stamped {
                at,
                event:
                    RunEvent::RunStarted {
                        run_id,
                        machine,
                        shard,
                        attempt,
                        ..
                    },
                ..
            }) => RunName {
                attempt: *attempt,
                started_at: at.clone(),
                run_id: run_id.clone(),
                machine: machine.id.clone(),
                shard: shard.clone(),
            },
            _ => RunName::default(),
        };
        Self {
            name,
            length: run.events.len(),
        }
    }
}

/// Returns what is in a run, to put runs in an order that nothing else decides.
fn text_of(run: &Run) -> String {
    let lines = run.events.iter().map(|event| {
        let line = serde_json::to_string(&event.event).unwrap_or_default();
        format!("{} {line}\n", event.at)
    });
    lines.collect()
}

/// Whether a run is what another was before it went on.
fn is_beginning(run: &Run, other: &Run) -> bool {
    let same = |(one, other): (&Stamped, &Stamped)| {
        one.at == other.at
            && one
                .elapsed_seconds
                .total_cmp(&other.elapsed_seconds)
                .is_eq()
            && one.event == other.event
    };
    run.events.len() <= other.events.len() && run.events.iter().zip(&other.events).all(same)
}

/// Holds the files that were measured against each other, run by run; of a run's sessions the last
/// one counts, because it has done again what was measured with other files.
fn refuse_other_artifacts(runs: &[Run]) -> Result<(), MergeError> {
    let mut known: BTreeMap<(&str, &str), (&Path, &str)> = BTreeMap::new();
    for run in runs {
        let mut of_run: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for event in &run.events {
            if let RunEvent::ArtifactIdentified {
                model,
                artifact,
                digest,
            } = &event.event
            {
                of_run.insert((model, artifact), digest);
            }
        }
        for (key, digest) in of_run {
            let (path, before) = *known.entry(key).or_insert((&run.path, digest));
            if before != digest {
                let (model, artifact) = key;
                return Err(MergeError::OtherArtifact(format!(
                    "{artifact} of {model} is {before} in {} and {digest} in {}",
                    path.display(),
                    run.path.display()
                )));
            }
        }
    }
    Ok(())
}
