//! Plans that are kept: read again, and held against what is there now.

use super::backends::facts_of;
use super::exit::Failure;
use super::run::variable;
use crate::catalog::Catalog;
use crate::corpus::Corpus;
use crate::engine;
use crate::model::Plan;
use crate::plan::{Present, fill_path, note_recordings, seal_holds, staleness};
use crate::store::sha256_file;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// The version of plans that this program reads.
const VERSION: u64 = 1;

/// What every version of a plan has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// Reads a plan, if the file is one by its name.
pub(super) fn read_saved(path: &Path) -> Result<Option<Plan>, Failure> {
    if path.extension().is_none_or(|extension| extension != "json") {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))?;
    let no_plan = |error: serde_json::Error| {
        Failure::Usage(format!(
            "{} is no plan: {error}; `earmark plan MATRIX --format json` writes one",
            path.display()
        ))
    };
    let found: Versioned = serde_json::from_str(&text).map_err(no_plan)?;
    if found.version != VERSION {
        return Err(Failure::Usage(format!(
            "{} is a plan of version {}, and this program reads version {VERSION}; make it again \
             from its matrix",
            path.display(),
            found.version
        )));
    }
    serde_json::from_str(&text).map(Some).map_err(no_plan)
}

/// Makes a plan one that can be kept: with the digests of its recordings.
pub(super) fn keep(plan: &mut Plan) {
    note_recordings(plan, digest_of_named);
}

/// Returns the digest of a file whose path may hold values of the environment.
fn digest_of_named(path: &Path) -> io::Result<String> {
    if !path.to_string_lossy().contains("${env:") {
        return sha256_file(path);
    }
    sha256_file(&fill_path(path, &variable).map_err(io::Error::other)?)
}

/// Returns what is not any more as a saved plan says, one sentence each; of what only jobs rest on that
/// are not among `jobs`, nothing is said.
pub(super) fn staleness_of(
    plan: &mut Plan,
    jobs: Option<&BTreeSet<usize>>,
) -> Result<Vec<String>, Failure> {
    let catalog = Catalog::builtin().map_err(|problems| {
        Failure::internal(format!("the built-in catalog is broken: {problems}"))
    })?;
    let mut changes = Vec::new();
    if !seal_holds(plan) {
        changes.push("its digest does not hold: the plan was changed after it was made".into());
    }
    let mut engines = engine::facts();
    engines.extend(facts_of(plan.backends.values()));
    changes.extend(staleness(
        plan,
        &Present {
            catalog: &catalog,
            corpus: &Corpus::builtin(),
            engines: &engines,
            jobs,
            digest: &digest_of_named,
        },
    ));
    Ok(changes)
}

/// Refuses a saved plan that is not true any more for the jobs that are to be carried out, all if none are
/// named, and names why.
pub(super) fn refuse_if_stale(
    path: &Path,
    plan: &mut Plan,
    jobs: Option<&BTreeSet<usize>>,
) -> Result<(), Failure> {
    let changes = staleness_of(plan, jobs)?;
    if changes.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = changes
        .iter()
        .map(|change| format!("\n  - {}", crate::ui::printable(change)))
        .collect();
    Err(Failure::Usage(format!(
        "{} does not hold any more, and nothing was started:{}\nmake the plan again from its matrix; \
         `earmark plan MATRIX --diff {}` then shows what that changes",
        path.display(),
        list.concat(),
        path.display()
    )))
}
