//! Locks under which one of several runners fetches what all of them want: `flock` on a file beside the
//! cache, as Python's `huggingface_hub` takes it, and a [`Lease`] beside that file.
//!
//! On a file system of this machine the kernel's lock decides alone: it dies with its holder, however
//! that ends. What lies beside it only says who that is, and never stands in the lock file itself, which
//! Python empties. On a file system that several machines share, or that has no locks, the lease
//! decides; the kernel's lock is taken as well where there is one, for the sake of other programs. A
//! lock file whose being there would be a lock to Python is not left behind.
//!
//! Nothing that is published may rest on a lease. So whoever holds one writes into files of a name that
//! nobody else has: [`Held::tag`].

use super::failure::Failure;
use super::request::{Limits, Teller, Told};
use super::waiting::sleep;
use crate::clock::Clock;
use crate::model::units::show_seconds;
use crate::sharing::{Lease, LeaseRules, Sight, Watch, has_no_locks, is_shared, lease_file};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long is waited before it is tried again: at first, and at most. No thread waits in the kernel: one
/// that did could not be given up.
const POLL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Held {
    _kernel: Option<File>,
    lease: Option<Lease>,
    /// The lease decides, and not the kernel's lock.
    by_lease: bool,
    waited: bool,
}

impl Held {
    /// Returns what must be part of the name of every file that is written under this lock; `None` if
    /// the lock is the kernel's, so that the next holder may go on with what this one leaves.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.lease
            .as_ref()
            .filter(|_| self.by_lease)
            .map(Lease::token)
    }

    /// Returns whether somebody else had it when it was asked for.
    #[must_use]
    pub fn was_waited_for(&self) -> bool {
        self.waited
    }
}

/// Takes a lock, however long it takes: whoever asked has a limit. `None` if what it is wanted for was
/// there before it could be had: `is_there` is asked as long as another has it.
///
/// # Errors
///
/// Returns the reason if the lock file cannot be made.
pub async fn lock(
    path: &Path,
    what: &str,
    limits: &Limits,
    tell: &Teller,
    is_there: impl Fn() -> bool,
) -> Result<Option<Arc<Held>>, Failure> {
    let problem = |error: io::Error| {
        Failure::lasting(format!(
            "the lock {} cannot be taken: {error}",
            path.display()
        ))
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(problem)?;
    }
    let mut waiting = Waiting::new(path, &limits.lease);
    let mut pause = POLL.0;
    let mut told = None;
    loop {
        match waiting.look(limits.clock.now()).map_err(problem)? {
            Look::Mine { held, taken_from } => {
                if let Some(former) = taken_from {
                    tell(Told::Note(format!("{what}: {former}; it is taken over")));
                }
                return Ok(Some(Arc::new(held)));
            }
            Look::Again => continue,
            Look::Theirs(holder) => {
                if waiting.waited && is_there() {
                    return Ok(None);
                }
                waiting.waited = true;
                if told.as_ref() != Some(&holder) {
                    let who = holder
                        .as_ref()
                        .map_or_else(String::new, |holder| format!(" ({holder})"));
                    tell(Told::Note(format!(
                        "{what}: another program is fetching it{who}; waiting for {}",
                        path.display()
                    )));
                    told = Some(holder);
                }
            }
        }
        sleep(limits, pause).await;
        pause = (pause * 2).min(POLL.1);
    }
}

/// What a look at a lock came to.
enum Look {
    /// It is ours; in words, whom it was taken from.
    Mine {
        held: Held,
        taken_from: Option<String>,
    },
    /// Another has it; who, in words, if that is known.
    Theirs(Option<String>),
    /// It changed while it was looked at.
    Again,
}

/// What the kernel says of a lock.
enum Kernel {
    Mine(File),
    Theirs,
    /// There are no locks. `is_marked` if the file was there before us: to Python that is a lock then.
    None {
        is_marked: bool,
    },
    Again,
}

/// A wait for a lock.
struct Waiting {
    path: PathBuf,
    lease: PathBuf,
    rules: LeaseRules,
    by_lease: bool,
    watch: Watch,
    /// Since when a lock file has been seen that is a lock to Python.
    marked_since: Option<Duration>,
    waited: bool,
}

impl Waiting {
    fn new(path: &Path, rules: &LeaseRules) -> Self {
        Self {
            path: path.to_path_buf(),
            lease: lease_file(path),
            rules: *rules,
            by_lease: rules.everywhere || is_shared(path),
            watch: Watch::new(rules.patience),
            marked_since: None,
            waited: false,
        }
    }

    fn look(&mut self, now: Duration) -> io::Result<Look> {
        let kernel = match self.ask_kernel()? {
            Kernel::Again => return Ok(Look::Again),
            Kernel::Mine(file) if !self.by_lease => return Ok(self.by_kernel(file)),
            Kernel::Mine(file) => Some(file),
            Kernel::Theirs if !self.by_lease => return Ok(Look::Theirs(self.told_holder())),
            Kernel::Theirs => return self.behind_a_lock(now),
            Kernel::None { is_marked } => {
                self.by_lease = true;
                // Another program's lock, or one that was left. It says nothing, so it is waited for as
                // long as a lease would be.
                if is_marked {
                    let since = *self.marked_since.get_or_insert(now);
                    if now.saturating_sub(since) < self.rules.patience {
                        return Ok(Look::Theirs(self.told_holder()));
                    }
                } else {
                    self.marked_since = None;
                }
                None
            }
        };
        if let Some(lease) = Lease::acquire(&self.lease, &self.rules)? {
            return Ok(self.mine(kernel, lease, None));
        }
        self.take_over(now, kernel)
    }

