//! From packets to samples: trimming, mixing down, resampling, and the check at the end.

use std::io;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use super::container::{Family, MOST_CHANNELS, OpenRecording, failure};
use super::decode::{DecodeLimits, seconds};
use super::error::DecodeFailure;
use super::mpeg;
use super::resample::MonoResampler;
use super::source::Source;

/// Takes finished samples, block by block.
pub(super) type Sink<'a> = dyn FnMut(&[f32]) -> io::Result<()> + 'a;

/// The way from packets to samples.
pub(super) struct Stream<'a> {
    limits: &'a DecodeLimits,
    rate: u32,
    gain: f64,
    lead_in_left: u64,
    keep: Option<u64>,
    /// Frames of the file that are part of the recording, so far.
    frames: u64,
    /// Samples handed over, so far.
    pub samples: u64,
    /// Largest number of channels met so far.
    pub channels: usize,
    resampler: MonoResampler,
    interleaved: Vec<f32>,
    mono: Vec<f64>,
    output: Vec<f32>,
}

impl<'a> Stream<'a> {
    /// Returns a stream at the start of the recording.
    pub fn new(recording: &OpenRecording, limits: &'a DecodeLimits) -> Result<Self, DecodeFailure> {
        Ok(Self {
            limits,
            rate: recording.rate,
            gain: recording.gain,
            lead_in_left: recording.lead_in,
            keep: recording.keep,
            frames: 0,
            samples: 0,
            channels: 0,
            resampler: MonoResampler::new(recording.rate).map_err(DecodeFailure::DecoderFault)?,
            interleaved: Vec::new(),
            mono: Vec::new(),
            output: Vec::new(),
        })
    }

    fn position(&self) -> f64 {
        seconds(self.frames, self.rate)
    }

    /// Decodes all packets and returns the bytes of the last one.
    pub fn run(
        &mut self,
        recording: &mut OpenRecording,
        sink: &mut Sink<'_>,
    ) -> Result<Box<[u8]>, DecodeFailure> {
        let mut last_packet = Box::default();
        let mut expected = None;
        while let Some(mut packet) = self.next_packet(recording)? {
            if packet.track_id != recording.track_id {
                continue;
            }
            if recording.family == Family::Flac {
                // The demuxer passes over damaged frames; the time stamps betray the gap.
                if expected.is_some_and(|expected| packet.pts != expected) {
                    return Err(self.damaged("a block is missing"));
                }
                expected = packet.pts.checked_add(packet.block_dur());
            }
            let (start, end) = (packet.trim_start.get(), packet.trim_end.get());
            self.decode_packet(recording, &mut packet, start, end)?;
            self.forward(sink)?;
            last_packet = packet.data;
        }
        Ok(last_packet)
    }

    fn next_packet(&self, recording: &mut OpenRecording) -> Result<Option<Packet>, DecodeFailure> {
        match recording.reader.next_packet() {
            Ok(packet) => Ok(packet),
            // A WAV file written to a pipe states no length: its end is the end of the file.
            Err(Error::IoError(error))
                if error.kind() == io::ErrorKind::UnexpectedEof
                    && recording.family == Family::Wave
                    && recording.stated.is_none() =>
            {
                Ok(None)
            }
            Err(error) => Err(failure(error, self.position())),
        }
    }

    fn damaged(&self, detail: &str) -> DecodeFailure {
        DecodeFailure::Damaged {
            seconds: self.position(),
            detail: detail.to_owned(),
        }
    }

