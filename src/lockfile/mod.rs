//! The lock file: which bytes, engines and recordings a matrix was last agreed to mean.
//!
//! `earmark lock` writes `<name>.lock.yaml` beside the matrix; `--locked` holds a plan against it and
//! refuses whatever it does not name. It is sorted and has a line for each file, so that a change can
//! be read in a review.

mod apply;
mod file;
mod make;
mod read;
mod text;

pub use apply::{apply, differing_versions};
pub use file::{LockFile, LockedArtifact, LockedAudio, LockedFile, LockedSource};
pub use make::{artifacts_of, lock_of};
pub use read::read;
pub use text::text;

use std::path::{Path, PathBuf};

/// How the names of lock files end.
pub const SUFFIX: &str = ".lock.yaml";

/// Returns where the lock file of a matrix lies: beside it, under its name.
#[must_use]
pub fn path_of(matrix: &Path) -> PathBuf {
    let stem = matrix.file_stem().unwrap_or_default().to_string_lossy();
    matrix.with_file_name(format!("{stem}{SUFFIX}"))
}

/// Returns whether a file is a lock file by its name.
#[must_use]
pub fn is_lock_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(SUFFIX) || name.ends_with(".lock.yml")
}