    /// Another has the kernel's lock, on a file system on which that may outlive its holder: only if it
    /// holds a lease too is it known whether it is still there.
    fn behind_a_lock(&mut self, now: Duration) -> io::Result<Look> {
        self.take_over(now, None)
    }

    /// Takes a lease over if it was abandoned.
    fn take_over(&mut self, now: Duration, kernel: Option<File>) -> io::Result<Look> {
        match self.watch.see(Lease::holder(&self.lease)?, now) {
            Sight::Free => Ok(Look::Theirs(None)),
            Sight::Held { holder, .. } => Ok(Look::Theirs(Some(holder.in_words()))),
            Sight::Abandoned { holder, unchanged } => {
                let taken = Lease::take_over(&self.lease, &holder, &self.rules)?;
                let Some(lease) = taken else {
                    return Ok(Look::Theirs(Some(holder.in_words())));
                };
                let why = unchanged.map_or_else(
                    || "is gone".to_owned(),
                    |unchanged| {
                        let seconds = show_seconds(unchanged.as_secs_f64());
                        format!("has not renewed its lease for {seconds}")
                    },
                );
                let former = format!("{} {why}", holder.in_words());
                Ok(self.mine(kernel, lease, Some(former)))
            }
        }
    }

    fn by_kernel(&self, file: File) -> Look {
        Look::Mine {
            held: Held {
                _kernel: Some(file),
                // Without it nobody knows who holds the lock, and that is all.
                lease: Lease::note(&self.lease).ok(),
                by_lease: false,
                waited: self.waited,
            },
            taken_from: None,
        }
    }

    fn mine(&self, kernel: Option<File>, lease: Lease, taken_from: Option<String>) -> Look {
        Look::Mine {
            held: Held {
                _kernel: kernel,
                lease: Some(lease),
                by_lease: true,
                waited: self.waited,
            },
            taken_from,
        }
    }

    /// Returns who says that it holds the kernel's lock. One that is gone left that behind, and another
    /// program has the lock.
    fn told_holder(&self) -> Option<String> {
        let holder = Lease::holder(&self.lease).ok().flatten()?;
        (!holder.is_gone()).then(|| holder.in_words())
    }

    fn ask_kernel(&self) -> io::Result<Kernel> {
        let open = |create_new: bool| {
            OpenOptions::new()
                .create(!create_new)
                .create_new(create_new)
                .truncate(false)
                .write(true)
                .open(&self.path)
        };
        let (file, is_new) = match open(true) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => (open(false)?, false),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) if is_at(&file, &self.path) => Ok(Kernel::Mine(file)),
            // The holder before us removed the file: who comes next locks another one.
            Ok(()) => Ok(Kernel::Again),
            Err(TryLockError::WouldBlock) => Ok(Kernel::Theirs),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                if is_new {
                    // To Python it would be a lock that nobody ever gives back.
                    let _ = fs::remove_file(&self.path);
                }
                Ok(Kernel::None { is_marked: !is_new })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Returns whether an open file is the one that lies at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::RunClock;
    use std::sync::Mutex;

    fn limits(lease: LeaseRules) -> Limits {
        Limits {
            clock: RunClock::starting_at(Duration::ZERO),
            stall: Duration::from_secs(1),
            deadline: Duration::from_mins(1),
            lease,
        }
    }

    fn everywhere(milliseconds: u64) -> LeaseRules {
        LeaseRules {
            patience: Duration::from_millis(milliseconds),
            everywhere: true,
        }
    }

    fn notes() -> (Teller, Arc<Mutex<Vec<String>>>) {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&notes);
        let teller: Teller = Arc::new(move |told| {
            if let Told::Note(note) = told {
                kept.lock().unwrap().push(note);
            }
        });
        (teller, notes)
    }

    #[tokio::test]
    async fn the_kernels_lock_says_who_holds_it_and_leaves_nothing_but_its_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lock");
        let limits = limits(LeaseRules::default());
        let (tell, notes) = notes();
        let held = lock(&path, "x", &limits, &tell, || false).await.unwrap();
        assert_eq!(held.as_ref().unwrap().tag(), None);
        // The second leaves as soon as what it wants is there.
        let other = lock(&path, "x", &limits, &tell, || true).await.unwrap();
        assert!(other.is_none());
        let told = notes.lock().unwrap().concat();
        let me = format!("(process {} on ", std::process::id());
        assert!(told.contains(&me) && told.contains("x.lock"), "{told}");
        // Python empties the file, and finds nothing in it that it would miss.
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        drop(held);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_lease_decides_where_the_kernel_may_not_tell() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lock");
        let (tell, notes) = notes();
        let limits = limits(everywhere(200));
        // Somebody elsewhere has it, and never renews it.
        let dead = Lease::note(&lease_file(&path)).unwrap();
        let held = lock(&path, "x", &limits, &tell, || false).await.unwrap();
        let held = held.unwrap();
        assert!(held.tag().is_some() && held.was_waited_for());
        assert!(limits.clock.now() >= Duration::from_millis(200));
        let told = notes.lock().unwrap().concat();
        assert!(told.contains("has not renewed its lease for "), "{told}");
        // The former holder takes nothing back.
        drop(dead);
        assert!(lease_file(&path).exists());
        drop(held);
        assert!(!lease_file(&path).exists());
    }

    #[tokio::test]
    async fn a_lock_that_outlived_its_holder_is_passed_by_if_that_had_a_lease() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.lock");
        let (tell, _) = notes();
        // A server still keeps the lock of a node that died.
        let stale = File::create(&path).unwrap();
        stale.lock().unwrap();
        let dead = Lease::note(&lease_file(&path)).unwrap();
        let limits = limits(everywhere(200));
        let held = lock(&path, "x", &limits, &tell, || false).await.unwrap();
        assert!(held.unwrap().tag().is_some());
        drop(dead);
    }
}
