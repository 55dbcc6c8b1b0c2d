//! Why the history cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why the history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The database cannot be read or written.
    #[error("the history {path} cannot be used: {error}; name another with --history")]
    Database {
        /// The database.
        path: PathBuf,
        /// The reason.
        error: rusqlite::Error,
    },
    /// A file of it cannot be read or written.
    #[error("{path} cannot be {done}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was to be done with it.
        done: &'static str,
        /// The reason.
        error: io::Error,
    },
    /// Another process keeps it from being used.
    #[error("the history {0} is being mended by another process; try again")]
    Busy(PathBuf),
    /// A run cannot be put into it.
    #[error("{0}")]
    Run(String),
    /// Pages cannot be made of it.
    #[error("the pages of the history cannot be made: {0}")]
    Page(#[from] minijinja::Error),
}

impl HistoryError {
    /// The database cannot be read or written.
    pub(super) fn database(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        |error| Self::Database {
            path: path.to_path_buf(),
            error,
        }
    }

    /// A file cannot be read.
    pub(super) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |error| Self::File {
            path: path.to_path_buf(),
            done: "read",
            error,
        }
    }

    /// A file cannot be written.
    pub(super) fn unwritable(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |error| Self::File {
            path: path.to_path_buf(),
            done: "written",
            error,
        }
    }

    /// Returns whether the database's bytes are broken, so that it must be made anew.
    pub(super) fn is_damage(&self) -> bool {
        let Self::Database { error, .. } = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        )
    }
}
