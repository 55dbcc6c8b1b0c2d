//! What a trial cost, on the worker's own clocks.

use rustix::time::{ClockId, clock_gettime};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A trial while it runs.
pub(super) struct TrialClock {
    started: Instant,
    cpu_before: f64,
    first_segment: Mutex<Option<f64>>,
}

/// What a trial cost, in seconds.
pub(super) struct TrialTimes {
    pub(super) transcribe: f64,
    pub(super) first_segment: Option<f64>,
    pub(super) cpu: f64,
}

impl TrialClock {
    /// Starts the clock: the samples are about to be handed over.
    pub(super) fn start() -> Self {
        Self {
            cpu_before: process_cpu_seconds(),
            first_segment: Mutex::new(None),
            started: Instant::now(),
        }
    }

    /// Notes that a segment with text came out.
    pub(super) fn segment(&self) {
        let elapsed = self.started.elapsed().as_secs_f64();
        self.first_segment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(elapsed);
    }

    /// Stops the clock: the whole text is there.
    pub(super) fn stop(&self) -> TrialTimes {
        let transcribe = self.started.elapsed().as_secs_f64();
        TrialTimes {
            transcribe,
            first_segment: *self
                .first_segment
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
            cpu: process_cpu_seconds() - self.cpu_before,
        }
    }
}

/// Returns the user and system time of this process, all of its threads.
fn process_cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a process does not run for 2^53 seconds"
    )]
    let seconds = time.tv_sec as f64;
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanoseconds below 10^9 are exact"
    )]
    let nanoseconds = time.tv_nsec as f64;
    seconds + nanoseconds * 1e-9
}
