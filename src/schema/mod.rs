//! The registry of generated schemas: one name, one generator. A test compares the files.

mod known;
mod tidy;

use crate::catalog::CatalogFile;
use crate::cluster::SiteFile;
use crate::compare::{AcrossMachines, Calibration, Comparison};
use crate::event::Stamped;
use crate::lockfile::LockFile;
use crate::matrix::MatrixFile;
use crate::model::Plan;
use crate::protocol::{Reply, Request};
use crate::report::{PageView, ReportDocument, RunHistory};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};

/// One line of the protocol, in either direction.
#[derive(JsonSchema)]
#[schemars(title = "Earmark protocol", untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum ProtocolLine {
    /// Runner to engine.
    Request(Request),
    /// Engine to runner.
    Reply(Reply),
}

/// The names of the schemas.
pub const NAMES: [&str; 13] = [
    "matrix",
    "catalog",
    "site",
    "lock",
    "plan",
    "event",
    "protocol",
    "report-view",
    "report",
    "comparison",
    "machine-comparison",
    "calibration",
    "run-history",
];

/// Returns a schema by its name, as the text of its file.
#[must_use]
pub fn schema(name: &str) -> Option<String> {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let schema: Schema = match name {
        "matrix" => generator.into_root_schema_for::<MatrixFile>(),
        "catalog" => generator.into_root_schema_for::<CatalogFile>(),
        "site" => generator.into_root_schema_for::<SiteFile>(),
        "lock" => generator.into_root_schema_for::<LockFile>(),
        "plan" => generator.into_root_schema_for::<Plan>(),
        "event" => generator.into_root_schema_for::<Stamped>(),
        "report" => generator.into_root_schema_for::<ReportDocument>(),
        "comparison" => generator.into_root_schema_for::<Comparison>(),
        "machine-comparison" => generator.into_root_schema_for::<AcrossMachines>(),
        "calibration" => generator.into_root_schema_for::<Calibration>(),
        "run-history" => generator.into_root_schema_for::<RunHistory>(),
        "protocol" => generator.into_root_schema_for::<ProtocolLine>(),
        "report-view" => generator.into_root_schema_for::<PageView<'static>>(),
        _ => return None,
    };
    let mut schema = schema.to_value();
    match name {
        "matrix" => {
            tidy::tidy(&mut schema);
            known::name_known(&mut schema);
        }
        "catalog" => {
            tidy::tidy(&mut schema);
            known::name_known_recipes(&mut schema);
        }
        _ => {}
    }
    // As a schema, its keywords are written in their usual order.
    let schema = Schema::try_from(schema).ok()?;
    let mut text = serde_json::to_string_pretty(&schema).ok()?;
    text.push('\n');
    Some(text)
}
