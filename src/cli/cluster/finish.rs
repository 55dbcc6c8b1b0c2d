//! The end of a run that was handed over: what its parts left becomes one record.

use super::Looking;
use crate::cli::exit::{ExitStatus, Failure, say};
use crate::cli::merge::gather;
use crate::cluster::Attempts;

/// Puts together what there is, reports it, and returns the exit status that it stands for.
pub(super) fn finish(looking: &Looking<'_>) -> Result<ExitStatus, Failure> {
    let run = &looking.run;
    let attempts = Attempts::folder(run);
    let status = gather(&attempts, run, &looking.formats, looking.indexing)?;
    let mut seen = Attempts::of(run);
    seen.look();
    if status == ExitStatus::Fault {
        say(&format!("earmark run --resume {}", run.display()));
    }
    Ok(match status {
        ExitStatus::Success | ExitStatus::Gate if seen.faults() > 0 => ExitStatus::Fault,
        status => status,
    })
}
