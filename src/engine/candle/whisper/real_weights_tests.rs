//! Real models say what was said in real recordings.
//!
//! These tests run when `EARMARK_TEST_MODELS` names a folder that holds `tiny.en/safetensors`,
//! `tiny.en/gguf-q8_0` and `base/safetensors`, and `EARMARK_TEST_AUDIO` one that holds
//! `en_jfk.f32`, `en_sonnet1.f32`, `es_mls_13697_11991_000000.f32` and
//! `ja_commonvoice_24511055.f32`, little-endian float32 samples, 16,000 a second.

use super::*;
use std::path::PathBuf;

/// Returns the folders of real weights and recordings, if this machine has them.
fn real() -> Option<(PathBuf, PathBuf)> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    Some((
        folder("EARMARK_TEST_MODELS")?,
        folder("EARMARK_TEST_AUDIO")?,
    ))
}

fn hear(model: &mut Model, audio: &Path, name: &str, options: &DecodeOptions) -> Transcript {
    let bytes = std::fs::read(audio.join(name)).unwrap();
    let samples = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes));
    model
        .transcribe(&samples.collect::<Vec<_>>(), options, &mut |_| {})
        .unwrap()
}

#[test]
fn real_weights_say_what_was_said() {
    let Some((models, audio)) = real() else {
        return;
    };
    for (folder, quantization) in [
        ("safetensors", Quantization::F16),
        ("gguf-q8_0", Quantization::Q8_0),
    ] {
        let folder = models.join("tiny.en").join(folder);
        let mut model = Model::load(&folder, &LoadOptions { quantization }).unwrap();
        let options = DecodeOptions::default();
        let heard = hear(&mut model, &audio, "en_jfk.f32", &options);
        assert_eq!(
            heard.text,
            "And so my fellow Americans ask not what your country can do for you ask what you can \
             do for your country."
        );
        assert!((heard.segments.last().unwrap().end_seconds - 11.0).abs() < 0.05);
        let plain = DecodeOptions {
            timestamps: false,
            ..options.clone()
        };
        let heard = hear(&mut model, &audio, "en_jfk.f32", &plain);
        assert!(
            heard.text.starts_with("And so my fellow Americans"),
            "{}",
            heard.text
        );
        assert_eq!(heard.segments.len(), 1);
        let heard = hear(&mut model, &audio, "en_sonnet1.f32", &options);
        assert!(
            heard.text.starts_with("1. From fairest creatures"),
            "{}",
            heard.text
        );
        assert!(
            heard.text.ends_with("by the grave and thee."),
            "{}",
            heard.text
        );
        let lines = heard.segments.iter().map(|segment| &segment.text);
        let mut lines = lines.collect::<Vec<_>>();
        let count = lines.len();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), count);
    }
}

#[test]
fn real_weights_detect_the_language() {
    let Some((models, audio)) = real() else {
        return;
    };
    let folder = models.join("base").join("safetensors");
    let options = LoadOptions {
        quantization: Quantization::F16,
    };
    let mut model = Model::load(&folder, &options).unwrap();
    assert!(model.is_multilingual());
    for (name, language, words) in [
        ("en_jfk.f32", "en", "fellow Americans"),
        (
            "es_mls_13697_11991_000000.f32",
            "es",
            "reprimidas que asomaron a sus labios",
        ),
        ("ja_commonvoice_24511055.f32", "ja", "キャンプの外れ"),
    ] {
        let heard = hear(&mut model, &audio, name, &DecodeOptions::default());
        assert_eq!(heard.language, language);
        assert!(heard.text.contains(words), "{}", heard.text);
    }
    let unknown = DecodeOptions {
        language: Some("tlh".into()),
        ..DecodeOptions::default()
    };
    let error = model
        .transcribe(&vec![0.1; 16_000], &unknown, &mut |_| {})
        .unwrap_err();
    assert!(error.to_string().contains("`tlh`"), "{error}");
}
