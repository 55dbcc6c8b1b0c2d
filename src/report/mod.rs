//! Reports: functions of a stored record. A view is computed once; each format renders it.

mod cell;
mod columns;
mod csv;
mod gates;
mod html;
mod rows;
mod statistics;
mod write;

pub use cell::Cell;
pub use columns::{Column, combination_columns, job_columns, result_columns, sample_columns};
pub use gates::{GateFailure, gate_failures};
pub use html::{HtmlError, render_html};
pub use rows::{ResultRow, result_rows};
pub use write::{ReportError, write_reports};
