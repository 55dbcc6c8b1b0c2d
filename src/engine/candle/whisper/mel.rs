//! The log-mel spectrogram that Whisper listens to.
//!
//! Frames of 25 ms every 10 ms under a Hann window, the power of their Fourier transforms gathered
//! into bands of the mel scale, its logarithm clamped to eight decades below the loudest
//! (`whisper/audio.py` at <https://github.com/openai/whisper>, which takes the bands from librosa).

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Samples of a second.
pub const SAMPLE_RATE: usize = 16_000;
/// Samples from one frame to the next.
pub const HOP: usize = 160;
/// Frames of a window of thirty seconds.
pub const WINDOW_FRAMES: usize = 3000;

/// Samples of a frame, which is also the length of its Fourier transform.
const FRAME: usize = 400;
/// Frequencies of a real transform of that length.
const FREQUENCIES: usize = FRAME / 2 + 1;
/// Frames that a thread computes at a time; even, because frames are transformed in pairs.
const FRAMES_AT_ONCE: usize = 64;
/// The least power whose logarithm is taken, and that logarithm.
const LEAST_POWER: f32 = 1e-10;
const LEAST_LOGARITHM: f32 = -10.0;
/// Decades below the loudest value at which everything quieter is put.
const DYNAMIC_RANGE: f32 = 8.0;

/// Everything that the spectrograms of one model have in common.
pub struct MelTransform {
    fourier: Arc<dyn Fft<f32>>,
    taper: Vec<f32>,
    bands: Vec<Band>,
}

/// One triangle of the mel filter bank.
#[derive(Debug, Clone, PartialEq)]
struct Band {
    /// The first frequency with a weight.
    first: usize,
    weights: Vec<f32>,
}

/// The log-mel spectrogram of a recording, silent beyond its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrogram {
    bands: usize,
    /// Frames of sound, `(frames, bands)`.
    values: Vec<f32>,
    /// The value of silence, below which nothing lies.
    floor: f32,
    content_frames: usize,
}

impl MelTransform {
    /// Returns the transform into the given number of bands, 80 or 128.
    pub fn new(bands: usize) -> Self {
        Self {
            fourier: FftPlanner::new().plan_fft_forward(FRAME),
            taper: hann_window(),
            bands: filter_bank(bands),
        }
    }

    /// Returns the spectrogram of `samples`, 16,000 a second.
    pub fn spectrogram(&self, samples: &[f32]) -> Spectrogram {
        let bands = self.bands.len();
        // A frame reaches 200 samples back from its centre; later ones hear nothing.
        let frames = (samples.len() + FRAME / 2).div_ceil(HOP);
        let mut values = vec![LEAST_LOGARITHM; frames * bands];
        let loudest = values
            .par_chunks_mut(FRAMES_AT_ONCE * bands)
            .enumerate()
            .map(|(chunk, values)| self.logarithms(samples, chunk * FRAMES_AT_ONCE, values))
            .reduce(|| LEAST_LOGARITHM, f32::max);
        let least = (loudest - DYNAMIC_RANGE).max(LEAST_LOGARITHM);
        let scaled = |value: f32| (value.max(least) + 4.0) / 4.0;
        values
            .par_chunks_mut(FRAMES_AT_ONCE * bands)
            .for_each(|values| {
                for value in values {
                    *value = scaled(*value);
                }
            });
        Spectrogram {
            bands,
            values,
            floor: scaled(least),
            content_frames: samples.len() / HOP,
        }
    }

    /// Writes the logarithms of the frames from `first` on and returns the largest.
    fn logarithms(&self, samples: &[f32], first: usize, values: &mut [f32]) -> f32 {
        let bands = self.bands.len();
        let mut pair = vec![Complex::default(); FRAME];
        let mut scratch = vec![Complex::default(); self.fourier.get_inplace_scratch_len()];
        let mut power = [0.0_f32; FREQUENCIES];
        let mut loudest = LEAST_LOGARITHM;
        for (number, outputs) in values.chunks_mut(2 * bands).enumerate() {
            let frame = first + 2 * number;
            self.cut(samples, frame, &mut pair);
            self.fourier.process_with_scratch(&mut pair, &mut scratch);
            for (which, output) in outputs.chunks_mut(bands).enumerate() {
                separate(&pair, which == 1, &mut power);
                for (band, value) in self.bands.iter().zip(output) {
                    let energy: f32 = band
                        .weights
                        .iter()
                        .zip(power.iter().skip(band.first))
                        .map(|(weight, power)| weight * power)
                        .sum();
                    *value = energy.max(LEAST_POWER).log10();
                    loudest = loudest.max(*value);
                }
            }
        }
        loudest
    }

