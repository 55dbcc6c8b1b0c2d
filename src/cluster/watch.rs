//! What became of each part that was handed over: from files first, and from the scheduler only whether
//! something may still come.

use super::attempts::Attempts;
use super::slurm::{Liveness, Standing, TaskState};
use super::submission::Submission;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many answers that agree it takes to believe that nothing more comes of a part. One may be late, or
/// come between the end of a node and its restart.
const AGREEING: u32 = 2;

/// What is known of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartStanding {
    /// It came to its end, and left what it has done.
    Done,
    /// It runs.
    Running,
    /// It waits for a machine.
    Waiting,
    /// The scheduler gave no answer, or one in which it does not occur. That means nothing.
    Unknown,
    /// Nothing more comes of it, although it has not come to its end.
    Lost,
}

/// How many parts stand how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The counts.
    pub counts: BTreeMap<PartStanding, usize>,
    /// Why parts wait, by the scheduler's own words.
    pub reasons: BTreeMap<String, usize>,
}

/// The parts of a submission, watched.
#[derive(Clone, Debug)]
pub struct Watch {
    submission: Submission,
    parts: BTreeMap<(u32, u32), Part>,
    /// For how long nothing may be heard of a part that the scheduler does not know any more.
    grace: Duration,
}

#[derive(Clone, Debug, Default)]
struct Part {
    /// What the scheduler said last.
    task: Option<TaskState>,
    /// How many answers said in a row that nothing more comes.
    over: u32,
    /// Since when it does not occur in answers, on the watcher's clock.
    absent_since: Option<Duration>,
    /// How many answers it did not occur in, in a row.
    absent: u32,
    /// How often the scheduler said since that it has no such job.
    denied: u32,
    is_lost: bool,
}

impl Part {
    fn deny(&mut self) {
        self.denied += 1;
        self.is_lost |= self.denied >= AGREEING;
    }
}

impl Watch {
    /// Watches the parts of a submission. A part that the scheduler does not know any more, and of which
    /// nothing was heard for `grace`, is given up.
    #[must_use]
    pub fn new(submission: Submission, grace: Duration) -> Self {
        let parts = submission.intent.groups.iter().flat_map(|group| {
            let number = group.number;
            (1..=group.shards).map(move |shard| ((number, shard), Part::default()))
        });
        Self {
            parts: parts.collect(),
            submission,
            grace,
        }
    }

    /// Returns the submission.
    #[must_use]
    pub fn submission(&self) -> &Submission {
        &self.submission
    }

    /// Returns for how long nothing may be heard of a part before it is given up.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// Takes an answer of the scheduler's, given at a time of the watcher's clock. `quiet` says for how long
    /// nothing has been heard of the run: then what is not in the answer may be given up.
    pub fn take(&mut self, answer: &Liveness, now: Duration, quiet: Duration) {
        for ((group, shard), part) in &mut self.parts {
            let id = self.submission.submitted.arrays.get(group);
            let task = id.and_then(|id| answer.tasks.get(&(id.clone(), *shard)));
            match task {
                Some(task) => {
                    part.absent = 0;
                    part.denied = 0;
                    part.absent_since = None;
                    part.over = if task.standing == Standing::Over {
                        part.over + 1
                    } else {
                        0
                    };
                    part.is_lost = part.over >= AGREEING;
                    part.task = Some(task.clone());
                }
                None => {
                    part.absent += 1;
                    let since = *part.absent_since.get_or_insert(now);
                    let long = now.saturating_sub(since) >= self.grace && quiet >= self.grace;
                    part.is_lost |= long && part.absent >= AGREEING;
                    if id.is_none() && !answer.tasks.is_empty() {
                        // It was not handed over, as far as anybody knows, and this answer knows the others.
                        part.deny();
                    }
                }
            }
        }
    }

    /// Returns the arrays of parts that have not come to their end and did not occur in the last answer.
    #[must_use]
    pub fn absent(&self, attempts: &Attempts) -> BTreeSet<String> {
        let parts = self.parts.iter().filter(|(key, part)| {
            part.absent > 0 && self.standing(**key, part, attempts) == PartStanding::Unknown
        });
        let ids = parts.filter_map(|((group, _), _)| self.submission.submitted.arrays.get(group));
        ids.cloned().collect()
    }

