//! The run folder: plan, journal, logs, and the reports made of them.

use super::error::RecordError;
use super::fold::{Folding, NO_START};
use super::journal::JournalWriter;
use super::lock::RunLock;
use super::merge::Merged;
use super::reader::JournalReader;
use super::run_record::RunRecord;
use crate::event::{RunEvent, Stamped};
use crate::model::Plan;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A run folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    /// Its path.
    pub path: PathBuf,
}

impl RunFolder {
    /// Makes a folder for a new run and writes the plan into it. The writer holds the folder's lock.
    ///
    /// # Errors
    ///
    /// Fails if it holds a run already, is in use, or cannot be written.
    pub fn create(path: &Path, plan: &Plan) -> Result<(Self, JournalWriter), RecordError> {
        let folder = Self::at(path);
        let unwritable = |error| RecordError::unwritable(path, error);
        fs::create_dir_all(path).map_err(unwritable)?;
        let lock = RunLock::take(path, unwritable)?;
        if folder.journal().exists() {
            let taken = io::Error::new(io::ErrorKind::AlreadyExists, "it holds a run already");
            return Err(unwritable(taken));
        }
        write_plan(&folder.plan(), plan).map_err(unwritable)?;
        let journal = JournalWriter::create(&folder.journal(), lock).map_err(unwritable)?;
        folder.sync().map_err(unwritable)?;
        Ok((folder, journal))
    }

    /// Makes a folder for a run that others will do, and writes the plan into it.
    ///
    /// # Errors
    ///
    /// Fails if it holds a run already, is in use, or cannot be written.
    pub fn prepare(path: &Path, plan: &Plan) -> Result<Self, RecordError> {
        let folder = Self::at(path);
        let unwritable = |error| RecordError::unwritable(path, error);
        fs::create_dir_all(path).map_err(unwritable)?;
        let _lock = RunLock::take(path, unwritable)?;
        if folder.journal().exists() || folder.plan().exists() {
            let taken = io::Error::new(io::ErrorKind::AlreadyExists, "it holds a run already");
            return Err(unwritable(taken));
        }
        write_plan(&folder.plan(), plan).map_err(unwritable)?;
        folder.sync().map_err(unwritable)?;
        Ok(folder)
    }

    /// Writes a journal in the place of the one that is there, if there is one: what `decide` makes of the
    /// folder under its lock. Whoever reads meanwhile finds one or the other.
    ///
    /// # Errors
    ///
    /// Fails if the folder is in use, nothing is decided, or it cannot be written. Then it is as it was.
    pub(super) fn replace<Error: From<RecordError>>(
        path: &Path,
        decide: impl FnOnce(&Self) -> Result<Merged, Error>,
    ) -> Result<Merged, Error> {
        let folder = Self::at(path);
        let unwritable = |error| RecordError::unwritable(path, error);
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(unwritable)?;
        let lock = RunLock::take(path, unwritable)?;
        let merged = match decide(&folder) {
            Ok(merged) => merged,
            Err(error) => {
                drop(lock);
                if is_new {
                    // Only if it is empty: others may have put something into it meanwhile.
                    let _ = fs::remove_dir(path);
                }
                return Err(error);
            }
        };
        folder.put(&merged).map_err(unwritable)?;
        drop(lock);
        Ok(merged)
    }

    /// Puts a journal, and a plan where there is none, into a folder that is locked.
    fn put(&self, merged: &Merged) -> io::Result<()> {
        if !self.plan().exists() {
            write_plan(&self.plan(), &merged.plan)?;
        }
        let new = self.path.join("journal-new.jsonl");
        let mut file = BufWriter::new(File::create(&new)?);
        for event in &merged.events {
            serde_json::to_writer(&mut file, event).map_err(io::Error::other)?;
            file.write_all(b"\n")?;
        }
        file.into_inner()?.sync_all()?;
        fs::rename(&new, self.journal())?;
        self.sync()
    }

    /// Opens a run folder to go on with its run: reads its record under the folder's lock, and cuts
    /// a torn last line off the journal. The record tells with which number and at which time the
    /// journal goes on.
    ///
    /// # Errors
    ///
    /// Fails if it is in use, is no run folder, what is in it is broken, or it cannot be written.
    pub fn reopen(path: &Path) -> Result<(Self, JournalWriter, RunRecord), RecordError> {
        let folder = Self::at(path);
        // Before anything is written: a mistyped name must not leave a lock behind.
        File::open(folder.plan()).map_err(|error| folder.is_none(&error))?;
        let unwritable = |error| RecordError::not_resumable(path, error);
        let lock = RunLock::take(path, unwritable)?;
        let read = folder.record()?;
        let journal =
            JournalWriter::reopen(&folder.journal(), read.whole_bytes, lock).map_err(unwritable)?;
        if read.is_next_plan {
            // The run before ended between the journal's word for it and this.
            folder.adopt_plan()?;
        }
        Ok((folder, journal, read.record))
    }