    /// Cuts a frame and the one after it: the real parts of `pair` hold the first, the imaginary
    /// parts the second, so that one transform serves both.
    fn cut(&self, samples: &[f32], frame: usize, pair: &mut [Complex<f32>]) {
        for (position, (value, taper)) in pair.iter_mut().zip(&self.taper).enumerate() {
            // Before its beginning the recording is heard in reverse.
            let sample = |centre: usize| {
                let place = (centre + position).abs_diff(FRAME / 2);
                samples.get(place).copied().unwrap_or(0.0)
            };
            *value = Complex::new(
                taper * sample(frame * HOP),
                taper * sample((frame + 1) * HOP),
            );
        }
    }
}

impl Spectrogram {
    /// Returns how many frames begin inside the recording: its length in hundredths of a second.
    pub fn content_frames(&self) -> usize {
        self.content_frames
    }

    /// Returns the window that begins at a frame, `(3000, bands)`, silent after the recording.
    pub fn window(&self, start: usize) -> Vec<f32> {
        let mut window = self.sounding(start).to_vec();
        window.resize(WINDOW_FRAMES * self.bands, self.floor);
        window
    }

    /// Returns whether nothing in the window that begins at a frame is louder than the floor, so
    /// that a model would hear the same constant as in digital silence.
    pub fn is_silent(&self, start: usize) -> bool {
        self.sounding(start)
            .iter()
            .all(|value| *value <= self.floor)
    }

    fn sounding(&self, start: usize) -> &[f32] {
        let length = self.values.len();
        let start = (start * self.bands).min(length);
        &self.values[start..(start + WINDOW_FRAMES * self.bands).min(length)]
    }
}

/// Writes the power spectrum of one of the two real signals whose sum `a + i·b` was transformed:
/// `A(k) = (Z(k) + Z*(N-k)) / 2` and `B(k) = (Z(k) - Z*(N-k)) / 2i`.
fn separate(transform: &[Complex<f32>], second: bool, power: &mut [f32; FREQUENCIES]) {
    for (k, power) in power.iter_mut().enumerate() {
        let (value, mirrored) = (transform[k], transform[(FRAME - k) % FRAME].conj());
        let part = if second {
            value - mirrored
        } else {
            value + mirrored
        };
        *power = part.norm_sqr() / 4.0;
    }
}

/// Returns the periodic Hann window.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "0 to 400"
)]
fn hann_window() -> Vec<f32> {
    let angle = |position: usize| std::f64::consts::TAU * position as f64 / FRAME as f64;
    (0..FRAME)
        .map(|position| (0.5 - 0.5 * angle(position).cos()) as f32)
        .collect()
}

/// Returns triangles that are evenly spaced on the mel scale of Slaney's Auditory Toolbox from 0
/// to 8000 Hz and have the same area each (`librosa.filters.mel` with its defaults).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers"
)]
fn filter_bank(bands: usize) -> Vec<Band> {
    let highest = hertz_to_mel(SAMPLE_RATE as f64 / 2.0);
    let corner = |number: usize| mel_to_hertz(highest * number as f64 / (bands + 1) as f64);
    let frequency = |bin: usize| (bin * SAMPLE_RATE) as f64 / FRAME as f64;
    (0..bands)
        .map(|band| {
            let (low, centre, high) = (corner(band), corner(band + 1), corner(band + 2));
            let weight = |bin: usize| {
                let rising = (frequency(bin) - low) / (centre - low);
                let falling = (high - frequency(bin)) / (high - centre);
                (rising.min(falling).max(0.0) * 2.0 / (high - low)) as f32
            };
            let first = (0..FREQUENCIES).find(|bin| weight(*bin) > 0.0).unwrap_or(0);
            let weights = (first..FREQUENCIES)
                .map(weight)
                .take_while(|weight| *weight > 0.0);
            Band {
                first,
                weights: weights.collect(),
            }
        })
        .collect()
}

/// Slaney's scale: linear up to 1000 Hz, which is 15 mel, then 27 mel for each factor of 6.4.
fn hertz_to_mel(hertz: f64) -> f64 {
    if hertz < 1000.0 {
        hertz * 3.0 / 200.0
    } else {
        15.0 + 27.0 * (hertz / 1000.0).ln() / 6.4_f64.ln()
    }
}

fn mel_to_hertz(mel: f64) -> f64 {
    if mel < 15.0 {
        mel * 200.0 / 3.0
    } else {
        1000.0 * 6.4_f64.powf((mel - 15.0) / 27.0)
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::float_cmp,
    reason = "small numbers; the floor is exact"
)]
mod tests {
    use super::*;

