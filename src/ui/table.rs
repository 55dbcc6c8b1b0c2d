//! Tables for people.

use crate::model::printable;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, presets};

/// Where a line may be broken; it takes no room and is taken out in the end.
const BREAK: char = '\u{200b}';

/// A table for a terminal or a pipe.
#[derive(Debug)]
pub struct Table {
    inner: comfy_table::Table,
    /// For some columns, the mark after which their cells are broken.
    breaks: Vec<(usize, char)>,
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
        Self {
            inner,
            breaks: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().enumerate().map(|(column, cell)| {
            let cell = printable(&cell);
            match self.breaks.iter().find(|(known, _)| *known == column) {
                Some((_, mark)) => cell.replace(*mark, &format!("{mark}{BREAK}")),
                None => cell,
            }
        });
        self.inner.add_row(cells.collect::<Vec<_>>());
    }

    /// Aligns a column to the right, as numbers are read.
    pub fn align_right(&mut self, column: usize) {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }

    /// Never breaks the cells of a column, as is right for numbers with their units.
    pub fn keep_whole(&mut self, column: usize) {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }

    /// Breaks the cells of a column after a mark, where they must be broken. Holds for the rows
    /// that come after.
    pub fn break_after(&mut self, column: usize, mark: char) {
        self.breaks.push((column, mark));
        if let Some(column) = self.inner.column_mut(column) {
            column.set_delimiter(BREAK);
        }
    }

    /// Returns how many columns the terminal has; `None` where there is none.
    #[must_use]
    pub fn width(&self) -> Option<u16> {
        self.inner.width()
    }

    /// Returns the table as text, without blanks at the ends of lines.
    #[must_use]
    pub fn render(&self) -> String {
        self.inner
            .to_string()
            .replace(BREAK, "")
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    }
}
