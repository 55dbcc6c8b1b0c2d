//! `earmark engines`: which engines there are, what each can be told, and how one is installed.

mod install;
mod remove;
mod table;
mod wanted;

use super::arguments::{EnginesArguments, EnginesVerb};
use super::exit::{ExitStatus, Failure};

pub(super) fn run(arguments: &EnginesArguments) -> Result<ExitStatus, Failure> {
    match &arguments.verb {
        None => table::run(arguments.format),
        Some(EnginesVerb::Install(install)) => install::run(install),
        Some(EnginesVerb::Remove(remove)) => remove::run(remove),
    }
}