    /// A chirp with a click, so that frames differ and no two bands are equal.
    fn recording(length: usize) -> Vec<f32> {
        let sample = |n: usize| {
            let t = n as f64 / SAMPLE_RATE as f64;
            let click = if n == 777 { 0.3 } else { 0.0 };
            (0.4 * (t * (900.0 + 4000.0 * t)).sin() + click) as f32
        };
        (0..length).map(sample).collect()
    }

    /// The definition, written out in float64: reflect, window, transform, full filter matrix.
    fn slow(samples: &[f32], bands: usize) -> Vec<Vec<f64>> {
        let at = |place: i64| {
            samples
                .get(place.unsigned_abs() as usize)
                .copied()
                .map_or(0.0, f64::from)
        };
        let triangle = |band: usize, hertz: f64| {
            let top = hertz_to_mel(8000.0);
            let corner = |n: usize| mel_to_hertz(top * n as f64 / (bands as f64 + 1.0));
            let (a, b, c) = (corner(band), corner(band + 1), corner(band + 2));
            ((hertz - a) / (b - a)).min((c - hertz) / (c - b)).max(0.0) * 2.0 / (c - a)
        };
        let frames = samples.len() / HOP;
        let mut logarithms = vec![vec![0.0; bands]; frames];
        for (frame, row) in logarithms.iter_mut().enumerate() {
            let power = (0..FREQUENCIES)
                .map(|k| {
                    let (mut real, mut imaginary) = (0.0, 0.0);
                    for n in 0..FRAME {
                        let turn = std::f64::consts::TAU * n as f64 / FRAME as f64;
                        let value = at((frame * HOP + n) as i64 - 200) * (0.5 - 0.5 * turn.cos());
                        real += value * (turn * k as f64).cos();
                        imaginary -= value * (turn * k as f64).sin();
                    }
                    real * real + imaginary * imaginary
                })
                .collect::<Vec<_>>();
            for (band, value) in row.iter_mut().enumerate() {
                let energy: f64 = power
                    .iter()
                    .enumerate()
                    .map(|(k, p)| p * triangle(band, 40.0 * k as f64))
                    .sum();
                *value = energy.max(1e-10).log10();
            }
        }
        let top = logarithms.iter().flatten().copied().fold(-10.0, f64::max);
        for value in logarithms.iter_mut().flatten() {
            *value = (value.max(top - 8.0) + 4.0) / 4.0;
        }
        logarithms
    }

    #[test]
    fn equals_the_definition() {
        for bands in [80, 128] {
            let samples = recording(4000);
            let spectrogram = MelTransform::new(bands).spectrogram(&samples);
            let expected = slow(&samples, bands);
            assert_eq!(spectrogram.content_frames(), expected.len());
            for (frame, row) in expected.iter().enumerate() {
                for (band, expected) in row.iter().enumerate() {
                    let value = f64::from(spectrogram.values[frame * bands + band]);
                    assert!(
                        (value - expected).abs() < 1e-3,
                        "{frame} {band}: {value} {expected}"
                    );
                }
            }
        }
    }

    /// Three weights of `librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)`.
    #[test]
    fn filters_are_those_of_whisper() {
        let bank = filter_bank(80);
        let weight = |band: usize, bin: usize| bank[band].weights[bin - bank[band].first];
        for (value, expected) in [
            (weight(0, 1), 0.024_862_594),
            (weight(1, 1), 0.001_990_826_9),
            (weight(1, 2), 0.022_871_75),
        ] {
            assert!((value - expected).abs() < 1e-7, "{value} {expected}");
        }
    }

    #[test]
    fn windows_are_padded_with_the_value_of_silence() {
        let transform = MelTransform::new(80);
        let spectrogram = transform.spectrogram(&recording(16_000));
        let window = spectrogram.window(90);
        assert_eq!(window.len(), WINDOW_FRAMES * 80);
        let lowest = spectrogram
            .values
            .iter()
            .copied()
            .fold(f32::INFINITY, f32::min);
        assert!(window[window.len() - 1] <= lowest);
        assert!(!spectrogram.is_silent(0));
        assert!(spectrogram.is_silent(200));
    }

    #[test]
    fn digital_silence_and_nothing_are_silent() {
        let transform = MelTransform::new(80);
        for length in [0, 1, 100, 16_000] {
            let spectrogram = transform.spectrogram(&vec![0.0; length]);
            assert!(spectrogram.is_silent(0));
            assert!(spectrogram.window(0).iter().all(|value| *value == -1.5));
        }
    }
}
