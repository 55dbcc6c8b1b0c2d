//! Benchmarks that go on until their median is known well enough.
//!
//! The smallest change to how timed work is laid out: `repeat` and `launches` of an adaptive benchmark
//! are those of one **set**, and it is planned with as many sets as its rule allows at most. Rounds are
//! made for all of them, as for any benchmark; so deadlines, the worst case and the order know nothing
//! new, and whole rounds go over all rows that still go on.
//!
//! When the last launch of a set has ended, the benchmark is looked at. The rule itself is
//! [`judge`](crate::score::judge), which is pure; here stands only where its times come from: the trials
//! that were told, in their order, a later one in the place of an earlier with the same number, as the
//! record has them. Each look is an event. One that stops ends the job, which is then over in all rounds
//! to come. So
//!
//! - a row is `completed` whether it became narrow or reached its most; the looks say which;
//! - a resumed run has times and looks from the record, takes no look twice, and takes the one that was
//!   due when the run before it was killed;
//! - a time budget leaves out rounds as ever: the row is completed without a look that stops, so a
//!   resumed run knows that it may go on;
//! - a shard decides as the whole would, because a row is decided by its own times alone;
//! - a launch that crashed and was tried again counts with the times of its last try.

use super::dispatcher::Dispatcher;
use crate::event::RunEvent;
use crate::model::{BenchmarkSpec, JobSpec, RepeatDecision, RepeatLook, TimedTrial};
use crate::score::{judge, passes};
use std::collections::HashMap;
use std::io;

/// What is known of an adaptive benchmark.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// Its measured trials, in their order.
    timed: Vec<TimedTrial>,
    /// Where each of them stands, by launch, trial and utterance.
    places: HashMap<(u32, u32, String), usize>,
    /// The last look at it.
    last: Option<RepeatLook>,
}

impl Looked {
    /// Takes over what an earlier run measured and saw.
    pub(super) fn resumed(timed: Vec<TimedTrial>, last: Option<RepeatLook>) -> Self {
        let mut looked = Self {
            last,
            ..Self::default()
        };
        for trial in timed {
            looked.take(trial);
        }
        looked
    }

    /// Takes the time of a trial: in the place of the one with the same number, if there is one.
    pub(super) fn take(&mut self, trial: TimedTrial) {
        let key = (trial.launch, trial.trial, trial.utterance.clone());
        let place = *self.places.entry(key).or_insert(self.timed.len());
        match self.timed.get_mut(place) {
            Some(known) => *known = trial,
            None => self.timed.push(trial),
        }
    }

    /// Returns what was seen when so many launches were done, if it was looked at then.
    fn at(&self, launches: usize) -> Option<RepeatLook> {
        self.last
            .filter(|look| usize::try_from(look.launches) == Ok(launches))
    }
}

impl Dispatcher<'_> {
    /// Ends benchmarks of which an earlier run did all that they need, but could not say so.
    pub(super) fn settle_looks(&mut self, todo: &[usize]) -> io::Result<()> {
        for position in todo {
            let JobSpec::Benchmark(spec) = &self.context.plan.jobs[*position].spec else {
                continue;
            };
            if spec.adaptive.is_some() {
                self.end_if_complete(*position)?;
            }
        }
        Ok(())
    }

    /// Returns whether a benchmark is measured no further. One that is adaptive is looked at, if a set
    /// of launches has just ended.
    pub(super) fn has_enough(&mut self, position: usize, spec: &BenchmarkSpec) -> io::Result<bool> {
        let done = self.state.jobs[position].launches();
        let set = usize::try_from(spec.launches).unwrap_or(usize::MAX);
        let Some(rule) = &spec.adaptive else {
            return Ok(done >= set);
        };
        if done == 0 || !done.is_multiple_of(set) {
            return Ok(false);
        }
        let job = &self.state.jobs[position];
        let looked = job.looked.as_deref();
        if let Some(look) = looked.and_then(|looked| looked.at(done)) {
            return Ok(look.decision.stops());
        }
        let timed = looked.map_or(&[][..], |looked| &looked.timed);
        let trials = timed.iter().filter(|trial| job.has_completed(trial.launch));
        let seconds = passes(trials.map(|trial| (trial.launch, trial.trial, trial.seconds)));
        let look = judge(rule, spec.launches, &seconds);
        let looked = &mut self.state.jobs[position].looked;
        looked.get_or_insert_default().last = Some(look);
        let job = self.context.plan.jobs[position].id.clone();
        self.emit(RunEvent::RepeatJudged { job, look })?;
        Ok(look.decision != RepeatDecision::GoOn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(launch: u32, trial: u32, seconds: f64) -> TimedTrial {
        TimedTrial {
            launch,
            trial,
            utterance: "a".into(),
            seconds,
        }
    }

    #[test]
    fn a_trial_that_is_done_again_counts_once_and_with_its_later_time() {
        let mut looked = Looked::resumed(vec![timed(0, 1, 1.0), timed(0, 2, 2.0)], None);
        looked.take(timed(0, 1, 3.0));
        looked.take(timed(1, 1, 4.0));
        assert_eq!(
            looked.timed,
            [timed(0, 1, 3.0), timed(0, 2, 2.0), timed(1, 1, 4.0)]
        );
    }

    #[test]
    fn a_look_is_known_by_the_launches_that_it_saw() {
        let look = RepeatLook {
            launches: 2,
            trials: 12,
            half_width_percent: None,
            decision: RepeatDecision::GoOn,
        };
        let looked = Looked::resumed(Vec::new(), Some(look));
        assert_eq!(looked.at(2), Some(look));
        assert_eq!(looked.at(4), None);
    }
}
