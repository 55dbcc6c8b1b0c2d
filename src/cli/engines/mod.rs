//! `earmark engines`: which engines there are, what each can be told, and whether they keep to the
//! protocol.

mod check;
mod table;

use super::arguments::{EnginesArguments, EnginesVerb};
use super::exit::{ExitStatus, Failure};

pub(super) fn run(arguments: &EnginesArguments) -> Result<ExitStatus, Failure> {
    match &arguments.verb {
        None => table::run(arguments.format),
        Some(EnginesVerb::Check(check)) => check::run(check),
    }
}
