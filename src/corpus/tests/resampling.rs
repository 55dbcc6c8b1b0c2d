//! The resampler keeps frequency, amplitude, position and length.

use std::f64::consts::TAU;

use proptest::prelude::*;

use crate::corpus::{MonoResampler, TARGET_RATE, resampled_length};

/// Rates that recordings of speech have.
const RATES: [u32; 9] = [
    8_000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
];

/// Resamples in blocks of the given length, as packets arrive.
fn resample(rate: u32, frames: &[f64], block: usize) -> Vec<f32> {
    let mut resampler = MonoResampler::new(rate).expect("a rate above zero");
    let mut output = Vec::new();
    for block in frames.chunks(block) {
        resampler
            .push(block, &mut output)
            .expect("blocks of any length are taken");
    }
    resampler
        .finish(&mut output)
        .expect("the filter can be emptied");
    output
}

#[expect(clippy::cast_precision_loss, reason = "positions in a short signal")]
fn tone(rate: u32, hertz: f64, frames: usize) -> Vec<f64> {
    (0..frames)
        .map(|at| 0.5 * (TAU * hertz * at as f64 / f64::from(rate)).sin())
        .collect()
}

/// Signal-to-noise ratio in decibels, away from the edges, where a tone that starts at once has
/// no defined band.
fn signal_to_noise(wanted: &[f64], found: &[f32]) -> f64 {
    let inner = 1_000..wanted.len() - 1_000;
    let (mut signal, mut noise) = (0.0, 0.0);
    for (wanted, &found) in wanted[inner.clone()].iter().zip(&found[inner]) {
        signal += wanted * wanted;
        noise += (wanted - f64::from(found)).powi(2);
    }
    10.0 * (signal / noise).log10()
}

#[test]
fn a_tone_keeps_frequency_amplitude_and_phase() {
    for rate in RATES {
        for hertz in [100.0, 1_000.0, 3_400.0] {
            let seconds = 1;
            let found = resample(rate, &tone(rate, hertz, (rate * seconds) as usize), 1_152);
            let wanted = tone(TARGET_RATE, hertz, (TARGET_RATE * seconds) as usize);
            let decibels = signal_to_noise(&wanted, &found);
            assert!(
                decibels > 100.0,
                "{hertz} Hz at {rate} Hz: {decibels:.1} dB"
            );
        }
    }
}

#[test]
fn what_sixteen_kilohertz_cannot_hold_is_taken_out() {
    let found = resample(48_000, &tone(48_000, 9_000.0, 48_000), 960);
    let loudest = found[1_000..15_000]
        .iter()
        .fold(0.0_f32, |most, sample| most.max(sample.abs()));
    assert!(loudest < 1e-4, "an alias of {loudest}");
}

#[test]
fn a_constant_stays_what_it_is() {
    for rate in RATES {
        let found = resample(rate, &vec![0.25; rate as usize], 480);
        for sample in &found[1_000..15_000] {
            assert!((sample - 0.25).abs() < 1e-5, "{sample} at {rate} Hz");
        }
    }
}

#[test]
fn an_impulse_stays_where_it_was() {
    for rate in RATES {
        let mut frames = vec![0.0; rate as usize];
        frames[rate as usize / 2] = 0.9;
        let found = resample(rate, &frames, 333);
        let peak = (0..found.len()).max_by(|&a, &b| found[a].abs().total_cmp(&found[b].abs()));
        let distance = peak.expect("there are samples").abs_diff(8_000);
        assert!(distance <= 1, "{distance} samples away at {rate} Hz");
    }
}

#[test]
fn the_target_rate_passes_untouched() {
    let frames = tone(TARGET_RATE, 440.0, 5_000);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the expected single precision"
    )]
    let wanted: Vec<f32> = frames.iter().map(|&frame| frame as f32).collect();
    assert_eq!(resample(TARGET_RATE, &frames, 100), wanted);
}

#[test]
fn the_length_is_rounded_to_the_nearest_sample() {
    assert_eq!(resampled_length(44_100, 44_100), 16_000);
    assert_eq!(resampled_length(1, 48_000), 0);
    assert_eq!(resampled_length(2, 48_000), 1);
    assert_eq!(resampled_length(3, 8_000), 6);
    assert_eq!(resampled_length(u64::MAX, 8_000), u64::MAX);
    assert_eq!(resampled_length(5, 0), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// The length follows the formula and neither it nor a sample depends on the block length.
    #[test]
    fn block_length_does_not_matter(
        rate in prop::sample::select(RATES.to_vec()),
        frames in prop::collection::vec(-1.0_f64..1.0, 0..9_000),
        block in 1_usize..5_000,
    ) {
        let found = resample(rate, &frames, block);
        prop_assert_eq!(found.len() as u64, resampled_length(frames.len() as u64, rate));
        prop_assert_eq!(found, resample(rate, &frames, frames.len().max(1)));
    }
}