    /// Takes the scheduler's word that it has no such array: unlike an answer that lacks it, this says that
    /// nothing more comes of the parts that did not occur.
    pub fn deny(&mut self, array: &str) {
        for ((group, _), part) in &mut self.parts {
            let id = self.submission.submitted.arrays.get(group);
            if part.absent > 0 && id.is_some_and(|id| id == array) {
                part.deny();
            }
        }
    }

    /// Returns whether some part that has not come to its end did not occur in the last answer: then the
    /// accounts may know more.
    #[must_use]
    pub fn lacks_something(&self, attempts: &Attempts) -> bool {
        self.parts.iter().any(|(key, part)| {
            part.absent > 0 && self.standing(*key, part, attempts) != PartStanding::Done
        })
    }

    /// Returns how the parts stand.
    #[must_use]
    pub fn tally(&self, attempts: &Attempts) -> Tally {
        let mut tally = Tally::default();
        for (key, part) in &self.parts {
            let standing = self.standing(*key, part, attempts);
            *tally.counts.entry(standing).or_default() += 1;
            let task = part
                .task
                .as_ref()
                .filter(|_| standing == PartStanding::Waiting);
            if let Some(task) = task.filter(|task| !task.reason.is_empty()) {
                *tally.reasons.entry(task.reason.clone()).or_default() += 1;
            }
        }
        tally
    }

    /// Returns whether nothing more comes of any part.
    #[must_use]
    pub fn is_over(&self, attempts: &Attempts) -> bool {
        self.parts.iter().all(|(key, part)| {
            matches!(
                self.standing(*key, part, attempts),
                PartStanding::Done | PartStanding::Lost
            )
        })
    }

    /// Returns whether the scheduler says of some part that it waits or runs.
    #[must_use]
    pub fn is_alive(&self, attempts: &Attempts) -> bool {
        self.parts.iter().any(|(key, part)| {
            matches!(
                self.standing(*key, part, attempts),
                PartStanding::Running | PartStanding::Waiting
            )
        })
    }