    /// Writes the plan of a resumed run beside the one that the journal goes by so far.
    ///
    /// To be followed by the [`RunEvent::RunStarted`] that names its digest, and then by
    /// [`adopt_plan`](Self::adopt_plan). After a crash anywhere between, readers find the plan that
    /// the journal names.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn propose_plan(&self, plan: &Plan) -> Result<(), RecordError> {
        write_plan(&self.next_plan(), plan)
            .and_then(|()| self.sync())
            .map_err(|error| RecordError::not_resumable(&self.path, error))
    }

    /// Puts a plan that was proposed in place of the one before.
    ///
    /// # Errors
    ///
    /// Fails if there is none, or the folder cannot be written.
    pub fn adopt_plan(&self) -> Result<(), RecordError> {
        fs::rename(self.next_plan(), self.plan())
            .and_then(|()| self.sync())
            .map_err(|error| RecordError::not_resumable(&self.path, error))
    }

    /// Returns the run that began last of those in a folder of run folders. What is no run folder
    /// there is passed over.
    #[must_use]
    pub fn latest(runs: &Path) -> Option<PathBuf> {
        fs::read_dir(runs)
            .ok()?
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                // The first line is enough; and times of files change when they are copied.
                let first = JournalReader::open(&Self::at(&path).journal())
                    .ok()?
                    .next()?
                    .ok()?;
                let is_start = matches!(first.event, RunEvent::RunStarted { .. });
                is_start.then_some((first.at, path))
            })
            .max()
            .map(|(_, path)| path)
    }

    /// Removes a run folder, and returns how many bytes that were. What no program of ours has put into it
    /// stays, and with it the folder. What the folder is known by goes last, so that what is left after a
    /// crash can be removed again. Links are removed and not followed.
    ///
    /// # Errors
    ///
    /// Fails if it is in use, or something in it cannot be removed.
    pub fn remove(path: &Path) -> Result<u64, RecordError> {
        let folder = Self::at(path);
        let unremovable = |error| RecordError::unremovable(path, error);
        let lock = RunLock::take(path, unremovable)?;
        let bytes = folder.bytes();
        let last = [folder.journal(), lock.path().to_path_buf()];
        let mut is_shared = false;
        for entry in fs::read_dir(path).map_err(unremovable)? {
            let entry = entry.map_err(unremovable)?;
            if last.contains(&entry.path()) {
                continue;
            }
            if !is_ours(&entry.file_name()) {
                is_shared = true;
                continue;
            }
            if entry.file_type().map_err(unremovable)?.is_dir() {
                fs::remove_dir_all(entry.path()).map_err(unremovable)?;
            } else {
                fs::remove_file(entry.path()).map_err(unremovable)?;
            }
        }
        for file in last {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(unremovable(error));
                }
                _ => {}
            }
        }
        if !is_shared {
            fs::remove_dir(path).map_err(unremovable)?;
        }
        Ok(bytes)
    }

    /// Returns the names of what no program of ours has put into the folder, sorted.
    #[must_use]
    pub fn strangers(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name());
        let mut found: Vec<String> = names
            .filter(|name| !is_ours(name))
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        found.sort();
        found
    }

    /// Returns how many bytes the files have that programs of ours have put into it; what cannot be looked at
    /// has none.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        fn of(folder: &Path) -> u64 {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.file_type() {
                    Ok(kind) if kind.is_dir() => of(&entry.path()),
                    _ => entry.metadata().map_or(0, |data| data.len()),
                })
                .sum()
        }
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries
            .filter(|entry| is_ours(&entry.file_name()))
            .map(|entry| match entry.file_type() {
                Ok(kind) if kind.is_dir() => of(&entry.path()),
                _ => entry.metadata().map_or(0, |data| data.len()),
            })
            .sum()
    }

    /// Returns the path of the journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// Returns the path of the plan.
    #[must_use]
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// Returns the path of the plan that a resumed run is about to go by.
    #[must_use]
    pub fn next_plan(&self) -> PathBuf {
        self.path.join("plan-next.json")
    }

    /// Returns the folder of what children write and nobody keeps.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Returns the folder of the children's output.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Reads the record back.
    ///
    /// # Errors
    ///
    /// Fails if this is no run folder, or its plan or journal is broken.
    pub fn read(path: &Path) -> Result<RunRecord, RecordError> {
        Ok(Self::at(path).record()?.record)
    }

    /// Reads the plan that the journal goes by, and all of its events. There is none if the run was
    /// killed before it was started.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_events(path: &Path) -> Result<(Plan, Vec<Stamped>), RecordError> {
        let folder = Self::at(path);
        folder.list();
        let plan = folder.read_plan(&folder.plan())?;
        let events: Vec<Stamped> =
            JournalReader::open(&folder.journal())?.collect::<Result<_, _>>()?;
        let digest = events.iter().rev().find_map(|event| match &event.event {
            RunEvent::RunStarted { plan_digest, .. } => Some(plan_digest.as_str()),
            _ => None,
        });
        match digest {
            Some(digest) => {
                let (plan, _) = folder.plan_with(digest, plan)?;
                Ok((plan, events))
            }
            None if events.is_empty() => Ok((plan, events)),
            None => Err(RecordError::Unreadable(format!(
                "{}: {NO_START}",
                folder.journal().display()
            ))),
        }
    }

    /// Returns the run folder at a path, whether it is there or not.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Has a network file system ask again what is in the folder: another machine may have written it a
    /// moment ago.
    pub(super) fn list(&self) {
        let _ = fs::read_dir(&self.path).map(Iterator::count);
    }

    fn record(&self) -> Result<ReadRecord, RecordError> {
        self.list();
        // First, because its name tells whether this is a run folder at all.
        let plan = self.read_plan(&self.plan())?;
        let mut reader = JournalReader::open(&self.journal())?;
        let mut folding = Folding::default();
        let refuse = |reason| {
            let place = self.journal();
            RecordError::Unreadable(format!("{}: {reason}", place.display()))
        };
        for event in &mut reader {
            folding.apply(event?).map_err(refuse)?;
        }
        let (plan, is_next_plan) = self.plan_with(folding.plan_digest().map_err(refuse)?, plan)?;
        Ok(ReadRecord {
            record: folding.finish(plan).map_err(refuse)?,
            whole_bytes: reader.whole_bytes(),
            is_next_plan,
        })
    }

    /// Returns the plan with a digest: the folder's, or the one that a resumed run was about to put
    /// in its place, and whether it is that one.
    fn plan_with(&self, digest: &str, plan: Plan) -> Result<(Plan, bool), RecordError> {
        if plan.digest == digest {
            return Ok((plan, false));
        }
        match self.read_plan(&self.next_plan()) {
            Ok(next) if next.digest == digest => Ok((next, true)),
            _ => Err(RecordError::Unreadable(format!(
                "{}: the journal is of another plan ({digest}) than the plan.json beside it ({}); put \
                 the plan.json of this run back",
                self.journal().display(),
                plan.digest
            ))),
        }
    }

    /// Reads the plan.
    pub(super) fn own_plan(&self) -> Result<Plan, RecordError> {
        self.read_plan(&self.plan())
    }

    fn read_plan(&self, path: &Path) -> Result<Plan, RecordError> {
        let text = fs::read_to_string(path).map_err(|error| self.is_none(&error))?;
        serde_json::from_str(&text).map_err(|error| {
            RecordError::Unreadable(format!(
                "{}: {error}; put the plan.json of this run back",
                path.display()
            ))
        })
    }

    fn is_none(&self, error: &io::Error) -> RecordError {
        RecordError::Unreadable(format!(
            "{} is no run folder: plan.json: {error}; name a folder that `earmark run` made",
            self.path.display()
        ))
    }

    /// Makes the names of new files in the folder durable.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

