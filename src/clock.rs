//! Time: a monotonic clock for durations and a wall clock for dates, and one that tests move by hand.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A monotonic clock: durations since some fixed start.
pub trait Clock {
    /// Returns the time since the clock's start.
    fn now(&self) -> Duration;
}

/// The machine's own monotonic clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
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
