//! What is compared: a run with its rows.

use crate::record::RunRecord;
use crate::report::ResultRow;

/// A run as one side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What it is called: the folder as it was named.
    pub label: &'a str,
    /// The record.
    pub record: &'a RunRecord,
    /// The rows of the record.
    pub rows: &'a [ResultRow<'a>],
}
