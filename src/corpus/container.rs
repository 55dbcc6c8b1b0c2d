//! From bytes to a stream of packets with a decoder, and what the container says about it.

use std::sync::LazyLock;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{
    FORMAT_ID_ADTS, FORMAT_ID_FLAC, FORMAT_ID_ISOMP4, FORMAT_ID_MKV, FORMAT_ID_MP1, FORMAT_ID_MP2,
    FORMAT_ID_MP3, FORMAT_ID_OGG, FORMAT_ID_WAVE,
};
use symphonia::core::formats::{FormatId, FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::error::DecodeFailure;
use super::mp4::read_edit;
use super::opus::OpusHeader;
use super::source::Source;

/// Lowest sample rate that is read, in hertz. Below it no speech is intelligible.
const LOWEST_RATE: u32 = 4_000;
/// Highest sample rate that is read, in hertz.
const HIGHEST_RATE: u32 = 384_000;
/// Largest number of channels that is read.
pub(super) const MOST_CHANNELS: usize = 32;

/// Decoders of the library, and the one for Opus, which it lacks.
static DECODERS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut registry = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut registry);
    registry.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    registry
});

/// The container families that need care of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Flac,
    Ogg,
    Mpeg,
    Wave,
    Other,
}

/// A recording that is ready to be decoded.
pub(super) struct OpenRecording {
    pub reader: Box<dyn FormatReader>,
    pub decoder: Box<dyn AudioDecoder>,
    pub family: Family,
    pub track_id: u32,
    pub rate: u32,
    /// Short name of the codec, for people.
    pub codec: String,
    /// Frames to drop from the start, on top of what the packets say.
    pub lead_in: u64,
    /// Frames after the lead-in that the container states, where its statement can be held
    /// against the audio.
    pub stated: Option<u64>,
    /// Frames after the lead-in to keep, where the container names a padding at the end.
    pub keep: Option<u64>,
    /// Frames that may be missing from `stated` without a loss.
    pub tolerance: u64,
    /// Factor for every sample.
    pub gain: f64,
}

/// Finds the format, the track and the decoder.
pub(super) fn open(source: &Source<'_>) -> Result<OpenRecording, DecodeFailure> {
    let mut reader = probe(source, true)?;
    let mut family = family_of(reader.format_info().format);
    if family == Family::Mpeg {
        // Given a seekable source, the library guesses the length of an untagged stream from its
        // first bit rate, and then cuts the audio at that guess.
        reader = probe(source, false)?;
        family = family_of(reader.format_info().format);
    }
    let format = reader.format_info().format;
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or(DecodeFailure::NoAudioTrack)?
        .clone();
    let Some(CodecParameters::Audio(mut parameters)) = track.codec_params.clone() else {
        return Err(DecodeFailure::NoAudioTrack);
    };
    check_channels(&parameters)?;
    let opus = opus_header(&mut parameters);
    let decoder = DECODERS
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default().verify(true))
        .map_err(|error| failure(error, 0.0))?;
    let rate = decoder
        .codec_params()
        .sample_rate
        .or(parameters.sample_rate)
        .unwrap_or(0);
    if !(LOWEST_RATE..=HIGHEST_RATE).contains(&rate) {
        return Err(DecodeFailure::SampleRate {
            hertz: rate,
            lowest: LOWEST_RATE,
            highest: HIGHEST_RATE,
        });
    }
    let codec = decoder.codec_info().short_name.to_owned();
    let mut open = OpenRecording {
        reader,
        decoder,
        family,
        track_id: track.id,
        rate,
        codec,
        lead_in: 0,
        stated: None,
        keep: None,
        tolerance: 0,
        gain: 1.0,
    };
    if let Some(header) = opus {
        open.lead_in = u64::from(header.pre_skip);
        open.gain = header.gain;
    }
    open.read_length(&track, format, source)?;
    Ok(open)
}

impl OpenRecording {
    /// Takes over what the container says about the length.
    fn read_length(
        &mut self,
        track: &Track,
        format: FormatId,
        source: &Source<'_>,
    ) -> Result<(), DecodeFailure> {
        // A length of zero is how recorders that write to a pipe say that they do not know it.
        let frames = track.num_frames.filter(|&frames| frames > 0);
        match format {
            // The length is a guess from the bit rate.
            FORMAT_ID_ADTS | FORMAT_ID_MKV => {}
            FORMAT_ID_OGG => {
                let start = u64::try_from(track.start_ts.get()).unwrap_or(0);
                self.stated = frames.map(|end| end.saturating_sub(start + self.lead_in));
            }
            FORMAT_ID_ISOMP4 => {
                self.stated = frames;
                // A codec block of 1024 frames may be left out of the last time stamp.
                self.tolerance = 1_024;
                if let Some(edit) = read_edit(&mut source.reader()?, source.length, track.id) {
                    self.lead_in = edit.start_frames(self.rate);
                    self.keep = edit.length_frames(self.rate, frames);
                    self.stated = self.keep;
                }
            }
            FORMAT_ID_MP1 | FORMAT_ID_MP2 | FORMAT_ID_MP3 => {
                self.stated = frames;
                // Some encoders count the frame that carries the tag, which holds no audio.
                self.tolerance = 2 * 1_152;
            }
            _ => self.stated = frames,
        }
        Ok(())
    }
}

fn family_of(format: FormatId) -> Family {
    match format {
        FORMAT_ID_FLAC => Family::Flac,
        FORMAT_ID_OGG => Family::Ogg,
        FORMAT_ID_MP1 | FORMAT_ID_MP2 | FORMAT_ID_MP3 => Family::Mpeg,
        FORMAT_ID_WAVE => Family::Wave,
        _ => Family::Other,
    }
}

fn probe(source: &Source<'_>, seekable: bool) -> Result<Box<dyn FormatReader>, DecodeFailure> {
    let stream =
        MediaSourceStream::new(source.media(seekable)?, MediaSourceStreamOptions::default());
    symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| match error {
            Error::Unsupported(text) if text.contains("(probe)") => DecodeFailure::UnknownFormat,
            error => failure(error, 0.0),
        })
}

fn check_channels(parameters: &AudioCodecParameters) -> Result<(), DecodeFailure> {
    match parameters
        .channels
        .as_ref()
        .map(symphonia::core::audio::Channels::count)
    {
        Some(channels) if channels > MOST_CHANNELS => Err(DecodeFailure::Channels {
            channels,
            highest: MOST_CHANNELS,
        }),
        _ => Ok(()),
    }
}

/// Reads the Opus header and takes the lead-in out of the copy that the decoder sees.
fn opus_header(parameters: &mut AudioCodecParameters) -> Option<OpusHeader> {
    if parameters.codec != CODEC_ID_OPUS {
        return None;
    }
    let bytes = parameters.extra_data.as_deref()?;
    let header = OpusHeader::read(bytes)?;
    parameters.extra_data = Some(OpusHeader::without_pre_skip(bytes));
    Some(header)
}

/// Turns an error of the library, met at `seconds`, into a reason.
pub(super) fn failure(error: Error, seconds: f64) -> DecodeFailure {
    match error {
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeFailure::Truncated {
                decoded: seconds,
                stated: None,
            }
        }
        Error::IoError(error) if error.raw_os_error().is_some() => DecodeFailure::Unreadable(error),
        Error::Unsupported(text) => DecodeFailure::Unsupported(format!("not supported: {text}")),
        Error::ResetRequired => DecodeFailure::Unsupported(String::from(
            "several streams follow one another in it, and only one is read",
        )),
        error => DecodeFailure::Damaged {
            seconds,
            detail: error.to_string(),
        },
    }
}
