//! Cases of how the engine ends, and what was seen of all its processes.

use super::SubjectModel;
use super::cases::{Case, CaseResult};
use super::kit::Kit;
use super::session::{Came, task};
use crate::exec::attempt::{Conversation, TrialRequest};
use crate::exec::supervise::supervise;
use crate::model::{Outcome, Phase};
use crate::protocol::Request;
use std::time::{Duration, Instant};
use tokio::sync::watch;

impl<Tell: FnMut(&CaseResult)> Kit<'_, Tell> {
    /// Ends the engine in every way.
    pub(super) async fn ends(&mut self) {
        self.shutdown().await;
        self.disconnected().await;
        self.cancelled().await;
    }

    async fn shutdown(&mut self) {
        let limit = self.limits().close;
        let observed = match self.running().await {
            Ok(session) => {
                session.say(&Request::Shutdown).await;
                session.hear(limit).await
            }
            Err(observed) => observed,
        };
        match &observed {
            Came::Gone(gone) if gone.exit_code == Some(0) => self.ok(Case::Shutdown, ""),
            other => {
                let expected = format!("its end with status 0 within {} s", limit.as_secs_f64());
                self.fail(Case::Shutdown, other.words(), &expected);
            }
        }
        self.drop_session().await;
    }

    async fn disconnected(&mut self) {
        let limit = self.limits().close;
        let observed = match self.running().await {
            Ok(session) => {
                session.hang_up();
                session.hear(limit).await
            }
            Err(observed) => observed,
        };
        match &observed {
            Came::Gone(gone) if gone.signal.is_none() && gone.not_started.is_none() => {
                self.ok(Case::Disconnected, observed.words());
            }
            other => {
                let expected = format!("its own end within {} s", limit.as_secs_f64());
                self.fail(Case::Disconnected, other.words(), &expected);
            }
        }
        self.drop_session().await;
    }

    /// Drives an attempt as a run does, whose only trial is past its limit at once.
    async fn cancelled(&mut self) {
        if let SubjectModel::Missing { reason, .. } = &self.subject.model {
            let reason = reason.clone();
            return self.skip(Case::Cancelled, &reason);
        }
        self.trial += 1;
        let trial = TrialRequest {
            number: self.trial,
            request: self.transcribe_request(&self.clips.speech, Some("en")),
            limit: Duration::ZERO,
        };
        let conversation = Conversation::Engine {
            expected: self.subject.facts.id.clone(),
            version: None,
            load: self.right_load(),
            trials: [trial].into(),
            keep: false,
        };
        let limits = self.limits();
        let task = task(self.subject, limits.backstop(Duration::ZERO));
        // Nobody cancels: the limit ends it.
        let (_sender, cancel) = watch::channel(None);
        let mut loaded_at = None;
        let attempt = supervise(self.context, task, limits, conversation, cancel, |_| {
            loaded_at = Some(Instant::now());
        });
        let ended = attempt.await;
        let took = loaded_at.map_or(Duration::ZERO, |at| at.elapsed());
        let allowed = limits.grace + limits.drain;
        let is_in_trial = matches!(
            ended.outcome,
            Outcome::TimedOut {
                phase: Phase::Trial,
                ..
            }
        );
        let expected = format!(
            "its end in the trial within {} s, and nothing left",
            allowed.as_secs_f64()
        );
        if !is_in_trial {
            self.fail(Case::Cancelled, ended.outcome.reason(), &expected);
        } else if took > allowed + SLACK || ended.usage.is_none() {
            let observed = format!("its end after {:.1} s", took.as_secs_f64());
            self.fail(Case::Cancelled, observed, &expected);
        } else {
            self.ok(
                Case::Cancelled,
                format!("gone after {:.3} s", took.as_secs_f64()),
            );
        }
        self.observe(&ended);
    }

    /// Tells what was seen of all processes.
    pub(super) fn observations(&mut self) {
        let printed = String::from_utf8_lossy(&self.seen.printed);
        let printed: String = printed.chars().take(100).collect();
        if printed.is_empty() {
            self.ok(Case::StandardOutput, "");
        } else {
            self.fail(
                Case::StandardOutput,
                format!("`{}`", printed.escape_debug()),
                "nothing: point it at standard error before anything is imported or loaded",
            );
        }
        match self.seen.wall.clone() {
            _ if self.subject.launch.network => {
                self.skip(Case::Wall, "it declares that it needs a network");
            }
            Some(wall) if wall != "none" && !wall.is_empty() => self.ok(Case::Wall, wall),
            _ => self.fail(Case::Wall, "no wall", "one that refuses its canary"),
        }
        match self.seen.left {
            0 => self.ok(Case::NothingLeft, ""),
            left => self.fail(
                Case::NothingLeft,
                format!("{left} processes that outlived the engine; they were ended"),
                "none",
            ),
        }
    }
}

/// How much longer than its limits an end may seem on a busy machine.
const SLACK: Duration = Duration::from_secs(2);
