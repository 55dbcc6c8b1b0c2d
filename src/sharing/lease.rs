//! A lease: a file that says who holds something, renewed by its holder.

use super::holder::{Holder, unique_name};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The variable that sets [`LeaseRules::patience`], in seconds, and has leases held everywhere.
const VARIABLE: &str = "EARMARK_LEASE_SECONDS";

/// How long a lease may stay as it is before it may be taken over. A network file system may show an
/// old content for as long as a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// So many renewals fit into that time.
const RENEWALS: u32 = 6;

/// Every lease has this length, so that a renewal is one write in place.
const LENGTH: usize = 1024;

/// How leases are held and given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRules {
    /// How long a lease of somebody else may stay as it is before it is taken over.
    pub patience: Duration,
    /// Whether leases are held on every file system, and not only on those that several machines share
    /// or that have no locks.
    pub everywhere: bool,
}

impl Default for LeaseRules {
    fn default() -> Self {
        Self {
            patience: PATIENCE,
            everywhere: false,
        }
    }
}

impl LeaseRules {
    /// Reads `EARMARK_LEASE_SECONDS`: a whole number of seconds from 1 on. Without it, or if it is no
    /// such number, the default.
    #[must_use]
    pub fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let told = get(VARIABLE).and_then(|text| text.to_str()?.trim().parse::<u64>().ok());
        told.filter(|seconds| *seconds > 0)
            .map_or_else(Self::default, |seconds| Self {
                patience: Duration::from_secs(seconds),
                everywhere: true,
            })
    }

    /// Returns how often a lease is renewed.
    #[must_use]
    pub fn renewal(&self) -> Duration {
        self.patience / RENEWALS
    }
}

/// Returns where the lease of a lock file lies: beside it, where no other program looks.
#[must_use]
pub fn lease_file(lock: &Path) -> PathBuf {
    let mut name = lock.as_os_str().to_owned();
    name.push(".lease");
    name.into()
}

