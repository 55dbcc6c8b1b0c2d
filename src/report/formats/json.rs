//! A record as one JSON document.

use crate::model::MachineFacts;
use crate::record::RunRecord;
use crate::report::cell::Cell;
use crate::report::columns::Column;
use crate::report::gates::{GateVerdict, gate_verdicts};
use crate::report::job_columns::{job_columns, job_rows};
use crate::report::result_columns::result_columns;
use crate::report::rows::result_rows;
use crate::report::summary::summary_rows;
use crate::report::summary_columns::summary_columns;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A run with everything that its tables have.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Earmark report")]
pub struct ReportDocument {
    /// Version of this format: 1.
    version: u32,
    /// The run.
    run: RunObject,
    /// Its machines, in the order of its sessions.
    machines: Vec<MachineFacts>,
    /// The rows of `results.csv`.
    results: Vec<ResultObject>,
    /// The rows of `summary.csv`.
    summary: Vec<SummaryObject>,
    /// The rows of `jobs.csv`.
    jobs: Vec<JobObject>,
    /// What the bounds of the matrix came to, row by row or set by set.
    gates: Vec<GateVerdict>,
}

/// The run.
#[derive(Serialize, JsonSchema)]
struct RunObject {
    /// Its id.
    run_id: String,
    /// The matrix's name.
    name: String,
    /// The question that it answers.
    description: String,
    /// Date and time of the first start, UTC.
    started_at: String,
    /// Seconds that it took; null if it did not end in order.
    seconds: Option<f64>,
    /// It was interrupted.
    interrupted: bool,
    /// The version of Earmark that began it.
    earmark_version: String,
    /// The command line that began it.
    command_line: Vec<String>,
    /// The digest of its plan.
    plan_digest: String,
    /// The seed of its order.
    seed: u64,
}

/// One cell of a table, as JSON has it; what a CSV leaves empty is null.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CellValue {
    /// Not known, or not applicable.
    Nothing(()),
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Text as somebody wrote or said it.
    Text(String),
}

impl From<Cell> for CellValue {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Empty => Self::Nothing(()),
            Cell::Text(text) => Self::Text(text),
            Cell::Integer(number) => Self::Integer(number),
            Cell::Number(number) => Self::Number(number),
            Cell::Boolean(boolean) => Self::Boolean(boolean),
        }
    }
}

/// A row of a table by the names of its columns, which are those of the CSV file.
type Object = IndexMap<String, CellValue>;

/// A row of `results.csv`.
#[derive(Serialize)]
#[serde(transparent)]
pub struct ResultObject(Object);

/// A row of `summary.csv`.
#[derive(Serialize)]
#[serde(transparent)]
pub struct SummaryObject(Object);

/// A row of `jobs.csv`.
#[derive(Serialize)]
#[serde(transparent)]
struct JobObject(Object);

/// Returns the schema of a row: a property for each column, described as in the columns' page.
fn object_schema<Row>(columns: Vec<Column<Row>>, file: &str) -> Schema {
    let mut properties = Map::new();
    for column in columns {
        properties.insert(
            column.name,
            json!({
                "description": column.definition,
                "type": ["string", "number", "boolean", "null"],
            }),
        );
    }
    let required: Vec<Value> = properties.keys().cloned().map(Value::from).collect();
    schemars::json_schema!({
        "description": format!("A row of `{file}`."),
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
    })
}

impl JsonSchema for ResultObject {
    fn schema_name() -> Cow<'static, str> {
        "Result".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        object_schema(result_columns(&[]), "results.csv")
    }
}

impl JsonSchema for SummaryObject {
    fn schema_name() -> Cow<'static, str> {
        "Summary".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        object_schema(summary_columns(&[], &[]), "summary.csv")
    }
}

impl JsonSchema for JobObject {
    fn schema_name() -> Cow<'static, str> {
        "JobRow".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        object_schema(job_columns(), "jobs.csv")
    }
}

fn objects<Row>(record: &RunRecord, columns: &[Column<Row>], rows: &[Row]) -> Vec<Object> {
    rows.iter()
        .map(|row| {
            columns
                .iter()
                .map(|column| {
                    let value = CellValue::from((column.fill)(record, row));
                    (column.name.clone(), value)
                })
                .collect()
        })
        .collect()
}

/// Returns a record as a document.
#[must_use]
pub fn report_document(record: &RunRecord) -> ReportDocument {
    let rows = result_rows(record);
    let summaries = summary_rows(record, &rows);
    let results = objects(record, &result_columns(&rows), &rows);
    let summary = objects(record, &summary_columns(&rows, &summaries), &summaries);
    let jobs = objects(record, &job_columns(), &job_rows(record));
    ReportDocument {
        version: 1,
        run: RunObject {
            run_id: record.run_id.clone(),
            name: record.plan.name.clone(),
            description: record.plan.description.clone(),
            started_at: record.started_at.clone(),
            seconds: record.seconds,
            interrupted: record.interrupted,
            earmark_version: record.earmark_version.clone(),
            command_line: record.command_line.clone(),
            plan_digest: record.plan.digest.clone(),
            seed: record.plan.seed,
        },
        machines: record.machines().into_iter().cloned().collect(),
        results: results.into_iter().map(ResultObject).collect(),
        summary: summary.into_iter().map(SummaryObject).collect(),
        jobs: jobs.into_iter().map(JobObject).collect(),
        gates: gate_verdicts(record, &rows),
    }
}

pub(super) fn json(record: &RunRecord) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(&report_document(record))?;
    bytes.push(b'\n');
    Ok(bytes)
}
