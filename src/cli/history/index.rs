//! What `run` and `merge` do at their end: the run goes into the history.

use super::arguments::Indexing;
use super::{path_of, tell, tell_rebuilt};
use crate::cli::exit::{Failure, say};
use crate::history::{History, RunEntry, Seen, Watch};
use crate::record::RunRecord;
use crate::report::RunHistory;
use crate::ui::printable;
use std::path::Path;

/// Puts a run into the history, and tells which of its rows have changed. What the history says of the
/// run is stored in its folder, and returned for its page. That it cannot be done never fails a run.
pub(in crate::cli) fn index(
    indexing: &Indexing,
    folder: &Path,
    record: &RunRecord,
) -> Option<RunHistory> {
    // What an earlier session of this run was told is not true of it any more.
    if let Err(error) = RunHistory::remove(folder) {
        say(&format!(
            "warning: what {} has of earlier runs is out of date and cannot be removed: {error}",
            folder.display()
        ));
    }
    if indexing.no_history {
        return None;
    }
    match put(indexing, folder, record) {
        Ok(told) => Some(told),
        Err(Failure::Usage(reason) | Failure::Internal(reason)) => {
            say(&format!(
                "warning: the run is not in the history: {}; `earmark history rebuild {}` puts it there",
                printable(&reason),
                folder.display()
            ));
            None
        }
        Err(_) => None,
    }
}

fn put(indexing: &Indexing, folder: &Path, record: &RunRecord) -> Result<RunHistory, Failure> {
    let path = path_of(&indexing.place)?;
    let entry = RunEntry::of(folder, record).map_err(Failure::internal)?;
    let watch = Watch::default();
    let (alerts, told) = History::with(&path, |history| {
        tell_rebuilt(history);
        history.put(&entry)?;
        let alerts = history.alerts(&watch, &Seen::In(entry.key.clone()))?;
        let told = history.of_run(&entry.key, &watch, &alerts)?;
        Ok((alerts, told))
    })
    .map_err(Failure::internal)?;
    for alert in &alerts {
        say(&format!("history: {}", tell::line(alert)));
    }
    if let Err(error) = told.write(folder) {
        say(&format!(
            "warning: what the history says of the run cannot be stored in {}: {error}; `earmark report` \
             will tell nothing of it",
            folder.display()
        ));
    }
    Ok(told)
}
