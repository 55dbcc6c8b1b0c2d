//! Real engines, real weights, real speech. One at a time.

mod installed;

use crate::support::Place;
use std::fs;

/// A matrix of whisper.cpp that survives a busy machine.
const MATRIX: &str = "version: 1\nname: real\nmatrix:\n  backend: [whisper-cpp]\n  model: [tiny.en]\n  \
    audio: [jfk]\n  verify-method: [load]\n  quantization: [f16, q5_1]\nsettings: {repeat: 1, \
    warmup: 0, wait-policy: passive}\n";

#[test]
fn whisper_cpp_hears_jfk_without_an_error_and_fetches_once() {
    let place = Place::with_shared_store();
    place.write("m.yaml", MATRIX);
    place
        .run(&["run", "m.yaml", "--out", "first"])
        .expect_status(0);
    place
        .run(&["run", "m.yaml", "--out", "second"])
        .expect_status(0);
    let rows = place.table("second/results.csv");
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row["status"], "completed");
        assert_eq!(row["wer"], "0");
        assert_eq!(row["network_wall"], "seccomp");
        assert_eq!(row["synthetic"], "false");
        assert!(row["peak_rss_bytes"].parse::<u64>().unwrap() > 50_000_000);
        let wall: f64 = row["transcribe_seconds_median"].parse().unwrap();
        let first: f64 = row["first_segment_seconds"].parse().unwrap();
        assert!(0.0 < first && first <= wall);
    }
    let jobs = place.table("second/jobs.csv");
    let download = jobs.iter().find(|job| job["kind"] == "download").unwrap();
    assert_eq!(download["status"], "not-needed");
}

/// The system calls of a verify by each method: no socket but local ones, and the canary refused.
#[test]
#[cfg(target_os = "linux")]
fn a_verify_opens_no_socket() {
    let place = Place::with_shared_store();
    place.write("m.yaml", MATRIX);
    place
        .run(&["download", "m.yaml", "--verify-method", "checksum"])
        .expect_status(0);
    for method in ["cache-check", "checksum", "load", "transcribe"] {
        let arguments = ["verify", "m.yaml", "--fresh", "--verify-method", method];
        let Some(calls) = crate::verify::sockets::calls_of(&place, &arguments, 0) else {
            return;
        };
        let asks_engine = matches!(method, "load" | "transcribe");
        assert_eq!(calls.refused() > 0, asks_engine, "{method}");
    }
}

/// A model that was loaded once is not loaded again, until somebody wants it fresh.
#[test]
fn a_load_is_remembered() {
    let place = Place::with_shared_store();
    place.write("m.yaml", MATRIX);
    place.run(&["download", "m.yaml"]).expect_status(0);
    let verify = |arguments: &[&str]| {
        let mut all = vec!["verify", "m.yaml", "--format", "json"];
        all.extend(arguments);
        place.run(&all).expect_status(0).json()["verifies"][0].clone()
    };
    crate::support::eventually("the verdict is remembered", || {
        verify(&[])["remembered"] == true
    });
    assert_eq!(verify(&["--fresh"])["remembered"], false);
    assert_eq!(
        verify(&["--verify-method", "transcribe", "--fresh"])["remembered"],
        false
    );
    assert_eq!(
        verify(&["--verify-method", "transcribe"])["remembered"],
        true
    );
}

/// An engine that refuses a model gives an answer.
#[test]
fn a_model_that_is_no_model_is_an_answer_and_not_a_crash_of_the_runner() {
    let place = Place::new();
    fs::create_dir(place.path().join("store")).unwrap();
    fs::write(place.path().join("store/m.bin"), vec![7u8; 4096]).unwrap();
    place.write(
        "m.yaml",
        "version: 1\nname: broken\nmatrix:\n  backend: [whisper-cpp]\n  model: [mine]\n  audio: [jfk]\n  \
         verify-method: [load]\nmodels:\n  mine:\n    size: tiny\n    artifacts:\n      ggml-f16:\n        \
         files: {m.bin: {bytes: 4096}}\n        sources: [{path: store}]\n",
    );
    let ran = place
        .run(&["verify", "m.yaml", "--format", "json"])
        .expect_status(3);
    let verify = &ran.json()["verifies"][0];
    assert_eq!(verify["verdict"], "error", "{verify}");
    assert_eq!(verify["network_wall"], "seccomp");
}

