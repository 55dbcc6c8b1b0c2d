//! Plans made without the program, many a second.

use earmark::catalog::Catalog;
use earmark::corpus::Corpus;
use earmark::diagnostic::{Diagnostics, SourceText};
use earmark::engine;
use earmark::matrix::{Facts, read};
use earmark::model::{Availability, Plan};
use earmark::plan::{Inputs, plan};
use std::sync::Arc;

/// Plans a matrix as if every engine were here; `None` if it has mistakes.
pub fn planned(text: &str) -> Option<Plan> {
    let mut problems = Diagnostics::default();
    let source = Arc::new(SourceText {
        path: "property.yaml".into(),
        text: text.into(),
    });
    let matrix = read(source, &mut problems)?;
    let catalog = Catalog::builtin().unwrap();
    let corpus = Corpus::builtin();
    let mut engines = engine::facts();
    for facts in engines.values_mut() {
        facts.availability = Availability::Ready;
    }
    let inputs = Inputs {
        catalog: &catalog,
        corpus: &corpus,
        engines: &engines,
        chosen: matrix.backends(),
        facts: Facts {
            os: "linux".into(),
            arch: "x86_64".into(),
            cores: 2,
            physical_cores: 2,
            memory_bytes: 8 << 30,
        },
        verify_method: None,
    };
    let plan = plan(&matrix, &inputs, &mut problems)?;
    (!problems.has_errors()).then_some(plan)
}
