//! Systems without control groups.

use std::path::{Path, PathBuf};

/// Nothing: there are no control groups here.
pub(in crate::shim) enum Cgroup {}

impl Cgroup {
    /// Returns `None`: there are none to make.
    pub(in crate::shim) fn create(_parent: &Path) -> Option<Self> {
        None
    }

    /// Returns its path.
    pub(in crate::shim) fn path(&self) -> &Path {
        match *self {}
    }

    /// Removes it.
    pub(in crate::shim) fn remove(&self) {
        match *self {}
    }
}

/// Returns `None`: there are none to try.
pub(in crate::shim) fn probe() -> Option<PathBuf> {
    None
}