/// A lease that is held until it is dropped. A thread renews it.
///
/// It is renewed through the descriptor of the file that was made for it. So if another takes it over,
/// by putting a file of its own in its place, the former holder writes to a file that has no name any
/// more, and can take nothing back.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: File,
    holder: Holder,
    is_lost: AtomicBool,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Lease {
    /// Takes a lease that nobody holds. `None` if somebody does.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be made.
    pub fn acquire(path: &Path, rules: &LeaseRules) -> io::Result<Option<Self>> {
        let (temporary, file, holder) = prepare(path, rules.renewal(), Reach::Others)?;
        // A link is made whole or not at all, on network file systems too.
        let linked = match fs::hard_link(&temporary, path) {
            Ok(()) => Ok(true),
            // Its answer may have been lost on the way, and it was asked for twice.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(is_at(&file, path)),
            Err(error) if has_no_links(&error) => {
                return Self::acquire_without_links(path, &temporary, holder, rules);
            }
            Err(error) => Err(error),
        };
        let _ = fs::remove_file(&temporary);
        Ok(linked?.then(|| Self::renewed(path, file, holder, rules.renewal())))
    }

    fn acquire_without_links(
        path: &Path,
        temporary: &Path,
        holder: Holder,
        rules: &LeaseRules,
    ) -> io::Result<Option<Self>> {
        let _ = fs::remove_file(temporary);
        let options = OpenOptions::new().write(true).create_new(true).open(path);
        match options {
            Ok(file) => {
                write(&file, &holder, Reach::Others)?;
                Ok(Some(Self::renewed(path, file, holder, rules.renewal())))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes over a lease that was abandoned by `former`. `None` if it has changed since, or another
    /// took it over. If two take it over in the same moment both may have it for as long as a
    /// renewal: then one of them finds that it has lost it.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be made.
    pub fn take_over(path: &Path, former: &Holder, rules: &LeaseRules) -> io::Result<Option<Self>> {
        if Self::holder(path)?.as_ref() != Some(former) {
            return Ok(None);
        }
        let (temporary, file, holder) = prepare(path, rules.renewal(), Reach::Others)?;
        fs::rename(&temporary, path).inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })?;
        let is_ours = Self::holder(path)?.is_some_and(|found| found.token == holder.token);
        Ok(is_ours.then(|| Self::renewed(path, file, holder, rules.renewal())))
    }

    /// Says who holds a lock that the kernel keeps: nobody takes anything over by what it says, and it
    /// is not renewed.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be made.
    pub fn note(path: &Path) -> io::Result<Self> {
        let (temporary, file, holder) = prepare(path, Duration::ZERO, Reach::ThisMachine)?;
        fs::rename(&temporary, path).inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })?;
        Ok(Self::of(path, file, holder))
    }

    /// Reads who holds a lease; `None` if nobody does. What cannot be understood is somebody of whom
    /// nothing is known.
    ///
    /// # Errors
    ///
    /// Fails if the file is there and cannot be read.
    pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
        // To open is to ask the server again.
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        let limit = u64::try_from(LENGTH).unwrap_or(u64::MAX) * 2;
        let read = file.take(limit).read_to_string(&mut text);
        let known = read
            .ok()
            .and_then(|_| serde_json::from_str(text.trim()).ok());
        Ok(Some(known.unwrap_or_else(|| Holder {
            // It counts as renewed when this changes.
            token: text,
            ..Holder::default()
        })))
    }

    /// Returns whether another has taken it over, as far as is known: it is looked at with each renewal.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.shared.is_lost.load(Ordering::Relaxed)
    }

    /// Returns what tells this holding from every other one.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.shared.holder.token
    }

    fn of(path: &Path, file: File, holder: Holder) -> Self {
        Self {
            path: path.to_path_buf(),
            shared: Arc::new(Shared {
                file,
                holder,
                is_lost: AtomicBool::new(false),
                is_over: Mutex::new(false),
                over: Condvar::new(),
            }),
        }
    }

    fn renewed(path: &Path, file: File, holder: Holder, every: Duration) -> Self {
        let lease = Self::of(path, file, holder);
        let (shared, path) = (Arc::clone(&lease.shared), lease.path.clone());
        let renewing = std::thread::Builder::new()
            .name("lease".into())
            .spawn(move || shared.renew(&path, every));
        // Without its thread it is not renewed, and taken over by others after a while: harmless, as
        // everything about a lease must be.
        drop(renewing);
        lease
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let is_over = self.shared.is_over.lock();
        *is_over.unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.over.notify_all();
        if is_at(&self.shared.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Shared {
    /// Renews a lease until it is over or lost.
    fn renew(&self, path: &Path, every: Duration) {
        let mut holder = self.holder.clone();
        let mut is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let waited = self.over.wait_timeout(is_over, every);
            is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *is_over {
                return;
            }
            if !is_at(&self.file, path) {
                self.is_lost.store(true, Ordering::Relaxed);
                return;
            }
            holder.renewals += 1;
            // A disk that is full or away for a moment is tried again.
            let _ = write(&self.file, &holder, Reach::Others);
        }
    }
}

/// Makes a whole lease beside its place.
fn prepare(path: &Path, renewal: Duration, reach: Reach) -> io::Result<(PathBuf, File, Holder)> {
    let holder = Holder::new(u64::try_from(renewal.as_millis()).unwrap_or(u64::MAX));
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", unique_name()));
    let temporary = PathBuf::from(temporary);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)?;
    write(&file, &holder, reach).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    Ok((temporary, file, holder))
}

/// Who is to see what is written.
#[derive(Clone, Copy)]
enum Reach {
    /// Other machines, to which it must be sent.
    Others,
    /// Other processes of this machine, which see it anyhow.
    ThisMachine,
}

