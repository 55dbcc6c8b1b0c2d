//! A control group for one tree: the kernel ends all of it in one step that no fork slips past.
//! Files: `cgroups(7)` and the kernel's `cgroup-v2` document; `cgroup.kill` came with Linux 5.14.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, Mode, OFlags};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

/// A longer path would not fit into a report that arrives in one piece.
const LONGEST_PATH: usize = 1024;

/// How long a group whose last process has ended may take to become removable.
const TIME_TO_REMOVE: Duration = Duration::from_secs(1);

/// How the names of groups begin; the process id of the shim follows.
const PREFIX: &str = "earmark-";

/// A control group that this process has made, or that a shim has left behind.
pub(in crate::shim) struct Cgroup {
    path: PathBuf,
    kill: OwnedFd,
    processes: OwnedFd,
}

impl Cgroup {
    /// Makes a group below `parent`, without a process in it; `None` if anything is refused.
    pub(in crate::shim) fn create(parent: &Path) -> Option<Self> {
        let path = parent.join(fresh_name());
        if path.as_os_str().len() > LONGEST_PATH || path.to_str().is_none() {
            return None;
        }
        rustix::fs::mkdir(&path, Mode::from_raw_mode(0o755)).ok()?;
        let group = Self::open(&path);
        if group.is_err() {
            // Nobody can have joined it.
            let _ = rustix::fs::rmdir(&path);
        }
        group.ok()
    }

    /// Opens a group that is there.
    pub(in crate::shim) fn open(path: &Path) -> io::Result<Self> {
        let open = |file: &str, access: OFlags| {
            rustix::fs::open(path.join(file), access | OFlags::CLOEXEC, Mode::empty())
        };
        Ok(Self {
            path: path.to_owned(),
            kill: open("cgroup.kill", OFlags::WRONLY)?,
            processes: open("cgroup.procs", OFlags::RDWR)?,
        })
    }

    /// Returns where it is mounted.
    pub(in crate::shim) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what a process writes `0` to in order to join.
    pub(in crate::shim) fn processes(&self) -> BorrowedFd<'_> {
        self.processes.as_fd()
    }

    /// Kills every process in it and in the groups below.
    pub(in crate::shim) fn kill(&self) {
        // Refused only if the group is gone, and everybody with it.
        let _ = rustix::io::write(&self.kill, b"1");
    }

    /// Returns the processes in it and in the groups below that have not ended.
    pub(in crate::shim) fn members(&self) -> Vec<i32> {
        let mut members = Vec::new();
        for group in with_those_below(&self.path) {
            let list = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            members.extend(list.lines().filter_map(|line| line.parse::<i32>().ok()));
        }
        members
    }

    /// Removes it and the groups below, and kills whoever is still in one of them.
    pub(in crate::shim) fn remove(&self) {
        let limit = Instant::now() + TIME_TO_REMOVE;
        while !self.is_removed() {
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.kill();
            // Without a way to wait for it the group stays.
            if self.wait_until_empty(left).is_err() {
                return;
            }
        }
    }

    /// Waits for the last process to end. The kernel tells of a change as of an exceptional
    /// condition of the file, which says `populated 1` or `populated 0`.
    fn wait_until_empty(&self, limit: Duration) -> io::Result<()> {
        let mut events = File::open(self.path.join("cgroup.events"))?;
        let mut text = String::new();
        events.read_to_string(&mut text)?;
        if !text.contains("populated 1") {
            return Ok(());
        }
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        // A signal that comes in between only makes the next try come sooner.
        match poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn is_removed(&self) -> bool {
        if rustix::fs::rmdir(&self.path).is_ok() {
            return true;
        }
        // The tree may have made groups of its own. The deepest go first.
        for group in with_those_below(&self.path).iter().rev() {
            let _ = rustix::fs::rmdir(group);
        }
        !self.path.exists()
    }

    /// Returns whether processes can join: a group below a threaded one takes none.
    fn is_domain(&self) -> bool {
        std::fs::read_to_string(self.path.join("cgroup.type"))
            .is_ok_and(|kind| kind.trim_end() == "domain")
    }
}

