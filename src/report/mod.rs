//! Reports: functions of a stored record. A view is computed once; each format renders it.

mod cell;
mod columns;
mod csv;
mod gates;
mod html;
mod result_columns;
mod rows;
mod statistics;
mod table_columns;
mod write;

pub use cell::Cell;
pub use columns::{Column, Fill};
pub use gates::{GateFailure, gate_failures};
pub use html::{HtmlError, render_html};
pub use result_columns::result_columns;
pub use rows::{ResultRow, result_rows};
pub use table_columns::{combination_columns, job_columns, sample_columns};
pub use write::{ReportError, write_reports};
