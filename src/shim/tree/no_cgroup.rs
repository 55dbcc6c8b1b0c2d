//! Systems without control groups.

use std::io;
use std::path::{Path, PathBuf};

/// Nothing: there are no control groups here.
pub(in crate::shim) enum Cgroup {}

impl Cgroup {
    /// Returns `None`: there are none to make.
    pub(in crate::shim) fn create(_parent: &Path) -> Option<Self> {
        None
    }

    /// Returns an error: there are none to open.
    pub(in crate::shim) fn open(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns its path.
    pub(in crate::shim) fn path(&self) -> &Path {
        match *self {}
    }

    /// Returns the processes in it.
    pub(in crate::shim) fn members(&self) -> Vec<i32> {
        match *self {}
    }

    /// Kills every process in it.
    pub(in crate::shim) fn kill(&self) {
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