/// Writes a lease in place.
fn write(file: &File, holder: &Holder, reach: Reach) -> io::Result<()> {
    let mut text = serde_json::to_vec(holder).map_err(io::Error::other)?;
    if text.len() >= LENGTH {
        return Err(io::Error::other("the host's name is too long"));
    }
    text.resize(LENGTH - 1, b' ');
    text.push(b'\n');
    file.write_all_at(&text, 0)?;
    match reach {
        Reach::Others => file.sync_data(),
        Reach::ThisMachine => Ok(()),
    }
}

/// Whether an open file is the one that lies at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
}

fn has_no_links(error: &io::Error) -> bool {
    let numbers = [
        rustix::io::Errno::PERM,
        rustix::io::Errno::OPNOTSUPP,
        rustix::io::Errno::NOSYS,
        rustix::io::Errno::MLINK,
    ];
    error.kind() == ErrorKind::Unsupported
        || numbers
            .iter()
            .any(|number| error.raw_os_error() == Some(number.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> LeaseRules {
        LeaseRules {
            patience: Duration::from_millis(60),
            everywhere: true,
        }
    }

    fn eventually(what: &str, condition: impl Fn() -> bool) {
        let start = std::time::Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_mins(1), "{what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_of_many_has_it_and_it_is_free_when_that_one_is_done() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lease");
        let taken: Vec<Option<Lease>> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Lease::acquire(&path, &rules()).unwrap()))
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(taken.iter().flatten().count(), 1);
        let holder = Lease::holder(&path).unwrap().unwrap();
        assert_eq!(holder.process, std::process::id());
        assert!(holder.in_words().contains("process "));
        eventually("it is renewed", || {
            Lease::holder(&path)
                .unwrap()
                .is_some_and(|found| found.renewals > 2)
        });
        drop(taken);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        assert!(Lease::acquire(&path, &rules()).unwrap().is_some());
    }

    #[test]
    fn one_that_was_taken_over_takes_nothing_back() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lease");
        // Renewed so seldom that it is not in this test.
        let seldom = LeaseRules {
            patience: Duration::from_hours(6),
            everywhere: true,
        };
        let former = Lease::acquire(&path, &seldom).unwrap().unwrap();
        let told = Lease::holder(&path).unwrap().unwrap();
        let other = Holder {
            renewals: 7,
            ..told.clone()
        };
        assert!(Lease::take_over(&path, &other, &rules()).unwrap().is_none());
        let next = Lease::take_over(&path, &told, &rules()).unwrap().unwrap();
        // The former holder wakes up and renews what has no name any more.
        write(&former.shared.file, &other, Reach::Others).unwrap();
        drop(former);
        let found = Lease::holder(&path).unwrap().unwrap();
        assert_eq!(found.token, next.token());
        assert!(!next.is_lost());
    }

    #[test]
    fn whoever_lost_it_finds_out_with_the_next_renewal() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lease");
        let former = Lease::acquire(&path, &rules()).unwrap().unwrap();
        let next = loop {
            let told = Lease::holder(&path).unwrap().unwrap();
            if let Some(next) = Lease::take_over(&path, &told, &rules()).unwrap() {
                break next;
            }
        };
        eventually("it is lost", || former.is_lost());
        drop(former);
        assert!(path.exists() && !next.is_lost());
    }

    #[test]
    fn what_is_no_lease_is_somebody_of_whom_nothing_is_known() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lease");
        fs::write(&path, "{\"host\": \"ha").unwrap();
        let found = Lease::holder(&path).unwrap().unwrap();
        assert!(found.in_words().contains("does not say") && !found.is_gone());
        assert!(Lease::take_over(&path, &found, &rules()).unwrap().is_some());
    }

    #[test]
    fn the_patience_is_read_from_the_environment() {
        let rules = |text: &str| {
            LeaseRules::from_environment(|name| (name == VARIABLE).then(|| text.into()))
        };
        assert_eq!(rules("12").patience, Duration::from_secs(12));
        assert!(rules("12").everywhere);
        for wrong in ["", "0", "-1", "soon"] {
            assert_eq!(rules(wrong), LeaseRules::default());
        }
    }
}
