//! A run as it goes: a line that moves on a terminal, a line for each finished job elsewhere.

use super::transfers::Transfers;
use crate::event::{EventSink, RunEvent, Stamped};
use crate::model::printable;
use crate::model::units::show_seconds;
use crate::model::{JobId, LeakedProcess, Outcome, RerunReason, VerifyFinding};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Write};
use std::time::Duration;

/// Shows progress on standard error.
#[derive(Debug)]
pub struct Progress {
    /// The line that moves, if there is a terminal for it.
    bar: Option<ProgressBar>,
    /// It and those of transfers.
    bars: Option<MultiProgress>,
    transfers: Transfers,
    jobs: usize,
    ended: usize,
    /// The terminal is gone: nothing is shown any more, and the run goes on.
    deaf: bool,
}

impl Progress {
    /// Begins. `terminal` says whether standard error is one.
    #[must_use]
    pub fn new(terminal: bool) -> Self {
        let bars = terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let bar = bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} [{elapsed}] {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self {
            transfers: Transfers::new(bars.clone()),
            bar,
            bars,
            jobs: 0,
            ended: 0,
            deaf: false,
        }
    }

    fn line(&mut self, text: &str) {
        if self.deaf {
            return;
        }
        let failed = match &self.bars {
            Some(bars) => bars.suspend(|| writeln!(io::stderr(), "{text}")).is_err(),
            None => writeln!(io::stderr(), "{text}").is_err(),
        };
        self.deaf = failed;
    }

    /// Shows what there is to show of a transfer.
    fn told(&mut self, line: Option<String>) {
        if let Some(line) = line {
            self.line(&format!("        {}", printable(&line)));
        }
    }

    /// Says something of a download: with the others on a terminal, in a line elsewhere.
    fn remark_on(&mut self, job: &JobId, text: &str) {
        if self.bar.is_some() {
            self.activity(&format!("{}: {text}", job.0));
        } else {
            self.line(&format!("        {}", printable(text)));
        }
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
        let mut text = format!("[{}/{}] {:<11} ", self.ended, self.jobs, outcome.status());
        text.push_str(&printable(slug(job)));
        if let Some(finding) = finding {
            text.push_str(&format!(": {}", finding.verdict));
        }
        if seconds > 0.0005 {
            text.push_str(&format!(" ({})", show_seconds(seconds)));
        }
        let reason = match (outcome, finding) {
            (Outcome::Completed, Some(finding)) => finding.in_words(),
            (Outcome::NotNeeded { .. }, _) => String::new(),
            _ => outcome.reason(),
        };
        if !reason.is_empty() {
            text.push_str(&format!(": {}", printable(&reason)));
        }
        self.line(&text);
    }
}

/// Returns the readable part of a job's id.
fn slug(job: &JobId) -> &str {
    job.0
        .rsplit_once('/')
        .map_or(job.0.as_str(), |(slug, _)| slug)
}

/// Returns a line that is not of the end of a job, in the columns of those.
fn remark(word: &str, text: &str) -> String {
    format!("{word:<11} {}", printable(text))
}

/// Returns what a line says of an event that is told as soon as it happens: a word and a text.
/// Everything else moves the activity on, or says nothing.
fn remark_of(event: &RunEvent) -> Option<(&'static str, String)> {
    Some(match event {
        RunEvent::JobReopened {
            reason: RerunReason::Verdict,
            ..
        } => return None,
        RunEvent::JobReopened {
            job,
            reason,
            detail,
            ..
        } => {
            let why = match detail.as_str() {
                "" => reason.to_string(),
                detail => format!("{reason}: {detail}"),
            };
            ("again", format!("{} ({why})", slug(job)))
        }
        RunEvent::Slow {
            job,
            phase,
            seconds,
            limit_seconds,
            ..
        } => (
            "slow",
            format!(
                "{}: {phase} has taken {} of {}",
                slug(job),
                show_seconds(*seconds),
                show_seconds(*limit_seconds)
            ),
        ),
        RunEvent::ProcessesLeaked {
            job,
            count,
            processes,
            ..
        } => (
            "leaked",
            format!("{}: {}", slug(job), leaked(*count, processes)),
        ),
        RunEvent::RetryPlanned {
            job,
            attempt,
            delay_seconds,
            ..
        } => (
            "retry",
            format!(
                "{}: attempt {attempt} in {}",
                slug(job),
                show_seconds(*delay_seconds)
            ),
        ),
        // It was quiet from the beginning.
        RunEvent::QuietAwaited {
            seconds: 0.0,
            quiet: true,
            ..
        } => return None,
        RunEvent::QuietAwaited {
            seconds,
            busy,
            allowed,
            quiet,
        } => {
            let waited = show_seconds(*seconds);
            if *quiet {
                ("quiet", format!("after waiting {waited}"))
            } else {
                (
                    "not quiet",
                    format!(
                        "after waiting {waited}: others keep {busy:.1} CPUs busy, and {allowed:.1} are \
                         allowed; measuring begins all the same"
                    ),
                )
            }
        }
        RunEvent::Suspended { seconds } => (
            "stopped",
            format!(
                "for {}; limits did not run meanwhile",
                show_seconds(*seconds)
            ),
        ),
        RunEvent::RoundsLeftOut {
            done,
            planned,
            budget_seconds,
        } => (
            "time budget",
            format!(
                "of {} allows {done} of {planned} rounds; the others are left out",
                show_seconds(*budget_seconds)
            ),
        ),
        _ => return None,
    })
}

