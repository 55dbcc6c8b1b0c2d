//! `earmark report`: the reports again, from the record.

use super::arguments::{ReportArguments, ReportTo};
use super::exit::{ExitStatus, Failure, print, say};
use crate::record::{RunFolder, RunRecord};
use crate::report::{PageTemplates, ReportError, ReportFormat, RunHistory, write_formats};
use crate::ui::printable;
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
        let history = RunHistory::read(path).unwrap_or_else(|error| {
            say(&format!("warning: {}", printable(&error.to_string())));
            None
        });
        let formats = formats(&arguments.to);
        for written in written_to(&record, history.as_ref(), place, &formats, &templates)? {
            print(&format!("{}\n", written.display()))?;
        }
    }
    Ok(ExitStatus::Success)
}

/// Returns the formats that the command line asks for; without a wish, what a run has in its folder.
pub(super) fn formats(to: &[ReportTo]) -> Vec<ReportFormat> {
    if to.is_empty() {
        return ReportFormat::DEFAULT.to_vec();
    }
    to.iter()
        .map(|wish| match wish {
            ReportTo::Csv => ReportFormat::Csv,
            ReportTo::Html => ReportFormat::Html,
            ReportTo::Junit => ReportFormat::Junit,
            ReportTo::Markdown => ReportFormat::Markdown,
            ReportTo::Json => ReportFormat::Json,
            ReportTo::Hypotheses => ReportFormat::Hypotheses,
        })
        .collect()
}

/// Says that the reports of a run could not be written, beside its record, and what is to be done.
pub(super) fn unwritten(folder: &Path, error: &ReportError) -> Failure {
    if !matches!(error, ReportError::Write { .. }) {
        return Failure::internal(error);
    }
    let shown = folder.display();
    Failure::internal(format!(
        "{error}; what was measured is safe in {shown}: make room there, or make it writable, and \
         `earmark report {shown}` writes the reports"
    ))
}

/// Writes the reports of a record into a folder.
fn written_to(
    record: &RunRecord,
    history: Option<&RunHistory>,
    place: &Path,
    formats: &[ReportFormat],
    templates: &PageTemplates,
) -> Result<Vec<PathBuf>, Failure> {
    let refused = |error: &dyn std::fmt::Display| {
        Failure::Usage(format!(
            "{} cannot be written: {error}; name another folder with --out",
            place.display()
        ))
    };
    std::fs::create_dir_all(place).map_err(|error| refused(&error))?;
    write_formats(record, history, place, formats, templates).map_err(|error| match error {
        ReportError::Html(error) => Failure::Usage(error.to_string()),
        error => refused(&error),
    })
}
