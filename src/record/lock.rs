//! The lock of a run folder: it is the kernel's, so it dies with its holder. On a file system that
//! several machines share, or that has no locks, a lease is held as well, and says who is still there.

use super::error::RecordError;
use crate::sharing::{
    Holder, Lease, LeaseRules, Sight, Watch, has_no_locks, is_shared, lease_file,
};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The name of the lock file. It says who holds the lock; that it exists says nothing.
const NAME: &str = "lock";

/// How often a lease is looked at of which nobody knows whether its holder is still there.
const POLL: Duration = Duration::from_millis(200);

/// The lock of a run folder, until it is dropped.
///
/// The descriptor is closed in every program that is started, so no child keeps the lock.
#[derive(Debug)]
pub(super) struct RunLock {
    path: PathBuf,
    _file: File,
    _lease: Option<Lease>,
}

impl RunLock {
    /// Returns the lock file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock of a folder that exists. It waits for nobody who is known to be there; whether the
    /// holder of a lease on another machine is, shows when the lease is renewed or has not been for long
    /// enough.
    ///
    /// # Errors
    ///
    /// Fails if another process has it, or the lock file cannot be made.
    pub(super) fn take(
        folder: &Path,
        unwritable: impl Fn(io::Error) -> RecordError,
    ) -> Result<Self, RecordError> {
        let rules = LeaseRules::from_environment(|name| std::env::var_os(name));
        Self::take_by(&rules, folder, unwritable)
    }

    fn take_by(
        rules: &LeaseRules,
        folder: &Path,
        unwritable: impl Fn(io::Error) -> RecordError,
    ) -> Result<Self, RecordError> {
        let path = folder.join(NAME);
        let mut by_lease = rules.everywhere || is_shared(folder);
        let in_use = |holder| RecordError::InUse {
            path: folder.to_path_buf(),
            holder,
        };
        loop {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(&unwritable)?;
            let mut is_locked_by_other = false;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if by_lease => is_locked_by_other = true,
                Err(TryLockError::WouldBlock) => return Err(in_use(told_holder(&mut file))),
                // Some network file systems have no locks.
                Err(TryLockError::Error(error)) if has_no_locks(&error) => by_lease = true,
                Err(TryLockError::Error(error)) => return Err(unwritable(error)),
            }
            if !is_at(&file, &path).map_err(&unwritable)? {
                // Its last holder removed it between our opening and our locking.
                continue;
            }
            let lease = if by_lease {
                let taken = take_lease(&lease_file(&path), rules, is_locked_by_other);
                let taken = taken.map_err(&unwritable)?;
                Some(taken.map_err(|holder| in_use(holder.map(|holder| holder.in_words())))?)
            } else {
                None
            };
            file.set_len(0).map_err(&unwritable)?;
            let names = rustix::system::uname();
            let host = names.nodename().to_string_lossy();
            writeln!(file, "{} {host}", std::process::id()).map_err(&unwritable)?;
            return Ok(Self {
                path,
                _file: file,
                _lease: lease,
            });
        }
    }
}

/// Takes a lease, or returns who has it. `needs_former` if the kernel's lock is another's, so that only
/// a lease which was given up tells that the other is not there any more.
fn take_lease(
    path: &Path,
    rules: &LeaseRules,
    needs_former: bool,
) -> io::Result<Result<Lease, Option<Holder>>> {
    let mut watch = Watch::new(rules.patience);
    let start = Instant::now();
    loop {
        if !needs_former && let Some(lease) = Lease::acquire(path, rules)? {
            return Ok(Ok(lease));
        }
        match watch.see(Lease::holder(path)?, start.elapsed()) {
            Sight::Free if needs_former => return Ok(Err(None)),
            Sight::Held {
                holder,
                is_renewed: true,
            } => return Ok(Err(Some(holder))),
            Sight::Abandoned { holder, .. } => {
                if let Some(lease) = Lease::take_over(path, &holder, rules)? {
                    return Ok(Ok(lease));
                }
            }
            Sight::Free | Sight::Held { .. } => {}
        }
        let pause = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(POLL.subsec_nanos()),
        };
        let _ = rustix::event::poll(&mut [], Some(&pause));
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // While the lock is still held: whoever opened the file before sees that it is gone.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns who holds the lock, in words, as far as the file tells.
fn told_holder(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(300).read_to_string(&mut text).ok()?;
    let (process, host) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let process: u32 = process.parse().ok()?;
    Some(if host.is_empty() {
        format!("process {process}")
    } else {
        format!("process {process} on {host}")
    })
}

/// Whether an open file is the one that stands at a path.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> Result<RunLock, RecordError> {
        RunLock::take(folder, |error| RecordError::unwritable(folder, error))
    }

    #[test]
    fn a_second_holder_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let lock = take(folder.path()).unwrap();
        let refused = take(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id()))
                && refused.contains(&folder.path().display().to_string())
                && refused.contains("--out"),
            "{refused}"
        );
        drop(lock);
        assert!(!folder.path().join(NAME).exists());
        take(folder.path()).unwrap();
    }

    #[test]
    fn a_lock_file_that_nobody_holds_is_in_no_ones_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "1\n").unwrap();
        take(folder.path()).unwrap();
    }

    #[test]
    fn where_locks_say_nothing_of_others_a_lease_does() {
        let folder = tempfile::tempdir().unwrap();
        let rules = LeaseRules {
            patience: Duration::from_millis(300),
            everywhere: true,
        };
        let take = |rules: &LeaseRules| {
            RunLock::take_by(rules, folder.path(), |error| {
                RecordError::unwritable(folder.path(), error)
            })
        };
        let lock = take(&rules).unwrap();
        let refused = take(&rules).unwrap_err().to_string();
        assert!(
            refused.contains("process ") && refused.contains(", since "),
            "{refused}"
        );
        drop(lock);
        // A node died, and its server keeps the kernel's lock.
        let stale = File::create(folder.path().join(NAME)).unwrap();
        stale.lock().unwrap();
        let refused = take(&rules).unwrap_err().to_string();
        assert!(refused.contains("another process"), "{refused}");
        let lease = folder.path().join("lock.lease");
        fs::write(&lease, "written by a machine that is gone").unwrap();
        let start = Instant::now();
        take(&rules).unwrap();
        assert!(start.elapsed() >= rules.patience);
        assert!(!lease.exists());
    }

    #[test]
    fn a_removed_file_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let old = File::create(&path).unwrap();
        assert!(is_at(&old, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&old, &path).unwrap());
        File::create(&path).unwrap();
        assert!(!is_at(&old, &path).unwrap());
    }
}
