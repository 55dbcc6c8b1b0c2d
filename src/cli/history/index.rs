//! What `run` and `merge` do at their end: the run goes into the history.

use super::arguments::Indexing;
use super::{path_of, tell, tell_rebuilt};
use crate::cli::exit::{Failure, say};
use crate::history::{History, RunEntry, Seen, Watch};
use crate::record::RunRecord;
use crate::ui::printable;
use std::path::Path;

/// Puts a run into the history, and tells which of its rows have changed. That it cannot be done never
/// fails a run.
pub(in crate::cli) fn index(indexing: &Indexing, folder: &Path, record: &RunRecord) {
    if indexing.no_history {
        return;
    }
    if let Err(failure) = put(indexing, folder, record) {
        let (Failure::Usage(reason) | Failure::Internal(reason)) = failure else {
            return;
        };
        say(&format!(
            "warning: the run is not in the history: {}; `earmark history rebuild {}` puts it there",
            printable(&reason),
            folder.display()
        ));
    }
}

fn put(indexing: &Indexing, folder: &Path, record: &RunRecord) -> Result<(), Failure> {
    let path = path_of(&indexing.place)?;
    let entry = RunEntry::of(folder, record).map_err(Failure::internal)?;
    let alerts = History::with(&path, |history| {
        tell_rebuilt(history);
        history.put(&entry)?;
        history.alerts(&Watch::default(), &Seen::In(entry.key.clone()))
    })
    .map_err(Failure::internal)?;
    for alert in &alerts {
        say(&format!("history: {}", tell::line(alert)));
    }
    Ok(())
}