/// Returns the directory in which shims can make control groups; `None` if there is none. Makes one
/// and removes it again.
pub(in crate::shim) fn probe() -> Option<PathBuf> {
    let mounts = std::fs::read("/proc/self/mountinfo").ok()?;
    let groups = std::fs::read("/proc/self/cgroup").ok()?;
    let parent = own_group(&mounts, &groups)?;
    remove_abandoned(&parent);
    let group = Cgroup::create(&parent)?;
    // A process may only be moved by who may write to the group that both places have in common.
    let may_move = rustix::fs::access(parent.join("cgroup.procs"), Access::WRITE_OK).is_ok();
    let is_domain = group.is_domain();
    group.remove();
    (may_move && is_domain).then_some(parent)
}

/// Removes the empty groups of shims that are gone: where shim and runner were both killed, nobody
/// else does it. A group in which somebody still lives cannot be removed.
fn remove_abandoned(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let of_shim = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let pid = of_shim.and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = rustix::fs::rmdir(entry.path());
        }
    }
}

/// Returns a name that no other shim has had since the machine was started.
fn fresh_name() -> String {
    let pid = rustix::process::getpid();
    let now = clock_gettime(ClockId::Boottime);
    format!("{PREFIX}{pid}-{}{:09}", now.tv_sec, now.tv_nsec)
}

/// Returns a group and all groups below it, each before those below it.
fn with_those_below(group: &Path) -> Vec<PathBuf> {
    let mut found = vec![group.to_owned()];
    let mut looked_at = 0;
    while let Some(directory) = found.get(looked_at) {
        looked_at += 1;
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let below: Vec<PathBuf> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect();
        found.extend(below);
    }
    found
}

/// Returns where this process's group is, given `/proc/self/mountinfo` and `/proc/self/cgroup`
/// (`proc_pid_mountinfo(5)`, `cgroups(7)`).
fn own_group(mounts: &[u8], groups: &[u8]) -> Option<PathBuf> {
    // The one hierarchy of the second version has number 0 and no list of controllers.
    let within = groups
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"0::"))?;
    let within = Path::new(std::ffi::OsStr::from_bytes(within));
    mounts.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let (root, place) = (fields.nth(3)?, fields.next()?);
        // Any number of optional fields ends with a dash.
        fields.find(|field| field == b"-")?;
        if fields.next()? != b"cgroup2" {
            return None;
        }
        // Only a part of the hierarchy may be mounted, and this process may be elsewhere.
        let below = within.strip_prefix(unescape(root)).ok()?;
        let is_inside = !below.components().any(|part| part.as_os_str() == "..");
        is_inside.then(|| unescape(place).join(below))
    })
}

/// Reads a path in which some bytes stand as a backslash and three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, others)) = rest.split_first() {
        let digits = others.get(..3).filter(|_| *first == b'\\');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        path.push(byte.unwrap_or(*first));
        rest = match byte {
            Some(_) => others.get(3..).unwrap_or_default(),
            None => others,
        };
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HYBRID: &[u8] = b"\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
36 31 0:33 / /sys/fs/cgroup/freezer rw shared:9 - cgroup cgroup rw,freezer
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:5 master:2 - cgroup2 cgroup2 rw
";

    fn own(mounts: &[u8], groups: &str) -> Option<PathBuf> {
        own_group(mounts, groups.as_bytes())
    }

    #[test]
    fn the_own_group_is_found_in_every_layout() {
        assert_eq!(
            own(HYBRID, "9:name=systemd:/a\n0::/\n"),
            Some("/sys/fs/cgroup/unified".into())
        );
        let unified = b"29 23 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw\n";
        assert_eq!(
            own(unified, "0::/user.slice/run\n"),
            Some("/sys/fs/cgroup/user.slice/run".into())
        );
        let part = b"29 23 0:26 /box /a\\040place rw - cgroup2 cgroup2 rw\n";
        assert_eq!(own(part, "0::/box/run\n"), Some("/a place/run".into()));
        assert_eq!(own(part, "0::/elsewhere\n"), None);
        assert_eq!(own(part, "0::/box/../other\n"), None);
        assert_eq!(own(b"", "0::/\n"), None);
        assert_eq!(own(HYBRID, "8:pids:/\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_reader(mounts: Vec<u8>, groups: Vec<u8>) {
            let _ = (own_group(&mounts, &groups), unescape(&mounts));
        }
    }
}
