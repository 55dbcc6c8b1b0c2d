//! Reports: functions of a stored record. A view is computed once; each format renders it.

mod cell;
mod columns;
mod combination_columns;
mod configuration;
mod csv;
mod fairness;
mod formats;
mod gates;
mod job_columns;
mod machine_names;
mod not_run;
mod notes;
mod page;
mod result_columns;
mod rows;
mod run_history;
mod sample_columns;
mod statistics;
mod summary;
mod summary_columns;
mod write;

pub use cell::Cell;
pub use columns::{Column, Fill};
pub use combination_columns::{CombinationRow, combination_columns, combination_rows};
pub use configuration::{Configuration, Labels};
pub use formats::{
    CellValue, ReportDocument, ReportFormat, ResultObject, SummaryObject, report_document,
    write_formats,
};
pub use gates::{
    GateFailure, GateVerdict, Reading, gate_failures, gate_verdicts, gates_without_base,
    row_metric, set_metric, show_gate, show_number,
};
pub use job_columns::{JobRow, job_columns, job_rows};
pub use machine_names::MachineNames;
pub use page::{HtmlError, PageTemplates, render_html};
pub(crate) use page::{PageView, write_escaped};
pub use result_columns::result_columns;
pub use rows::{ResultRow, UtteranceResult, passes, result_rows};
pub use run_history::{LevelChange, RunHistory, RunHistoryError};
pub use sample_columns::{SampleRow, sample_columns, sample_rows};
pub use summary::{SINGLE_CLIPS, SummaryRow, summary_rows};
pub use summary_columns::summary_columns;
pub use write::{ReportError, write_reports, write_reports_with};

/// Pieces of Markdown for places where strangers' text is read by others.
pub mod markdown {
    pub use super::formats::{COMMENT_CHARACTERS, Section, code_span, escaped, joined};
}
