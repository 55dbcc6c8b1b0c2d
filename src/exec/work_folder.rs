//! Where the processes of command backends write what nobody keeps.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder in the run folder for what commands write. Timed work has the machine alone, so one
/// process at a time uses it, and what that left is removed before the next one.
#[derive(Debug)]
pub(super) struct WorkFolder {
    temporary: PathBuf,
    outputs: PathBuf,
    /// How many folders were made.
    made: AtomicU64,
}

impl WorkFolder {
    /// Opens the folder at a path, and makes it if it is not there.
    ///
    /// Fails with the reason if it cannot be made.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let folder = Self {
            temporary: path.join("temporary"),
            outputs: path.join("output"),
            made: AtomicU64::new(0),
        };
        fs::create_dir_all(&folder.temporary)
            .map_err(|error| format!("{} cannot be made: {error}", folder.temporary.display()))?;
        Ok(folder)
    }

    /// Returns where temporary files belong.
    pub(super) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Makes a fresh, empty folder for one process.
    pub(super) fn make_output(&self) -> Result<PathBuf, String> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.outputs.join(number.to_string());
        fs::create_dir_all(&path)
            .map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        Ok(path)
    }

    /// Removes what a process has left, as far as that is possible.
    pub(super) fn clear(&self) {
        if self.made.load(Ordering::Relaxed) > 0 {
            let _ = fs::remove_dir_all(&self.outputs);
        }
        for entry in fs::read_dir(&self.temporary)
            .into_iter()
            .flatten()
            .flatten()
        {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let _ = if is_folder {
                fs::remove_dir_all(entry.path())
            } else {
                fs::remove_file(entry.path())
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_left_is_gone_before_the_next() {
        let place = tempfile::tempdir().unwrap();
        let work = WorkFolder::open(&place.path().join("work")).unwrap();
        let output = work.make_output().unwrap();
        fs::write(output.join("a.txt"), "a").unwrap();
        fs::write(work.temporary().join("b"), "b").unwrap();
        fs::create_dir(work.temporary().join("c")).unwrap();
        work.clear();
        assert!(!output.exists());
        assert_eq!(fs::read_dir(work.temporary()).unwrap().count(), 0);
        assert_ne!(work.make_output().unwrap(), output);
    }
}
