//! The site's folder: filled beside its place, and put there at once.

use crate::history::HistoryError;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file by which a folder is known to be such a site.
const MARK: &str = "earmark-site.txt";

/// A site that is being made.
#[derive(Debug)]
pub(super) struct Site {
    place: PathBuf,
    new: TempDir,
    pages: Vec<String>,
}

impl Site {
    /// Begins a site that is to stand in a folder.
    pub(super) fn begin(folder: &Path) -> Result<Self, HistoryError> {
        let unwritable = HistoryError::unwritable(folder);
        let place = match folder.canonicalize() {
            Ok(place) => place,
            Err(_) => std::path::absolute(folder).map_err(&unwritable)?,
        };
        if place.exists() && !place.join(MARK).is_file() && !is_empty(&place) {
            return Err(HistoryError::Run(format!(
                "{} holds something else than a site that this program made, and is left as it is; name \
                 another folder",
                folder.display()
            )));
        }
        let parent = place.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(&unwritable)?;
        let new = tempfile::Builder::new()
            .prefix(".earmark-site-")
            .tempdir_in(parent)
            .map_err(&unwritable)?;
        fs::create_dir(new.path().join("reports")).map_err(&unwritable)?;
        fs::set_permissions(new.path(), fs::Permissions::from_mode(0o755)).map_err(&unwritable)?;
        let mut site = Self {
            place,
            new,
            pages: Vec::new(),
        };
        site.write(
            MARK,
            b"Made by `earmark history site`, which replaces this folder whole.\n",
        )?;
        Ok(site)
    }

    /// Takes in the report of a run, from its folder or else from the site before. Returns whether there
    /// is one.
    pub(super) fn report(
        &mut self,
        key: &str,
        source: Option<&Path>,
    ) -> Result<bool, HistoryError> {
        let name = format!("reports/{key}.html");
        let before = self.place.join(&name);
        for source in source.into_iter().chain([before.as_path()]) {
            match fs::copy(source, self.new.path().join(&name)) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(HistoryError::unwritable(source)(error)),
            }
        }
        Ok(false)
    }

    /// Takes in a page.
    pub(super) fn page(&mut self, name: &str, text: &str) -> Result<(), HistoryError> {
        self.write(name, text.as_bytes())?;
        self.pages.push(name.to_owned());
        Ok(())
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), HistoryError> {
        let path = self.new.path().join(name);
        fs::write(&path, bytes).map_err(HistoryError::unwritable(&path))
    }

    /// Puts the site into its place; returns its pages there.
    pub(super) fn publish(self) -> Result<Vec<PathBuf>, HistoryError> {
        let new = self.new.path();
        let unwritable = HistoryError::unwritable(&self.place);
        if self.place.exists() {
            // What was there before goes with the temporary folder.
            exchange(new, &self.place).map_err(unwritable)?;
        } else {
            fs::rename(new, &self.place).map_err(unwritable)?;
        }
        Ok(self
            .pages
            .iter()
            .map(|page| self.place.join(page))
            .collect())
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Exchanges two folders at once, where the system can do that; else one after the other.
fn exchange(new: &Path, place: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    // Some file systems cannot. Then for a moment there is nothing.
    let aside = new.join("before");
    fs::rename(place, &aside)?;
    let moved = tempfile::tempdir_in(new.parent().unwrap_or(Path::new("/")))?;
    let old = moved.path().join("before");
    fs::rename(&aside, &old)?;
    fs::rename(new, place)
}
