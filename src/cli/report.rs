//! `earmark report`: the reports again, from the record.

use super::arguments::ReportArguments;
use super::exit::{ExitStatus, Failure, print};
use crate::record::RunFolder;
use crate::report::write_reports;

pub(super) fn run(arguments: &ReportArguments) -> Result<ExitStatus, Failure> {
    for path in &arguments.runs {
        let record = RunFolder::read(path).map_err(|error| Failure::Usage(error.to_string()))?;
        for written in write_reports(&record, path).map_err(Failure::internal)? {
            print(&format!("{}\n", written.display()))?;
        }
    }
    Ok(ExitStatus::Success)
}
