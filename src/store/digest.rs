//! Digests of files, in constant memory.

use crate::model::hexadecimal;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much is read at a time: large enough that the system calls cost nothing.
const CHUNK: usize = 1 << 20;

/// Returns the SHA-256 digest of a file in lower-case hexadecimal digits.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub fn sha256_file(path: &Path) -> io::Result<String> {
    sha256_until(path, &AtomicBool::new(false))
}

/// The same, given up as soon as `stop` is set: nobody waits for the answer any more.
pub(super) fn sha256_until(path: &Path, stop: &AtomicBool) -> io::Result<String> {
    let mut hasher = Sha256::new();
    read(&mut File::open(path)?, stop, |bytes| hasher.update(bytes))?;
    Ok(hexadecimal(&hasher.finalize()))
}

/// Returns the id that a file has as a blob of git: SHA-1 of `blob LENGTH\0` and its bytes. Given up
/// as soon as `stop` is set.
pub(super) fn git_blob_until(path: &Path, stop: &AtomicBool) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", file.metadata()?.len()));
    read(&mut file, stop, |bytes| hasher.update(bytes))?;
    Ok(hexadecimal(&hasher.finalize()))
}

/// Reads a file to its end, piece by piece.
fn read(file: &mut File, stop: &AtomicBool, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(CHUNK);
    // One byte more than a small file has, so that its end is seen by the first read but one.
    let mut chunk = vec![0; CHUNK.min(length.saturating_add(1))];
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("it was given up"));
        }
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        take(&chunk[..read]);
    }
}

/// Returns the SHA-256 digest of some bytes in lower-case hexadecimal digits.
#[must_use]
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_usual_tools() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "hello").unwrap();
        let go_on = AtomicBool::new(false);
        // `printf hello | sha256sum`, and `printf hello | git hash-object --stdin`.
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let git = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0";
        assert_eq!(sha256_until(&path, &go_on).unwrap(), sha256);
        assert_eq!(git_blob_until(&path, &go_on).unwrap(), git);
        let given_up = sha256_until(&path, &AtomicBool::new(true));
        assert!(given_up.unwrap_err().to_string().contains("given up"));
    }
}