/// The built-in engines keep to the protocol with real weights.
#[test]
fn the_built_in_engines_pass_the_conformance_kit() {
    let place = Place::with_shared_store();
    let mut engines = vec!["whisper-cpp"];
    if cfg!(feature = "candle") {
        engines.push("candle");
    }
    let matrix = MATRIX
        .replace("[whisper-cpp]", &format!("[{}]", engines.join(", ")))
        .replace("[f16, q5_1]", "[f16]")
        .replace(", wait-policy: passive", "");
    place.write("m.yaml", &matrix);
    place.run(&["download", "m.yaml"]).expect_status(0);
    for engine in engines {
        let checked = place
            .run(&["engines", "check", engine, "--model", "tiny.en"])
            .expect_status(0);
        for case in ["load ", "speech ", "damaged-model ", "cancelled "] {
            let line = checked.stdout.lines().find(|line| line.contains(case));
            assert!(
                line.is_some_and(|line| line.trim().starts_with("ok")),
                "{case}{}",
                checked.stdout
            );
        }
    }
}

/// Two engines on real speech hear nearly the same.
#[test]
#[cfg(feature = "candle")]
fn candle_hears_what_whisper_cpp_hears() {
    let place = Place::with_shared_store();
    place.write(
        "m.yaml",
        &MATRIX
            .replace("[whisper-cpp]", "[whisper-cpp, candle]")
            .replace("[jfk]", "[jfk, librispeech-61-70968-0000, sonnet-1]")
            .replace("[f16, q5_1]", "[f16]")
            .replace("[load]", "[checksum]"),
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    assert_eq!(rows.len(), 6);
    let wer = |backend: &str, audio: &str| -> f64 {
        let row = rows
            .iter()
            .find(|row| row["backend"] == backend && row["audio"] == audio);
        row.unwrap()["wer"].parse().unwrap()
    };
    for audio in ["jfk", "librispeech-61-70968-0000"] {
        assert_eq!(
            (wer("whisper-cpp", audio), wer("candle", audio)),
            (0.0, 0.0),
            "{audio}"
        );
    }
    for backend in ["whisper-cpp", "candle"] {
        assert!(
            wer(backend, "sonnet-1") < 0.2,
            "{backend}: {}",
            wer(backend, "sonnet-1")
        );
    }
}

/// Every format that the corpus has an English recording in is decoded to the right words.
#[test]
#[cfg(feature = "candle")]
fn every_format_is_heard() {
    let place = Place::with_shared_store();
    place.write(
        "m.yaml",
        &MATRIX
            .replace("[whisper-cpp]", "[candle]")
            .replace(
                "[jfk]",
                "[\"format-jfk-*\", \"format-arctic-*\", \"format-sonnet-*\"]",
            )
            .replace("[f16, q5_1]", "[q8_0]")
            .replace(", wait-policy: passive", ""),
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let wer: f64 = row["wer"].parse().unwrap();
        let most = if row["audio"].contains("sonnet") {
            0.2
        } else {
            0.0
        };
        assert!(
            wer <= most,
            "{}: {wer}: {}",
            row["audio"],
            row["hypothesis"]
        );
        assert!(!row["notes"].contains("repeats itself"), "{}", row["notes"]);
    }
}

/// A process that is kept for several recordings hears in each what one of its own hears.
#[test]
fn a_kept_engine_carries_nothing_from_one_recording_to_the_next() {
    let place = Place::with_shared_store();
    let matrix = MATRIX
        .replace("[whisper-cpp]", "[whisper-cpp, candle]")
        .replace("[jfk]", "[austen-0870, jfk, arctic-a0007]")
        .replace("[f16, q5_1]", "[f16]");
    let texts = |isolation: &str| {
        place.write(
            "m.yaml",
            &format!("{matrix}isolation: {isolation}\norder: matrix\n"),
        );
        place
            .run(&["run", "m.yaml", "--out", isolation])
            .expect_status(0);
        let rows = place.table(&format!("{isolation}/results.csv"));
        assert!(rows.iter().all(|row| row["isolation"] == isolation));
        let loads = rows.iter().filter(|row| !row["load_seconds"].is_empty());
        let texts: Vec<String> = rows.iter().map(|row| row["hypothesis"].clone()).collect();
        (texts, loads.count())
    };
    let (alone, loads) = texts("job");
    assert_eq!((alone.len(), loads), (6, 6));
    let (kept, loads) = texts("model");
    assert_eq!(loads, 2, "each engine loads once");
    assert_eq!(kept, alone);
}
