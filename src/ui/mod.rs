//! What people see: standard output is data, standard error is everything else.

mod annotations;
mod diagnostics;
mod diagnostics_json;
mod progress;
mod table;
mod transfers;

pub use crate::model::printable;
pub use annotations::{github_annotation, github_notice};
pub use diagnostics::render_diagnostics;
pub use diagnostics_json::diagnostic_json;
pub use progress::Progress;
pub use table::Table;
