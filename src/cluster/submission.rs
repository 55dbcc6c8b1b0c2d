//! What was handed to a scheduler, and when.
//!
//! Before anything is handed over it is written down what is meant to be, and afterwards what became of
//! it. So whoever finds only the first knows that something may have been handed over, and under which name
//! to ask for it.
//!
//! ```text
//! submissions/1.json            what is meant to be handed over
//! submissions/1.submitted.json  the scheduler's own names for it
//! submissions/1.jobs.txt        the benchmarks that are still to be done, if not all are
//! ```

use super::stop_rules::StopRules;
use crate::model::Requirements;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The version of these files.
const VERSION: u32 = 1;

/// What is meant to be handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Intent {
    /// The version of this file's format.
    pub version: u32,
    /// The scheduler, such as `slurm`.
    pub scheduler: String,
    /// The name under which the scheduler knows all of it, with a suffix for each group.
    pub name: String,
    /// The plan's digest.
    pub plan_digest: String,
    /// The version of this program that hands it over.
    pub earmark_version: String,
    /// The number of the first attempts; those that the scheduler starts again count on from it.
    pub attempt: u32,
    /// Whether only some benchmarks are to be done: those that the list beside this file names.
    pub listed: bool,
    /// When each part stops before all of it is done. What is handed over again has the same, unless something
    /// else is asked for.
    #[serde(default)]
    pub stops: StopRules,
    /// The benchmarks by what they require.
    pub groups: Vec<IntendedGroup>,
}

/// Benchmarks that require the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntendedGroup {
    /// Its number, from 1.
    pub number: u32,
    /// What they require.
    pub requires: Requirements,
    /// How many benchmarks there are.
    pub benchmarks: usize,
    /// Into how many parts they are divided.
    pub shards: u32,
    /// The scheduler's own limit for a part, in minutes.
    pub minutes: u64,
    /// What the scheduler is told.
    pub arguments: Vec<String>,
}

impl Intent {
    /// Returns the name of a group's job for the scheduler.
    #[must_use]
    pub fn job_name(&self, group: u32) -> String {
        format!("{}.g{group}", self.name)
    }

    /// Returns the name of the job that puts results together.
    #[must_use]
    pub fn merge_name(&self) -> String {
        format!("{}.merge", self.name)
    }

    /// Returns all names of jobs.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let groups = self.groups.iter().map(|group| self.job_name(group.number));
        groups.chain([self.merge_name()]).collect()
    }
}

/// What the scheduler called what was handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Submitted {
    /// The version of this file's format.
    pub version: u32,
    /// The job of each group, by the group's number.
    pub arrays: BTreeMap<u32, String>,
    /// The job that puts results together.
    pub merge: Option<String>,
}

/// Something that was handed over, or was to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its number, from 1.
    pub number: u32,
    /// What was meant to be.
    pub intent: Intent,
    /// What became of it; nothing, if nobody wrote that down.
    pub submitted: Submitted,
}

impl Submission {
    /// Returns whether all of it is known to be handed over.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let groups = &self.intent.groups;
        groups
            .iter()
            .all(|group| self.submitted.arrays.contains_key(&group.number))
            && self.submitted.merge.is_some()
    }

    /// Returns the scheduler's own names for all of it.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let arrays = self.submitted.arrays.values();
        arrays.chain(&self.submitted.merge).cloned().collect()
    }
}

/// Why what was handed over cannot be read or written down.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// A file does not hold what it should.
    #[error("{0}: {1}; it is not as this program writes it")]
    Content(PathBuf, serde_json::Error),
    /// Somebody else is handing over the same run.
    #[error(
        "submission {0} was begun by another program at this moment; look after it with `earmark attach`"
    )]
    Taken(u32),
    /// Somebody else is in the middle of handing it over.
    #[error(
        "submission {0} is being handed over by another program at this moment; look after it with \
         `earmark attach` when that has ended"
    )]
    Held(u32),
}

/// The sign that a submission is being handed over. It is the kernel's, and ends with its holder.
#[derive(Debug)]
pub struct Handing {
    _intent: Option<File>,
}

