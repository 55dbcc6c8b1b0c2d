//! Looking after a run that a scheduler has.

use super::Looking;
use super::finish::finish;
use super::hand_over::Handed;
use super::interruption::Interruptions;
use crate::cli::exit::{ExitStatus, Failure, say};
use crate::cli::merge::counted;
use crate::cluster::slurm::{self, Liveness};
use crate::cluster::{Attempts, PartStanding, Submission, Watch};
use crate::model::{JobKind, Plan};
use crate::ui::printable;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How much more seldom than at first the scheduler is asked in the end.
const SLOWEST: u32 = 6;

/// For how long nothing may be heard of a part that the scheduler does not know any more.
pub(super) const GRACE: Duration = Duration::from_mins(2);

/// How many lines of a part's log are shown if it was lost.
const LOG_LINES: usize = 5;

/// Tells how a run goes on until nothing more comes, and reports it then. An interruption calls it back.
pub(super) fn look_after(
    handed: &Handed,
    plan: &Plan,
    looking: &Looking<'_>,
    interrupted: &Interruptions,
) -> Result<ExitStatus, Failure> {
    let mut seen = Seen::new(handed, plan, looking);
    loop {
        seen.look();
        if seen.is_over() {
            break;
        }
        let is_interrupted = seen.ask_if_due(interrupted);
        seen.tell();
        if is_interrupted || interrupted.within(LOOK) {
            return Ok(call_back(handed, looking, interrupted));
        }
    }
    seen.tell();
    seen.tell_lost(&looking.run);
    // It is for when nobody looks. That it is over already is no trouble.
    let merge: Vec<String> = handed.submission.submitted.merge.iter().cloned().collect();
    let _ = slurm::cancel(&merge);
    finish(looking)
}

/// What has been seen of a run.
struct Seen {
    watch: Watch,
    attempts: Attempts,
    names: Vec<String>,
    planned: usize,
    begun: Instant,
    heard: Instant,
    /// When the scheduler is asked next, and how long after that again.
    due: Instant,
    pause: Duration,
    slowest: Duration,
    /// Whether it is the accounts' turn, where some are kept.
    asks_accounts: bool,
    keeps_accounts: bool,
    told: String,
    told_mismatches: BTreeSet<String>,
}

impl Seen {
    fn new(handed: &Handed, plan: &Plan, looking: &Looking<'_>) -> Self {
        let now = Instant::now();
        let controller = handed.controller.as_ref();
        let jobs = plan.jobs.iter();
        Self {
            names: handed.submission.intent.names(),
            watch: Watch::new(handed.submission.clone(), GRACE.max(handed.poll * 3)),
            attempts: Attempts::of(&looking.run),
            planned: jobs
                .filter(|job| job.kind == JobKind::Benchmark && job.skip.is_none())
                .count(),
            begun: now,
            heard: now,
            due: now,
            pause: handed.poll,
            slowest: handed.poll * SLOWEST,
            asks_accounts: false,
            keeps_accounts: controller.is_some_and(slurm::Controller::keeps_accounts),
            told: String::new(),
            told_mismatches: BTreeSet::new(),
        }
    }

    fn look(&mut self) {
        if self.attempts.look() {
            self.heard = Instant::now();
        }
    }

    fn is_over(&self) -> bool {
        self.watch.is_over(&self.attempts)
    }

    /// Asks one question, if it is time for one: whether something may still come of the parts. Returns whether
    /// somebody interrupted it: a controller that is busy may take a minute.
    fn ask_if_due(&mut self, interrupted: &Interruptions) -> bool {
        let now = Instant::now();
        if now < self.due {
            return false;
        }
        self.due = now + self.pause;
        self.pause = (self.pause + self.pause / 2).min(self.slowest);
        let accounts = self.keeps_accounts && std::mem::take(&mut self.asks_accounts);
        let names = self.names.clone();
        let answer = interrupted.unless_interrupted(move || {
            if accounts {
                slurm::ask_accounts(&names)
            } else {
                slurm::ask_queue(&names)
            }
        });
        match answer {
            Some(Ok(answer)) => self.take(&answer),
            // No answer is no reason to believe anything.
            Some(Err(error)) => say(&format!("warning: {}", printable(&error.to_string()))),
            None => return true,
        }
        false
    }

    fn take(&mut self, answer: &Liveness) {
        self.watch
            .take(answer, self.begun.elapsed(), self.heard.elapsed());
        self.asks_accounts = self.watch.lacks_something(&self.attempts);
    }