    /// Decodes one packet and appends its samples to the output.
    fn decode_packet(
        &mut self,
        recording: &mut OpenRecording,
        packet: &mut Packet,
        trim_start: u64,
        trim_end: u64,
    ) -> Result<(), DecodeFailure> {
        if packet.data.is_empty() {
            // libopus would fill in for a lost packet with invented audio.
            return Err(self.damaged("a packet is empty"));
        }
        // Trimmed here and not by the decoders, whose treatment differs.
        packet.trim_start = Duration::ZERO;
        packet.trim_end = Duration::ZERO;
        let position = self.position();
        let audio = recording
            .decoder
            .decode(packet)
            .map_err(|error| failure(error, position))?;
        self.mix_down(&audio)?;
        let frames = self.mono.len() as u64;
        let start = trim_start.saturating_add(self.lead_in_left).min(frames);
        self.lead_in_left -= start.saturating_sub(trim_start).min(self.lead_in_left);
        let mut end = frames.saturating_sub(trim_end).max(start);
        if let Some(keep) = self.keep {
            end = end.min(start.saturating_add(keep.saturating_sub(self.frames)));
        }
        self.frames += end - start;
        if self.position() > f64::from(self.limits.max_seconds) {
            return Err(DecodeFailure::TooLong {
                limit: self.limits.max_seconds,
                how_to_raise: self.limits.how_to_raise.clone(),
            });
        }
        let kept = usize::try_from(start)
            .and_then(|start| Ok(start..usize::try_from(end)?))
            .ok()
            .and_then(|range| self.mono.get(range))
            .unwrap_or_default();
        self.resampler
            .push(kept, &mut self.output)
            .map_err(DecodeFailure::DecoderFault)
    }

    /// Fills `mono` with the mean over the channels of each frame.
    fn mix_down(&mut self, audio: &GenericAudioBufferRef<'_>) -> Result<(), DecodeFailure> {
        if audio.spec().rate() != self.rate {
            return Err(DecodeFailure::Unsupported(format!(
                "its sample rate changes from {} to {} Hz",
                self.rate,
                audio.spec().rate()
            )));
        }
        let channels = audio.spec().channels().count();
        if channels == 0 || channels > MOST_CHANNELS {
            return Err(DecodeFailure::Channels {
                channels,
                highest: MOST_CHANNELS,
            });
        }
        self.channels = self.channels.max(channels);
        audio.copy_to_vec_interleaved(&mut self.interleaved);
        let scale = self.gain / f64::from(u32::try_from(channels).unwrap_or(u32::MAX));
        self.mono.clear();
        self.mono.extend(
            self.interleaved
                .chunks_exact(channels)
                .map(|frame| frame.iter().copied().map(f64::from).sum::<f64>() * scale),
        );
        match self.mono.iter().position(|sample| !sample.is_finite()) {
            None => Ok(()),
            Some(at) => Err(DecodeFailure::NotFinite {
                seconds: seconds(self.frames + at as u64, self.rate),
            }),
        }
    }

    /// Hands over what the filter of the resampler still holds.
    pub fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), DecodeFailure> {
        self.resampler
            .finish(&mut self.output)
            .map_err(DecodeFailure::DecoderFault)?;
        self.forward(sink)
    }

    /// Hands the finished samples over.
    fn forward(&mut self, sink: &mut Sink<'_>) -> Result<(), DecodeFailure> {
        self.samples += self.output.len() as u64;
        sink(&self.output).map_err(DecodeFailure::Store)?;
        self.output.clear();
        Ok(())
    }

    /// Holds what came out against what the file says about itself.
    pub fn check_whole(
        &self,
        recording: &mut OpenRecording,
        source: &Source<'_>,
        whole: bool,
        last_packet: &[u8],
    ) -> Result<(), DecodeFailure> {
        let decoded = self.position();
        let stated = recording.stated.map(|frames| seconds(frames, self.rate));
        let short = recording
            .stated
            .is_some_and(|stated| self.frames + recording.tolerance < stated);
        if short || !whole {
            return Err(DecodeFailure::Truncated { decoded, stated });
        }
        if recording.family == Family::Mpeg
            && mpeg::ends_within_a_frame(source, last_packet).map_err(DecodeFailure::Unreadable)?
        {
            return Err(DecodeFailure::Truncated {
                decoded,
                stated: None,
            });
        }
        if self.frames == 0 {
            return Err(DecodeFailure::NoSamples);
        }
        if recording.decoder.finalize().verify_ok == Some(false) {
            return Err(DecodeFailure::Checksum);
        }
        Ok(())
    }
}
