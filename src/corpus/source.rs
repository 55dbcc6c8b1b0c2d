//! Opening the bytes of a recording, once they are known to be a file of bearable size.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};
use symphonia::core::io::{MediaSource, ReadOnlySource};

use super::clip::Origin;
use super::decode::DecodeLimits;
use super::error::DecodeFailure;
use crate::model::hexadecimal;

/// Bytes read at once when a file is hashed.
const READ_BLOCK: usize = 1 << 16;

/// The encoded bytes of a recording, opened for reading as often as needed.
pub(super) struct Source<'a> {
    origin: &'a Origin,
    /// Size in bytes when the source was opened.
    pub length: u64,
}

/// Anything that can be read from any position.
pub(super) trait Bytes: Read + Seek {}
impl<T: Read + Seek> Bytes for T {}

impl<'a> Source<'a> {
    /// Checks that the recording is a regular, non-empty file within the limits.
    pub fn open(origin: &'a Origin, limits: &DecodeLimits) -> Result<Self, DecodeFailure> {
        let length = match origin {
            Origin::Builtin { bytes, .. } => bytes.len() as u64,
            Origin::File(path) => {
                // The kind is looked at before opening, since opening a pipe would wait for its
                // other end.
                let metadata = std::fs::metadata(path).map_err(DecodeFailure::Unreadable)?;
                if !metadata.is_file() {
                    return Err(DecodeFailure::NotAFile);
                }
                metadata.len()
            }
        };
        if length == 0 {
            return Err(DecodeFailure::EmptyFile);
        }
        if length > limits.max_bytes {
            return Err(DecodeFailure::TooManyBytes {
                bytes: length,
                limit: limits.max_bytes,
                how_to_raise: limits.how_to_raise.clone(),
            });
        }
        Ok(Self { origin, length })
    }

    /// Returns a reader over the bytes.
    pub fn reader(&self) -> Result<Box<dyn Bytes>, DecodeFailure> {
        Ok(match self.origin {
            Origin::Builtin { bytes, .. } => Box::new(Cursor::new(*bytes)),
            Origin::File(path) => Box::new(File::open(path).map_err(DecodeFailure::Unreadable)?),
        })
    }

    /// Returns the bytes in the form that the decoder library takes.
    pub fn media(&self, seekable: bool) -> Result<Box<dyn MediaSource>, DecodeFailure> {
        Ok(match self.origin {
            Origin::Builtin { bytes, .. } if seekable => Box::new(Cursor::new(*bytes)),
            Origin::Builtin { bytes, .. } => Box::new(ReadOnlySource::new(Cursor::new(*bytes))),
            Origin::File(path) => {
                let file = File::open(path).map_err(DecodeFailure::Unreadable)?;
                if seekable {
                    Box::new(file)
                } else {
                    Box::new(ReadOnlySource::new(file))
                }
            }
        })
    }

    /// Returns up to `most` bytes from the end of the file.
    pub fn tail(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut reader = self.reader().map_err(io::Error::other)?;
        reader.seek(SeekFrom::Start(self.length.saturating_sub(most)))?;
        let mut bytes = Vec::new();
        reader.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns the SHA-256 of the bytes as 64 hexadecimal digits.
    pub fn sha256(&self) -> Result<String, DecodeFailure> {
        let mut reader = self.reader()?;
        let mut hasher = Sha256::new();
        let mut block = vec![0; READ_BLOCK];
        loop {
            let count = match reader.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(DecodeFailure::Unreadable(error)),
            };
            hasher.update(block.get(..count).unwrap_or_default());
        }
        Ok(hexadecimal(&hasher.finalize()))
    }
}
