//! The end of a run that was handed over: what its parts left becomes one record.

use super::Looking;
use crate::cli::exit::{ExitStatus, Failure, say};
use crate::cli::merge::gather;
use crate::cluster::Attempts;
use crate::model::Outcome;
use crate::record::{RunFolder, cut_short};

/// Puts together what there is, reports it, and returns the exit status that it stands for.
pub(super) fn finish(looking: &Looking<'_>) -> Result<ExitStatus, Failure> {
    let run = &looking.run;
    let mut attempts = Attempts::of(run);
    attempts.look();
    if !attempts.have_begun() && !RunFolder::at(run).journal().exists() {
        say(&format!(
            "no part has left anything that could be reported; `earmark run --resume {}` sends them again",
            run.display()
        ));
        return Ok(ExitStatus::Fault);
    }
    let (status, record) = gather(
        &Attempts::folder(run),
        run,
        &looking.formats,
        looking.base.as_ref(),
        looking.indexing,
    )?;
    if status == ExitStatus::Fault {
        say(&format!("earmark run --resume {}", run.display()));
    }
    if !cut_short(&record).is_empty() {
        say(&format!(
            "earmark run --resume {} --time-budget LONGER measures anew what has fewer launches than planned",
            run.display()
        ));
    }
    let outcomes = record.jobs.values().filter_map(|job| job.outcome.as_ref());
    Ok(match status {
        ExitStatus::Success | ExitStatus::Gate if outcomes.clone().any(Outcome::is_fault) => {
            ExitStatus::Fault
        }
        status => status,
    })
}
