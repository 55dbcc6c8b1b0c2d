//! Decoded recordings as WAV files, for programs that read no raw samples.
//!
//! `<sha256 of the source>-16k-mono-v1.wav` lies beside the samples in the cache: 16 kHz, mono, 16
//! bits, with the shortest header of the RIFF format. A sample becomes the nearest step, and one
//! beyond the range the last; nothing random is added, so that the same recording always gives the
//! same bytes.

use super::cache::{DecodedCache, Prepared};
use super::resample::TARGET_RATE;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// Bytes before the samples.
const HEADER_BYTES: u32 = 44;
/// Bytes of one sample.
const SAMPLE_BYTES: u32 = 2;
/// Steps between silence and full scale.
const STEPS: f32 = 32_768.0;
/// Samples that are converted at once.
const BLOCK: usize = 1 << 14;

impl DecodedCache {
    /// Returns a prepared recording as a WAV file, which is made where it is not there or is not
    /// what it should be. It appears whole or not at all.
    ///
    /// # Errors
    ///
    /// Fails when the samples cannot be read, the folder cannot be written, or the recording is
    /// longer than a WAV file can say (37 hours).
    pub fn prepare_wav(&self, prepared: &Prepared) -> io::Result<PathBuf> {
        let lock = self.lock_of(&prepared.source_sha256);
        let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let path = prepared.path.with_extension("wav");
        let header = header(prepared.samples)?;
        if is_whole(&path, &header, prepared).unwrap_or(false) {
            return Ok(path);
        }
        let mut file = BufWriter::new(self.temporary()?);
        file.write_all(&header)?;
        convert(prepared, |steps| file.write_all(steps).map(|()| true))?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(path)
    }
}

/// Returns samples as the bytes of a WAV file: 16 kHz, mono, 16 bits.
///
/// # Errors
///
/// Fails when there are more than a WAV file can say (37 hours).
pub fn wav_bytes(samples: &[f32]) -> io::Result<Vec<u8>> {
    let mut bytes = header(samples.len() as u64)?;
    bytes.extend(
        samples
            .iter()
            .flat_map(|sample| step(*sample).to_le_bytes()),
    );
    Ok(bytes)
}

/// Returns the header of a file of so many samples.
fn header(samples: u64) -> io::Result<Vec<u8>> {
    let data = samples
        .checked_mul(SAMPLE_BYTES.into())
        .and_then(|bytes| u32::try_from(bytes).ok())
        .filter(|bytes| bytes.checked_add(HEADER_BYTES).is_some())
        .ok_or_else(|| {
            io::Error::other("the recording is longer than the 37 hours that a WAV file can say")
        })?;
    let mut header = Vec::with_capacity(HEADER_BYTES as usize);
    header.extend(b"RIFF");
    header.extend((data + HEADER_BYTES - 8).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    header.extend(1_u16.to_le_bytes());
    header.extend(1_u16.to_le_bytes());
    header.extend(TARGET_RATE.to_le_bytes());
    header.extend((TARGET_RATE * SAMPLE_BYTES).to_le_bytes());
    header.extend(2_u16.to_le_bytes());
    header.extend(16_u16.to_le_bytes());
    header.extend(b"data");
    header.extend(data.to_le_bytes());
    Ok(header)
}

/// Whether a file holds exactly what it should.
fn is_whole(path: &Path, header: &[u8], prepared: &Prepared) -> io::Result<bool> {
    let bytes = u64::from(HEADER_BYTES) + prepared.samples * u64::from(SAMPLE_BYTES);
    if fs::metadata(path)?.len() != bytes {
        return Ok(false);
    }
    let mut file = BufReader::new(File::open(path)?);
    let mut found = vec![0; header.len()];
    file.read_exact(&mut found)?;
    if found != header {
        return Ok(false);
    }
    convert(prepared, |steps| {
        found.resize(steps.len(), 0);
        file.read_exact(&mut found)?;
        Ok(found == steps)
    })
}

/// Gives the samples as 16-bit steps, block by block, as long as `take` wants more. Returns whether
/// it wanted all.
fn convert(
    prepared: &Prepared,
    mut take: impl FnMut(&[u8]) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut samples = BufReader::new(File::open(&prepared.path)?);
    let mut left = prepared.samples;
    let mut block = vec![0; BLOCK * 4];
    let mut steps = Vec::with_capacity(BLOCK * 2);
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        block.truncate(count * 4);
        samples.read_exact(&mut block)?;
        let (floats, _) = block.as_chunks::<4>();
        steps.clear();
        steps.extend(
            floats
                .iter()
                .flat_map(|bytes| step(f32::from_le_bytes(*bytes)).to_le_bytes()),
        );
        if !take(&steps)? {
            return Ok(false);
        }
        left -= count as u64;
    }
    Ok(true)
}

/// Returns the nearest of the 65,536 steps; halves go to the even one.
fn step(sample: f32) -> i16 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is beyond the range becomes its end, and what is no number silence"
    )]
    let step = (sample * STEPS).round_ties_even() as i16;
    step
}
