//! A recording is decoded once, and a torn file is never used.

use rayon::prelude::*;

use crate::corpus::{Clip, Corpus, DecodeFailure, DecodeLimits, DecodedCache, Prepared, decode};

fn clip(id: &str) -> Clip {
    Corpus::builtin().clip(id).expect("a built-in clip").clone()
}

fn cache(folder: &tempfile::TempDir) -> DecodedCache {
    DecodedCache::new(folder.path().join("decoded"), DecodeLimits::default())
}

fn prepare(folder: &tempfile::TempDir, id: &str) -> Prepared {
    cache(folder)
        .prepare(&clip(id))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn modified(prepared: &Prepared) -> std::time::SystemTime {
    std::fs::metadata(&prepared.path)
        .and_then(|file| file.modified())
        .expect("the file is there")
}

#[test]
fn the_stored_samples_are_the_decoded_ones() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let id = "format-arctic-a0007-8k-mono-wav";
    let prepared = prepare(&folder, id);
    let decoded = decode(&clip(id).origin, &DecodeLimits::default()).expect("a valid clip");
    assert_eq!(
        prepared.read_samples().expect("it is stored"),
        decoded.samples
    );
    assert_eq!((prepared.samples, prepared.channels_original), (64_000, 1));
    assert_eq!(prepared.sample_rate_original, 8_000);
    assert!((prepared.seconds - 4.0).abs() < f64::EPSILON);
    let facts = clip(id)
        .recorded
        .expect("built-in clips have recorded facts");
    assert_eq!(prepared.source_sha256, facts.sha256);
    let name = prepared
        .path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a plain name");
    assert_eq!(name, format!("{}-16k-mono-v1.f32", facts.sha256));
}

#[test]
fn the_second_time_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = prepare(&folder, "arctic-a0007");
    let written = modified(&first);
    let second = prepare(&folder, "arctic-a0007");
    assert_eq!(first, second);
    assert_eq!(modified(&second), written);
}

#[test]
fn torn_and_altered_files_are_decoded_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = prepare(&folder, "arctic-a0007");
    let whole = std::fs::read(&first.path).expect("the samples");
    let description = first.path.with_extension("json");
    let mut altered = whole.clone();
    altered[1_000] ^= 1;
    let damages: [&dyn Fn(); 4] = [
        &|| std::fs::write(&first.path, &whole[..whole.len() / 2]).expect("written"),
        &|| std::fs::write(&first.path, &altered).expect("written"),
        &|| std::fs::write(&description, b"{\"samples\":").expect("written"),
        &|| std::fs::remove_file(&first.path).expect("removed"),
    ];
    for damage in damages {
        damage();
        assert_eq!(prepare(&folder, "arctic-a0007"), first);
        assert_eq!(std::fs::read(&first.path).expect("the samples"), whole);
    }
}

#[test]
fn a_refused_file_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("half.flac");
    let bytes = super::builtin_bytes("arctic-a0007");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("a file");
    let mut corpus = Corpus::default();
    corpus
        .add_file("half", &path, None, None)
        .expect("a new id");
    let error = cache(&folder).prepare(corpus.clip("half").expect("it was added"));
    let error = error.expect_err("half a file");
    assert!(
        matches!(error.reason, DecodeFailure::Truncated { .. }),
        "{error}"
    );
    let left = std::fs::read_dir(folder.path().join("decoded"))
        .expect("the folder")
        .count();
    assert_eq!(left, 0);
}

#[test]
fn threads_and_processes_may_share_a_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Two caches stand for two processes: they share no lock.
    let caches = [cache(&folder), cache(&folder)];
    let clip = clip("arctic-a0007");
    let all: Vec<Prepared> = (0..8)
        .into_par_iter()
        .map(|turn| {
            caches[turn % 2]
                .prepare(&clip)
                .unwrap_or_else(|error| panic!("{error}"))
        })
        .collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    let files = std::fs::read_dir(folder.path().join("decoded"))
        .expect("the folder")
        .count();
    assert_eq!(files, 2, "samples and description, and no temporary file");
}

#[test]
fn a_folder_that_cannot_be_made_is_named_as_the_reason() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("decoded"), b"a file in the way").expect("a file");
    let error = cache(&folder)
        .prepare(&clip("arctic-a0007"))
        .expect_err("it is a file");
    assert!(matches!(error.reason, DecodeFailure::Store(_)), "{error}");
}
