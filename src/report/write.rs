//! All reports of a record, written into its folder.

use super::combination_columns::{combination_columns, combination_rows};
use super::csv::to_csv;
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
    /// A file could not be written.
    #[error("{path} cannot be written: {error}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
}

/// Writes `results.csv`, `summary.csv`, `samples.csv`, `jobs.csv`, `combinations.csv` and
/// `report.html`. Each file
/// is replaced whole.
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
    let page = templates.render(record)?;
    let rows = result_rows(record);
    let mut written = Vec::new();
    // One after the other: a large run is held in memory once, and not once for each table.
    let mut put = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        replace(&path, &bytes).map_err(|error| ReportError::Write {
            path: path.clone(),
            error,
        })?;
        written.push(path);
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
    put("report.html", page.into_bytes())?;
    Ok(written)
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, path)
}
