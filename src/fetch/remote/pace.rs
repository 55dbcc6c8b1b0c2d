//! Waiting no longer than a stall; and the least that a transfer must bring.

use super::trouble::Trouble;
use crate::clock::Clock;
use crate::fetch::request::Limits;
pub(super) use crate::fetch::waiting::sleep;
use crate::model::units::show_bytes;
use std::pin::pin;
use std::time::Duration;

/// The least that one connection must bring, over the time of a stall: 4 KiB/s. An artifact has at
/// most [`CONNECTIONS`](super::hub::CONNECTIONS) of them, so a line of 16 KiB/s is enough for all; at
/// less, not even 30 MB arrive within the half hour that a download has unless told otherwise. A
/// server that drips to keep a connection open does not pass for one that sends.
const FLOOR_BYTES_PER_SECOND: u64 = 4 * 1024;

/// Returns how much time is left of the whole.
pub(super) fn remaining(limits: &Limits) -> Duration {
    limits.deadline.saturating_sub(limits.clock.now())
}

/// Does something for at most the time of a stall; `None` if that was not enough.
pub(super) async fn within_stall<F: Future>(limits: &Limits, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        output = &mut work => Some(output),
        () = sleep(limits, limits.stall) => None,
    }
}

/// Watches over how much a connection brings. Only the time in which we waited for it counts: a slow
/// disk is no fault of the network.
#[derive(Debug)]
pub(super) struct Watch {
    window: Duration,
    waited: Duration,
    bytes: u64,
}

impl Watch {
    /// Begins; `window` is the time over which the least is averaged.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Counts what arrived after a wait.
    ///
    /// # Errors
    ///
    /// Returns trouble if a whole window brought too little.
    pub(super) fn heard(&mut self, waited: Duration, bytes: usize) -> Result<(), Trouble> {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < self.window {
            return Ok(());
        }
        let seconds = self.waited.as_secs_f64();
        let (least, brought) = (Duration::from_secs(FLOOR_BYTES_PER_SECOND), self.bytes);
        // `floor × seconds`, in whole bytes.
        let least = least.mul_f64(seconds).as_secs();
        self.waited = Duration::ZERO;
        self.bytes = 0;
        if brought >= least {
            return Ok(());
        }
        Err(Trouble::passing(format!(
            "too slow: {} in {seconds:.1} s, and {} are the least",
            show_bytes(brought),
            show_bytes(least)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_is_no_progress_and_a_slow_line_is() {
        let second = Duration::from_secs(1);
        let mut drip = Watch::new(3 * second);
        assert!(drip.heard(second, 1000).is_ok());
        assert!(drip.heard(second, 1000).is_ok());
        let trouble = drip.heard(second, 1000).unwrap_err();
        assert!(trouble.failure.may_heal);
        assert!(trouble.failure.reason.contains("3.0 kB in 3.0 s"));
        let mut slow = Watch::new(3 * second);
        for _ in 0..9 {
            slow.heard(second, 5000).unwrap();
        }
    }
}
