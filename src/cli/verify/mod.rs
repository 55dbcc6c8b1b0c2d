//! `earmark verify` and `earmark download`: are the models there, and fetch those that are not.

mod question;
mod rows;
mod show;

use super::arguments::{TableFormat, VerifyArguments};
use super::exit::{ExitStatus, Failure, print};
use super::load::{plan_of, plan_of_text};
use super::run::{Errand, Telling, carry_out, status_of};
use crate::exec::RunOptions;
use crate::model::{JobKind, Stage};
use crate::plan::restrict;
use crate::record::RunFolder;
use std::ffi::OsString;

pub(super) fn run(
    arguments: &VerifyArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    ask(arguments, command_line, arguments.download)
}

pub(super) fn download(
    arguments: &VerifyArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    ask(arguments, command_line, true)
}

fn ask(
    arguments: &VerifyArguments,
    command_line: &[OsString],
    fetch: bool,
) -> Result<ExitStatus, Failure> {
    let mut plan = match &arguments.matrix {
        Some(matrix) => plan_of(matrix, &arguments.selection)?,
        None => plan_of_text(question::matrix(arguments)?, &arguments.selection)?,
    };
    let unsupported = rows::unsupported(&plan);
    restrict(&mut plan, &[], |job| match job.kind {
        JobKind::Verify => fetch || job.stage == Some(Stage::Before),
        JobKind::Download => fetch,
        JobKind::Benchmark => false,
    });
    // A question leaves no run folder behind.
    let folder = tempfile::tempdir().map_err(Failure::internal)?;
    let path = folder.path().join("verify");
    let telling = if fetch {
        Telling::Progress
    } else {
        Telling::Nothing
    };
    let summary = carry_out(Errand {
        plan,
        source: None,
        path: &path,
        part: None,
        attempt: 1,
        fence: None,
        resumption: None,
        options: RunOptions {
            fresh: arguments.fresh,
            ..RunOptions::default()
        },
        command_line,
        telling,
    })?;
    let record = RunFolder::read(&path).map_err(Failure::internal)?;
    let stage = if fetch { Stage::After } else { Stage::Before };
    let mut rows = rows::asked(&record, stage);
    // A matrix may plan for other machines as well; who names an engine wants an answer about it.
    let unanswered = !unsupported.is_empty()
        && arguments.matrix.is_none()
        && (!arguments.backend.is_empty() || rows.is_empty());
    rows.extend(unsupported);
    let text = match arguments.format {
        TableFormat::Table => show::table(&rows, arguments.verbose),
        TableFormat::Json => show::document(&rows)?,
    };
    print(&text)?;
    Ok(match status_of(&summary) {
        ExitStatus::Success if unanswered => ExitStatus::Fault,
        status => status,
    })
}