/// Returns how many processes were left behind, and which.
fn leaked(count: u32, processes: &[LeakedProcess]) -> String {
    let noun = if count == 1 { "process" } else { "processes" };
    let mut text = format!("{count} {noun} left behind and ended");
    let named: Vec<String> = processes
        .iter()
        .map(|process| format!("{} ({})", process.name, process.pid))
        .collect();
    if !named.is_empty() {
        text.push_str(&format!(": {}", named.join(", ")));
    }
    text
}

impl EventSink for Progress {
    fn emit(&mut self, event: &Stamped) -> io::Result<()> {
        if let Some((word, text)) = remark_of(&event.event) {
            self.line(&remark(word, &text));
        }
        match &event.event {
            RunEvent::RunStarted { jobs, .. } => {
                // The jobs of this run: what earlier ones did is not counted.
                self.jobs = *jobs;
                self.ended = 0;
            }
            RunEvent::AttemptStarted { job, .. } => self.activity(&job.0),
            RunEvent::TrialEnded { job, sample } => self.activity(&format!(
                "{}: {} trial {} took {}",
                job.0,
                sample.utterance,
                sample.trial + 1,
                show_seconds(sample.transcribe_seconds)
            )),
            RunEvent::DownloadProgress {
                job,
                message,
                transfer,
            } => {
                if !message.is_empty() {
                    self.remark_on(job, message);
                }
                if let Some(transfer) = transfer {
                    let line = self.transfers.moved(job, transfer, event.elapsed_seconds);
                    self.told(line);
                }
            }
            RunEvent::CommitResolved {
                job,
                repository,
                revision,
                commit,
            } if revision != commit => {
                self.remark_on(job, &format!("{repository}: {revision} is commit {commit}"));
            }
            RunEvent::AttemptEnded { job, .. } => {
                let line = self.transfers.ended(job);
                self.told(line);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Phase;

    fn told(event: &RunEvent) -> String {
        remark_of(event).map_or_else(String::new, |(word, text)| remark(word, &text))
    }

    fn job() -> JobId {
        JobId("benchmark/fake/tiny.en/jfk/0123456789".into())
    }

    fn reopened(reason: RerunReason, detail: &str) -> RunEvent {
        RunEvent::JobReopened {
            job: job(),
            reason,
            detail: detail.into(),
            keeps_trials: true,
        }
    }

    #[test]
    fn what_happens_beside_the_jobs_is_a_line_each() {
        let table = [
            (
                reopened(RerunReason::TimedOut, ""),
                "again       benchmark/fake/tiny.en/jfk (timed out)",
            ),
            (
                reopened(RerunReason::EngineVersionChanged, "fake: was 1, is 2"),
                "again       benchmark/fake/tiny.en/jfk (engine version changed: fake: was 1, is 2)",
            ),
            (reopened(RerunReason::Verdict, ""), ""),
            (
                RunEvent::Slow {
                    job: job(),
                    launch: 0,
                    phase: Phase::Load,
                    seconds: 30.0,
                    limit_seconds: 60.0,
                },
                "slow        benchmark/fake/tiny.en/jfk: load has taken 30.0 s of 1 min 00 s",
            ),
            (
                RunEvent::ProcessesLeaked {
                    job: job(),
                    launch: 0,
                    count: 2,
                    processes: vec![LeakedProcess {
                        pid: 7,
                        name: "sl\u{1b}eep".into(),
                    }],
                },
                "leaked      benchmark/fake/tiny.en/jfk: 2 processes left behind and ended: \
                 sl\u{fffd}eep (7)",
            ),
            (
                RunEvent::RetryPlanned {
                    job: job(),
                    launch: 0,
                    attempt: 2,
                    delay_seconds: 5.0,
                },
                "retry       benchmark/fake/tiny.en/jfk: attempt 2 in 5.00 s",
            ),
            (
                RunEvent::QuietAwaited {
                    seconds: 60.0,
                    busy: 1.25,
                    allowed: 0.5,
                    quiet: false,
                },
                "not quiet   after waiting 1 min 00 s: others keep 1.2 CPUs busy, and 0.5 are allowed; \
                 measuring begins all the same",
            ),
            (
                RunEvent::Suspended { seconds: 9.0 },
                "stopped     for 9.00 s; limits did not run meanwhile",
            ),
            (
                RunEvent::RoundsLeftOut {
                    done: 1,
                    planned: 3,
                    budget_seconds: 30.0,
                },
                "time budget of 30.0 s allows 1 of 3 rounds; the others are left out",
            ),
        ];
        for (event, expected) in table {
            assert_eq!(told(&event), expected);
        }
    }
}
