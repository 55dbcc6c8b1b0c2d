//! A temporary place inside the store, so that what is ready can be moved by a rename.

use crate::sharing::{Lease, has_no_locks, is_shared};
use crate::store::Store;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// How the names of temporary places begin.
const PREFIX: &str = ".incoming-";
/// The file in it that is locked as long as somebody works there.
const LOCK: &str = ".lock";
/// How old a place without a lock must be before it is taken for abandoned: one that is being made
/// has none yet.
const ABANDONED: Duration = Duration::from_mins(1);
/// The file in it that says who works there.
const HOLDER: &str = ".holder";
/// How old a place must be before it is taken for abandoned where several machines work, of which each
/// may see no locks but its own: longer than any download takes.
const ABANDONED_ELSEWHERE: Duration = Duration::from_hours(48);

/// A folder that goes when this value goes, with everything in it. If its program is killed, it
/// goes when the next one makes a place in the same store.
#[derive(Debug)]
pub struct Workplace {
    folder: TempDir,
    _lock: File,
    _holder: Option<Lease>,
}

impl Workplace {
    /// Makes one, and removes those that others have left behind.
    ///
    /// # Errors
    ///
    /// Returns the reason if the store cannot be written.
    pub fn new(store: &Store) -> Result<Self, String> {
        let problem = |error: std::io::Error| {
            format!(
                "the model store {} cannot be written: {error}; set EARMARK_HOME to a folder of yours",
                store.root.display()
            )
        };
        fs::create_dir_all(&store.root).map_err(problem)?;
        remove_abandoned(&store.root);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&store.root)
            .map_err(problem)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(problem)?;
        // File systems without locks lose only the removal of what was left behind.
        let _ = lock.try_lock();
        let holder = Lease::note(&folder.path().join(HOLDER)).ok();
        Ok(Self {
            folder,
            _lock: lock,
            _holder: holder,
        })
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the places whose makers are gone: what lies there came from somewhere, is not whole and
/// can be trusted by nobody.
fn remove_abandoned(root: &Path) {
    let is_shared = is_shared(root);
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let is_abandoned = |place: &Path| {
            if is_shared {
                is_abandoned_by_all(place)
            } else {
                is_abandoned(place)
            }
        };
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&entry.path()) {
            // Another runner may be removing it as well.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A lock dies with its holder, however that ended.
fn is_abandoned(place: &Path) -> bool {
    match File::open(place.join(LOCK)).map(|lock| lock.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::Error(error))) if has_no_locks(&error) => is_abandoned_by_all(place),
        Ok(Err(_)) => false,
        Err(_) => is_older(place, ABANDONED),
    }
}

/// Where a lock tells nothing of other machines: its maker was a process of this one that is gone, or
/// nobody can be working there any more.
fn is_abandoned_by_all(place: &Path) -> bool {
    match Lease::holder(&place.join(HOLDER)) {
        Ok(Some(holder)) if holder.is_gone() => true,
        _ => is_older(place, ABANDONED_ELSEWHERE),
    }
}

fn is_older(place: &Path, than: Duration) -> bool {
    fs::metadata(place)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|made| made.elapsed().is_ok_and(|age| age > than))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_program_left_is_removed_and_what_is_in_use_stays() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::at(root.path());
        let in_use = Workplace::new(&store).unwrap();
        let left = root.path().join(".incoming-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("half"), "of a model").unwrap();
        let being_made = root.path().join(".incoming-new");
        fs::create_dir(&being_made).unwrap();
        let other = Workplace::new(&store).unwrap();
        assert!(in_use.path().exists() && other.path().exists() && being_made.exists());
        assert!(!left.exists());
        drop((in_use, other));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn where_locks_tell_nothing_only_a_process_of_this_machine_is_known_to_be_gone() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join(".incoming-x");
        fs::create_dir(&place).unwrap();
        // Another machine may see no lock of ours, nor we of it.
        fs::write(place.join(LOCK), "").unwrap();
        assert!(is_abandoned(&place) && !is_abandoned_by_all(&place));
        let _holder = Lease::note(&place.join(HOLDER)).unwrap();
        assert!(!is_abandoned_by_all(&place));
        let text = fs::read_to_string(place.join(HOLDER)).unwrap();
        let gone = text.replace("\"began\":", "\"began\":1");
        assert_ne!(gone, text);
        fs::write(place.join(HOLDER), gone).unwrap();
        assert!(is_abandoned_by_all(&place));
    }
}
