//! The whole path of a matrix file, from its bytes to its plan and to what is told about it.
//!
//! The same as `tests/mutations.rs`, driven by what the code covers and not by chance.

#![no_main]

use earmark::cli::check_bytes;
use earmark::diagnostic::Diagnostics;
use earmark::ui::{diagnostic_json, github_annotation, render_diagnostics};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// A sound matrix of a few lines may ask for millions of combinations. That takes long and is no
/// mistake, so larger files are left to the tests, which count first.
const LARGEST: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > LARGEST {
        return;
    }
    let mut problems = Diagnostics::default();
    // Nothing lies beside this file, so that no path in it leads anywhere.
    let path = Path::new("/nonexistent/matrix.yaml");
    let plan = check_bytes(path, bytes.to_vec(), &mut problems)
        .expect("what is built into the program is sound");
    assert_eq!(plan.is_none(), problems.has_errors());
    let _ = render_diagnostics(&problems, true);
    for problem in &problems.0 {
        assert_eq!(github_annotation(problem, "matrix.yaml").lines().count(), 1);
        let _ = diagnostic_json(problem, "matrix.yaml");
    }
});
