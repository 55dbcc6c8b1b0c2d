//! Which bytes an artifact really is, for the record.

use super::digest::{git_blob_until, sha256_file};
use super::place::Place;
use crate::model::hexadecimal;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicBool;

/// The digests of an artifact as it lies in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// One digest for all of it: SHA-256 over the names and digests of its files, as `sha256sum`
    /// would list them.
    pub digest: String,
    /// SHA-256 of each file by its name.
    pub files: BTreeMap<String, String>,
}

/// Reads all files of an artifact in a place.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn identify(place: &Place) -> io::Result<Identity> {
    let mut files = BTreeMap::new();
    for name in place.files.keys() {
        files.insert(name.clone(), sha256_file(&place.folder.join(name))?);
    }
    let mut hasher = Sha256::new();
    for (name, digest) in &files {
        hasher.update(format!("{digest}  {name}\n"));
    }
    Ok(Identity {
        digest: hexadecimal(&hasher.finalize()),
        files,
    })
}

impl Identity {
    /// Returns the files that are other bytes than the place expects, each with both digests.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read.
    pub fn differing(&self, place: &Place) -> io::Result<Vec<String>> {
        let mut differing = Vec::new();
        for (name, expected) in &place.files {
            let found = match (&expected.sha256, &expected.git_blob, self.files.get(name)) {
                (Some(wanted), _, Some(found)) if wanted != found => {
                    Some(format!("{name}: SHA-256 is {found}, expected {wanted}"))
                }
                (None, Some(wanted), _) => {
                    let path = place.folder.join(name);
                    let found = git_blob_until(&path, &AtomicBool::new(false))?;
                    (found != *wanted)
                        .then(|| format!("{name}: its git blob is {found}, expected {wanted}"))
                }
                _ => None,
            };
            differing.extend(found);
        }
        Ok(differing)
    }
}
