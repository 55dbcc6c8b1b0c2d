//! A program that is tried, to see that programs can be: under a shim, behind a wall, within a limit.

use super::attempt::{Conversation, Limits};
use super::context::RunContext;
use super::supervise::{Task, supervise};
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
    let limits = Limits::of_program(&context.plan.deadlines, limit);
    let task = Task {
        launch: LaunchSpec {
            command,
            environment: child_environment(false, |name| context.variable(name)),
            network: false,
            protocol: false,
        },
        directory: None,
        backstop: limits.backstop(Duration::ZERO),
        log: None,
        answers: true,
        cpus: Vec::new(),
    };
    let conversation = Conversation::Program {
        phase: Phase::Start,
        name: "the program",
    };
    // Nobody cancels; it has a limit.
    let (_sender, cancel) = watch::channel(None);
    let ended = supervise(context, task, limits, conversation, cancel, |_| {}).await;
    if ended.outcome != Outcome::Completed {
        return Err(ended.outcome.reason());
    }
    Ok(Tried {
        answer: String::from_utf8_lossy(&ended.answer).trim().to_owned(),
        network_wall: ended
            .usage
            .map_or_else(String::new, |usage| usage.network_wall),
    })
}
