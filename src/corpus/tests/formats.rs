//! The built-in recordings decode to what their manifest states, and each format to the same words.

use sha2::{Digest, Sha256};

use super::{WavKind, fixture, wav, wav_of_kind};
use crate::corpus::{Clip, Corpus, DecodeLimits, Origin, builtin_clips, decode};
use crate::model::hexadecimal;

/// Farthest that two decodings of one recording may lie apart, in samples: 50 ms.
const MOST_LAG: usize = 800;

fn samples_of(origin: &Origin) -> Vec<f32> {
    decode(origin, &DecodeLimits::default())
        .unwrap_or_else(|error| panic!("{error}"))
        .samples
}

fn clip(id: &str) -> Clip {
    Corpus::builtin()
        .clip(id)
        .unwrap_or_else(|| panic!("no clip {id}"))
        .clone()
}

/// The lag in samples by which `other` follows `original`, and their correlation at that lag.
fn best_alignment(original: &[f32], other: &[f32]) -> (isize, f64) {
    (0..=2 * MOST_LAG)
        .map(|step| step.cast_signed() - MOST_LAG.cast_signed())
        .map(|lag| (lag, correlation(original, other, lag)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .expect("the range of lags is not empty")
}

fn correlation(original: &[f32], other: &[f32], lag: isize) -> f64 {
    let skip = |samples: &[f32], by: isize| usize::try_from(by).unwrap_or(0).min(samples.len());
    let original = &original[skip(original, -lag)..];
    let other = &other[skip(other, lag)..];
    let (mut product, mut left, mut right) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (&a, &b) in original.iter().zip(other) {
        let (a, b) = (f64::from(a), f64::from(b));
        product += a * b;
        left += a * a;
        right += b * b;
    }
    product / (left * right).sqrt().max(f64::MIN_POSITIVE)
}

#[test]
fn every_builtin_clip_has_its_recorded_digest_and_length() {
    for clip in builtin_clips() {
        let facts = clip
            .recorded
            .as_ref()
            .expect("built-in clips have recorded facts");
        let Origin::Builtin { bytes, .. } = clip.origin else {
            panic!("{} is a file", clip.id)
        };
        let digest = hexadecimal(&Sha256::digest(bytes));
        assert_eq!(digest, facts.sha256, "{}", clip.id);
        let seconds = decode(&clip.origin, &DecodeLimits::default())
            .unwrap_or_else(|error| panic!("{error}"))
            .summary
            .seconds;
        assert!(
            (seconds - facts.seconds).abs() < 0.001,
            "{}: {seconds} s",
            clip.id
        );
        assert!(
            clip.reference.as_ref().is_some_and(|text| !text.is_empty()),
            "{}",
            clip.id
        );
        assert!(clip.language.is_some() && clip.licence.is_some() && clip.source.is_some());
    }
}

#[test]
fn sixteen_kilohertz_mono_comes_through_bit_for_bit() {
    // The FLAC streams carry a checksum of their samples, which the decoder verifies. Here the
    // step from 16-bit values to floating point is held against the definition.
    let values: Vec<i16> = (i16::MIN..=i16::MAX).step_by(7).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("values.wav");
    std::fs::write(&path, wav(16_000, 1, &values)).expect("the file is written");
    let samples = samples_of(&Origin::File(path));
    assert_eq!(samples.len(), values.len());
    for (sample, value) in samples.iter().zip(values) {
        assert_eq!(sample.to_bits(), (f32::from(value) / 32_768.0).to_bits());
    }
}

#[test]
fn each_format_gives_the_samples_of_its_original() {
    let pairs = [
        ("format-jfk-16k-mono-mp3", "jfk"),
        ("format-jfk-44k1-stereo-ogg", "jfk"),
        ("format-arctic-a0007-8k-mono-wav", "arctic-a0007"),
        ("format-arctic-a0007-44k1-mono-wav", "arctic-a0007"),
        ("format-arctic-a0007-44k1-mono-m4a", "arctic-a0007"),
        ("format-sonnet-1-44k1-stereo-mp3", "sonnet-1"),
        ("format-mls-es-48k-mono-opus", "mls-es-13697"),
        (
            "format-common-voice-ja-32k-mono-mp3",
            "common-voice-ja-24511055",
        ),
    ];
    let formats = Corpus::builtin()
        .resolve("formats")
        .expect("the set is there");
    assert_eq!(formats.len(), pairs.len());
    for (id, original) in pairs {
        let (id, original) = (clip(id), clip(original));
        assert_eq!(id.reference, original.reference);
        let (samples, wanted) = (samples_of(&id.origin), samples_of(&original.origin));
        assert!(
            samples.len().abs_diff(wanted.len()) <= MOST_LAG,
            "{}: length",
            id.id
        );
        // A second of speech and a bit says enough about alignment and keeps the search short.
        let excerpt = 20_000..40_000;
        let (lag, correlation) = best_alignment(&wanted[excerpt.clone()], &samples[excerpt]);
        assert!(
            correlation >= 0.95,
            "{}: correlation {correlation} at lag {lag}",
            id.id
        );
        assert!(lag.unsigned_abs() <= 8, "{}: {lag} samples apart", id.id);
    }
}

#[test]
fn alac_is_lossless() {
    let alac = samples_of(&fixture("arctic-a0007-first-second-alac.m4a"));
    let original = samples_of(&clip("arctic-a0007").origin);
    assert_eq!(alac, original[..16_000]);
}

#[test]
fn channels_are_mixed_by_their_mean() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("stereo.wav");
    let frames: Vec<i16> = (0..1_600).flat_map(|_| [16_384, -8_192]).collect();
    std::fs::write(&path, wav(16_000, 2, &frames)).expect("the file is written");
    let decoded = decode(&Origin::File(path), &DecodeLimits::default()).expect("a valid file");
    assert_eq!(decoded.summary.channels_original, 2);
    assert_eq!(decoded.samples, vec![0.125; 1_600]);
}

#[test]
fn wav_of_every_sample_kind_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cases = [
        (WavKind::Integer(8), vec![192]),
        (WavKind::Integer(24), vec![0x00, 0x00, 0x40]),
        (WavKind::Integer(32), 0x4000_0000_i32.to_le_bytes().to_vec()),
        (WavKind::Float(32), 0.5_f32.to_le_bytes().to_vec()),
        (WavKind::Float(64), 0.5_f64.to_le_bytes().to_vec()),
    ];
    let path = folder.path().join("half.wav");
    for (kind, sample) in cases {
        std::fs::write(&path, wav_of_kind(16_000, 1, kind, &sample.repeat(160))).expect("written");
        assert_eq!(
            samples_of(&Origin::File(path.clone())),
            vec![0.5; 160],
            "{kind:?}"
        );
    }
}

#[test]
fn louder_than_full_scale_is_clipped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("loud.wav");
    let data = 1.5_f32.to_le_bytes().repeat(160);
    std::fs::write(&path, wav_of_kind(16_000, 1, WavKind::Float(32), &data)).expect("written");
    assert_eq!(samples_of(&Origin::File(path)), vec![1.0; 160]);
}
