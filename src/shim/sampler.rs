//! Looks at the memory of a running tree from time to time. Definitions: `accounting`.

use std::time::{Duration, Instant};

use super::tree::Tree;

/// When the first look is taken. A child that ends sooner costs no look at all.
const FIRST_LOOK: Duration = Duration::from_millis(10);

/// A look must not take more than one part in this many of the time, or the shim would show in the
/// measurement. Matters on systems with very many processes.
const SHARE_OF_TIME: u32 = 100;

/// How many processes are looked at just before a kill: more would delay it.
const MOST_IN_LAST_LOOK: usize = 64;

/// Highest values seen so far, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Peaks {
    /// Largest resident size: of one process at its highest, or of the tree in one look.
    pub resident: u64,
    /// Largest anonymous resident size of the tree in one look; `None` before the first.
    pub anonymous: Option<u64>,
}

/// Looks at the tree at growing intervals, up to a fixed one.
pub(super) struct Sampler {
    /// Longest time between two looks; `None` = never looks.
    interval: Option<Duration>,
    /// Time to the look after the next.
    step: Duration,
    /// When to look next.
    next: Instant,
    /// The tree as of the last full listing.
    known: Vec<i32>,
    /// Newest process id of the system before that listing.
    newest_pid: Option<i32>,
    peaks: Peaks,
}

impl Sampler {
    /// Starts with the first look shortly after `start`.
    pub(super) fn new(interval: Option<Duration>, start: Instant) -> Self {
        let interval = interval.filter(|_| Tree::TELLS_MEMORY);
        let step = interval.map_or(FIRST_LOOK, |interval| interval.min(FIRST_LOOK));
        Self {
            interval,
            step,
            next: start + step,
            known: Vec::new(),
            newest_pid: None,
            peaks: Peaks::default(),
        }
    }

    /// Returns when it wants to look next; `None` = never.
    pub(super) fn due(&self) -> Option<Instant> {
        self.interval.map(|_| self.next)
    }

    /// Looks at the tree if it is time.
    pub(super) fn look_if_due(&mut self, tree: &Tree, now: Instant) {
        let Some(interval) = self.interval else {
            return;
        };
        if now < self.next {
            return;
        }
        let newest_pid = tree.newest_pid();
        // Listing a tree means reading every process of the system: only if any was started.
        if newest_pid.is_none() || newest_pid != self.newest_pid {
            self.newest_pid = newest_pid;
            self.known = tree.living();
        }
        self.look(tree);
        self.step = (2 * self.step).min(interval);
        let cost = now.elapsed();
        self.next = now + self.step.max(SHARE_OF_TIME * cost);
    }

    /// Looks once more just before the tree is killed, at the processes that are known.
    pub(super) fn last_look(&mut self, tree: &Tree) {
        if self.interval.is_some() && self.known.len() <= MOST_IN_LAST_LOOK {
            self.look(tree);
        }
    }

    /// Returns the highest values seen.
    pub(super) fn peaks(&self) -> Peaks {
        self.peaks
    }

    fn look(&mut self, tree: &Tree) {
        let mut resident = 0;
        let mut anonymous = None;
        let peaks = &mut self.peaks;
        self.known.retain(|pid| {
            let Some(memory) = tree.memory(*pid) else {
                return false;
            };
            resident += memory.resident;
            *anonymous.get_or_insert(0) += memory.anonymous;
            peaks.resident = peaks.resident.max(memory.peak_resident);
            true
        });
        peaks.resident = peaks.resident.max(resident);
        peaks.anonymous = peaks.anonymous.max(anonymous);
    }
}
