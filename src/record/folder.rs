//! The run folder: plan, journal, logs, and the reports made of them.

use super::fold::{RunRecord, fold};
use super::journal::{JournalWriter, read_journal};
use crate::model::Plan;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a run folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no run folder, or what is in it is broken.
    #[error("{0}")]
    Unreadable(String),
    /// It cannot be made or written.
    #[error("the run folder {path} cannot be written: {error}; choose another with --out")]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
}

/// A run folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    /// Its path.
    pub path: PathBuf,
}

impl RunFolder {
    /// Makes a folder for a new run and writes the plan into it.
    ///
    /// # Errors
    ///
    /// Fails if it holds a run already, or cannot be written.
    pub fn create(path: &Path, plan: &Plan) -> Result<(Self, JournalWriter), RecordError> {
        let folder = Self {
            path: path.to_path_buf(),
        };
        let unwritable = |error| RecordError::Unwritable {
            path: path.to_path_buf(),
            error,
        };
        fs::create_dir_all(path).map_err(unwritable)?;
        if folder.journal().exists() {
            let taken = io::Error::new(io::ErrorKind::AlreadyExists, "it holds a run already");
            return Err(unwritable(taken));
        }
        let mut json = serde_json::to_string_pretty(plan)
            .map_err(|error| unwritable(io::Error::other(error)))?;
        json.push('\n');
        fs::write(folder.plan(), json).map_err(unwritable)?;
        let journal = JournalWriter::create(&folder.journal()).map_err(unwritable)?;
        Ok((folder, journal))
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
        let folder = Self {
            path: path.to_path_buf(),
        };
        let text = fs::read_to_string(folder.plan()).map_err(|error| {
            RecordError::Unreadable(format!(
                "{} is no run folder: plan.json: {error}; name a folder that `earmark run` made",
                path.display()
            ))
        })?;
        let plan: Plan = serde_json::from_str(&text).map_err(|error| {
            RecordError::Unreadable(format!("{}: {error}", folder.plan().display()))
        })?;
        let events = read_journal(&folder.journal()).map_err(RecordError::Unreadable)?;
        fold(plan, events).map_err(RecordError::Unreadable)
    }
}
