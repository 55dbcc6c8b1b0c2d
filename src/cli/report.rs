//! `earmark report`: the reports again, from the record.

use super::arguments::ReportArguments;
use super::exit::{ExitStatus, Failure, print};
use crate::record::{RunFolder, RunRecord};
use crate::report::{PageTemplates, ReportError, write_reports_with};
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &ReportArguments) -> Result<ExitStatus, Failure> {
    if arguments.out.is_some() && arguments.runs.len() > 1 {
        return Err(Failure::Usage(
            "--out takes the reports of one run; name one, or leave it out".into(),
        ));
    }
    // Before anything is written, because a template that is wrong for one run is wrong for all.
    let templates = match &arguments.template {
        Some(folder) => {
            PageTemplates::read(folder).map_err(|error| Failure::Usage(error.to_string()))?
        }
        None => PageTemplates::default(),
    };
    for path in &arguments.runs {
        let place = arguments.out.as_deref().unwrap_or(path);
        let record = RunFolder::read(path).map_err(|error| Failure::Usage(error.to_string()))?;
        for written in written_to(&record, place, &templates)? {
            print(&format!("{}\n", written.display()))?;
        }
    }
    Ok(ExitStatus::Success)
}

/// Writes the reports of a record into a folder.
fn written_to(
    record: &RunRecord,
    place: &Path,
    templates: &PageTemplates,
) -> Result<Vec<PathBuf>, Failure> {
    let refused = |error: &dyn std::fmt::Display| {
        Failure::Usage(format!(
            "{} cannot be written: {error}; name another folder with --out",
            place.display()
        ))
    };
    std::fs::create_dir_all(place).map_err(|error| refused(&error))?;
    write_reports_with(record, place, templates).map_err(|error| match error {
        ReportError::Html(error) => Failure::Usage(error.to_string()),
        error => refused(&error),
    })
}
