//! Why a job has no end.

use crate::model::Job;
use crate::record::{JobRecord, RunRecord};

/// Why a job has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotRun<'a> {
    /// The plan leaves it out.
    Planned(&'a str),
    /// The record is of one part of the plan, and the job is of another.
    OtherPart,
    /// The run ended before it began.
    Before,
    /// The run ended after it had begun.
    Within,
}

impl<'a> NotRun<'a> {
    /// Returns why a job has no end; `None` if it has one.
    pub(super) fn of(record: &RunRecord, job: &'a Job, found: Option<&JobRecord>) -> Option<Self> {
        if found.is_some_and(|found| found.outcome.is_some()) {
            return None;
        }
        if let Some(reason) = &job.skip {
            return Some(Self::Planned(reason));
        }
        let has_begun = found.is_some_and(|found| !found.attempts.is_empty());
        Some(if has_begun {
            Self::Within
        } else if is_whole_part(record) {
            Self::OtherPart
        } else {
            Self::Before
        })
    }

    /// Whether something is missing that the run was to do.
    pub(super) const fn is_loss(self) -> bool {
        matches!(self, Self::Before | Self::Within)
    }

    /// Returns it in words.
    pub(super) const fn words(self) -> &'a str {
        match self {
            Self::Planned(reason) => reason,
            Self::OtherPart => "another part of the plan does it",
            Self::Before => "the run ended before it",
            Self::Within => "the run ended in the middle of it",
        }
    }
}

/// Returns whether the record is of one part of its plan, and that part ended in order: then nothing of
/// it is missing, and what is missing is of other parts.
fn is_whole_part(record: &RunRecord) -> bool {
    let mut sessions = record.sessions.iter().rev();
    sessions.next().is_some_and(|last| {
        last.shard.is_some()
            && last.seconds.is_some()
            && sessions.all(|session| session.shard == last.shard)
    })
}
