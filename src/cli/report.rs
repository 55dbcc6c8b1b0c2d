//! `earmark report`: the reports again, from the record.

use super::arguments::ReportArguments;
use super::exit::{ExitStatus, Failure, print};
use crate::record::{RunFolder, RunRecord};
use crate::report::write_reports;
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &ReportArguments) -> Result<ExitStatus, Failure> {
    if arguments.out.is_some() && arguments.runs.len() > 1 {
        return Err(Failure::Usage(
            "--out takes the reports of one run; name one, or leave it out".into(),
        ));
    }
    for path in &arguments.runs {
        let place = arguments.out.as_deref().unwrap_or(path);
        let record = RunFolder::read(path).map_err(|error| Failure::Usage(error.to_string()))?;
        for written in written_to(&record, place)? {
            print(&format!("{}\n", written.display()))?;
        }
    }
    Ok(ExitStatus::Success)
}

/// Writes the reports of a record into a folder.
fn written_to(record: &RunRecord, place: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refused = |error: &dyn std::fmt::Display| {
        Failure::Usage(format!(
            "{} cannot be written: {error}; name another folder with --out",
            place.display()
        ))
    };
    std::fs::create_dir_all(place).map_err(|error| refused(&error))?;
    write_reports(record, place).map_err(|error| refused(&error))
}
