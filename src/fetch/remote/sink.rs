//! Where the bytes of one file go: to the disk by one thread, through the hashes by another, so that
//! neither holds up the network or the other.

use super::content::{Hasher, StopOnDrop};
use crate::fetch::lock::Held;
use crate::model::ArtifactFile;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Pieces that may wait for a thread. A piece is what the network gave at once, at most some hundred
/// kilobytes: this bounds the memory, whatever the length of the file.
const WAITING: usize = 16;

/// Bytes as the network gave them; both threads read the same ones.
pub(super) type Piece = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// The threads that take the bytes of one file.
pub(super) struct Sink {
    to_disk: mpsc::Sender<Piece>,
    to_hashes: mpsc::Sender<Piece>,
    writing: JoinHandle<io::Result<()>>,
    hashing: JoinHandle<Hasher>,
    /// How many bytes of the file are here.
    offset: u64,
}

impl Sink {
    /// Opens a partial file, to go on at its end: what it holds is hashed, or, if that cannot be of
    /// the file, thrown away. `held` stays locked for as long as anything is written, even if nobody
    /// waits for that any more.
    pub(super) async fn open(
        partial: &Path,
        expected: &ArtifactFile,
        held: Option<Arc<Held>>,
    ) -> io::Result<Self> {
        let stop = StopOnDrop::default();
        let stopped = Arc::clone(&stop.0);
        let (path, wanted) = (partial.to_path_buf(), expected.clone());
        let preparing = spawn_blocking(move || {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let length = file.metadata()?.len();
            let mut hasher = Hasher::new(&wanted);
            if length == 0 || wanted.bytes.is_some_and(|bytes| length > bytes) {
                file.set_len(0)?;
                return Ok((file, hasher, 0));
            }
            let length = hasher.update_from(&path, &stopped)?;
            Ok::<_, io::Error>((file, hasher, length))
        });
        let (file, hasher, offset) = preparing.await.map_err(io::Error::other)??;
        let (to_disk, for_disk) = mpsc::channel(WAITING);
        let (to_hashes, for_hashes) = mpsc::channel(WAITING);
        Ok(Self {
            to_disk,
            to_hashes,
            writing: spawn_blocking(move || write(file, for_disk, held)),
            hashing: spawn_blocking(move || hash(hasher, for_hashes)),
            offset,
        })
    }

    /// Returns how many bytes of the file are here.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the next bytes. Returns whether that went well; if not, [`close`](Self::close) says why.
    pub(super) async fn take(&mut self, bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> bool {
        let length = bytes.as_ref().len() as u64;
        let bytes: Piece = Arc::new(bytes);
        let taken = self.to_disk.send(Arc::clone(&bytes)).await.is_ok()
            && self.to_hashes.send(bytes).await.is_ok();
        if taken {
            self.offset += length;
        }
        taken
    }

    /// Waits until everything that was taken is in the file. Returns the hashes over all of it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written; then what is in the file is good as far as it goes.
    pub(super) async fn close(self) -> io::Result<Hasher> {
        drop((self.to_disk, self.to_hashes));
        let (written, hashed) = tokio::join!(self.writing, self.hashing);
        written.map_err(io::Error::other)??;
        hashed.map_err(io::Error::other)
    }
}

fn write(
    mut file: File,
    mut bytes: mpsc::Receiver<Piece>,
    _held: Option<Arc<Held>>,
) -> io::Result<()> {
    while let Some(bytes) = bytes.blocking_recv() {
        file.write_all((*bytes).as_ref())?;
    }
    Ok(())
}

fn hash(mut hasher: Hasher, mut bytes: mpsc::Receiver<Piece>) -> Hasher {
    while let Some(bytes) = bytes.blocking_recv() {
        hasher.update((*bytes).as_ref());
    }
    hasher
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    #[tokio::test]
    async fn what_is_here_counts_and_what_cannot_be_of_the_file_does_not() {
        let place = tempfile::tempdir().unwrap();
        let partial = place.path().join("x.incomplete");
        let expected = ArtifactFile {
            bytes: Some(5),
            sha256: Some(HELLO.into()),
            git_blob: None,
        };
        for (before, offset) in [("", 0), ("hel", 3), ("hello", 5), ("hello!", 0)] {
            std::fs::write(&partial, before).unwrap();
            let mut sink = Sink::open(&partial, &expected, None).await.unwrap();
            assert_eq!(sink.offset(), offset);
            let rest = &"hello"[usize::try_from(offset).unwrap()..];
            for byte in rest.bytes() {
                assert!(sink.take([byte]).await);
            }
            let hasher = sink.close().await.unwrap();
            assert_eq!(hasher.mismatch(&expected), None);
            assert_eq!(std::fs::read(&partial).unwrap(), b"hello");
        }
    }
}
