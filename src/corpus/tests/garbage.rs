//! Random damage to valid files of each format: a result or an error, soon, in little memory.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{OneFile, builtin_bytes, fixture};
use crate::corpus::{DecodeFailure, Origin};

/// Longest time for one damaged file of at most fifteen seconds of audio. Without optimisation the
/// resampler alone takes a second of it.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });

/// Makes every run try the same files; `PROPTEST_CASES` lengthens the sequence.
const SEED: u64 = 16_000;

/// One change to a file. Positions beyond its end mean its end.
#[derive(Debug, Clone)]
enum Damage {
    Overwrite { at: usize, with: Vec<u8> },
    Remove { at: usize, count: usize },
    Insert { at: usize, more: Vec<u8> },
    Cut { at: usize },
}

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>) {
        let end = bytes.len();
        match self {
            Self::Overwrite { at, with } => {
                bytes
                    .iter_mut()
                    .skip(at)
                    .zip(with)
                    .for_each(|(byte, with)| *byte = with);
            }
            Self::Remove { at, count } => {
                bytes.drain(at.min(end)..(at + count).min(end));
            }
            Self::Insert { at, more } => {
                bytes.splice(at.min(end)..at.min(end), more);
            }
            Self::Cut { at } => bytes.truncate(at),
        }
    }
}

/// Bytes of the kind that make lengths untrue.
fn untrue_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..16),
        (1_usize..16).prop_map(|count| vec![0xff; count]),
        (1_usize..16).prop_map(|count| vec![0x00; count]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
    ]
}

/// Changes anywhere, with a preference for the headers, where the lengths are.
fn damage(length: usize) -> impl Strategy<Value = Damage> {
    let place = prop_oneof![2 => 0..length.min(1_024), 1 => 0..length];
    (place, 0_u8..8, untrue_bytes(), 1_usize..2_000).prop_map(|(at, kind, bytes, count)| match kind
    {
        0 => Damage::Remove { at, count },
        1 => Damage::Insert { at, more: bytes },
        2 => Damage::Cut { at },
        _ => Damage::Overwrite { at, with: bytes },
    })
}

/// Decodes damaged copies of a file.
fn survive(name: &str, original: &[u8]) {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = ProptestConfig {
        cases: cases.unwrap_or(24),
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let strategy = prop::collection::vec(damage(original.len()), 1..5);
    proptest!(config, |(changes in strategy)| {
        let mut bytes = original.to_vec();
        for change in changes {
            change.apply(&mut bytes);
        }
        let file = OneFile::new(name, &bytes);
        let start = Instant::now();
        let outcome = file.decode();
        prop_assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
        match outcome {
            Ok(decoded) => {
                prop_assert_eq!(decoded.samples.len() as u64, decoded.summary.samples);
                prop_assert!(!decoded.samples.is_empty());
                prop_assert!(decoded.samples.iter().all(|sample| sample.abs() <= 1.0));
            }
            // With overflow checks on, sums over untrue lengths inside the demuxers stop with a
            // panic. It has to arrive here as an error; without the checks there is none at all.
            Err(error) => prop_assert!(
                cfg!(debug_assertions) || !matches!(error.reason, DecodeFailure::DecoderFault(_)),
                "{}",
                error
            ),
        }
    });
}

#[test]
fn damaged_flac() {
    survive("damaged.flac", builtin_bytes("arctic-a0007"));
}

#[test]
fn damaged_wav() {
    survive(
        "damaged.wav",
        builtin_bytes("format-arctic-a0007-8k-mono-wav"),
    );
}

#[test]
fn damaged_mp3() {
    survive("damaged.mp3", builtin_bytes("format-jfk-16k-mono-mp3"));
}

#[test]
fn damaged_vorbis() {
    survive("damaged.ogg", builtin_bytes("format-jfk-44k1-stereo-ogg"));
}

#[test]
fn damaged_opus() {
    survive("damaged.opus", builtin_bytes("format-mls-es-48k-mono-opus"));
}

#[test]
fn damaged_aac() {
    survive(
        "damaged.m4a",
        builtin_bytes("format-arctic-a0007-44k1-mono-m4a"),
    );
}

#[test]
fn damaged_alac() {
    let Origin::File(path) = fixture("arctic-a0007-first-second-alac.m4a") else {
        panic!("fixtures are files");
    };
    survive(
        "damaged.m4a",
        &std::fs::read(path).expect("the fixture is there"),
    );
}

#[test]
fn noise_of_any_length() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    };
    proptest!(config, |(bytes in prop::collection::vec(any::<u8>(), 0..4_096))| {
        let start = Instant::now();
        let _either = OneFile::new("noise", &bytes).decode();
        prop_assert!(start.elapsed() < LONGEST);
    });
}
