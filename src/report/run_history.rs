//! What the history said of a run when the run was put into it: `history.json` in the run folder.
//!
//! The history goes on, and a report is a function of what is stored with its run. So what the page
//! tells of earlier runs is written down once, when the run is put into the history, and read again
//! whenever a report is made. It is derived from the records of many runs and stands apart from the
//! journal, which holds what this one measured.

use super::write::replace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The file in a run folder.
const NAME: &str = "history.json";

/// The version of this format.
const VERSION: u32 = 1;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// What the history knew of the rows of a run, and which of them had changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Earmark history of a run")]
pub struct RunHistory {
    /// Version of this format: 1.
    pub version: u32,
    /// Rows that this run measured: a job on a machine each.
    pub rows: usize,
    /// Those among them that earlier runs had measured too.
    pub known_rows: usize,
    /// What is followed over runs, in words.
    pub watched: Vec<String>,
    /// Trends: each number that is followed of each of those rows, where two runs or more have it.
    pub trends: usize,
    /// Those among them that are long enough for a change to be seen in them.
    pub long_trends: usize,
    /// How many runs that takes.
    pub fewest_runs: usize,
    /// The largest share of trends without a change in which one is found, for each division.
    pub significance: f64,
    /// Changes of level that were first seen in this run, those for the worse first.
    pub changes: Vec<LevelChange>,
    /// Changes beyond those that are listed.
    pub more_changes: usize,
}

/// A trend of which the level changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelChange {
    /// The job.
    pub job: String,
    /// The machine's id.
    pub machine: String,
    /// Its host name.
    pub host: String,
    /// The column of `results.csv` that changed.
    pub metric: String,
    /// The same in words.
    pub title: String,
    /// It became worse: slower, larger, less accurate.
    pub worse: bool,
    /// The level before, in the unit of the column.
    pub before: f64,
    /// The level since.
    pub after: f64,
    /// The level before as people read it, with its unit.
    pub shown_before: String,
    /// The level since, the same way.
    pub shown_after: String,
    /// The change as people read it: a share, or points of an error rate.
    pub shown_change: String,
    /// The first run of the new level.
    pub since_run: String,
    /// When that run measured it, UTC.
    pub since: String,
    /// The last run of the level before.
    pub last_run_before: String,
    /// When that run measured it, UTC.
    pub last_before: String,
    /// What else changed between those two runs, in words.
    pub changed_there: Vec<String>,
    /// The newest values of the trend, the oldest of them first.
    pub values: Vec<f64>,
    /// The position among them of the first value of the new level.
    pub position: usize,
    /// It is no measurement.
    pub synthetic: bool,
}

/// Why what the history said of a run cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}; remove it, and the page tells nothing of earlier runs")]
pub struct RunHistoryError {
    path: PathBuf,
    reason: String,
}

impl RunHistory {
    /// The version of this format.
    pub const VERSION: u32 = VERSION;

    /// Reads what is stored with a run; `None` if the run was never put into a history.
    ///
    /// # Errors
    ///
    /// Fails with place, reason and remedy if the file cannot be read, or is none of these.
    pub fn read(folder: &Path) -> Result<Option<Self>, RunHistoryError> {
        let path = folder.join(NAME);
        let refused = |reason: String| RunHistoryError {
            path: path.clone(),
            reason,
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(error.to_string())),
        };
        let mut text = Vec::new();
        file.take(LARGEST + 1)
            .read_to_end(&mut text)
            .map_err(|error| refused(error.to_string()))?;
        if text.len() as u64 > LARGEST {
            return Err(refused(format!("it has more than {} MiB", LARGEST >> 20)));
        }
        let read: Self =
            serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
        if read.version != VERSION {
            return Err(refused(format!(
                "it is of version {}, and this program knows {VERSION}",
                read.version
            )));
        }
        Ok(Some(read))
    }

    /// Stores it with its run. The file is replaced whole.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        text.push(b'\n');
        replace(&folder.join(NAME), &text)
    }

    /// Removes what is stored with a run, because it is not true of it any more.
    ///
    /// # Errors
    ///
    /// Fails if it is there and cannot be removed.
    pub fn remove(folder: &Path) -> io::Result<()> {
        match fs::remove_file(folder.join(NAME)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
