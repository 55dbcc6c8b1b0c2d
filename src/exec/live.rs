//! What a run has going at a moment: its clock, and the children that hang on it.

use crate::clock::{Clock, RunClock};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::sleep_until;

/// What a run has going. Clones are one.
#[derive(Clone, Debug)]
pub struct Live {
    /// The run's clock.
    pub(super) clock: RunClock,
    children: Arc<Mutex<HashMap<u32, Weak<UnixStream>>>>,
    suspensions: Arc<Mutex<Vec<Duration>>>,
}

impl Live {
    /// Begins a run whose clock stands at `offset`: 0, or where the run that it resumes ended.
    #[must_use]
    pub fn starting_at(offset: Duration) -> Self {
        Self {
            clock: RunClock::starting_at(offset),
            children: Arc::default(),
            suspensions: Arc::default(),
        }
    }

    /// Takes note of a child: the process id of its shim, and the socket by which that is told things.
    pub(super) fn add(&self, shim: u32, link: &Arc<UnixStream>) {
        lock(&self.children).insert(shim, Arc::downgrade(link));
    }

    /// A child's shim is gone.
    pub(super) fn remove(&self, shim: u32) {
        lock(&self.children).remove(&shim);
    }

    /// Returns the process ids of the shims that are there.
    pub(super) fn shims(&self) -> Vec<u32> {
        lock(&self.children).keys().copied().collect()
    }

    /// Tells something to the shim of every child.
    pub(super) fn tell_all(&self, byte: u8) {
        for link in lock(&self.children).values().filter_map(Weak::upgrade) {
            // A shim that is gone needs to be told nothing.
            let _ = link.try_write(&[byte]);
        }
    }

    /// Leaves out a stretch of time in which this program and its children were stopped.
    pub(super) fn was_stopped(&self, stretch: Duration) {
        self.clock.leave_out(stretch);
        lock(&self.suspensions).push(stretch);
    }

    /// Returns the stretches in which this program was stopped since the last call.
    pub(super) fn take_suspensions(&self) -> Vec<Duration> {
        std::mem::take(&mut *lock(&self.suspensions))
    }

    /// Waits until the run's clock shows a time.
    pub(super) async fn sleep_until(&self, time: Duration) {
        while self.clock.now() < time {
            match self.clock.instant_of(time) {
                Some(instant) => sleep_until(instant.into()).await,
                None => std::future::pending().await,
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing that is done under these locks can leave them half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
