//! A temporary place inside the store, so that what is ready can be moved by a rename.

use crate::store::Store;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder that goes when this value goes, with everything in it.
#[derive(Debug)]
pub struct Workplace {
    folder: TempDir,
}

impl Workplace {
    /// Makes one.
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
        let folder = tempfile::Builder::new()
            .prefix(".incoming-")
            .tempdir_in(&store.root)
            .map_err(problem)?;
        Ok(Self { folder })
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}
