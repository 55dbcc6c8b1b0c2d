//! Decoding a recording to 16 kHz mono, in a stream, within limits.

use std::io::{self, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::clip::Origin;
use super::container;
use super::error::{DecodeError, DecodeFailure};
use super::resample::TARGET_RATE;
use super::source::Source;
use super::stream::{Sink, Stream};
use super::{mp4, ogg};

/// How much of a recording is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Longest audio in seconds. Two hours by default: 461 MB of samples.
    pub max_seconds: u32,
    /// Largest file in bytes. 4 GiB by default, the most that a WAV file can hold.
    pub max_bytes: u64,
    /// What a person is told to do when a limit is met, as a clause without a final stop.
    pub how_to_raise: String,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            max_seconds: 2 * 60 * 60,
            max_bytes: 1 << 32,
            how_to_raise: String::from("split the recording into shorter files"),
        }
    }
}

/// A decoded recording in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Mono samples at 16 kHz, each within [-1, 1].
    pub samples: Vec<f32>,
    /// What was decoded.
    pub summary: DecodedSummary,
}

/// What a recording was before it was decoded, and how much came out.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedSummary {
    /// Number of samples at 16 kHz.
    pub samples: u64,
    /// Length in seconds: `samples / 16000`.
    pub seconds: f64,
    /// Sample rate of the file in hertz.
    pub sample_rate_original: u32,
    /// Number of channels of the file.
    pub channels_original: usize,
    /// Short name of the codec, such as `flac` or `opus`.
    pub codec: String,
}

/// Decodes a recording into memory: 16 kHz, mono, 32-bit floating point.
///
/// Channels are mixed down by their mean. 16-bit audio that is 16 kHz mono already comes through
/// bit for bit, as `value / 32768`.
///
/// # Errors
///
/// Every way in which a file can be unfit is a [`DecodeFailure`]. A file that ends early is an
/// error and not a short recording, wherever the container lets that be known.
pub fn decode(origin: &Origin, limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let mut samples = Vec::new();
    let summary = decode_into(origin, limits, |block| {
        samples.extend_from_slice(block);
        Ok(())
    })?;
    Ok(Decoded { samples, summary })
}

/// Decodes a recording as [`decode`] does and hands the samples over block by block, so that
/// memory does not grow with the length of the recording.
///
/// # Errors
///
/// As [`decode`]; an error of `sink` becomes [`DecodeFailure::Store`]. Blocks handed over before
/// an error are to be thrown away.
pub fn decode_into(
    origin: &Origin,
    limits: &DecodeLimits,
    mut sink: impl FnMut(&[f32]) -> io::Result<()>,
) -> Result<DecodedSummary, DecodeError> {
    // The decoders are other people's code that meets bytes from anywhere. A failed check in one
    // of them concerns this file only and must not take the run with it.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let source = Source::open(origin, limits)?;
        decode_source(&source, limits, &mut sink)
    }));
    outcome
        .unwrap_or_else(|panic| Err(DecodeFailure::DecoderFault(panic_text(&*panic))))
        .map_err(|reason| DecodeError::new(origin, reason))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|&text| text.to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| String::from("an internal check failed"))
}

fn decode_source(
    source: &Source<'_>,
    limits: &DecodeLimits,
    sink: &mut Sink<'_>,
) -> Result<DecodedSummary, DecodeFailure> {
    let whole = is_whole(source).map_err(DecodeFailure::Unreadable)?;
    // Half a file may fail in any of several later places; what is wrong with it is known here.
    let explain = |error, stated| match error {
        DecodeFailure::Damaged { seconds, .. } if !whole => DecodeFailure::Truncated {
            decoded: seconds,
            stated,
        },
        DecodeFailure::Truncated { decoded, .. } => DecodeFailure::Truncated { decoded, stated },
        error => error,
    };
    let mut recording = container::open(source).map_err(|error| explain(error, None))?;
    let stated = recording
        .stated
        .map(|frames| seconds(frames, recording.rate));
    if let Some(stated) = stated.filter(|&stated| stated > f64::from(limits.max_seconds)) {
        return Err(DecodeFailure::StatedTooLong {
            stated,
            bytes: source.length,
            limit: limits.max_seconds,
            how_to_raise: limits.how_to_raise.clone(),
        });
    }
    let mut stream = Stream::new(&recording, limits)?;
    let last_packet = stream
        .run(&mut recording, sink)
        .map_err(|error| explain(error, stated))?;
    stream.finish(sink)?;
    stream.check_whole(&mut recording, source, whole, &last_packet)?;
    Ok(DecodedSummary {
        samples: stream.samples,
        seconds: seconds(stream.samples, TARGET_RATE),
        sample_rate_original: recording.rate,
        channels_original: stream.channels,
        codec: recording.codec,
    })
}

/// Returns whether the container is there up to its end, where it is of a kind that can tell.
fn is_whole(source: &Source<'_>) -> io::Result<bool> {
    let mut reader = source.reader().map_err(io::Error::other)?;
    let mut start = [0; 8];
    if reader.read_exact(&mut start).is_err() {
        return Ok(true);
    }
    reader.rewind()?;
    match start {
        [b'O', b'g', b'g', b'S', ..] => ogg::ends_with_its_stream(reader, source.length),
        [.., b'f', b't', b'y', b'p'] => Ok(mp4::is_whole(&mut reader, source.length)),
        _ => Ok(true),
    }
}

/// Returns the seconds that `frames` last at `rate` hertz.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53 frames, 5,000 years at 48 kHz"
)]
pub(super) fn seconds(frames: u64, rate: u32) -> f64 {
    frames as f64 / f64::from(rate.max(1))
}
