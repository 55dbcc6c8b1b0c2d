//! `earmark history rebuild`: the index anew, from run folders.

use super::arguments::RebuildArguments;
use super::with;
use crate::cli::exit::{ExitStatus, Failure, print, say};
use crate::cli::merge::counted;
use crate::history::Rebuilt;
use crate::ui::printable;

pub(super) fn run(arguments: &RebuildArguments) -> Result<ExitStatus, Failure> {
    let (rebuilt, runs) = with(&arguments.place, |history| {
        let rebuilt = history.rebuild(&arguments.folders)?;
        Ok((rebuilt, history.count()?))
    })?;
    for complaint in &rebuilt.complaints {
        say(&format!("warning: {}", printable(complaint)));
    }
    print(&format!(
        "{}: {}\n",
        counted(usize::try_from(runs).unwrap_or(usize::MAX), "run", "runs"),
        summary(&rebuilt)
    ))?;
    Ok(ExitStatus::Success)
}

pub(super) fn summary(rebuilt: &Rebuilt) -> String {
    format!(
        "{} read from folders, {} kept whose folders are gone",
        rebuilt.read, rebuilt.kept
    )
}
