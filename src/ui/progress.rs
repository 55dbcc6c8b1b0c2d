//! A run as it goes: a line that moves on a terminal, a line for each finished job elsewhere.

use super::text::printable;
use crate::event::{EventSink, RunEvent, Stamped};
use crate::model::units::show_seconds;
use crate::model::{JobId, Outcome, VerifyFinding};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Write};
use std::time::Duration;

/// Shows progress on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    jobs: usize,
    ended: usize,
    /// The terminal is gone: nothing is shown any more, and the run goes on.
    deaf: bool,
}

impl Progress {
    /// Begins. `terminal` says whether standard error is one.
    #[must_use]
    pub fn new(terminal: bool) -> Self {
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} [{elapsed}] {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self {
            bar,
            jobs: 0,
            ended: 0,
            deaf: false,
        }
    }

    fn line(&mut self, text: &str) {
        if self.deaf {
            return;
        }
        let failed = match &self.bar {
            Some(bar) => bar.suspend(|| writeln!(io::stderr(), "{text}")).is_err(),
            None => writeln!(io::stderr(), "{text}").is_err(),
        };
        self.deaf = failed;
    }

    fn activity(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(printable(text));
        }
    }

    fn ended(
        &mut self,
        job: &JobId,
        outcome: &Outcome,
        finding: Option<&VerifyFinding>,
        seconds: f64,
    ) {
        self.ended += 1;
        let slug = job
            .0
            .rsplit_once('/')
            .map_or(job.0.as_str(), |(slug, _)| slug);
        let mut text = format!("[{}/{}] {:<11} ", self.ended, self.jobs, outcome.status());
        text.push_str(&printable(slug));
        if let Some(finding) = finding {
            text.push_str(&format!(": {}", finding.verdict));
        }
        if seconds > 0.0005 {
            text.push_str(&format!(" ({})", show_seconds(seconds)));
        }
        let reason = match (outcome, finding) {
            (Outcome::Completed, Some(finding)) => finding.reason.clone(),
            (Outcome::NotNeeded { .. }, _) => String::new(),
            _ => outcome.reason(),
        };
        if !reason.is_empty() {
            text.push_str(&format!(": {}", printable(&reason)));
        }
        self.line(&text);
    }
}

impl EventSink for Progress {
    fn emit(&mut self, event: &Stamped) -> io::Result<()> {
        match &event.event {
            RunEvent::RunStarted { jobs, .. } => self.jobs = *jobs,
            RunEvent::AttemptStarted { job, .. } => self.activity(&job.0),
            RunEvent::TrialEnded { job, sample } => self.activity(&format!(
                "{}: {} trial {} took {}",
                job.0,
                sample.utterance,
                sample.trial + 1,
                show_seconds(sample.transcribe_seconds)
            )),
            RunEvent::DownloadProgress { job, message } => {
                if self.bar.is_some() {
                    self.activity(&format!("{}: {message}", job.0));
                } else {
                    self.line(&format!("        {}", printable(message)));
                }
            }
            RunEvent::JobEnded {
                job,
                outcome,
                finding,
                seconds,
                ..
            } => {
                self.ended(job, outcome, finding.as_ref(), *seconds);
            }
            RunEvent::RunEnded { .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        Ok(())
    }
}
