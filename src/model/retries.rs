//! How often what may heal is tried again.

use super::units::seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Further attempts after one that failed in a way that may heal by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retries {
    /// Further attempts of a download that failed. Its limit holds for all of them together.
    pub download: u32,
    /// Further attempts of a verify, or of a launch of a benchmark, whose engine crashed.
    pub crash: u32,
    /// The pause before the second attempt; it doubles with each further one.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub backoff: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            download: 2,
            crash: 0,
            backoff: Duration::from_secs(1),
        }
    }
}

impl Retries {
    /// The largest number of further attempts.
    pub const MOST: u32 = 10;

    /// Returns whether they are what holds when a matrix says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the pause before an attempt, counted from 1: none before the first.
    #[must_use]
    pub fn pause_before(&self, attempt: u32) -> Duration {
        match attempt.checked_sub(2) {
            None => Duration::ZERO,
            Some(doublings) => self
                .backoff
                .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double() {
        let retries = Retries::default();
        let pauses: Vec<u64> = (1..=4)
            .map(|attempt| retries.pause_before(attempt).as_secs())
            .collect();
        assert_eq!(pauses, [0, 1, 2, 4]);
        assert!(retries.pause_before(u32::MAX) > Duration::from_hours(1));
    }
}
