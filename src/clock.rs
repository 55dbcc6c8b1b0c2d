//! Time: a monotonic clock for durations and a wall clock for dates, and one that tests move by hand.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A monotonic clock: durations since some fixed start.
pub trait Clock {
    /// Returns the time since the clock's start.
    fn now(&self) -> Duration;
}

/// A monotonic clock that does not count the time in which this program was stopped. Clones are
/// one clock.
#[derive(Clone, Debug)]
pub struct RunClock {
    start: Instant,
    /// Where it begins: a resumed run goes on where the one before it ended.
    offset: Duration,
    stopped_nanoseconds: Arc<AtomicU64>,
}

impl RunClock {
    /// Returns a clock that stands at `offset` now.
    #[must_use]
    pub fn starting_at(offset: Duration) -> Self {
        Self {
            start: Instant::now(),
            offset,
            stopped_nanoseconds: Arc::default(),
        }
    }

    /// Leaves out a stretch of time that has just ended.
    pub fn leave_out(&self, stretch: Duration) {
        let nanoseconds = u64::try_from(stretch.as_nanos()).unwrap_or(u64::MAX);
        self.stopped_nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Returns the moment at which this clock will show `time`, unless the program is stopped until
    /// then. `None` if no clock of the system reaches so far.
    #[must_use]
    pub fn instant_of(&self, time: Duration) -> Option<Instant> {
        self.start
            .checked_add(time.saturating_sub(self.offset))?
            .checked_add(self.stopped())
    }

    fn stopped(&self) -> Duration {
        Duration::from_nanos(self.stopped_nanoseconds.load(Ordering::Relaxed))
    }
}

impl Clock for RunClock {
    fn now(&self) -> Duration {
        self.offset + self.start.elapsed().saturating_sub(self.stopped())
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Cell<Duration>,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.now.set(self.now.get() + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.now.get()
    }
}

/// Returns the date and time in UTC, to the millisecond, as RFC 3339 writes it.
#[must_use]
pub fn wall_time() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_is_left_out_does_not_count_and_moves_alarms() {
        let clock = RunClock::starting_at(Duration::from_secs(100));
        let alarm = Duration::from_secs(500);
        let before = clock.instant_of(alarm).unwrap();
        let same = clock.clone();
        same.leave_out(Duration::from_secs(30));
        assert_eq!(
            clock.instant_of(alarm).unwrap() - before,
            Duration::from_secs(30)
        );
        // Less than 30 seconds have passed since it began, so it has not moved.
        assert_eq!(clock.now(), Duration::from_secs(100));
    }
}