/// What programs of ours put into a run folder: the record, what is made of it, and what children write.
const OURS: [&str; 23] = [
    "plan.json",
    "plan-next.json",
    "journal.jsonl",
    "journal-new.jsonl",
    "lock",
    "lock.lease",
    "logs",
    "work",
    "attempts",
    "submissions",
    "scheduler-logs",
    "site.yaml",
    "history.json",
    "results.csv",
    "summary.csv",
    "samples.csv",
    "jobs.csv",
    "combinations.csv",
    "report.html",
    "report.md",
    "report.json",
    "junit.xml",
    "hypotheses.jsonl",
];

/// Whether a name in a run folder is one that programs of ours give, whole or while it is being written.
fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    OURS.contains(&name.strip_suffix(".new").unwrap_or(name)) || name.starts_with("lock.lease.")
}

/// A record as it was read.
struct ReadRecord {
    record: RunRecord,
    /// Bytes of the whole lines of its journal.
    whole_bytes: u64,
    /// Its plan is the one that was proposed, and not yet put in place.
    is_next_plan: bool,
}

fn write_plan(path: &Path, plan: &Plan) -> io::Result<()> {
    // Written as it is made: the text of a large plan is larger than the plan.
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, plan).map_err(io::Error::other)?;
    file.write_all(b"\n")?;
    file.into_inner()?.sync_all()
}
