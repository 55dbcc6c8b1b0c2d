//! What a run has going at a moment: its clock, and the children that hang on it.

use crate::clock::{Clock, RunClock};
use std::collections::HashMap;
use std::io;
use std::process::Command;
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

    /// Starts the shim of a child, which is told things by `link`. A sweep never sees a shim that is
    /// not known yet, because both take the same lock.
    pub(super) fn spawn(
        &self,
        command: &mut Command,
        link: &Arc<UnixStream>,
    ) -> io::Result<std::process::Child> {
        let mut children = lock(&self.children);
        let shim = command.spawn()?;
        children.insert(shim.id(), Arc::downgrade(link));
        Ok(shim)
    }

    /// A child's shim is gone.
    pub(super) fn remove(&self, shim: u32) {
        lock(&self.children).remove(&shim);
    }

    /// Returns whether a process is a shim that was started and has not been waited for.
    pub(super) fn is_shim(&self, pid: i32) -> bool {
        u32::try_from(pid).is_ok_and(|pid| lock(&self.children).contains_key(&pid))
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
