//! A recording as WAV: the samples to the nearest step, and nothing else.

use super::{OneFile, WavKind, wav_of_kind};
use crate::corpus::{Clip, Corpus, DecodeLimits, DecodedCache, Origin, Prepared, clip_of, decode};
use crate::model::{AudioSource, Utterance};
use std::fs;
use std::path::Path;

fn prepared(folder: &Path, clip: &Clip) -> (DecodedCache, Prepared) {
    let cache = DecodedCache::new(folder, DecodeLimits::default());
    let prepared = cache.prepare(clip).expect("a valid clip");
    (cache, prepared)
}

fn builtin(id: &str) -> Clip {
    Corpus::builtin().clip(id).expect("a built-in clip").clone()
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[test]
fn the_header_says_what_is_in_the_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cache, prepared) = prepared(folder.path(), &builtin("arctic-a0007"));
    let path = cache.prepare_wav(&prepared).expect("it can be written");
    assert_eq!(path, prepared.path.with_extension("wav"));
    let bytes = fs::read(&path).expect("it is there");
    let length = bytes.len() as u64;
    assert_eq!(length, 44 + prepared.samples * 2);
    assert_eq!(&bytes[..4], b"RIFF");
    assert_eq!(number(&bytes[4..8]), length - 8);
    assert_eq!(&bytes[8..16], b"WAVEfmt ");
    let fields: Vec<u64> = [
        (16, 4),
        (20, 2),
        (22, 2),
        (24, 4),
        (28, 4),
        (32, 2),
        (34, 2),
    ]
    .into_iter()
    .map(|(start, width)| number(&bytes[start..start + width]))
    .collect();
    assert_eq!(fields, [16, 1, 1, 16_000, 32_000, 2, 16]);
    assert_eq!(&bytes[36..40], b"data");
    assert_eq!(number(&bytes[40..44]), prepared.samples * 2);
}

#[test]
fn read_again_it_is_the_same_within_half_a_step() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cache, prepared) = prepared(folder.path(), &builtin("austen-0870"));
    let path = cache.prepare_wav(&prepared).expect("it can be written");
    let again = decode(&Origin::File(path), &DecodeLimits::default()).expect("it is a WAV file");
    assert_eq!(
        (
            again.summary.sample_rate_original,
            again.summary.channels_original
        ),
        (16_000, 1)
    );
    let samples = prepared.read_samples().expect("they are there");
    assert_eq!(again.samples.len(), samples.len());
    let furthest = samples
        .iter()
        .zip(&again.samples)
        .map(|(before, after)| (before - after).abs())
        .fold(0.0, f32::max);
    assert!(furthest <= 0.5 / 32_768.0, "{furthest}");
}

#[test]
fn what_is_beyond_the_range_becomes_its_end() {
    let samples = [
        0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        0.5 / 32_768.0,
        1.5 / 32_768.0,
        -0.6 / 32_768.0,
    ];
    let bytes: Vec<u8> = samples
        .iter()
        .flat_map(|sample: &f32| sample.to_le_bytes())
        .collect();
    let source = OneFile::new("a.wav", &wav_of_kind(16_000, 1, WavKind::Float(32), &bytes));
    let clip = clip_of(&Utterance {
        id: "a".into(),
        source: AudioSource::File(source.path.clone()),
        reference: None,
        language: None,
        seconds: None,
        sha256: None,
    })
    .expect("a clip");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cache, prepared) = prepared(folder.path(), &clip);
    // The decoder clips by itself or does not: what the cache holds is what counts.
    let given = prepared.read_samples().expect("they are there");
    let path = cache.prepare_wav(&prepared).expect("it can be written");
    let bytes = fs::read(path).expect("it is there");
    let (steps, _) = bytes[44..].as_chunks::<2>();
    let steps: Vec<i16> = steps.iter().copied().map(i16::from_le_bytes).collect();
    assert_eq!(given.len(), 8);
    assert_eq!(steps, [0, 32_767, -32_768, 32_767, -32_768, 0, 2, -1]);
}

#[test]
fn it_is_made_once_and_again_if_it_was_torn_or_altered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cache, prepared) = prepared(folder.path(), &builtin("arctic-a0007"));
    let path = cache.prepare_wav(&prepared).expect("it can be written");
    let whole = fs::read(&path).expect("it is there");
    let written = || {
        fs::metadata(&path)
            .and_then(|file| file.modified())
            .expect("it is there")
    };
    let first = written();
    cache.prepare_wav(&prepared).expect("it is there");
    assert_eq!(written(), first);
    let mut altered = whole.clone();
    altered[1_000] ^= 1;
    for broken in [&whole[..whole.len() - 2], &altered, &[]] {
        fs::write(&path, broken).expect("it can be written");
        cache.prepare_wav(&prepared).expect("it can be made again");
        assert_eq!(fs::read(&path).expect("it is there"), whole);
    }
    let left: Vec<_> = fs::read_dir(folder.path())
        .expect("it is there")
        .map(|entry| entry.expect("it is there").file_name())
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
