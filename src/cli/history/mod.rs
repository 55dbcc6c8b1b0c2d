//! `earmark history`: runs over time.

mod arguments;
mod check;
mod index;
mod list;
mod prune;
mod rebuild;
mod select;
mod show;
mod site;
mod tell;

pub(super) use arguments::{HistoryArguments, Indexing};
pub(super) use index::index;

use super::exit::{ExitStatus, Failure, say};
use crate::history::{History, HistoryError, Search, Watch, history_path};
use crate::ui::printable;
use arguments::{HistoryPlace, HistoryVerb, Looking};
use std::path::PathBuf;

pub(super) fn run(arguments: &HistoryArguments) -> Result<ExitStatus, Failure> {
    match &arguments.verb {
        None => list::run(&arguments.list),
        Some(HistoryVerb::Show(arguments)) => show::run(arguments),
        Some(HistoryVerb::Check(arguments)) => check::run(arguments),
        Some(HistoryVerb::Rebuild(arguments)) => rebuild::run(arguments),
        Some(HistoryVerb::Prune(arguments)) => prune::run(arguments),
        Some(HistoryVerb::Site(arguments)) => site::run(arguments),
    }
}

/// Returns the database that is meant.
fn path_of(place: &HistoryPlace) -> Result<PathBuf, Failure> {
    history_path(place.history.as_deref(), |name| std::env::var_os(name)).map_err(Failure::Usage)
}

/// Does some work with the history. That it had to be made anew is told.
fn with<T>(
    place: &HistoryPlace,
    mut work: impl FnMut(&mut History) -> Result<T, HistoryError>,
) -> Result<T, Failure> {
    History::with(&path_of(place)?, |history| {
        tell_rebuilt(history);
        work(history)
    })
    .map_err(|error| match error {
        HistoryError::Run(message) => Failure::Usage(message),
        error => Failure::internal(error),
    })
}

/// Tells that the index had to be made anew, where there was something to make it of, or it was
/// damaged.
fn tell_rebuilt(history: &History) {
    if let Some(rebuilt) = &history.rebuilt
        && (rebuilt.read + rebuilt.kept > 0
            || rebuilt.put_aside.is_some()
            || !rebuilt.complaints.is_empty())
    {
        say(&format!(
            "warning: {} was made anew, because {}: {}",
            history.path().display(),
            rebuilt.reason,
            rebuild::summary(rebuilt)
        ));
        for complaint in &rebuilt.complaints {
            say(&format!("warning: {}", printable(complaint)));
        }
    }
}

/// Returns what is looked for.
fn watch_of(looking: &Looking) -> Watch {
    let mut watch = Watch {
        search: Search {
            significance: looking.significance,
            ..Search::default()
        },
        ..Watch::default()
    };
    for least in &looking.least {
        watch.metrics.insert(least.0, least.1);
    }
    watch
}