/// The submissions of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submissions {
    folder: PathBuf,
}

impl Submissions {
    /// Returns those of a run folder, whether there are any or not.
    #[must_use]
    pub fn of(run: &Path) -> Self {
        Self {
            folder: run.join("submissions"),
        }
    }

    /// Returns whether a run folder has any.
    #[must_use]
    pub fn exist(run: &Path) -> bool {
        !Self::of(run).numbers().is_empty()
    }

    /// Returns the file that says what a submission is meant to be. It being there ends the attempts of all
    /// submissions before it.
    #[must_use]
    pub fn intent_path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number}.json"))
    }

    /// Returns the list of a submission's benchmarks.
    #[must_use]
    pub fn list_path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number}.jobs.txt"))
    }

    /// Returns the script of a submission's parts, and the one that puts results together.
    #[must_use]
    pub fn script_path(&self, number: u32, what: &str) -> PathBuf {
        self.folder.join(format!("{number}.{what}.sh"))
    }

    fn submitted_path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number}.submitted.json"))
    }

    /// Returns the numbers of the submissions, in order.
    #[must_use]
    pub fn numbers(&self) -> Vec<u32> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut numbers: Vec<u32> = entries
            .filter_map(|entry| {
                entry
                    .file_name()
                    .to_str()?
                    .strip_suffix(".json")?
                    .parse()
                    .ok()
            })
            .collect();
        numbers.sort_unstable();
        numbers
    }

    /// Returns the submissions, in order.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read, or is not as this program writes it.
    pub fn all(&self) -> Result<Vec<Submission>, SubmissionError> {
        let numbers = self.numbers().into_iter();
        numbers
            .map(|number| {
                Ok(Submission {
                    number,
                    intent: read(&self.intent_path(number))?.ok_or_else(|| {
                        let missing = io::Error::from(io::ErrorKind::NotFound);
                        SubmissionError::File(self.intent_path(number), missing)
                    })?,
                    submitted: read(&self.submitted_path(number))?.unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Keeps others from handing over the same submission meanwhile. Where files cannot be locked, it does not.
    ///
    /// # Errors
    ///
    /// Fails if somebody else is handing it over.
    pub fn hold(&self, number: u32) -> Result<Handing, SubmissionError> {
        // Some network file systems want a file that may be written.
        let path = self.intent_path(number);
        let intent = File::options().read(true).write(true).open(path).ok();
        match intent.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => Err(SubmissionError::Held(number)),
            _ => Ok(Handing { _intent: intent }),
        }
    }

    /// Writes down what is meant to be handed over, before anything is, and holds it. `list` names the benchmarks,
    /// if not all are meant; `scripts` are files of it, by what they are.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written, or somebody else began a submission of this number.
    pub fn begin(
        &self,
        number: u32,
        intent: Intent,
        list: Option<&str>,
        scripts: &[(&str, String)],
    ) -> Result<(Submission, Handing), SubmissionError> {
        let file = |error| SubmissionError::File(self.folder.clone(), error);
        fs::create_dir_all(&self.folder).map_err(file)?;
        // Beside their places at first: whose number it is decides the intent.
        let mut files = Vec::new();
        if let Some(list) = list {
            files.push(beside(&self.list_path(number), list)?);
        }
        for (what, script) in scripts {
            files.push(beside(&self.script_path(number, what), script)?);
        }
        let intent = Intent {
            version: VERSION,
            ..intent
        };
        let text = serde_json::to_string_pretty(&intent)
            .map_err(|error| SubmissionError::Content(self.intent_path(number), error))?;
        let path = self.intent_path(number);
        let taken = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => SubmissionError::Taken(number),
            _ => SubmissionError::File(path.clone(), error),
        };
        // Under another name first and then linked: it is there whole or not at all, and only once.
        let (new, _) = beside(&path, &text)?;
        let _ = new.as_file().try_lock();
        let held = new
            .persist_noclobber(&path)
            .map_err(|error| taken(error.error))?;
        for file in files {
            put(file)?;
        }
        self.sync()?;
        let submission = Submission {
            number,
            intent,
            submitted: Submitted::default(),
        };
        Ok((
            submission,
            Handing {
                _intent: Some(held),
            },
        ))
    }

    /// Writes down what became of a submission so far.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn record(&self, submission: &Submission) -> Result<(), SubmissionError> {
        let path = self.submitted_path(submission.number);
        let submitted = Submitted {
            version: VERSION,
            ..submission.submitted.clone()
        };
        let text = serde_json::to_string_pretty(&submitted)
            .map_err(|error| SubmissionError::Content(path.clone(), error))?;
        put(beside(&path, &text)?)?;
        self.sync()
    }

    fn sync(&self) -> Result<(), SubmissionError> {
        let file = |error| SubmissionError::File(self.folder.clone(), error);
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(file)
    }
}

/// Writes a file whole, under a name of its own beside its place. Everyone may read it who may read the folder.
fn beside(path: &Path, text: &str) -> Result<(NamedTempFile, PathBuf), SubmissionError> {
    let file = |error| SubmissionError::File(path.to_path_buf(), error);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(file)?;
    new.write_all(text.as_bytes()).map_err(file)?;
    new.as_file().sync_all().map_err(file)?;
    Ok((new, path.to_path_buf()))
}

/// Puts what was written beside a place there.
fn put((new, path): (NamedTempFile, PathBuf)) -> Result<(), SubmissionError> {
    match new.persist(&path) {
        Ok(_) => Ok(()),
        Err(error) => Err(SubmissionError::File(path, error.error)),
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SubmissionError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SubmissionError::File(path.to_path_buf(), error)),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| SubmissionError::Content(path.to_path_buf(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent() -> Intent {
        Intent {
            version: 0,
            scheduler: "slurm".into(),
            name: "earmark-1".into(),
            plan_digest: "d".into(),
            earmark_version: "0".into(),
            attempt: 1,
            listed: false,
            stops: StopRules {
                fail_fast: true,
                ..StopRules::default()
            },
            groups: vec![IntendedGroup {
                number: 1,
                requires: "gpu:cuda".parse().unwrap(),
                benchmarks: 2,
                shards: 2,
                minutes: 3,
                arguments: vec!["--constraint=cuda".into()],
            }],
        }
    }

    #[test]
    fn what_was_begun_is_found_again_and_only_begun_once() {
        let run = tempfile::tempdir().unwrap();
        let submissions = Submissions::of(run.path());
        assert!(!Submissions::exist(run.path()));
        assert!(submissions.all().unwrap().is_empty());
        let (mut begun, held) = submissions
            .begin(1, intent(), Some("a\n"), &[("shard", "#!/bin/sh\n".into())])
            .unwrap();
        assert!(matches!(
            submissions.begin(1, intent(), Some("b\n"), &[("shard", "other".into())]),
            Err(SubmissionError::Taken(1))
        ));
        let script = fs::read_to_string(submissions.script_path(1, "shard")).unwrap();
        assert_eq!(script, "#!/bin/sh\n", "what the other wrote is not touched");
        assert!(matches!(submissions.hold(1), Err(SubmissionError::Held(1))));
        drop(held);
        submissions.hold(1).unwrap();
        let found = submissions.all().unwrap();
        assert_eq!(found, [begun.clone()]);
        assert!(!found[0].is_whole());
        begun.submitted.arrays.insert(1, "17".into());
        begun.submitted.merge = Some("18".into());
        submissions.record(&begun).unwrap();
        let found = submissions.all().unwrap().remove(0);
        assert!(found.is_whole());
        assert_eq!(found.ids(), ["17", "18"]);
        assert_eq!(fs::read_to_string(submissions.list_path(1)).unwrap(), "a\n");
        let names = fs::read_dir(run.path().join("submissions")).unwrap();
        assert_eq!(names.count(), 4, "nothing else is left there");
        fs::write(submissions.intent_path(1), "{").unwrap();
        let told = submissions.all().unwrap_err().to_string();
        assert!(told.contains("1.json"), "{told}");
    }
}
