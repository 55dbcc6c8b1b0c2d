//! One process of the engine, driven by hand.

use super::Subject;
use crate::exec::attempt::{Gone, Input, Limits, in_words};
use crate::exec::child::Child;
use crate::exec::context::RunContext;
use crate::exec::process::spawn;
use crate::exec::supervise::{Ended, Task};
use crate::model::Outcome;
use crate::protocol::{Reply, Request, encode};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What came of waiting for an answer.
#[derive(Debug)]
pub(super) enum Came {
    /// A reply.
    Reply(Reply),
    /// A reply that was there before it was asked for.
    Unasked(Reply),
    /// A line that is no message, or too many of them.
    Garbage(String),
    /// The end of the process.
    Gone(Gone),
    /// Nothing within so long.
    Nothing(Duration),
}

impl Came {
    /// Returns it in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Reply(reply) => in_words(reply),
            Self::Unasked(reply) => format!("{} before it was asked for", in_words(reply)),
            Self::Garbage(reason) => reason.clone(),
            Self::Gone(gone) => end_in_words(gone),
            Self::Nothing(limit) => format!("nothing within {} s", limit.as_secs_f64()),
        }
    }
}

fn end_in_words(gone: &Gone) -> String {
    if let Some(reason) = &gone.not_started {
        return reason.clone();
    }
    let end = match (gone.signal, gone.exit_code) {
        (Some(signal), _) => format!("its end by signal {signal}"),
        (None, Some(code)) => format!("its end with status {code}"),
        (None, None) => "its end".to_owned(),
    };
    let mut lines = gone.stderr_tail.lines().rev().map(str::trim);
    match lines.find(|line| !line.is_empty()) {
        Some(line) => format!("{end}: {line}"),
        None => end,
    }
}

/// A running engine.
pub(super) struct Session {
    child: Child,
    limits: Limits,
    gone: bool,
    /// A model is loaded.
    pub(super) loaded: bool,
}

impl Session {
    /// Starts the engine.
    pub(super) fn start(
        context: &RunContext,
        subject: &Subject,
        limits: Limits,
    ) -> std::io::Result<Self> {
        let task = task(subject, limits.backstop(WHOLE));
        let process = spawn(context, &task)?;
        Ok(Self {
            child: Child::new(process, &context.live, &task, false),
            limits,
            gone: false,
            loaded: false,
        })
    }

    /// Sends a request.
    pub(super) async fn say(&mut self, request: &Request) {
        self.say_bytes(&encode(request)).await;
    }

    /// Sends bytes.
    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.child.send(bytes).await;
    }

    /// Waits for what the engine says next.
    pub(super) async fn hear(&mut self, limit: Duration) -> Came {
        if self.gone {
            return Came::Gone(Gone::default());
        }
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            return match timeout(left, self.child.next()).await {
                Err(_) => Came::Nothing(limit),
                Ok(Input::Reply(reply)) => Came::Reply(*reply),
                Ok(Input::Unasked(reply)) => Came::Unasked(*reply),
                Ok(Input::Garbage(reason)) => Came::Garbage(reason),
                Ok(Input::Gone(gone)) => {
                    self.gone = true;
                    Came::Gone(gone)
                }
                Ok(Input::Line(_) | Input::Cancel(_) | Input::Tick) => continue,
            };
        }
    }

    /// Hangs up.
    pub(super) fn hang_up(&mut self) {
        self.child.hang_up();
    }

    /// Whether the process has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Ends the engine by signal, then by force, and returns what it left.
    pub(super) async fn end(mut self) -> Ended {
        for (byte, limit) in [(b'T', self.limits.grace), (b'K', self.limits.drain)] {
            if !self.gone {
                self.child.control(byte);
                while !matches!(self.hear(limit).await, Came::Gone(_) | Came::Nothing(_)) {}
            }
        }
        self.child.finish(Outcome::Completed).await
    }
}

/// What all cases of one process may take together.
const WHOLE: Duration = Duration::from_hours(1);

/// Returns what a process of the engine is started by. What comes on standard output is kept apart.
pub(super) fn task(subject: &Subject, backstop: Duration) -> Task {
    Task {
        launch: subject.launch.clone(),
        directory: subject.directory.clone(),
        backstop,
        log: None,
        answers: true,
        cpus: Vec::new(),
    }
}
