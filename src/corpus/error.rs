//! Why a recording could not be decoded, and what a person can do about it.

use std::fmt;
use std::io;

/// A recording that could not be turned into samples: which one, why, and what to do next.
///
/// The text names the file first, then the reason, then a remedy.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode {name}: {reason}; {}", .reason.remedy())]
pub struct DecodeError {
    /// The file, as a person would recognise it: its path, or `built-in <file>`.
    pub name: String,
    /// What is wrong with it.
    #[source]
    pub reason: DecodeFailure,
}

impl DecodeError {
    /// Returns the error for the recording `name`.
    pub(crate) fn new(name: impl fmt::Display, reason: DecodeFailure) -> Self {
        Self {
            name: name.to_string(),
            reason,
        }
    }
}

/// The reasons for which a recording is refused. Times are seconds from the start of the audio.
#[derive(Debug, thiserror::Error)]
pub enum DecodeFailure {
    /// The file could not be opened or read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// The path leads to a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// The file has no bytes.
    #[error("the file is empty (0 bytes)")]
    EmptyFile,
    /// The file is larger than the limit.
    #[error("the file has {bytes} bytes, and the limit is {limit}")]
    TooManyBytes {
        /// Size of the file in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
        /// How the limit is raised, from [`DecodeLimits::how_to_raise`](super::DecodeLimits).
        how_to_raise: String,
    },
    /// No known container starts anywhere near the beginning of the file.
    #[error("no audio format was recognised in it")]
    UnknownFormat,
    /// The format is known, but not this variant of it.
    #[error("{0}")]
    Unsupported(String),
    /// The container holds no audio track.
    #[error("it holds no audio track")]
    NoAudioTrack,
    /// The container is valid and holds no sample.
    #[error("it holds no audio: 0 samples were decoded")]
    NoSamples,
    /// The sample rate is outside the range that speech is recorded with.
    #[error("its sample rate is {hertz} Hz; rates from {lowest} to {highest} Hz are read")]
    SampleRate {
        /// The rate that the file states.
        hertz: u32,
        /// Lowest rate that is read.
        lowest: u32,
        /// Highest rate that is read.
        highest: u32,
    },
    /// The file states more channels than any recording of speech has.
    #[error("it has {channels} channels; at most {highest} are read")]
    Channels {
        /// The number of channels stated.
        channels: usize,
        /// Largest number that is read.
        highest: usize,
    },
    /// The file states a length above the limit. Nothing was decoded.
    #[error("its header states {stated:.1} s of audio ({bytes} bytes), and the limit is {limit} s")]
    StatedTooLong {
        /// Seconds that the header states, which may be untrue.
        stated: f64,
        /// Size of the file in bytes.
        bytes: u64,
        /// The limit in seconds.
        limit: u32,
        /// How the limit is raised, from [`DecodeLimits::how_to_raise`](super::DecodeLimits).
        how_to_raise: String,
    },
    /// More audio than the limit came out of the file. Decoding stopped there.
    #[error("it holds more than {limit} s of audio, which is the limit")]
    TooLong {
        /// The limit in seconds.
        limit: u32,
        /// How the limit is raised, from [`DecodeLimits::how_to_raise`](super::DecodeLimits).
        how_to_raise: String,
    },
    /// The file ends before the audio that it states, or in the middle of a block.
    #[error("truncated after {decoded:.3} s of {}", StatedLength(*.stated))]
    Truncated {
        /// Seconds that could be decoded.
        decoded: f64,
        /// Seconds that the file states, where it does.
        stated: Option<f64>,
    },
    /// A block of the file is damaged.
    #[error("damaged at {seconds:.3} s: {detail}")]
    Damaged {
        /// Where the damage was met.
        seconds: f64,
        /// What the decoder said.
        detail: String,
    },
    /// The decoded audio does not have the checksum that the file states.
    #[error("the decoded audio does not match the checksum stored in the file")]
    Checksum,
    /// A floating-point sample is infinite or not a number.
    #[error("the sample at {seconds:.3} s is not a finite number")]
    NotFinite {
        /// Where the sample stands.
        seconds: f64,
    },
    /// The decoder itself failed an internal check on this file.
    #[error("the decoder failed on it: {0}")]
    DecoderFault(String),
    /// The decoded samples could not be stored.
    #[error("its samples could not be written: {0}")]
    Store(io::Error),
}

impl DecodeFailure {
    /// Returns what a person can do about the failure, as a clause without a final stop.
    #[must_use]
    pub fn remedy(&self) -> &str {
        match self {
            Self::Unreadable(_) => "check the path and its permissions",
            Self::NotAFile => "name an audio file",
            Self::EmptyFile => "copy the recording again: its content never arrived",
            Self::TooManyBytes { how_to_raise, .. }
            | Self::StatedTooLong { how_to_raise, .. }
            | Self::TooLong { how_to_raise, .. } => how_to_raise,
            Self::UnknownFormat | Self::Unsupported(_) => {
                "convert it to FLAC, WAV, MP3, Ogg Vorbis, Opus or M4A (AAC-LC, ALAC)"
            }
            Self::NoAudioTrack | Self::NoSamples => "check that this is the recording you meant",
            Self::SampleRate { .. } => "resample it, for instance to 16000 Hz",
            Self::Channels { .. } => "mix it down to one or two channels",
            Self::Truncated { .. } => {
                "copy or export the recording again, or re-encode the part that is there"
            }
            Self::Damaged { .. } | Self::Checksum => "copy the recording again from its source",
            Self::NotFinite { .. } => "export the recording again as integer samples",
            Self::DecoderFault(_) => "convert it to FLAC, and report the file as a bug",
            Self::Store(_) => "check the free space and permissions of the cache folder",
        }
    }
}

/// Writes the length that a file states, or that it states none.
struct StatedLength(Option<f64>);

impl fmt::Display for StatedLength {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(seconds) => write!(formatter, "{seconds:.3} s"),
            None => formatter.write_str("an unknown length"),
        }
    }
}
