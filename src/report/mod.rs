//! Reports: functions of a stored record. A view is computed once; each format renders it.

mod cell;
mod columns;
mod combination_columns;
mod configuration;
mod csv;
mod fairness;
mod gates;
mod job_columns;
mod notes;
mod page;
mod result_columns;
mod rows;
mod sample_columns;
mod statistics;
mod summary;
mod summary_columns;
mod write;

pub use cell::Cell;
pub use columns::{Column, Fill};
pub use combination_columns::{CombinationRow, combination_columns, combination_rows};
pub use configuration::{Configuration, Labels};
pub use gates::{GateFailure, gate_failures};
pub use job_columns::{JobRow, job_columns, job_rows};
pub(crate) use page::PageView;
pub use page::{HtmlError, PageTemplates, render_html};
pub use result_columns::result_columns;
pub use rows::{ResultRow, UtteranceResult, result_rows};
pub use sample_columns::{SampleRow, sample_columns, sample_rows};
pub use summary::{SINGLE_CLIPS, SummaryRow, summary_rows};
pub use summary_columns::summary_columns;
pub use write::{ReportError, write_reports, write_reports_with};
