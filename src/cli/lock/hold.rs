//! `--locked`: a plan held against the lock file of its matrix.

use crate::cli::exit::Failure;
use crate::cli::saved::keep;
use crate::diagnostic::{Diagnostics, SourceText};
use crate::lockfile::{apply, differing_versions, path_of, read};
use crate::model::Plan;
use crate::plan::seal;
use crate::store::sha256_bytes;
use crate::ui::printable;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Holds the plan of a matrix against the lock file beside it: what is locked is what the plan then
/// expects. What is not in the lock file, or not as it says, is refused.
pub(in crate::cli) fn hold(matrix: &Path, plan: &mut Plan) -> Result<(), Failure> {
    let path = path_of(matrix);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::Usage(format!(
            "--locked: {} cannot be read: {error}; write it: `earmark lock {}`",
            path.display(),
            matrix.display()
        ))
    })?;
    let digest = sha256_bytes(text.as_bytes());
    let mut problems = Diagnostics::default();
    let source = SourceText {
        path: path.clone(),
        text,
    };
    let lock = read(Arc::new(source), &mut problems).ok_or(Failure::Input(problems))?;
    keep(plan);
    let differences = apply(&lock, &digest, plan);
    if differences.is_empty() {
        seal(plan);
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{} does not hold for {}, and nothing was started:{}\nlook at what changed; if it is meant, \
         write the lock file again: `earmark lock {}`",
        path.display(),
        matrix.display(),
        list(&differences),
        matrix.display()
    )))
}

/// Refuses a saved plan that was not held against a lock file when it was made.
pub(in crate::cli) fn refuse_unlocked(plan: &Plan) -> Result<(), Failure> {
    if plan.lock.is_some() {
        return Ok(());
    }
    Err(Failure::Usage(
        "--locked: the saved plan was made without a lock file; make it again with `earmark plan \
         MATRIX --locked --format json`"
            .into(),
    ))
}

/// Refuses to start if a command backend says another version than is locked.
pub(in crate::cli) fn refuse_other_versions(
    plan: &Plan,
    versions: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let differences = differing_versions(plan, versions);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "the lock file does not hold here, and nothing was started:{}",
        list(&differences)
    )))
}

fn list(differences: &[String]) -> String {
    differences
        .iter()
        .map(|difference| format!("\n  - {}", printable(difference)))
        .collect()
}
