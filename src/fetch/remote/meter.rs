//! How many bytes have arrived, how fast, and how long the rest will take.

use crate::model::TransferProgress;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often progress is told.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// Ticks over which a rate is averaged.
const TICKS: usize = 5;

/// Bytes of all files of a fetch.
#[derive(Debug, Default)]
pub(super) struct Meter {
    here: AtomicU64,
    arrived: AtomicU64,
}

impl Meter {
    /// Bytes were here before.
    pub(super) fn found(&self, bytes: u64) {
        self.here.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes came over the network.
    pub(super) fn arrived(&self, bytes: u64) {
        self.here.fetch_add(bytes, Ordering::Relaxed);
        self.arrived.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that were counted are worth nothing.
    pub(super) fn lost(&self, bytes: u64) {
        // One file takes back what it has added itself, so this does not go below zero.
        self.here.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns how many came over the network.
    pub(super) fn bytes_arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }
}

/// The last few readings of a meter.
#[derive(Debug)]
pub(super) struct Readings {
    total: Option<u64>,
    last: VecDeque<(Duration, u64)>,
}

impl Readings {
    /// Begins; `total` are the bytes of the whole, if that is known.
    pub(super) fn new(total: Option<u64>) -> Self {
        Self {
            total,
            last: VecDeque::new(),
        }
    }

    /// Reads a meter at a time.
    pub(super) fn read(&mut self, meter: &Meter, now: Duration) -> TransferProgress {
        self.last.push_back((now, meter.bytes_arrived()));
        if self.last.len() > TICKS + 1 {
            self.last.pop_front();
        }
        self.progress(meter.here.load(Ordering::Relaxed))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown with three digits"
    )]
    fn progress(&self, here: u64) -> TransferProgress {
        let rate = match (self.last.front(), self.last.back()) {
            (Some((from, before)), Some((to, after))) if to > from => {
                after.saturating_sub(*before) as f64 / to.saturating_sub(*from).as_secs_f64()
            }
            _ => 0.0,
        };
        let missing = self.total.map(|total| total.saturating_sub(here));
        TransferProgress {
            bytes_done: here,
            bytes_total: self.total,
            bytes_per_second: rate,
            seconds_left: missing
                .filter(|_| rate > 0.0)
                .map(|missing| missing as f64 / rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds_and_of_the_network_alone() {
        let meter = Meter::default();
        let mut readings = Readings::new(Some(10_000));
        meter.found(4000);
        let mut progress = readings.read(&meter, Duration::ZERO);
        assert_eq!((progress.bytes_done, progress.seconds_left), (4000, None));
        for second in 1..=10 {
            // The first seconds were faster.
            meter.arrived(if second <= 5 { 500 } else { 100 });
            progress = readings.read(&meter, Duration::from_secs(second));
        }
        assert_eq!(progress.bytes_done, 7000);
        assert!((progress.bytes_per_second - 100.0).abs() < 1e-9);
        assert!((progress.seconds_left.unwrap() - 30.0).abs() < 1e-9);
    }
}
