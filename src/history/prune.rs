//! Old run folders are removed; what is known of their runs is kept.

use super::database::History;
use super::entry::key_of;
use super::error::HistoryError;
use super::index::{ListedRun, RunQuery, forget};
use crate::record::RunFolder;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is kept. A run is old if neither keeps it.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// Runs that started at this time or later, as records have it.
    pub since: Option<String>,
    /// So many newest runs of each matrix.
    pub newest: Option<u32>,
    /// Only what lies below this folder is removed.
    pub below: PathBuf,
    /// Values of old runs are forgotten too, where the folder is removed or is gone.
    pub forget: bool,
    /// Nothing is removed.
    pub dry_run: bool,
}

/// What became of an old run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pruned {
    /// Its folder was removed, or would be: so many bytes, but for what of it is not ours.
    Removed(u64, Vec<String>),
    /// Its folder is gone already.
    Gone,
    /// Its folder stays, for a reason.
    Left(String),
}

impl History {
    /// Removes the folders of old runs. The newest run of each matrix always stays, and so does a
    /// folder that is in use, that lies elsewhere, or that does not hold the run that the history knows
    /// there. Of a folder that holds something of somebody else's, that stays.
    ///
    /// # Errors
    ///
    /// Fails if the history cannot be read or written. A folder that cannot be removed is told.
    pub fn prune(
        &mut self,
        retention: &Retention,
    ) -> Result<Vec<(ListedRun, Pruned)>, HistoryError> {
        let runs = self.runs(&RunQuery::default())?;
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut done = Vec::new();
        for run in runs {
            let newer = seen.entry(run.name.clone()).or_insert(0);
            let is_newest = *newer == 0;
            let among_newest = retention.newest.is_some_and(|most| *newer < most);
            *newer += 1;
            let is_recent = retention
                .since
                .as_ref()
                .is_some_and(|since| run.started >= *since);
            if among_newest || is_recent {
                continue;
            }
            if is_newest && run.is_gone {
                continue;
            }
            let pruned = if is_newest {
                Pruned::Left("it is the newest run of its matrix, which always stays".into())
            } else {
                remove(&run, retention)
            };
            done.push((run, pruned));
        }
        if retention.forget && !retention.dry_run {
            let old: BTreeSet<&str> = done
                .iter()
                .filter(|(_, pruned)| !matches!(pruned, Pruned::Left(_)))
                .map(|(run, _)| run.key.as_str())
                .collect();
            self.forget(&old)?;
        }
        Ok(done)
    }

    fn forget(&mut self, keys: &BTreeSet<&str>) -> Result<(), HistoryError> {
        let lines = self.lines.clone();
        let path = self.path.clone();
        let transaction = self.write()?;
        for key in keys {
            forget(&transaction, key).map_err(HistoryError::database(&path))?;
        }
        lines.retain(|entry| !keys.contains(entry.key.as_str()))?;
        transaction.commit().map_err(HistoryError::database(&path))
    }
}

fn remove(run: &ListedRun, retention: &Retention) -> Pruned {
    if run.is_gone {
        return Pruned::Gone;
    }
    if let Err(reason) = may_be_removed(run, &retention.below) {
        return Pruned::Left(reason);
    }
    let folder = RunFolder::at(&run.folder);
    let strangers = folder.strangers();
    if retention.dry_run {
        return Pruned::Removed(folder.bytes(), strangers);
    }
    match RunFolder::remove(&run.folder) {
        Ok(bytes) => Pruned::Removed(bytes, strangers),
        Err(error) => Pruned::Left(error.to_string()),
    }
}

fn may_be_removed(run: &ListedRun, below: &Path) -> Result<(), String> {
    let is_link = run
        .folder
        .symlink_metadata()
        .is_ok_and(|data| data.is_symlink());
    let inside = run
        .folder
        .canonicalize()
        .and_then(|folder| Ok((folder, below.canonicalize()?)))
        .is_ok_and(|(folder, below)| folder != below && folder.starts_with(below));
    if is_link || !inside {
        return Err(format!(
            "it does not lie below {}; --runs names another place",
            below.display()
        ));
    }
    match RunFolder::read(&run.folder) {
        Ok(record) if key_of(&record) == run.key => Ok(()),
        Ok(_) => Err("it holds another run by now".into()),
        Err(error) => Err(error.to_string()),
    }
}
