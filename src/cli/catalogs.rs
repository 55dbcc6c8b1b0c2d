//! The catalog that a command goes by: what is built in, and the files of `--catalog` laid over it.

use super::exit::Failure;
use super::load::read_text;
use crate::catalog::{Catalog, read_catalog};
use crate::diagnostic::Diagnostics;
use std::path::PathBuf;
use std::sync::Arc;

/// Lays catalog files over what is built in, the later over the earlier ones. What is wrong with
/// them goes into `problems`, and says whether the catalog may be used.
pub(super) fn catalog_of(
    files: &[PathBuf],
    problems: &mut Diagnostics,
) -> Result<Catalog, Failure> {
    let mut catalog = Catalog::builtin().map_err(|problems| {
        Failure::internal(format!("the built-in catalog is broken: {problems}"))
    })?;
    for path in files {
        let definitions = match read_text(path, "catalog") {
            Ok(source) => read_catalog(Arc::new(source), problems),
            Err(problem) => {
                problems.push(*problem);
                None
            }
        };
        if let Some(definitions) = definitions {
            catalog.overlay(&definitions);
            catalog.check(&definitions, problems);
        }
    }
    Ok(catalog)
}
