//! A temporary place inside the store, so that what is ready can be moved by a rename.

use crate::store::Store;
use std::fs::{self, File};
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

/// A folder that goes when this value goes, with everything in it. If its program is killed, it
/// goes when the next one makes a place in the same store.
#[derive(Debug)]
pub struct Workplace {
    folder: TempDir,
    _lock: File,
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
        Ok(Self {
            folder,
            _lock: lock,
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
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&entry.path()) {
            // Another runner may be removing it as well.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A lock dies with its holder, however that ended.
fn is_abandoned(place: &Path) -> bool {
    match File::open(place.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => fs::metadata(place)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|made| made.elapsed().is_ok_and(|age| age > ABANDONED)),
    }
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
}
