//! From any sample rate to 16 kHz, in a stream, with the delay of the filter taken out.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

/// The sample rate that every engine is given, in hertz.
pub const TARGET_RATE: u32 = 16_000;

/// Shortest block that is transformed at once, in input frames. The anti-aliasing filter is as
/// long as the block: 2048 frames of 48 kHz are 43 ms, which keeps the pass band up to 7.9 kHz.
const SHORTEST_BLOCK: usize = 2_048;

/// Turns mono audio of one rate into [`TARGET_RATE`].
///
/// `n` input frames give `round(n · 16000 / rate)` output samples, and an impulse stays where it
/// was. The arithmetic is in double precision; audio that has the target rate already passes
/// untouched.
pub struct MonoResampler {
    rate: u32,
    frames_in: u64,
    samples_out: u64,
    filter: Option<Filter>,
}

struct Filter {
    fft: Fft<f64>,
    pending: Vec<f64>,
    block: Vec<f64>,
    /// Samples of the filter's own delay that are still to be dropped.
    delay_left: usize,
}

impl MonoResampler {
    /// Returns a resampler from `rate` hertz.
    ///
    /// # Errors
    ///
    /// Says why no filter can be built for the rate (a rate of zero).
    pub fn new(rate: u32) -> Result<Self, String> {
        let filter = if rate == TARGET_RATE {
            None
        } else {
            Some(Filter::new(rate)?)
        };
        Ok(Self {
            rate,
            frames_in: 0,
            samples_out: 0,
            filter,
        })
    }

    /// Takes `frames` and appends the samples that are complete to `output`.
    ///
    /// # Errors
    ///
    /// Passes on what the filter says; with the block sizes used here it has no reason to fail.
    pub fn push(&mut self, frames: &[f64], output: &mut Vec<f32>) -> Result<(), String> {
        self.frames_in += frames.len() as u64;
        let before = output.len();
        match &mut self.filter {
            None => output.extend(frames.iter().copied().map(to_sample)),
            Some(filter) => filter.push(frames, output)?,
        }
        self.samples_out += (output.len() - before) as u64;
        Ok(())
    }

    /// Appends what the filter still holds, so that the length comes out right.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn finish(&mut self, output: &mut Vec<f32>) -> Result<(), String> {
        let Some(filter) = &mut self.filter else {
            return Ok(());
        };
        let wanted = resampled_length(self.frames_in, self.rate);
        let before = output.len();
        let missing = usize::try_from(wanted.saturating_sub(self.samples_out))
            .map_err(|_| String::from("more samples than this machine can address"))?;
        filter.flush(missing, output)?;
        output.truncate(before + missing);
        self.samples_out += (output.len() - before) as u64;
        Ok(())
    }
}

/// Returns how many samples `frames` of `rate` hertz become: `round(frames · 16000 / rate)`.
/// A rate of zero gives zero.
#[must_use]
pub fn resampled_length(frames: u64, rate: u32) -> u64 {
    let rate = u128::from(rate);
    if rate == 0 {
        return 0;
    }
    let scaled = (u128::from(frames) * u128::from(TARGET_RATE) * 2 + rate) / (2 * rate);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

impl Filter {
    fn new(rate: u32) -> Result<Self, String> {
        let unit = (rate / greatest_common_divisor(rate, TARGET_RATE)) as usize;
        // An even number of units puts the middle of the filter on a frame of both rates. Else the
        // audio would be late by a fraction of a sample.
        let units = SHORTEST_BLOCK.div_ceil(unit.max(1)).next_multiple_of(2);
        let fft = Fft::new_custom(
            rate as usize,
            TARGET_RATE as usize,
            units * unit,
            1,
            1,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )
        .map_err(|error| error.to_string())?;
        let block = vec![0.0; fft.output_frames_max()];
        let delay_left = fft.output_delay();
        Ok(Self {
            fft,
            pending: Vec::new(),
            block,
            delay_left,
        })
    }

    fn push(&mut self, frames: &[f64], output: &mut Vec<f32>) -> Result<(), String> {
        self.pending.extend_from_slice(frames);
        let mut start = 0;
        while self.pending.len() - start >= self.fft.input_frames_next() {
            start += self.transform(start, None, output)?;
        }
        self.pending.drain(..start);
        Ok(())
    }

    /// Feeds silence until `missing` samples more have come out.
    fn flush(&mut self, missing: usize, output: &mut Vec<f32>) -> Result<(), String> {
        let wanted = output.len() + missing;
        while output.len() < wanted {
            let rest = self.pending.len();
            self.transform(0, Some(rest), output)?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Runs one block from `start` of the pending frames and returns the frames it consumed.
    fn transform(
        &mut self,
        start: usize,
        partial: Option<usize>,
        output: &mut Vec<f32>,
    ) -> Result<usize, String> {
        let available = self.pending.len();
        let input = InterleavedSlice::new(&self.pending, 1, available)
            .map_err(|error| error.to_string())?;
        let room = self.block.len();
        let mut block = InterleavedSlice::new_mut(&mut self.block, 1, room)
            .map_err(|error| error.to_string())?;
        let mut indexing = Indexing::new().input_offset(start);
        if let Some(frames) = partial {
            indexing = indexing.partial_len(frames);
        }
        let (consumed, produced) = self
            .fft
            .process_into_buffer(&input, &mut block, Some(&indexing))
            .map_err(|error| error.to_string())?;
        let dropped = self.delay_left.min(produced);
        self.delay_left -= dropped;
        let kept = self.block.get(dropped..produced).unwrap_or_default();
        output.extend(kept.iter().copied().map(to_sample));
        Ok(consumed)
    }
}

/// Returns the largest number that divides both.
fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a.max(1)
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Returns the sample in single precision, within [-1, 1]: lossy codecs and filters overshoot.
#[expect(
    clippy::cast_possible_truncation,
    reason = "single precision is the target format"
)]
fn to_sample(value: f64) -> f32 {
    value.clamp(-1.0, 1.0) as f32
}
