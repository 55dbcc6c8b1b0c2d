//! `earmark completions`: what a shell needs to complete this program's command lines.

use super::arguments::CompletionsArguments;
use super::exit::{ExitStatus, Failure, print};

pub(super) fn run(arguments: &CompletionsArguments) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut super::command(),
        "earmark",
        &mut script,
    );
    let script = String::from_utf8(script).map_err(Failure::internal)?;
    print(&script)?;
    Ok(ExitStatus::Success)
}
