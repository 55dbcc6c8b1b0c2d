//! The shim's own deadline, for a runner that has stopped or is stuck.

use std::time::{Duration, Instant};

/// A deadline that stands still while the tree is stopped.
pub(super) struct Backstop {
    due: Option<Instant>,
    stopped_at: Option<Instant>,
}

impl Backstop {
    /// Starts counting at `started`; `None` = never ends.
    pub(super) fn new(limit: Option<Duration>, started: Instant) -> Self {
        // A limit beyond what a clock can hold is none.
        Self {
            due: limit.and_then(|limit| started.checked_add(limit)),
            stopped_at: None,
        }
    }

    /// Stops counting: the tree is stopped.
    pub(super) fn pause(&mut self, now: Instant) {
        self.stopped_at.get_or_insert(now);
    }

    /// Puts the deadline off by the time the tree was stopped.
    pub(super) fn resume(&mut self, now: Instant) {
        if let Some(stopped_at) = self.stopped_at.take() {
            self.due = self
                .due
                .and_then(|due| due.checked_add(now.duration_since(stopped_at)));
        }
    }

    /// Returns when the tree has to be killed; `None` = never, or not as long as it is stopped.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.stopped_at.is_some() {
            None
        } else {
            self.due
        }
    }

    /// Returns whether the tree has to be killed now.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_backstop_does_not_run_while_the_tree_is_stopped() {
        let start = Instant::now();
        let mut backstop = Backstop::new(Some(10 * SECOND), start);
        assert!(!backstop.is_over(start + 9 * SECOND));
        backstop.pause(start + 4 * SECOND);
        backstop.pause(start + 5 * SECOND);
        assert!(!backstop.is_over(start + 100 * SECOND));
        backstop.resume(start + 100 * SECOND);
        backstop.resume(start + 101 * SECOND);
        assert!(!backstop.is_over(start + 105 * SECOND));
        assert!(backstop.is_over(start + 106 * SECOND));
    }

    #[test]
    fn without_a_backstop_there_is_no_end() {
        let start = Instant::now();
        assert_eq!(Backstop::new(None, start).due(), None);
        assert_eq!(Backstop::new(Some(Duration::MAX), start).due(), None);
    }
}
