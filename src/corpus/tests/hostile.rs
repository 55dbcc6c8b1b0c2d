//! Files that are broken, cut, empty, endless or untrue: each is refused with its name, a reason
//! and a remedy, and none is taken for a short recording.

use std::fs::File;

use super::{OneFile, WavKind, builtin_bytes, wav, wav_of_kind, wav_that_states};
use crate::corpus::{DecodeFailure, DecodeLimits, Origin, decode};

/// Refuses the bytes and returns the reason, having checked that the text names the file.
fn refused(name: &str, bytes: &[u8]) -> DecodeFailure {
    let error = OneFile::new(name, bytes).decode().expect_err(name);
    let text = error.to_string();
    assert!(text.contains(name), "no name: {text}");
    assert!(text.ends_with(error.reason.remedy()), "no remedy: {text}");
    error.reason
}

fn second_of_tone() -> Vec<i16> {
    (0..16_000_i16).map(|at| (at % 40) * 100).collect()
}

#[test]
fn a_missing_file_a_folder_and_an_empty_file_are_told_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let limits = DecodeLimits::default();
    let missing = decode(&Origin::File(folder.path().join("absent.wav")), &limits);
    let missing = missing.expect_err("it is not there");
    assert!(
        matches!(missing.reason, DecodeFailure::Unreadable(_)),
        "{missing}"
    );
    let directory = decode(&Origin::File(folder.path().to_path_buf()), &limits);
    let directory = directory.expect_err("it is a folder");
    assert!(
        matches!(directory.reason, DecodeFailure::NotAFile),
        "{directory}"
    );
    assert!(matches!(
        refused("empty.flac", b""),
        DecodeFailure::EmptyFile
    ));
}

#[test]
fn text_and_noise_are_no_audio() {
    let text = "This is not audio. ".repeat(1_000);
    for (name, bytes) in [("letter.wav", text.as_bytes()), ("zeros.mp3", &[0; 4_096])] {
        let reason = refused(name, bytes);
        assert!(
            matches!(reason, DecodeFailure::UnknownFormat),
            "{name}: {reason:?}"
        );
    }
}

#[test]
fn a_wav_without_samples_is_refused() {
    assert!(matches!(
        refused("silent.wav", &wav(16_000, 1, &[])),
        DecodeFailure::NoSamples
    ));
}

#[test]
fn a_header_that_states_nothing_does_not_hide_a_lack_of_samples() {
    let bytes = wav_that_states(16_000, 1, WavKind::Integer(16), 0, &[1; 3_200]);
    assert!(matches!(
        refused("states-zero.wav", &bytes),
        DecodeFailure::NoSamples
    ));
}

