//! `earmark engines`: which engines there are, what each can be told, how one is installed, and
//! whether it keeps to the protocol.

mod check;
mod install;
mod remove;
mod table;
mod wanted;

use super::arguments::{EnginesArguments, EnginesVerb};
use super::exit::{ExitStatus, Failure};

pub(super) fn run(arguments: &EnginesArguments) -> Result<ExitStatus, Failure> {
    match &arguments.verb {
        None => table::run(arguments),
        Some(EnginesVerb::Install(install)) => install::run(install),
        Some(EnginesVerb::Remove(remove)) => remove::run(remove),
        Some(EnginesVerb::Check(check)) => check::run(check),
    }
}