    /// Returns the parts that came to no end: group, part and what the scheduler said of them last.
    pub fn lost<'w>(
        &'w self,
        attempts: &'w Attempts,
    ) -> impl Iterator<Item = ((u32, u32), Option<&'w TaskState>)> {
        let parts = self.parts.iter();
        let lost =
            parts.filter(|(key, part)| self.standing(**key, part, attempts) == PartStanding::Lost);
        lost.map(|(key, part)| (*key, part.task.as_ref()))
    }

    fn standing(
        &self,
        (group, shard): (u32, u32),
        part: &Part,
        attempts: &Attempts,
    ) -> PartStanding {
        let shards = self
            .submission
            .intent
            .groups
            .iter()
            .find(|known| known.number == group)
            .map_or(0, |group| group.shards);
        let stem = Attempts::stem(self.submission.number, group, shard, shards);
        if attempts
            .newest(&stem)
            .is_some_and(|(_, newest)| newest.has_ended)
        {
            return PartStanding::Done;
        }
        if part.is_lost {
            return PartStanding::Lost;
        }
        match &part.task {
            Some(task) if part.absent == 0 => match task.standing {
                Standing::Waiting => PartStanding::Waiting,
                Standing::Running => PartStanding::Running,
                // It takes a second answer to believe it.
                Standing::Over => PartStanding::Unknown,
            },
            _ => PartStanding::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::slurm::parse_squeue;
    use crate::cluster::stop_rules::StopRules;
    use crate::cluster::submission::{IntendedGroup, Intent, Submitted};
    use crate::model::Requirements;

    const GRACE: Duration = Duration::from_mins(1);

    fn watch() -> Watch {
        let group = IntendedGroup {
            number: 1,
            requires: Requirements::NONE,
            benchmarks: 2,
            shards: 2,
            minutes: 5,
            arguments: Vec::new(),
        };
        let submission = Submission {
            number: 1,
            intent: Intent {
                version: 1,
                scheduler: "slurm".into(),
                name: "e".into(),
                plan_digest: "d".into(),
                earmark_version: "0".into(),
                attempt: 1,
                listed: false,
                stops: StopRules::default(),
                groups: vec![group],
            },
            submitted: Submitted {
                arrays: [(1, "7".to_owned())].into(),
                ..Submitted::default()
            },
        };
        Watch::new(submission, GRACE)
    }

    fn counts(watch: &Watch) -> Vec<(PartStanding, usize)> {
        watch
            .tally(&Attempts::default())
            .counts
            .into_iter()
            .collect()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_answer_without_a_part_means_nothing_until_all_was_quiet_for_long() {
        let mut watch = watch();
        watch.take(
            &parse_squeue("7|1|e.g1|RUNNING|None|n1\n7|2|e.g1|PENDING|Priority|\n"),
            at(0),
            at(0),
        );
        assert_eq!(
            counts(&watch),
            [(PartStanding::Running, 1), (PartStanding::Waiting, 1)]
        );
        assert_eq!(watch.tally(&Attempts::default()).reasons["Priority"], 1);
        let nothing = Liveness::default();
        for seconds in [10, 20, 60] {
            watch.take(&nothing, at(seconds), at(seconds));
            assert_eq!(counts(&watch), [(PartStanding::Unknown, 2)]);
        }
        watch.take(&nothing, at(71), at(5));
        assert_eq!(
            counts(&watch),
            [(PartStanding::Unknown, 2)],
            "something was heard a moment ago"
        );
        assert!(!watch.is_over(&Attempts::default()));
        watch.take(&nothing, at(80), at(70));
        assert_eq!(counts(&watch), [(PartStanding::Lost, 2)]);
        assert!(watch.is_over(&Attempts::default()));
        // It was only late.
        watch.take(&parse_squeue("7|1|e.g1|RUNNING|None|n1\n"), at(90), at(0));
        assert!(watch.is_alive(&Attempts::default()));
    }

    #[test]
    fn the_schedulers_word_that_it_has_no_such_job_is_believed_when_it_says_so_again() {
        let mut watch = watch();
        watch.take(&Liveness::default(), at(0), at(0));
        assert_eq!(
            watch
                .absent(&Attempts::default())
                .into_iter()
                .collect::<Vec<_>>(),
            ["7"]
        );
        watch.deny("7");
        assert_eq!(counts(&watch), [(PartStanding::Unknown, 2)]);
        // The first part is there after all.
        watch.take(&parse_squeue("7|1|e.g1|RUNNING|None|n1\n"), at(1), at(0));
        watch.deny("7");
        assert_eq!(
            counts(&watch),
            [(PartStanding::Running, 1), (PartStanding::Lost, 1)]
        );
    }

    #[test]
    fn what_was_never_handed_over_is_lost_by_two_answers_that_know_the_others() {
        let mut watch = watch();
        let mut other = watch.submission.intent.groups[0].clone();
        other.number = 2;
        watch.submission.intent.groups.push(other);
        let mut watch = Watch::new(watch.submission, GRACE);
        watch.take(&Liveness::default(), at(0), at(0));
        let known = parse_squeue("7|1|e.g1|COMPLETED|None|n1\n7|2|e.g1|COMPLETED|None|n1\n");
        for lost in [0, 4] {
            watch.take(&known, at(1), at(0));
            assert_eq!(watch.lost(&Attempts::default()).count(), lost);
        }
    }

    #[test]
    fn it_takes_two_answers_to_lose_a_part_and_a_restart_between_them_keeps_it() {
        let mut watch = watch();
        let failed = parse_squeue("7|1|e.g1|NODE_FAIL|None|n1\n7|2|e.g1|NODE_FAIL|None|n1\n");
        let again = parse_squeue("7|1|e.g1|PENDING|BeginTime|\n7|2|e.g1|NODE_FAIL|None|n1\n");
        watch.take(&failed, at(0), at(0));
        assert_eq!(counts(&watch), [(PartStanding::Unknown, 2)]);
        watch.take(&again, at(1), at(0));
        assert_eq!(
            counts(&watch),
            [(PartStanding::Waiting, 1), (PartStanding::Lost, 1)]
        );
        assert_eq!(watch.lost(&Attempts::default()).count(), 1);
    }
}
