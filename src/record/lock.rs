//! The lock of a run folder: it is the kernel's, so it dies with its holder.

use super::error::RecordError;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The name of the lock file. It says who holds the lock; that it exists says nothing.
const NAME: &str = "lock";

/// The lock of a run folder, until it is dropped.
///
/// The descriptor is closed in every program that is started, so no child keeps the lock.
#[derive(Debug)]
pub(super) struct RunLock {
    path: PathBuf,
    _file: File,
}

impl RunLock {
    /// Returns the lock file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock of a folder that exists.
    ///
    /// # Errors
    ///
    /// Fails if another process has it, or the lock file cannot be made.
    pub(super) fn take(
        folder: &Path,
        unwritable: impl Fn(io::Error) -> RecordError,
    ) -> Result<Self, RecordError> {
        let path = folder.join(NAME);
        loop {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(&unwritable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(RecordError::InUse {
                        path: folder.to_path_buf(),
                        pid: holder(&mut file),
                    });
                }
                // Some network file systems have no locks. A run there is better than none.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(unwritable(error)),
            }
            if !is_at(&file, &path).map_err(&unwritable)? {
                // Its last holder removed it between our opening and our locking.
                continue;
            }
            file.set_len(0).map_err(&unwritable)?;
            writeln!(file, "{}", std::process::id()).map_err(&unwritable)?;
            return Ok(Self { path, _file: file });
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // While the lock is still held: whoever opened the file before sees that it is gone.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns who holds the lock, as far as the file tells.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
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
