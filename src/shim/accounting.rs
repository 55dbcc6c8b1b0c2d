//! What a finished tree has used, and how each figure is defined.
//!
//! **Processor time** is the kernel's sum over the main child and all descendants that somebody
//! waited for: `getrusage(RUSAGE_CHILDREN)` of the shim. Orphans are reaped by the shim and so are
//! in it. Missing is only a process whose parent ignores SIGCHLD: the kernel reaps it uncounted.
//!
//! **Peak resident size** is the largest of
//!
//! 1. `ru_maxrss` of the same call: the high-water mark of the one process of the tree that was
//!    largest, kept by the kernel, so no peak is missed however short it was. The kernel carries a
//!    mark over `exec`, and the main child starts in the memory of the shim, so it starts with the
//!    shim's mark (some MiB). A mark that is not above that tells nothing, and is left out if there
//!    was a look at the tree; a tree that is smaller than the shim and ended before the first look
//!    is reported as large as the shim;
//! 2. `VmHWM` of each process as sampled, for those that `ru_maxrss` misses (see above);
//! 3. the largest sum of `VmRSS` over all processes of the tree in one sample. Pages that several
//!    processes share count once for each, and a sum higher than any sampled one is missed.
//!
//! So a single process is measured by the kernel, and a tree is at least its largest process. The
//! kernel itself counts in batches per processor: a reading may be off by some dozen pages each.
//!
//! **Peak anonymous size** is the largest sum of `RssAnon` in one sample: memory that no file
//! stands behind, so mapped weights are left out. Known only by sampling: a peak between two
//! samples is missed, and what the tree grew in its last interval too, because a process that
//! has ended has no memory left to look at.

#![expect(unsafe_code, reason = "`getrusage` has no safe wrapper")]

use std::mem::MaybeUninit;

/// What all reaped descendants have used together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Processor time in user mode, in seconds.
    pub user_seconds: f64,
    /// Processor time in the kernel, in seconds.
    pub system_seconds: f64,
    /// Resident size of the largest single process, in bytes.
    pub largest_resident: u64,
}

impl Usage {
    /// Returns the usage of all descendants that were reaped so far; zeros if the system fails.
    pub(super) fn of_reaped_descendants() -> Self {
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the call fills the structure; if it fails, zeros are a valid value of it too.
        let usage = unsafe {
            libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
            usage.assume_init()
        };
        Self {
            user_seconds: seconds(usage.ru_utime),
            system_seconds: seconds(usage.ru_stime),
            largest_resident: u64::try_from(usage.ru_maxrss).unwrap_or(0) * MAXRSS_UNIT,
        }
    }
}

/// Returns the peak of a tree, in bytes, given the kernel's mark, the highest that was seen at a
/// look (0 if there was none), and how to find this process's own mark.
pub(super) fn peak(of_kernel: u64, seen: u64, own: impl FnOnce() -> Option<u64>) -> u64 {
    let is_inherited = || own().is_some_and(|own| of_kernel <= own);
    if seen > 0 && seen < of_kernel && is_inherited() {
        seen
    } else {
        of_kernel.max(seen)
    }
}

/// Bytes in one unit of `ru_maxrss`.
const MAXRSS_UNIT: u64 = if cfg!(target_vendor = "apple") {
    1
} else {
    1024
};

#[expect(clippy::cast_precision_loss, reason = "2^53 seconds are enough")]
fn seconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + time.tv_usec as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_inherited_from_the_shim_is_no_peak() {
        let own = || Some(500);
        assert_eq!(peak(499, 100, own), 100, "only inherited");
        assert_eq!(peak(499, 0, own), 499, "an upper bound is all there is");
        assert_eq!(peak(501, 100, own), 501, "the kernel's mark is the child's");
        assert_eq!(peak(501, 900, own), 900, "several processes together");
        assert_eq!(peak(499, 100, || None), 499, "nothing is known");
    }
}
