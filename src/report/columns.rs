//! What a column is: its name, its definition, and how it is filled. CSV, the page and the columns'
//! documentation are made from the same ones.

use super::cell::Cell;
use crate::record::RunRecord;

/// A column: its name, what it means and in which unit, and how it is filled.
pub struct Column<Row> {
    /// The name in the header.
    pub name: String,
    /// What it means, its unit, and when it is empty.
    pub definition: String,
    /// Fills a cell.
    pub fill: Fill<Row>,
}

/// Fills a cell of a row of a record.
pub type Fill<Row> = Box<dyn Fn(&RunRecord, &Row) -> Cell>;

/// Makes a column.
pub(super) fn column<Row>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &Row) -> Cell + 'static,
) -> Column<Row> {
    Column {
        name: name.into(),
        definition: definition.into(),
        fill: Box::new(fill),
    }
}
