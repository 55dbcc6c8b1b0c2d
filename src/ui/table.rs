//! Tables for people.

use super::text::printable;
use comfy_table::{CellAlignment, ContentArrangement, presets};

/// A table for a terminal or a pipe.
#[derive(Debug)]
pub struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// Begins a table.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_style(presets::NOTHING);
        // Where there is no terminal nothing is wrapped: a line is a row.
        inner.set_content_arrangement(ContentArrangement::Dynamic);
        inner.set_header(header.iter().map(|name| name.to_uppercase()));
        Self { inner }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.inner
            .add_row(cells.into_iter().map(|cell| printable(&cell)));
    }

    /// Aligns a column to the right, as numbers are read.
    pub fn align_right(&mut self, column: usize) {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }

    /// Returns the table as text, without blanks at the ends of lines.
    #[must_use]
    pub fn render(&self) -> String {
        self.inner
            .to_string()
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    }
}
