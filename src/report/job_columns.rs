//! The rows and columns of `jobs.csv`.

use super::cell::Cell;
use super::columns::{Column, column};
use crate::model::{Job, JobSpec, Outcome, Phase, ProcessEnd, RerunReason, VerifyFinding};
use crate::record::{AttemptRecord, JobRecord, RunRecord};

/// A job with what became of it, once for each machine that did it.
#[derive(Clone, Copy, Debug)]
pub struct JobRow<'a> {
    /// The job.
    pub job: &'a Job,
    /// What became of it; `None` if nothing did.
    pub found: Option<&'a JobRecord>,
}

/// Returns the rows in the order of the plan.
#[must_use]
pub fn job_rows(record: &RunRecord) -> Vec<JobRow<'_>> {
    let mut rows = Vec::new();
    for job in &record.plan.jobs {
        let found = record.job_everywhere(&job.id);
        if found.is_empty() {
            rows.push(JobRow { job, found: None });
        }
        rows.extend(found.into_iter().map(|found| JobRow {
            job,
            found: Some(found),
        }));
    }
    rows
}

impl<'a> JobRow<'a> {
    /// Returns how it ended.
    #[must_use]
    pub fn outcome(&self) -> Option<&'a Outcome> {
        self.found?.outcome.as_ref()
    }

    /// Returns all of its attempts.
    #[must_use]
    pub fn attempts(&self) -> &'a [AttemptRecord] {
        self.found.map_or(&[], |found| &found.attempts)
    }

    /// Returns the attempt that decided about its end.
    fn last_attempt(&self) -> Option<&'a AttemptRecord> {
        self.found?.current_attempts().next_back()
    }

    /// Returns in which phase it went wrong.
    fn phase(&self) -> Option<Phase> {
        match self.outcome()? {
            Outcome::Failed { phase, .. }
            | Outcome::TimedOut { phase, .. }
            | Outcome::Crashed { phase, .. }
            | Outcome::ProtocolViolation { phase, .. } => Some(*phase),
            _ => None,
        }
    }

    /// Returns how its last process ended.
    fn process(&self) -> ProcessEnd {
        let told = self.last_attempt().map(|attempt| attempt.process);
        match (told, self.outcome()) {
            (Some(process), _) if process != ProcessEnd::default() => process,
            (
                _,
                Some(Outcome::Crashed {
                    signal, exit_code, ..
                }),
            ) => ProcessEnd {
                exit_code: *exit_code,
                signal: *signal,
            },
            _ => ProcessEnd::default(),
        }
    }

    /// Returns why a resumed run did it again, the last time. That verdicts are asked again goes
    /// without saying.
    #[must_use]
    pub fn rerun(&self) -> Option<String> {
        let last = self.found?.reopened.last()?;
        match (last.reason, last.detail.as_str()) {
            (RerunReason::Verdict, _) => None,
            (reason, "") => Some(reason.to_string()),
            (reason, detail) => Some(format!("{reason}: {detail}")),
        }
    }
}

fn job<'a>(
    name: &str,
    definition: &str,
    fill: impl Fn(&RunRecord, &JobRow<'a>) -> Cell + 'static,
) -> Column<JobRow<'a>> {
    column(name, definition, fill)
}

