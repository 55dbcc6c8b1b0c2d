//! Answers that were given before, so that a model is neither hashed nor loaded again as long as
//! nothing has changed that the answer depends on.
//!
//! Only `complete` by a method that costs something is kept. A look by size costs no more than finding
//! out whether an answer still holds; and what was wrong is asked again, because somebody may be
//! mending it, in a way that shows in none of its files.

use super::place::Place;
use crate::model::{ChosenSettings, Verdict, VerifyFinding, VerifyMethod, hexadecimal};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Raised whenever a method asks differently, or files here are written differently.
const VERSION: u32 = 2;
/// How old the last change of a file must be for its times to tell the next one: file systems count
/// in steps of up to two seconds.
const SETTLED: Duration = Duration::from_secs(2);
/// The longest file that is read: a finding names each file of an artifact.
const LONGEST: u64 = 8 << 20;

/// What a verdict depends on beside the files and what is expected of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// How it was asked. No method stands in for another.
    pub method: VerifyMethod,
    /// The machine's id: a store may be shared by several, and what one of them found says nothing of
    /// another.
    pub machine: String,
    /// Which start of its kernel it was, where the store is on a file system that several machines
    /// share: in containers, several may be called the same and look the same.
    pub boot: Option<String>,
    /// The engine that loaded it, if one did.
    pub engine: Option<EngineTerms>,
}

/// What a verdict by an engine depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineTerms {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: Option<String>,
    /// The program that it is part of: one that was built anew may load differently.
    pub program: Option<FileStamp>,
    /// The settings that affect loading.
    pub settings: ChosenSettings,
    /// The limit in seconds that it loaded within.
    pub limit_seconds: f64,
}

/// What of a file changes with its content: which one it is, its length, and its times in seconds and
/// nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    /// Returns the stamp of a file, or of what a link leads to; `None` if nothing is there.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|metadata| Self::new(&metadata))
    }

    fn new(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether any later change must show in the times. That of the last change cannot be set by
    /// anybody, the other one can.
    fn is_settled(&self, at: SystemTime) -> bool {
        let limit = at
            .checked_sub(SETTLED)
            .and_then(|limit| limit.duration_since(UNIX_EPOCH).ok())
            .unwrap_or_default();
        let limit = (
            i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            i64::from(limit.subsec_nanos()),
        );
        self.modified.max(self.changed) <= limit
    }
}

/// All that a verdict depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Question {
    version: u32,
    terms: Terms,
    /// A digest of names, sizes and digests as they are expected.
    manifest: String,
    /// The files in the order of the manifest.
    files: Vec<FileStamp>,
}

/// What a file of the cache holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    question: Question,
    finding: VerifyFinding,
}

/// A question about the files in one place, as they are at a moment before they are looked at.
#[derive(Clone, Debug)]
pub struct Inquiry {
    place: Place,
    question: Question,
    asked: SystemTime,
    file: PathBuf,
}

impl Inquiry {
    /// Takes down what the files are like. `folder` is where answers are kept. `None` if a file is not
    /// there or nobody knows which files there are: then there is no answer worth keeping.
    #[must_use]
    pub fn new(folder: &Path, place: &Place, terms: Terms) -> Option<Self> {
        Self::at(SystemTime::now(), folder, place, terms)
    }

    fn at(asked: SystemTime, folder: &Path, place: &Place, terms: Terms) -> Option<Self> {
        if !place.unlisted.is_empty() {
            return None;
        }
        // One file for each thing that is asked, however often its answer changes, so that the cache
        // does not grow with time.
        let engine = terms.engine.as_ref();
        let topic = (
            terms.method,
            // Machines that share a store each keep their own answer.
            &terms.machine,
            engine.map(|engine| (&engine.id, &engine.settings)),
        );
        let mut name = Sha256::new();
        name.update(serde_json::to_vec(&topic).ok()?);
        name.update(place.folder.as_os_str().as_bytes());
        let file = folder.join(format!("{}.json", hexadecimal(&name.finalize())));
        let manifest = Sha256::digest(serde_json::to_vec(&place.files).ok()?);
        Some(Self {
            place: place.clone(),
            question: Question {
                version: VERSION,
                terms,
                manifest: hexadecimal(&manifest),
                files: stamps(place)?,
            },
            asked,
            file,
        })
    }

    /// Returns the answer that was given to this very question before, if there is one.
    #[must_use]
    pub fn earlier(&self) -> Option<VerifyFinding> {
        let metadata = fs::metadata(&self.file).ok()?;
        if !metadata.is_file() || metadata.len() > LONGEST {
            return None;
        }
        // What is no answer of ours is none at all: it is asked again, and written over.
        let kept: Kept = serde_json::from_slice(&fs::read(&self.file).ok()?).ok()?;
        let is_ours = kept.question == self.question && kept.finding.verdict == Verdict::Complete;
        is_ours.then_some(VerifyFinding {
            remembered: true,
            ..kept.finding
        })
    }

    /// Keeps an answer, if it is one that is kept, and if a change since the question or from now on
    /// would be seen. A store that cannot be written only makes the next answer take longer.
    pub fn keep(&self, finding: &VerifyFinding) {
        let is_settled = |stamp: &FileStamp| stamp.is_settled(self.asked);
        if finding.verdict == Verdict::Complete
            && !finding.remembered
            && self.question.terms.method != VerifyMethod::CacheCheck
            && self.question.files.iter().all(is_settled)
            && stamps(&self.place).as_ref() == Some(&self.question.files)
        {
            let _ = self.write(finding);
        }
    }

    fn write(&self, finding: &VerifyFinding) -> io::Result<()> {
        let Some(folder) = self.file.parent() else {
            return Ok(());
        };
        fs::create_dir_all(folder)?;
        let text = serde_json::to_vec(&Kept {
            question: self.question.clone(),
            finding: finding.clone(),
        })?;
        // Whole or not at all, whoever else writes it at the same time. After a power cut it may be
        // empty, and then it is no answer.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&text)?;
        file.persist(&self.file)?;
        Ok(())
    }
}

/// Returns the stamp of every file of a place, if all are there.
fn stamps(place: &Place) -> Option<Vec<FileStamp>> {
    let names = place.files.keys();
    names
        .map(|name| FileStamp::of(&place.folder.join(name)))
        .collect()
}

#[cfg(test)]
#[path = "verdict_cache_tests.rs"]
mod tests;
