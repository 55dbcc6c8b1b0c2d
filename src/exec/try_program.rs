//! A program that is tried, to see that programs can be: under a shim, behind a wall, within a limit.

use super::context::RunContext;
use super::program::{Program, run_program};
use crate::engine::{LaunchSpec, child_environment};
use crate::model::{Outcome, Phase};
use std::ffi::OsString;
use std::time::Duration;
use tokio::sync::watch;

/// What a program that was tried came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// What it wrote to standard output.
    pub answer: String,
    /// What kept it from a network.
    pub network_wall: String,
}

/// Runs a program behind the wall, as an engine would be.
///
/// # Errors
///
/// Returns the reason if it could not be started, failed, or took longer than its limit.
pub async fn try_program(
    context: &RunContext,
    command: Vec<OsString>,
    limit: Duration,
) -> Result<Tried, String> {
    let launch = LaunchSpec {
        command,
        environment: child_environment(false, |name| context.variable(name)),
        network: false,
        protocol: false,
    };
    let program = Program {
        name: "the program",
        phase: Phase::Start,
        launch,
        limit,
        answers: true,
    };
    // Nobody cancels; it has a limit.
    let (_sender, cancel) = watch::channel(None);
    let ended = run_program(context, program, cancel, |_| {}).await;
    if ended.outcome != Outcome::Completed {
        return Err(ended.outcome.reason());
    }
    Ok(Tried {
        answer: String::from_utf8_lossy(&ended.answer).trim().to_owned(),
        network_wall: ended.network_wall,
    })
}
