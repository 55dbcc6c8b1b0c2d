//! What cannot be asked of a run that a scheduler has, refused by name.

use crate::cli::exit::Failure;
use crate::cli::run::{RunArguments, RunFormat};
use crate::model::Plan;
use std::path::Path;

/// Refuses what a resumed run would pass over: its parts are dealt, and carried out by other machines. `asked` is
/// the plan that the command line names, if it names one: what made that plan is carried out if it is the same.
pub(super) fn refuse_what_is_passed_over(
    run: &Path,
    plan: &Plan,
    asked: Option<&Plan>,
    arguments: &RunArguments,
) -> Result<(), Failure> {
    if arguments.format != RunFormat::Text {
        return Err(Failure::Usage(
            "--format cannot be asked of a run that a scheduler has: its events are written on other machines; \
             `earmark report RUN --to json` tells it when it is over"
                .into(),
        ));
    }
    if let Some(asked) = asked {
        if asked.digest == plan.digest {
            return Ok(());
        }
        return Err(Failure::Usage(format!(
            "what the command line names is another plan than the one that {run} was handed over with ({}, and \
             that is {}); resume that without a matrix, or hand the new one over as a run of its own: \
             `earmark run MATRIX --on slurm`; `earmark plan MATRIX --diff {run}/plan.json` shows what has changed",
            asked.digest,
            plan.digest,
            run = run.display(),
        )));
    }
    let selection = &arguments.selection;
    let given = [
        ("--filter", !selection.filter.is_empty()),
        ("--verify-method", selection.verify_method.is_some()),
        ("--catalog", !selection.catalog.is_empty()),
        ("--strict", selection.strict),
        ("--locked", selection.locked),
        ("--download", arguments.download.is_some()),
    ];
    let given: Vec<&str> = given
        .iter()
        .filter_map(|(name, is_given)| is_given.then_some(*name))
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{} cannot be asked of a run that a scheduler has: its plan is made, and its parts are dealt; hand the \
         matrix over anew, or do its rows here: `earmark run {}/plan.json`",
        given.join(", "),
        run.display()
    )))
}