#[test]
fn a_header_that_states_ten_hours_is_refused_before_anything_is_decoded() {
    let data: Vec<u8> = second_of_tone()
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let stated = 10 * 3_600 * 32_000;
    let bytes = wav_that_states(16_000, 1, WavKind::Integer(16), stated, &data);
    match refused("ten-hours.wav", &bytes) {
        DecodeFailure::StatedTooLong {
            stated,
            bytes,
            limit,
            ..
        } => {
            assert!((stated - 36_000.0).abs() < 1.0, "{stated}");
            assert_eq!((bytes, limit), (32_044, 7_200));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_header_that_states_more_than_there_is_means_truncated() {
    let data: Vec<u8> = second_of_tone()
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let bytes = wav_that_states(16_000, 1, WavKind::Integer(16), 320_000, &data);
    match refused("ten-seconds.wav", &bytes) {
        DecodeFailure::Truncated { decoded, stated } => {
            assert!((0.9..=1.0).contains(&decoded), "{decoded}");
            assert_eq!(stated, Some(10.0));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_wav_from_a_pipe_that_states_no_length_is_read_to_its_end() {
    let data: Vec<u8> = second_of_tone()
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let bytes = wav_that_states(16_000, 1, WavKind::Integer(16), u32::MAX, &data);
    let decoded = OneFile::new("pipe.wav", &bytes)
        .decode()
        .expect("a streamed WAV is valid");
    assert_eq!(decoded.samples.len(), 16_000);
}

#[test]
fn a_flac_that_states_the_largest_length_is_refused_without_allocating_it() {
    let mut bytes = builtin_bytes("arctic-a0007").to_vec();
    // The 36-bit number of samples ends at byte 26: 4 of marker, 4 of block header, 18 of fields.
    bytes[21] |= 0x0f;
    bytes[22..26].fill(0xff);
    assert!(matches!(
        refused("huge.flac", &bytes),
        DecodeFailure::StatedTooLong { .. }
    ));
}

#[test]
fn a_flac_that_does_not_state_its_length_is_decoded() {
    let mut bytes = builtin_bytes("arctic-a0007").to_vec();
    bytes[21] &= 0xf0;
    bytes[22..26].fill(0);
    let decoded = OneFile::new("unstated.flac", &bytes)
        .decode()
        .expect("the length is optional");
    assert_eq!(decoded.samples.len(), 64_000);
}

#[test]
fn an_ogg_that_states_two_to_the_63rd_samples_is_refused() {
    let mut bytes = builtin_bytes("format-jfk-44k1-stereo-ogg").to_vec();
    let last = bytes
        .windows(4)
        .rposition(|window| window == b"OggS")
        .expect("a last page");
    bytes[last + 6..last + 14].copy_from_slice(&i64::MAX.to_le_bytes());
    // The page checksum no longer matches, so the decoder may also refuse it as damaged.
    let reason = refused("huge.ogg", &bytes);
    assert!(
        matches!(
            reason,
            DecodeFailure::StatedTooLong { .. }
                | DecodeFailure::Damaged { .. }
                | DecodeFailure::Truncated { .. }
        ),
        "{reason}"
    );
}

#[test]
fn half_a_file_is_never_a_short_recording() {
    let whole = [
        ("half.flac", builtin_bytes("jfk")),
        ("half.mp3", builtin_bytes("format-jfk-16k-mono-mp3")),
        (
            "untagged.mp3",
            builtin_bytes("format-common-voice-ja-32k-mono-mp3"),
        ),
        ("half.ogg", builtin_bytes("format-jfk-44k1-stereo-ogg")),
        ("half.opus", builtin_bytes("format-mls-es-48k-mono-opus")),
        ("half.wav", builtin_bytes("format-arctic-a0007-8k-mono-wav")),
        (
            "half.m4a",
            builtin_bytes("format-arctic-a0007-44k1-mono-m4a"),
        ),
    ];
    for (name, bytes) in whole {
        for twelfth in [1, 5, 6, 9, 11] {
            let reason = refused(name, &bytes[..bytes.len() * twelfth / 12]);
            assert!(
                matches!(reason, DecodeFailure::Truncated { .. }),
                "{name}, {twelfth} twelfths: {reason:?}"
            );
        }
    }
}

#[test]
fn the_truncated_error_tells_how_much_there_was() {
    let bytes = builtin_bytes("jfk");
    match refused("half.flac", &bytes[..bytes.len() / 2]) {
        DecodeFailure::Truncated { decoded, stated } => {
            assert!((3.0..8.0).contains(&decoded), "{decoded}");
            assert_eq!(stated, Some(11.0));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_flipped_bit_in_a_flac_is_found() {
    let mut bytes = builtin_bytes("jfk").to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    let reason = refused("flipped.flac", &bytes);
    assert!(
        matches!(
            reason,
            DecodeFailure::Damaged { .. } | DecodeFailure::Checksum
        ),
        "{reason}"
    );
}

#[test]
fn numbers_that_are_none_are_refused() {
    let mut data = 0.25_f32.to_le_bytes().repeat(160);
    data.extend(f32::NAN.to_le_bytes());
    let bytes = wav_of_kind(16_000, 1, WavKind::Float(32), &data);
    match refused("nan.wav", &bytes) {
        DecodeFailure::NotFinite { seconds } => assert!((seconds - 0.01).abs() < 1e-9),
        other => panic!("{other}"),
    }
}

#[test]
fn absurd_rates_and_channel_counts_are_refused() {
    for rate in [0, 1, 3_999, 384_001, u32::MAX] {
        let reason = refused("rate.wav", &wav(rate, 1, &second_of_tone()));
        assert!(
            matches!(
                reason,
                DecodeFailure::SampleRate { .. } | DecodeFailure::Damaged { .. }
            ),
            "{rate}: {reason:?}"
        );
    }
    refused("many.wav", &wav(16_000, 4_000, &second_of_tone()));
}

#[test]
fn a_file_over_the_size_limit_is_refused_unread() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("large.wav");
    let file = File::create(&path).expect("a file");
    file.set_len((1 << 32) + 1)
        .expect("a file with a hole in it");
    let error = decode(&Origin::File(path), &DecodeLimits::default()).expect_err("too large");
    assert!(
        matches!(error.reason, DecodeFailure::TooManyBytes { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("split the recording"), "{error}");
}

#[test]
fn audio_beyond_the_limit_stops_the_decoding() {
    // Without a stated length only the decoding itself can find out.
    let data: Vec<u8> = second_of_tone()
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let bytes = wav_that_states(16_000, 1, WavKind::Integer(16), u32::MAX, &data.repeat(3));
    let file = OneFile::new("long.wav", &bytes);
    let limits = DecodeLimits {
        max_seconds: 2,
        ..DecodeLimits::default()
    };
    let error = decode(&Origin::File(file.path.clone()), &limits).expect_err("three seconds");
    assert!(
        matches!(error.reason, DecodeFailure::TooLong { limit: 2, .. }),
        "{error}"
    );
}

/// The part of [`untrue_headers_take_no_memory`] that runs in a process of its own.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures the memory of its process; `untrue_headers_take_no_memory` starts it"]
fn decode_untrue_headers() {
    let unlimited = DecodeLimits {
        max_seconds: u32::MAX,
        ..DecodeLimits::default()
    };
    let mut flac = builtin_bytes("arctic-a0007").to_vec();
    flac[21] |= 0x0f;
    flac[22..26].fill(0xff);
    let data = vec![1; 32_000];
    let wav = wav_that_states(16_000, 1, WavKind::Integer(16), u32::MAX - 100, &data);
    let mut opus = builtin_bytes("format-mls-es-48k-mono-opus").to_vec();
    let last = opus
        .windows(4)
        .rposition(|window| window == b"OggS")
        .expect("a last page");
    opus[last + 6..last + 14].copy_from_slice(&i64::MAX.to_le_bytes());
    let mut m4a = builtin_bytes("format-arctic-a0007-44k1-mono-m4a").to_vec();
    for table in [b"stsz", b"stts", b"stco", b"stsc", b"elst", b"mdhd"] {
        let at = m4a
            .windows(4)
            .position(|window| window == table)
            .expect("the table is there");
        m4a[at + 8..at + 16].fill(0x7f);
    }
    for (name, bytes) in [
        ("a.flac", flac),
        ("a.wav", wav),
        ("a.opus", opus),
        ("a.m4a", m4a),
    ] {
        let file = OneFile::new(name, &bytes);
        let error = decode(&Origin::File(file.path.clone()), &unlimited).expect_err(name);
        println!("{error}");
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("the peak");
    let kibibytes = peak
        .split_whitespace()
        .next()
        .and_then(|number| number.parse::<u64>().ok());
    println!("peak: {peak}");
    assert!(
        kibibytes.is_some_and(|kibibytes| kibibytes < 200 * 1_024),
        "peak memory {peak}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn untrue_headers_take_no_memory() {
    let (_, module) = module_path!()
        .split_once("::")
        .expect("the module is inside the crate");
    let output = std::process::Command::new(std::env::current_exe().expect("the test binary"))
        .args([
            &format!("{module}::decode_untrue_headers"),
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .expect("the test binary starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}
