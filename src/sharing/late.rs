//! Files that appear late: a network file system remembers that a name was not there.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

/// The most entries of a folder that are listed: to list is enough, whatever is in it.
const MOST_ENTRIES: usize = 10_000;

/// Returns the metadata of a file or of what a link leads to. Before “not there” is believed, its
/// folder is listed, because that is when a client of a network file system asks its server again.
///
/// # Errors
///
/// As [`fs::metadata`].
pub fn listed_metadata(path: &Path) -> io::Result<Metadata> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else {
                return Err(error);
            };
            let _ = entries.take(MOST_ENTRIES).count();
            fs::metadata(path)
        }
        found => found,
    }
}
