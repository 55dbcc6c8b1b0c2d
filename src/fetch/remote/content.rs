//! The digests of a file's content while it goes by.

use crate::model::{ArtifactFile, hexadecimal};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much is read at a time.
const CHUNK: usize = 1 << 20;

/// Computes those digests of a content that something is expected of.
#[derive(Clone)]
pub(super) struct Hasher {
    sha256: Option<Sha256>,
    git_blob: Option<Sha1>,
}

impl Hasher {
    /// Begins. The id of a git blob is taken only if the length is known, for that goes in first.
    pub(super) fn new(expected: &ArtifactFile) -> Self {
        let git_blob = expected.git_blob.as_ref().zip(expected.bytes);
        Self {
            sha256: expected.sha256.as_ref().map(|_| Sha256::new()),
            git_blob: git_blob.map(|(_, bytes)| Sha1::new_with_prefix(format!("blob {bytes}\0"))),
        }
    }

    /// Takes in the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.sha256 {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.git_blob {
            hasher.update(bytes);
        }
    }

    /// Takes in a file from its beginning, unless `stop` is set meanwhile. Returns its length.
    pub(super) fn update_from(&mut self, path: &Path, stop: &AtomicBool) -> io::Result<u64> {
        let mut file = File::open(path)?;
        let mut chunk = vec![0; CHUNK];
        let mut length = 0;
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("it was given up"));
            }
            let read = file.read(&mut chunk)?;
            if read == 0 {
                return Ok(length);
            }
            self.update(&chunk[..read]);
            length += read as u64;
        }
    }

    /// Returns what is wrong with the content; `None` if all that is expected of it is true.
    pub(super) fn mismatch(self, expected: &ArtifactFile) -> Option<String> {
        let found = [
            (
                "SHA-256",
                self.sha256.map(|hasher| hexadecimal(&hasher.finalize())),
                &expected.sha256,
            ),
            (
                "git blob",
                self.git_blob.map(|hasher| hexadecimal(&hasher.finalize())),
                &expected.git_blob,
            ),
        ];
        found.into_iter().find_map(|(kind, found, expected)| {
            let (found, expected) = (found?, expected.as_ref()?);
            let is_same = found.eq_ignore_ascii_case(expected);
            (!is_same).then(|| format!("{kind} is {found}, expected {expected}"))
        })
    }
}

/// Returns what is wrong with a file that is here; `None` if nothing is.
pub(super) fn mismatch_of(
    path: &Path,
    expected: &ArtifactFile,
    stop: &AtomicBool,
) -> io::Result<Option<String>> {
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Ok(Some("is not a file".into()));
    }
    let length = found.len();
    if let Some(bytes) = expected.bytes.filter(|bytes| *bytes != length) {
        return Ok(Some(format!("has {length} bytes, expected {bytes}")));
    }
    let mut hasher = Hasher::new(expected);
    hasher.update_from(path, stop)?;
    Ok(hasher.mismatch(expected))
}

/// Sets a mark when it is dropped: nobody waits any more.
#[derive(Debug, Default)]
pub(super) struct StopOnDrop(pub(super) std::sync::Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests of `hello`: `printf hello | sha256sum`, `printf hello | git hash-object --stdin`.
    const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    const GIT_BLOB: &str = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0";

    #[test]
    fn every_digest_that_is_expected_must_be_right() {
        let right = ArtifactFile {
            bytes: Some(5),
            sha256: Some(SHA256.into()),
            git_blob: Some(GIT_BLOB.into()),
        };
        let wrong_sha256 = ArtifactFile {
            sha256: Some(SHA256.replace('2', "3")),
            ..right.clone()
        };
        let wrong_blob = ArtifactFile {
            git_blob: Some(GIT_BLOB.replace('b', "c")),
            ..right.clone()
        };
        for (expected, word) in [
            (right, None),
            (wrong_sha256, Some("SHA-256")),
            (wrong_blob, Some("git blob")),
        ] {
            let mut hasher = Hasher::new(&expected);
            hasher.update(b"he");
            hasher.update(b"llo");
            let mismatch = hasher.mismatch(&expected);
            match word {
                None => assert_eq!(mismatch, None),
                Some(word) => assert!(mismatch.unwrap().starts_with(word)),
            }
        }
    }
}
