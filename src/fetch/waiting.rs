//! Waiting by the run's clock, which stands still while the program is stopped.

use super::request::Limits;
use crate::clock::Clock;
use std::time::Duration;

/// Waits.
pub(super) async fn sleep(limits: &Limits, duration: Duration) {
    let until = limits.clock.now().saturating_add(duration);
    while limits.clock.now() < until {
        match limits.clock.instant_of(until) {
            Some(instant) => tokio::time::sleep_until(instant.into()).await,
            None => std::future::pending().await,
        }
    }
}
