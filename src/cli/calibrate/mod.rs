//! `earmark calibrate`: A against A, to see how small a change this machine can show.

mod material;
mod show;

use super::arguments::{CalibrateArguments, TableFormat};
use super::exit::{ExitStatus, Failure, print, say};
use super::run::{Errand, Telling, carry_out, run_folder, status_of};
use super::saved::keep;
use crate::compare::{Rules, Side, calibrate};
use crate::exec::RunOptions;
use crate::record::RunFolder;
use crate::report::{result_rows, write_reports};
use std::ffi::OsString;

pub(super) fn run(
    arguments: &CalibrateArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    let per_side = arguments.launches;
    let launches = 2 * per_side * arguments.pairs;
    let mut plan = material::plan(arguments, launches)?;
    keep(&mut plan);
    let folder = run_folder(arguments.out.as_deref(), &plan);
    let summary = carry_out(Errand {
        plan,
        path: &folder,
        source: arguments.matrix.as_deref(),
        part: None,
        attempt: 1,
        fence: None,
        resumption: None,
        options: RunOptions::default(),
        command_line,
        telling: Telling::Progress,
    })?;
    let record = RunFolder::read(&folder).map_err(Failure::internal)?;
    write_reports(&record, &folder).map_err(Failure::internal)?;
    let mut rules = Rules::default();
    if let Some(share) = arguments.minimum_effect {
        rules.minimum_effect = share.0;
    }
    let label = folder.display().to_string();
    let rows = result_rows(&record);
    let side = Side {
        label: &label,
        record: &record,
        rows: &rows,
    };
    let found = calibrate(&side, per_side as usize, &rules);
    print(&match arguments.format {
        TableFormat::Table => show::text(&found),
        TableFormat::Json => {
            serde_json::to_string_pretty(&found).map_err(Failure::internal)? + "\n"
        }
    })?;
    say(&format!("\n{}", folder.join("report.html").display()));
    Ok(status_of(&summary))
}
