//! SHA-256 of files, in constant memory.

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
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("it was given up"));
        }
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(hexadecimal(&hasher.finalize()));
        }
        hasher.update(&chunk[..read]);
    }
}

/// Returns the SHA-256 digest of some bytes in lower-case hexadecimal digits.
#[must_use]
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Returns one digest for an artifact: SHA-256 over the names and digests of its files, as
/// `sha256sum` would list them.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn artifact_digest<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = &'a String>,
) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut names: Vec<&String> = files.into_iter().collect();
    names.sort();
    for name in names {
        let digest = sha256_file(&folder.join(name))?;
        hasher.update(format!("{digest}  {name}\n"));
    }
    Ok(hexadecimal(&hasher.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
