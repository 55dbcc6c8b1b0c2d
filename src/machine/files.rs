//! The files in which a system tells of itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The files of a system: of this one, or a copy that a test has made.
#[derive(Clone, Debug)]
pub struct SystemFiles {
    root: PathBuf,
}

impl SystemFiles {
    /// Returns the files of this system.
    #[must_use]
    pub fn of_this_system() -> Self {
        Self::under(Path::new("/"))
    }

    /// Returns the files under a folder that stands for `/`.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name.trim_start_matches('/'))
    }

    /// Returns whether there is such a file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Returns the text of a file without the line's end; `None` if there is none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.path(name)).ok()?;
        Some(text.trim_end().to_owned())
    }

    /// Returns what a file of one value holds.
    pub(super) fn value<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.trim().parse().ok()
    }

    /// Returns the value behind a name in a file of `name: value` lines.
    pub(super) fn field(&self, name: &str, field: &str) -> Option<String> {
        self.text(name)?.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == field).then(|| value.trim().to_owned())
        })
    }

    /// Returns the names in a folder that begin with `prefix`, sorted, each behind the folder's own.
    pub(super) fn entries(&self, folder: &str, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        names.sort_unstable();
        names
    }
}
