//! Formats beside CSV and the page: `JUnit`, Markdown, JSON, and hypotheses for other scorers.

mod hypotheses;
mod json;
mod junit;
mod markdown;
mod markdown_text;

pub use json::{CellValue, ReportDocument, ResultObject, SummaryObject, report_document};
pub use markdown_text::{COMMENT_CHARACTERS, Section, code_span, escaped, joined};

use super::page::PageTemplates;
use super::run_history::RunHistory;
use super::write::{ReportError, put, write_tables};
use crate::record::RunRecord;
use std::path::{Path, PathBuf};

/// A format that a record can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportFormat {
    /// `results.csv` and the other tables.
    Csv,
    /// `report.html`, the page.
    Html,
    /// `junit.xml`: a test case for each job and each gate.
    Junit,
    /// `report.md`: the answer and the summary, for a step's summary or a comment.
    Markdown,
    /// `report.json`: rows, summaries, jobs and gates in one document.
    Json,
    /// `hypotheses.jsonl`: what was heard in each trial, for other scorers.
    Hypotheses,
}

impl ReportFormat {
    /// What a run writes if nothing is said.
    pub const DEFAULT: [Self; 2] = [Self::Csv, Self::Html];
}

/// Writes a record in some formats into a folder; `history` is what is stored with the run of earlier
/// ones, for the page. Each file is replaced whole; a template that is
/// wrong is found before anything is replaced.
///
/// # Errors
///
/// Fails if a report cannot be made or written.
pub fn write_formats(
    record: &RunRecord,
    history: Option<&RunHistory>,
    folder: &Path,
    formats: &[ReportFormat],
    templates: &PageTemplates,
) -> Result<Vec<PathBuf>, ReportError> {
    let page = if formats.contains(&ReportFormat::Html) {
        templates.render(record, history)?
    } else {
        String::new()
    };
    let mut written = Vec::new();
    let mut seen = Vec::new();
    for format in formats {
        if seen.contains(format) {
            continue;
        }
        seen.push(*format);
        match format {
            ReportFormat::Csv => written.extend(write_tables(record, folder)?),
            ReportFormat::Html => written.push(put(folder, "report.html", page.as_bytes())?),
            ReportFormat::Junit => {
                written.push(put(folder, "junit.xml", &junit::junit(record)?)?);
            }
            ReportFormat::Markdown => {
                let text = markdown::markdown(record);
                written.push(put(folder, "report.md", text.as_bytes())?);
            }
            ReportFormat::Json => {
                written.push(put(folder, "report.json", &json::json(record)?)?);
            }
            ReportFormat::Hypotheses => {
                let lines = hypotheses::hypotheses(record)?;
                written.push(put(folder, "hypotheses.jsonl", &lines)?);
            }
        }
    }
    Ok(written)
}
