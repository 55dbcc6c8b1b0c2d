//! What the tree costs: CPU from the kernel's accounts of reaped children, memory by looking.

use super::tree::descendants;
use rustix::process::Pid;
use std::fs;

/// The largest memory seen so far.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) peak_rss: Option<u64>,
    pub(super) peak_anonymous: Option<u64>,
}

impl Memory {
    /// Looks at one process, which is enough while it has no child.
    pub(super) fn look_at(&mut self, child: Pid) {
        let pids: Vec<Pid> = if has_children(child) {
            descendants()
                .iter()
                .filter(|d| !d.zombie)
                .map(|d| d.pid)
                .collect()
        } else {
            vec![child]
        };
        let (mut resident, mut anonymous, mut highest) = (0, 0, 0);
        for pid in pids {
            let Some(status) = MemoryStatus::of(pid) else {
                continue;
            };
            resident += status.resident;
            anonymous += status.anonymous;
            highest = highest.max(status.high_water);
        }
        if resident > 0 {
            self.peak_rss = self.peak_rss.max(Some(resident.max(highest)));
            self.peak_anonymous = self.peak_anonymous.max(Some(anonymous));
        }
    }
}

/// Whether the kernel lists children of a process's main thread. Where it cannot tell, the answer
/// is yes, and the whole of `/proc` is looked at.
fn has_children(pid: Pid) -> bool {
    let number = pid.as_raw_nonzero();
    fs::read_to_string(format!("/proc/{number}/task/{number}/children"))
        .map_or(true, |children| !children.trim().is_empty())
}

struct MemoryStatus {
    resident: u64,
    anonymous: u64,
    high_water: u64,
}

impl MemoryStatus {
    /// Reads `/proc/PID/status`; `None` once the process has ended.
    fn of(pid: Pid) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<u64>()
                .ok()
                .map(|kib| kib * 1024)
        };
        Some(Self {
            resident: field("VmRSS:")?,
            anonymous: field("RssAnon:")?,
            high_water: field("VmHWM:")?,
        })
    }
}

/// User and system time of every child that has been reaped, and of theirs.
pub(super) struct ReapedUsage {
    pub(super) user_seconds: f64,
    pub(super) system_seconds: f64,
    /// The largest high-water mark among them. A child starts with the mark of this process, which
    /// is a few MiB: far below any engine's.
    pub(super) peak_rss_bytes: u64,
}

/// Returns what all reaped children have cost together.
pub(super) fn reaped_usage() -> ReapedUsage {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "rustix has no getrusage")]
    // SAFETY: the pointer is valid for writes, and zero is a valid value of every field, so the
    // struct is initialised whether the call succeeds or not.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "CPU times are far below 2^53 microseconds"
    )]
    let seconds = |time: libc::timeval| time.tv_sec as f64 + f64::from(time.tv_usec as i32) * 1e-6;
    // Kilobytes on Linux, bytes on macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    ReapedUsage {
        user_seconds: seconds(usage.ru_utime),
        system_seconds: seconds(usage.ru_stime),
        peak_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit,
    }
}