/// Returns the columns of `jobs.csv`: one row for each job of the plan, and for each machine that did it.
#[must_use]
pub fn job_columns<'a>() -> Vec<Column<JobRow<'a>>> {
    vec![
        job("job_id", "The job.", |_, row| {
            Cell::text(row.job.id.0.as_str())
        }),
        job("kind", "verify, download or benchmark.", |_, row| {
            Cell::text(row.job.kind.to_string())
        }),
        job(
            "stage",
            "before or after the downloads; empty for other kinds.",
            |_, row| Cell::optional(row.job.stage.map(|stage| stage.to_string())),
        ),
        job(
            "status",
            "How it ended; not-run if the run did not get there.",
            |_, row| Cell::text(row.outcome().map_or("not-run", Outcome::status)),
        ),
        job(
            "verdict",
            "What a verify found; empty for other kinds.",
            |_, row| {
                let finding = row.found.and_then(|found| found.finding.as_ref());
                Cell::optional(finding.map(|finding| finding.verdict.word()))
            },
        ),
        job(
            "reason",
            "Why it ended so, or what the verdict rests on; of a verdict that was remembered, that it was.",
            |_, row| {
                let finding = row.found.and_then(|found| found.finding.as_ref());
                let reasons = [
                    row.outcome().map(Outcome::reason),
                    finding.map(VerifyFinding::in_words),
                ];
                let reasons: Vec<String> = reasons
                    .into_iter()
                    .flatten()
                    .filter(|reason| !reason.is_empty())
                    .collect();
                text_or_empty(&reasons.join("; "))
            },
        ),
        job(
            "phase",
            "The part of the job in which it went wrong; empty if it did not.",
            |_, row| Cell::optional(row.phase().map(|phase| phase.to_string())),
        ),
        job(
            "limit_seconds",
            "The limit that passed; empty unless it timed out.",
            |_, row| match row.outcome() {
                Some(Outcome::TimedOut { limit_seconds, .. }) => Cell::number(Some(*limit_seconds)),
                _ => Cell::Empty,
            },
        ),
        job(
            "signal",
            "The signal that ended its last process; empty if none did.",
            |_, row| Cell::count(row.process().signal),
        ),
        job(
            "exit_code",
            "The exit status of its last process; empty without one, and where a signal ended it.",
            |_, row| Cell::count(row.process().exit_code),
        ),
        job(
            "stderr_tail",
            "The last lines of the error output of its last process.",
            |_, row| {
                let tail = row.last_attempt().map(|attempt| attempt.stderr_tail.trim());
                text_or_empty(tail.unwrap_or_default())
            },
        ),
        job(
            "attempts",
            "Processes or looks that were begun for it.",
            |_, row| Cell::count(Some(row.attempts().len())),
        ),
        job(
            "retries",
            "Attempts among them that followed one which failed in a way that may heal.",
            |_, row| {
                let retried = row
                    .attempts()
                    .iter()
                    .filter(|attempt| attempt.retry.is_some());
                Cell::count(Some(retried.count()))
            },
        ),
        job(
            "rerun",
            "Why a resumed run did it again, and what changed; empty if none did, or it is a verdict, \
             which is always asked for again.",
            |_, row| Cell::optional(row.rerun()),
        ),
        job(
            "started",
            "Seconds into the run at which it began; empty if never.",
            |_, row| {
                let first = row.attempts().first();
                Cell::number(first.map(|attempt| attempt.started_at))
            },
        ),
        job("seconds", "What its attempts took together.", |_, row| {
            Cell::number(row.found.map(|found| found.seconds))
        }),
        job(
            "deadline_seconds",
            "The limit that it ran under: of a verify by loading, of a download, or of one trial.",
            |record, row| Cell::number(deadline_seconds(record, row.job)),
        ),
        job(
            "bytes",
            "Bytes that a download brought; empty for other kinds.",
            |_, row| match (&row.job.spec, row.found) {
                (JobSpec::Download(_), Some(found)) => Cell::count(Some(found.bytes)),
                _ => Cell::Empty,
            },
        ),
        job(
            "commit",
            "The repository and commit that a download last fetched from; empty if it asked no hub.",
            |_, row| {
                let mut latest_first = row.attempts().iter().rev();
                let commit = latest_first.find_map(|attempt| attempt.commit.as_ref());
                Cell::optional(commit.map(|(repository, commit)| format!("{repository}@{commit}")))
            },
        ),
        job(
            "leaked_processes",
            "Processes still alive when a child had ended by itself; empty without a child.",
            |_, row| {
                let leaks = row
                    .attempts()
                    .iter()
                    .filter_map(AttemptRecord::leaked_processes)
                    .reduce(|sum, leaked| sum + leaked);
                Cell::count(leaks)
            },
        ),
        job(
            "machine_id",
            "The machine that did it; empty if none did.",
            |record, row| {
                let session = row.found.and_then(|found| record.session_of(found));
                Cell::optional(session.map(|session| session.machine.id.as_str()))
            },
        ),
    ]
}

fn deadline_seconds(record: &RunRecord, job: &Job) -> Option<f64> {
    let deadlines = &record.plan.deadlines;
    match &job.spec {
        JobSpec::Download(_) => Some(deadlines.download_total.as_secs_f64()),
        JobSpec::Verify(spec) => {
            use crate::model::VerifyMethod::{Load, Transcribe};
            let size = record.plan.models.get(spec.model.as_str())?.size;
            matches!(spec.method, Load | Transcribe).then(|| {
                deadlines
                    .verify_of(&spec.backend, &spec.model, size)
                    .as_secs_f64()
            })
        }
        JobSpec::Benchmark(spec) => {
            let audio = record.plan.audio.get(spec.audio.as_str())?;
            let longest = audio
                .utterances
                .iter()
                .filter_map(|utterance| Some(record.audio.get(&utterance.id)?.1))
                .fold(0.0, f64::max);
            Some(
                deadlines
                    .trial_of(&spec.backend, &spec.model, longest)
                    .as_secs_f64(),
            )
        }
    }
}

fn text_or_empty(text: &str) -> Cell {
    Cell::optional(Some(text).filter(|text| !text.is_empty()))
}
