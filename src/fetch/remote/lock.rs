//! Locks that programs for hubs share: `flock` on a file beside the cache, as Python's
//! `huggingface_hub` takes it. They die with their holder, however that ends.

use super::pace;
use crate::fetch::failure::Failure;
use crate::fetch::request::{Limits, Teller, Told};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How often it is tried. No thread waits in the kernel: one that did could not be given up.
const POLL: Duration = Duration::from_millis(50);

/// Takes a lock, however long it takes: whoever asked has a limit. `None` where the file system has
/// no locks.
pub(super) async fn lock(
    path: &Path,
    what: &str,
    limits: &Limits,
    tell: &Teller,
) -> Result<Option<File>, Failure> {
    let problem = |error: io::Error| {
        Failure::lasting(format!(
            "the lock {} cannot be taken: {error}",
            path.display()
        ))
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(problem)?;
    }
    let mut told = false;
    loop {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(problem)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(Some(file)),
            // The holder before us removed the file: who comes next locks another one.
            Ok(()) => continue,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(problem(error)),
        }
        if !told {
            tell(Told::Note(format!(
                "{what}: another program is fetching it; waiting for {}",
                path.display()
            )));
            told = true;
        }
        pace::sleep(limits, POLL).await;
    }
}

/// Returns whether an open file is the one that lies at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
}

fn has_no_locks(error: &io::Error) -> bool {
    let no_locks = rustix::io::Errno::NOLCK.raw_os_error();
    error.kind() == ErrorKind::Unsupported || error.raw_os_error() == Some(no_locks)
}