    /// Tells how it stands, if that is news.
    fn tell(&mut self) {
        let tally = self.watch.tally(&self.attempts);
        let parts: Vec<String> = [
            (PartStanding::Running, "running"),
            (PartStanding::Waiting, "waiting"),
            (PartStanding::Unknown, "unknown"),
            (PartStanding::Done, "done"),
            (PartStanding::Lost, "lost"),
        ]
        .into_iter()
        .filter_map(|(standing, word)| Some(format!("{} {word}", tally.counts.get(&standing)?)))
        .collect();
        let reasons: Vec<&str> = tally.reasons.keys().map(String::as_str).collect();
        let reasons = if reasons.is_empty() {
            String::new()
        } else {
            format!(" ({})", reasons.join(", "))
        };
        let faults = match self.attempts.faults() {
            0 => String::new(),
            faults => format!(", {faults} went wrong"),
        };
        let line = format!(
            "{} of {} benchmarks{faults}; parts: {}{reasons}",
            self.attempts.done().len(),
            self.planned,
            parts.join(", ")
        );
        if line != self.told {
            say(&line);
            self.told = line;
        }
        for (name, state) in self.attempts.iter() {
            let Some((_, reason)) = state.mismatches.first() else {
                continue;
            };
            if reason.starts_with("this needs") && self.told_mismatches.insert(name.to_owned()) {
                say(&format!(
                    "warning: {} of {name} not measured on {}: {}",
                    counted(state.mismatches.len(), "benchmark", "benchmarks"),
                    printable(&state.host),
                    printable(reason)
                ));
            }
        }
    }

    /// Tells which parts came to no end, with what the scheduler and their logs say.
    fn tell_lost(&self, run: &Path) {
        for ((group, shard), task) in self.watch.lost(&self.attempts) {
            let said = task.map_or_else(
                || "the scheduler does not know it any more".to_owned(),
                |task| format!("{} {} on {}", task.state, task.reason, task.nodes),
            );
            say(&format!(
                "lost: part {shard} of group {group}: {}",
                printable(said.trim())
            ));
            let id = self.watch.submission().submitted.arrays.get(&group);
            let log = id.map(|id| run.join("scheduler-logs").join(format!("{id}_{shard}.log")));
            let text = log
                .and_then(|log| std::fs::read_to_string(log).ok())
                .unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
                say(&format!("    {}", printable(line)));
            }
        }
    }
}

/// Calls a run back, and reports what is done of it. A second interruption ends that at once.
pub(super) fn call_back(
    handed: &Handed,
    looking: &Looking<'_>,
    interrupted: &Interruptions,
) -> ExitStatus {
    say("interrupted: calling back what the scheduler has; once more to leave it there");
    let submission = &handed.submission;
    let still = what_goes_on(submission, &looking.run);
    interrupted.say_at_the_second(still.clone());
    match slurm::cancel(&submission.ids()) {
        Ok(()) => {
            let names = submission.intent.names();
            let until = Instant::now() + GRACE;
            while Instant::now() < until && is_alive(&names) {
                interrupted.within(LOOK);
            }
        }
        Err(error) => say(&format!(
            "warning: {}\n{still}",
            printable(&error.to_string())
        )),
    }
    // What was done stays done.
    match finish(looking) {
        Ok(_) => {}
        Err(failure) => failure.tell(),
    }
    ExitStatus::Interrupted
}

/// Whether the scheduler still has something that is not over.
fn is_alive(names: &[String]) -> bool {
    slurm::ask_queue(names).is_ok_and(|answer| {
        let mut tasks = answer.tasks.values();
        tasks.any(|task| task.standing != slurm::Standing::Over)
    })
}

/// Returns what may go on where nobody calls it back, and how it is called back later.
pub(super) fn what_goes_on(submission: &Submission, run: &Path) -> String {
    let ids = submission.ids();
    let what = if ids.is_empty() {
        format!("jobs named {}", submission.intent.names().join(", "))
    } else {
        counted_ids(&ids)
    };
    let run = run.display();
    format!(
        "Slurm may still have {what}: `earmark attach {run} --cancel` calls that back, and \
         `earmark attach {run}` looks after it"
    )
}

fn counted_ids(ids: &[String]) -> String {
    let word = if ids.len() == 1 { "job" } else { "jobs" };
    format!("{word} {}", ids.join(", "))
}
