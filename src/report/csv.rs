//! Tables as CSV: RFC 4180, UTF-8, line feeds, the header first even without rows.

use super::columns::Column;
use crate::record::RunRecord;
use csv::{QuoteStyle, Terminator, WriterBuilder};

/// Returns a table as CSV.
///
/// # Errors
///
/// Fails only if memory cannot be written to.
pub(super) fn to_csv<Row>(
    record: &RunRecord,
    columns: &[Column<Row>],
    rows: &[Row],
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::Any(b'\n'))
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| &column.name))?;
    for row in rows {
        writer.write_record(
            columns
                .iter()
                .map(|column| (column.fill)(record, row).to_csv()),
        )?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}
