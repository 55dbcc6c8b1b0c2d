//! Decoded recordings on disk, named after the digest of their source.
//!
//! `<sha256 of the source>-16k-mono-v1.f32` holds the samples as little-endian 32-bit floating
//! point numbers and nothing else, so that any tool can read it. Beside it,
//! `<sha256>-16k-mono-v1.json` describes the samples with their own digest; it is written last. A
//! pair that does not agree, as a crash or a full disk may leave it, is decoded again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::clip::{Clip, Origin};
use super::decode::{DecodeLimits, DecodedSummary, decode_into, seconds};
use super::error::{DecodeError, DecodeFailure};
use super::resample::TARGET_RATE;
use super::source::Source;
use crate::model::hexadecimal;

/// Counts the ways of decoding. It is raised whenever the same file would give other samples.
const VERSION: &str = "16k-mono-v1";
/// Bytes of one sample.
const SAMPLE_BYTES: u64 = 4;
/// Samples read at once.
const READ_SAMPLES: usize = 1 << 14;

/// A recording that is decoded and on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The samples: raw little-endian 32-bit floating point, 16 kHz, mono.
    pub path: PathBuf,
    /// Number of samples.
    pub samples: u64,
    /// Length in seconds: `samples / 16000`.
    pub seconds: f64,
    /// SHA-256 of the encoded source, 64 hexadecimal digits.
    pub source_sha256: String,
    /// SHA-256 of the file at `path`.
    pub samples_sha256: String,
    /// Sample rate of the source in hertz.
    pub sample_rate_original: u32,
    /// Number of channels of the source.
    pub channels_original: usize,
    /// Short name of the source's codec, such as `flac`.
    pub codec: String,
}

impl Prepared {
    /// Reads the samples into memory.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read or no longer has its length.
    pub fn read_samples(&self) -> io::Result<Vec<f32>> {
        let bytes = std::fs::read(&self.path)?;
        if bytes.len() as u64 != self.samples * SAMPLE_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{} has {} bytes instead of {}; delete it, and it is decoded again",
                    self.path.display(),
                    bytes.len(),
                    self.samples * SAMPLE_BYTES
                ),
            ));
        }
        let (samples, _) = bytes.as_chunks::<4>();
        Ok(samples.iter().copied().map(f32::from_le_bytes).collect())
    }
}

/// The description beside the samples.
#[derive(Serialize, Deserialize)]
struct Description {
    samples: u64,
    samples_sha256: String,
    sample_rate_original: u32,
    channels_original: usize,
    codec: String,
}

/// A folder of decoded recordings.
///
/// It may be shared between threads and between processes: files appear whole or not at all, and
/// two that decode the same recording at once write the same bytes.
#[derive(Debug)]
pub struct DecodedCache {
    folder: PathBuf,
    limits: DecodeLimits,
    /// One lock per recording, so that threads do not decode the same one twice.
    locks: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl DecodedCache {
    /// Returns the cache in `folder`, which is created when the first recording is stored.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, limits: DecodeLimits) -> Self {
        Self {
            folder: folder.into(),
            limits,
            locks: Mutex::default(),
        }
    }

    /// Returns the decoded samples of a clip, and decodes them first where they are not stored.
    ///
    /// The stored file is checked against its digest, so that a torn or altered one is never
    /// used. Memory does not grow with the length of the recording.
    ///
    /// # Errors
    ///
    /// As [`decode_into`], with [`DecodeFailure::Store`] where the folder cannot be written.
    pub fn prepare(&self, clip: &Clip) -> Result<Prepared, DecodeError> {
        let named = |reason| DecodeError::new(&clip.origin, reason);
        let digest = Source::open(&clip.origin, &self.limits)
            .and_then(|source| source.sha256())
            .map_err(named)?;
        let lock = self.lock_of(&digest);
        let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stored) = self.stored(&digest) {
            return Ok(stored);
        }
        self.store(&clip.origin, &digest)
    }

    pub(super) fn lock_of(&self, digest: &str) -> Arc<Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(digest.to_owned()).or_default())
    }

    fn path(&self, digest: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{digest}-{VERSION}.{extension}"))
    }

    /// Returns the stored recording where samples and description agree.
    fn stored(&self, digest: &str) -> Option<Prepared> {
        let description = std::fs::read(self.path(digest, "json")).ok()?;
        let description: Description = serde_json::from_slice(&description).ok()?;
        let path = self.path(digest, "f32");
        let (length, found) = digest_file(&path).ok()?;
        (length == description.samples.checked_mul(SAMPLE_BYTES)?
            && found == description.samples_sha256)
            .then(|| prepared(path, digest, description))
    }

    fn store(&self, origin: &Origin, digest: &str) -> Result<Prepared, DecodeError> {
        let named = |reason| DecodeError::new(origin, reason);
        let failed = |error| named(DecodeFailure::Store(error));
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let mut file = BufWriter::new(self.temporary().map_err(failed)?);
        let mut hasher = Sha256::new();
        let mut bytes = Vec::new();
        let summary = decode_into(origin, &self.limits, |samples| {
            bytes.clear();
            bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
            hasher.update(&bytes);
            file.write_all(&bytes)
        })?;
        // Decoding opened the file again. Were it another one by now, its samples would be kept
        // under the wrong digest for good.
        let now = Source::open(origin, &self.limits).and_then(|source| source.sha256());
        if now.map_err(named)? != digest {
            let changed = io::Error::other("the file changed while it was read");
            return Err(named(DecodeFailure::Unreadable(changed)));
        }
        let path = self.path(digest, "f32");
        let file = file
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        publish(file, &path).map_err(failed)?;
        let description = describe(summary, hexadecimal(&hasher.finalize()));
        self.write_description(digest, &description)
            .map_err(failed)?;
        Ok(prepared(path, digest, description))
    }

    fn write_description(&self, digest: &str, description: &Description) -> io::Result<()> {
        let mut file = self.temporary()?;
        serde_json::to_writer(&mut file, description)?;
        publish(file, &self.path(digest, "json"))
    }

    pub(super) fn temporary(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .prefix(".decoding-")
            .tempfile_in(&self.folder)
    }
}

/// Gives a finished file its name.
fn publish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn describe(summary: DecodedSummary, samples_sha256: String) -> Description {
    Description {
        samples: summary.samples,
        samples_sha256,
        sample_rate_original: summary.sample_rate_original,
        channels_original: summary.channels_original,
        codec: summary.codec,
    }
}

fn prepared(path: PathBuf, digest: &str, description: Description) -> Prepared {
    Prepared {
        path,
        samples: description.samples,
        seconds: seconds(description.samples, TARGET_RATE),
        source_sha256: digest.to_owned(),
        samples_sha256: description.samples_sha256,
        sample_rate_original: description.sample_rate_original,
        channels_original: description.channels_original,
        codec: description.codec,
    }
}

/// Returns length and SHA-256 of a file.
fn digest_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; READ_SAMPLES * 4];
    let mut length = 0;
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            return Ok((length, hexadecimal(&hasher.finalize())));
        }
        length += count as u64;
        hasher.update(block.get(..count).unwrap_or_default());
    }
}
