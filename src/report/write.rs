//! The tables and the page of a record, written into its folder.

use super::combination_columns::{combination_columns, combination_rows};
use super::csv::to_csv;
use super::formats::{ReportFormat, write_formats};
use super::job_columns::{job_columns, job_rows};
use super::page::{HtmlError, PageTemplates};
use super::result_columns::result_columns;
use super::rows::result_rows;
use super::sample_columns::{sample_columns, sample_rows};
use super::summary::summary_rows;
use super::summary_columns::summary_columns;
use crate::record::RunRecord;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why reports could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A table could not be made.
    #[error("a table could not be made: {0}")]
    Csv(#[from] csv::Error),
    /// The page could not be made.
    #[error(transparent)]
    Html(#[from] HtmlError),
    /// A document could not be made.
    #[error("a document could not be made: {0}")]
    Json(#[from] serde_json::Error),
    /// The test report could not be made.
    #[error("the test report could not be made: {0}")]
    Junit(#[from] quick_junit::SerializeError),
    /// A file could not be written.
    #[error("{path} cannot be written: {error}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
}

/// Writes what a run has in its folder: the tables and the page, which tells nothing of other runs.
/// Each file is replaced whole.
///
/// # Errors
///
/// Fails if a report cannot be made or written.
pub fn write_reports(record: &RunRecord, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    write_reports_with(record, folder, &PageTemplates::default())
}

/// Writes the same with a page by other templates. A template that is wrong is found before anything
/// is replaced.
///
/// # Errors
///
/// Fails if a report cannot be made or written.
pub fn write_reports_with(
    record: &RunRecord,
    folder: &Path,
    templates: &PageTemplates,
) -> Result<Vec<PathBuf>, ReportError> {
    write_formats(record, None, folder, &ReportFormat::DEFAULT, templates)
}

/// Writes `results.csv`, `summary.csv`, `samples.csv`, `jobs.csv` and `combinations.csv`.
pub(super) fn write_tables(record: &RunRecord, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let rows = result_rows(record);
    let mut written = Vec::new();
    // One after the other: a large run is held in memory once, and not once for each table.
    let mut put = |name: &str, bytes: Vec<u8>| {
        written.push(put(folder, name, &bytes)?);
        Ok::<(), ReportError>(())
    };
    put(
        "results.csv",
        to_csv(record, &result_columns(&rows), &rows)?,
    )?;
    let summaries = summary_rows(record, &rows);
    put(
        "summary.csv",
        to_csv(record, &summary_columns(&rows, &summaries), &summaries)?,
    )?;
    drop(summaries);
    put(
        "samples.csv",
        to_csv(record, &sample_columns(), &sample_rows(&rows))?,
    )?;
    drop(rows);
    put(
        "jobs.csv",
        to_csv(record, &job_columns(), &job_rows(record))?,
    )?;
    let columns = combination_columns(&record.plan.axes, &record.plan.combinations);
    put(
        "combinations.csv",
        to_csv(record, &columns, &combination_rows(record))?,
    )?;
    Ok(written)
}

/// Writes one report and returns its path.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, ReportError> {
    let path = folder.join(name);
    match replace(&path, bytes) {
        Ok(()) => Ok(path),
        Err(error) => Err(ReportError::Write { path, error }),
    }
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, path)
}
