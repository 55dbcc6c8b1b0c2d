//! The site file that the command line names.

use crate::cli::exit::{Failure, tell_diagnostics};
use crate::cli::load::read_text;
use crate::cluster::{Site, read_site};
use crate::diagnostic::Diagnostics;
use std::path::Path;
use std::sync::Arc;

/// Reads a site file; without one, schedulers are there that know no word for any requirement.
pub(in crate::cli) fn site_of(path: Option<&Path>) -> Result<Site, Failure> {
    let Some(path) = path else {
        return Ok(Site::default());
    };
    let mut problems = Diagnostics::default();
    let source = match read_text(path, "site") {
        Ok(source) => source,
        Err(problem) => {
            problems.push(*problem);
            return Err(Failure::Input(problems));
        }
    };
    let site = read_site(Arc::new(source), &mut problems);
    problems.sort_by_place();
    match site {
        Some(site) => {
            tell_diagnostics(&problems);
            Ok(site)
        }
        None => Err(Failure::Input(problems)),
    }
}
