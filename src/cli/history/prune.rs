//! `earmark history prune`: old run folders go, their trends stay.

use super::arguments::{PruneArguments, moment_before};
use super::list::minute;
use super::with;
use crate::cli::exit::{ExitStatus, Failure, print, say};
use crate::cli::merge::counted;
use crate::history::{Pruned, Retention};
use crate::model::units::show_bytes;
use crate::ui::printable;

pub(super) fn run(arguments: &PruneArguments) -> Result<ExitStatus, Failure> {
    let retention = Retention {
        since: arguments
            .keep
            .map(moment_before)
            .transpose()
            .map_err(Failure::Usage)?,
        newest: arguments.keep_runs,
        below: arguments.runs.clone(),
        forget: arguments.forget,
        dry_run: arguments.dry_run,
    };
    let done = with(&arguments.place, |history| history.prune(&retention))?;
    let (verb, total_verb) = if arguments.dry_run {
        ("would remove", "would be removed")
    } else {
        ("removed", "removed")
    };
    let (mut folders, mut freed) = (0, 0);
    for (run, pruned) in &done {
        let folder = printable(&run.folder.display().to_string());
        match pruned {
            Pruned::Removed(bytes, strangers) => {
                folders += 1;
                freed += bytes;
                print(&format!("{verb} {folder}, of {}\n", minute(&run.started)))?;
                if !strangers.is_empty() {
                    say(&format!(
                        "left in {folder}: {}, which no run has put there",
                        printable(&strangers.join(", "))
                    ));
                }
            }
            Pruned::Gone => {}
            Pruned::Left(reason) => say(&format!("left {folder}: {}", printable(reason))),
        }
    }
    say(&format!(
        "{} {total_verb}, {}",
        counted(folders, "run folder", "run folders"),
        show_bytes(freed)
    ));
    Ok(ExitStatus::Success)
}
