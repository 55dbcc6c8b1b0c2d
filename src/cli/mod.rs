//! The command line: one file for each verb with one function, and a folder where it has more.

mod arguments;
mod backends;
mod calibrate;
mod catalogs;
mod check;
mod cluster;
mod compare;
mod completions;
mod doctor;
mod download;
mod engines;
mod exit;
mod gates;
mod history;
mod init;
mod load;
mod lock;
mod man;
mod merge;
mod plan;
mod report;
mod run;
mod saved;
mod schema;
mod score;
mod secrets;
mod verify;

pub use exit::{ExitStatus, Failure};
pub use load::check_bytes;

use arguments::{Cli, Verb};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;

/// Returns the declaration of the whole command line.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program and returns its exit status.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitStatus {
    let arguments: Vec<OsString> = arguments.collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is a mistake.
            let _ = error.print();
            return if error.use_stderr() {
                ExitStatus::Usage
            } else {
                ExitStatus::Success
            };
        }
    };
    let outcome = match cli.verb {
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Plan(arguments) => plan::run(&arguments),
        Verb::Lock(arguments) => lock::run(&arguments),
        Verb::Run(verb) => run::run(&verb, &arguments),
        Verb::Verify(verb) => verify::run(&verb, &arguments),
        Verb::Download(verb) => download::run(verb, &arguments),
        Verb::Report(arguments) => report::run(&arguments),
        Verb::Merge(arguments) => merge::run(&arguments),
        Verb::Attach(arguments) => cluster::attach(&arguments),
        Verb::Compare(arguments) => compare::run(&arguments),
        Verb::Calibrate(verb) => calibrate::run(&verb, &arguments),
        Verb::History(arguments) => history::run(&arguments),
        Verb::Score(arguments) => score::run(&arguments),
        Verb::Engines(arguments) => engines::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Schema(arguments) => schema::run(&arguments),
        Verb::Init(arguments) => init::run(&arguments),
        Verb::Completions(arguments) => completions::run(&arguments),
        Verb::Man(arguments) => man::run(&arguments),
    };
    match outcome {
        Ok(status) => status,
        Err(failure) => {
            failure.tell();
            failure.status()
        }
    }
}
