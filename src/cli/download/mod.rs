//! `earmark download`: fetch the models that are missing, or list those that are known.

mod disk;
mod list;

use super::arguments::{DownloadArguments, VerifyArguments};
use super::exit::{ExitStatus, Failure};
use super::verify;
use std::ffi::OsString;

pub(super) fn run(
    arguments: DownloadArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    let matrix = match arguments.matrix {
        Some(matrix) if !arguments.list => matrix,
        matrix => return list::run(matrix.as_deref(), &arguments.selection, arguments.format),
    };
    let verify = VerifyArguments {
        matrix: Some(matrix),
        backend: Vec::new(),
        model: Vec::new(),
        quantization: Vec::new(),
        download: true,
        fresh: arguments.fresh,
        format: arguments.format,
        verbose: arguments.verbose,
        selection: arguments.selection,
    };
    verify::download(&verify, command_line)
}
