//! Why a run folder cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why a run folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no run folder, or what is in it is broken.
    #[error("{0}")]
    Unreadable(String),
    /// It cannot be made or written.
    #[error("the run folder {path} cannot be written: {error}; {remedy}")]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// The reason.
        error: io::Error,
        /// What can be done.
        remedy: &'static str,
    },
    /// Another process writes into it.
    #[error(
        "the run folder {path} is in use by {}; wait until that has ended, or choose another folder \
         with --out",
        .holder.as_deref().unwrap_or("another process")
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who it is, in words, if it has said so.
        holder: Option<String>,
    },
}

impl RecordError {
    /// A new folder cannot be written.
    pub(super) fn unwritable(path: &Path, error: io::Error) -> Self {
        Self::Unwritable {
            path: path.to_path_buf(),
            error,
            remedy: "choose another with --out",
        }
    }

    /// A folder cannot be removed.
    pub(super) fn unremovable(path: &Path, error: io::Error) -> Self {
        Self::Unwritable {
            path: path.to_path_buf(),
            error,
            remedy: "remove it yourself",
        }
    }

    /// The folder of a run that is to go on cannot be written.
    pub(super) fn not_resumable(path: &Path, error: io::Error) -> Self {
        Self::Unwritable {
            path: path.to_path_buf(),
            error,
            remedy: "make it writable, or resume a copy of it",
        }
    }
}
