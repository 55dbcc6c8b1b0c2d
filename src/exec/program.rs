//! A program that is run for its own sake, such as a step of an installation: under a shim, within a
//! limit, and with a way to be told what it says.

use super::attempt::{Conversation, Limits};
use super::context::{Cancellation, RunContext};
use super::supervise::{Heard, Task, supervise};
use crate::engine::LaunchSpec;
use crate::model::{Outcome, Phase};
use std::time::Duration;

/// A program to be run.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it is called in a reason, such as `pip`.
    pub name: &'static str,
    /// What it is a part of.
    pub phase: Phase,
    /// How it is started.
    pub launch: LaunchSpec,
    /// What it may take.
    pub limit: Duration,
    /// Its standard output is its answer; if not, the lines of its error output are told.
    pub answers: bool,
}

/// What a program came to.
#[derive(Clone, Debug)]
pub struct ProgramEnd {
    /// How it ended.
    pub outcome: Outcome,
    /// What it wrote to standard output, if that is its answer.
    pub answer: Vec<u8>,
    /// The end of what it said otherwise.
    pub tail: String,
    /// What kept it from a network; empty if it was not started.
    pub network_wall: String,
}

/// Runs a program to its end. `hear` is told the lines of its error output.
pub async fn run_program(
    context: &RunContext,
    program: Program,
    cancel: Cancellation,
    mut hear: impl FnMut(&str),
) -> ProgramEnd {
    let limits = Limits::of_program(&context.plan.deadlines, program.limit);
    let task = Task {
        launch: program.launch,
        directory: None,
        backstop: limits.backstop(Duration::ZERO),
        log: None,
        answers: program.answers,
        cpus: Vec::new(),
    };
    let conversation = Conversation::Program {
        phase: program.phase,
        name: program.name,
    };
    let ended = supervise(context, task, limits, conversation, cancel, |heard| {
        if let Heard::Line(line) = heard {
            hear(&line);
        }
    })
    .await;
    ProgramEnd {
        outcome: ended.outcome,
        answer: ended.answer,
        tail: ended.stderr_tail,
        network_wall: ended
            .usage
            .map_or_else(String::new, |usage| usage.network_wall),
    }
}
