//! Damaged models are refused with a reason.

use super::*;
use crate::engine::candle::whisper::error::Error;
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;

const WIDTH: usize = 8;
const TEXT: usize = 20;

/// A model of one layer with a vocabulary of a few words, whose weights are all small.
struct Toy {
    folder: tempfile::TempDir,
}

impl Toy {
    fn new() -> Self {
        let toy = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        toy.write_json("config.json", &Self::config());
        toy.write_json("tokenizer.json", &Self::tokenizer());
        candle_core::safetensors::save(&Self::tensors(), toy.path("model.safetensors")).unwrap();
        toy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_json(&self, name: &str, value: &Value) {
        std::fs::write(self.path(name), value.to_string()).unwrap();
    }

    /// Writes the same weights as GGUF, unquantized, and returns the file's bytes.
    fn write_gguf(&self) -> Vec<u8> {
        let tensors =
            candle_core::safetensors::load(self.path("model.safetensors"), &Device::Cpu).unwrap();
        let tensors = tensors
            .iter()
            .map(|(name, tensor)| {
                let single = tensor.to_dtype(DType::F32).unwrap();
                (
                    name.as_str(),
                    QTensor::quantize(&single, GgmlDType::F32).unwrap(),
                )
            })
            .collect::<Vec<_>>();
        let tensors = tensors
            .iter()
            .map(|(name, tensor)| (*name, tensor))
            .collect::<Vec<_>>();
        let path = self.path("model-q8_0.gguf");
        gguf_file::write(&mut std::fs::File::create(&path).unwrap(), &[], &tensors).unwrap();
        std::fs::read(path).unwrap()
    }

    fn load(&self) -> Result<Model, Error> {
        Model::load(
            self.folder.path(),
            &LoadOptions {
                quantization: Quantization::F16,
            },
        )
    }

    fn refusal(&self) -> String {
        self.load()
            .err()
            .expect("a damaged model is refused")
            .to_string()
    }

    fn special() -> Vec<&'static str> {
        vec![
            "<|endoftext|>",
            "<|startoftranscript|>",
            "<|translate|>",
            "<|transcribe|>",
            "<|nospeech|>",
            "<|notimestamps|>",
        ]
    }

    fn vocabulary_size() -> usize {
        TEXT + Self::special().len() + 1501
    }

    fn config() -> Value {
        json!({
            "num_mel_bins": 80, "d_model": WIDTH, "max_source_positions": 1500,
            "max_target_positions": 32, "vocab_size": Self::vocabulary_size(),
            "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16,
            "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16,
        })
    }

    fn tokenizer() -> Value {
        let mut vocabulary = serde_json::Map::new();
        for number in 0..TEXT {
            vocabulary.insert(format!("w{number}"), number.into());
        }
        let added = (TEXT..)
            .zip(Self::special())
            .map(|(id, content)| {
                json!({ "id": id, "content": content, "single_word": false, "lstrip": false,
                        "rstrip": false, "normalized": false, "special": true })
            })
            .collect::<Vec<_>>();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
            "pre_tokenizer": null, "post_processor": null,
            "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                         "use_regex": true },
            "added_tokens": added,
            "model": { "type": "BPE", "vocab": vocabulary, "merges": [], "unk_token": null,
                       "dropout": null, "continuing_subword_prefix": null,
                       "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false },
        })
    }

    fn tensors() -> HashMap<String, Tensor> {
        let mut tensors = HashMap::new();
        let mut add = |name: String, shape: &[usize]| {
            let tensor = Tensor::randn(0_f32, 0.1, shape, &Device::Cpu).unwrap();
            tensors.insert(name, tensor.to_dtype(DType::F16).unwrap());
        };
        let attention = |add: &mut dyn FnMut(String, &[usize]), name: String| {
            for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                add(format!("{name}.{part}.weight"), &[WIDTH, WIDTH]);
                add(format!("{name}.{part}.bias"), &[WIDTH]);
            }
            add(format!("{name}_layer_norm.weight"), &[WIDTH]);
            add(format!("{name}_layer_norm.bias"), &[WIDTH]);
        };
        for side in ["model.encoder", "model.decoder"] {
            let layer = format!("{side}.layers.0");
            attention(&mut add, format!("{layer}.self_attn"));
            add(format!("{layer}.fc1.weight"), &[16, WIDTH]);
            add(format!("{layer}.fc1.bias"), &[16]);
            add(format!("{layer}.fc2.weight"), &[WIDTH, 16]);
            add(format!("{layer}.fc2.bias"), &[WIDTH]);
            for norm in [
                format!("{layer}.final_layer_norm"),
                format!("{side}.layer_norm"),
            ] {
                add(format!("{norm}.weight"), &[WIDTH]);
                add(format!("{norm}.bias"), &[WIDTH]);
            }
        }
        attention(&mut add, "model.decoder.layers.0.encoder_attn".into());
        for (name, inputs) in [("conv1", 80), ("conv2", WIDTH)] {
            add(format!("model.encoder.{name}.weight"), &[WIDTH, inputs, 3]);
            add(format!("model.encoder.{name}.bias"), &[WIDTH]);
        }
        add(
            "model.decoder.embed_tokens.weight".into(),
            &[Self::vocabulary_size(), WIDTH],
        );
        add("model.decoder.embed_positions.weight".into(), &[32, WIDTH]);
        tensors
    }
}

fn noise(seconds: u32) -> Vec<f32> {
    let byte = |n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[3];
    (0..seconds * 16_000)
        .map(|n| f32::from(byte(n)) / 1000.0)
        .collect()
}

#[test]
fn a_small_model_runs_and_says_the_same_twice() {
    let mut model = Toy::new().load().unwrap();
    assert!(!model.is_multilingual());
    let mut said = || {
        model
            .transcribe(&noise(3), &DecodeOptions::default(), &mut |_| {})
            .unwrap()
    };
    let (first, second) = (said(), said());
    assert_eq!(first, second);
    assert_eq!(first.language, "en");
    assert!(first.tokens > 0);
}

#[test]
fn both_formats_say_the_same() {
    let toy = Toy::new();
    toy.write_gguf();
    let said = [Quantization::F16, Quantization::Q8_0].map(|quantization| {
        let mut model = Model::load(toy.folder.path(), &LoadOptions { quantization }).unwrap();
        model
            .transcribe(&noise(3), &DecodeOptions::default(), &mut |_| {})
            .unwrap()
    });
    assert_eq!(said[0], said[1]);
}

/// Every byte of the first part of each file, where the header is, turned around.
#[test]
fn no_damage_to_a_header_panics() {
    let toy = Toy::new();
    let gguf = toy.write_gguf();
    let safetensors = std::fs::read(toy.path("model.safetensors")).unwrap();
    for (quantization, whole) in [(Quantization::F16, safetensors), (Quantization::Q8_0, gguf)] {
        for place in 0..400 {
            let mut damaged = whole.clone();
            damaged[place] ^= 0xff;
            std::fs::write(toy.path(quantization.file_name()), damaged).unwrap();
            if let Err(error) = Model::load(toy.folder.path(), &LoadOptions { quantization }) {
                assert!(
                    error.to_string().contains(quantization.file_name()),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn beams_are_refused_with_a_remedy() {
    let mut model = Toy::new().load().unwrap();
    let options = DecodeOptions {
        beam_size: 5,
        ..DecodeOptions::default()
    };
    let error = model
        .transcribe(&noise(1), &options, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("beam size 5") && error.contains("set it to 1"),
        "{error}"
    );
}

#[test]
fn each_missing_file_is_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let toy = Toy::new();
        std::fs::remove_file(toy.path(name)).unwrap();
        let refusal = toy.refusal();
        assert!(
            refusal.contains(name) && refusal.contains("fetch the model again"),
            "{refusal}"
        );
    }
}

#[test]
fn weights_cut_short_anywhere_are_refused() {
    let toy = Toy::new();
    let whole = std::fs::read(toy.path("model.safetensors")).unwrap();
    for kept in [0, 4, 8, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(toy.path("model.safetensors"), &whole[..kept]).unwrap();
        let refusal = toy.refusal();
        assert!(refusal.contains("model.safetensors"), "{refusal}");
    }
}

#[test]
fn garbage_is_refused_in_both_formats() {
    let toy = Toy::new();
    let garbage = (0..5000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8);
    let garbage = garbage.collect::<Vec<_>>();
    for (quantization, start) in [
        (Quantization::F16, vec![]),
        (Quantization::F16, vec![0xff; 8]),
        (Quantization::Q8_0, vec![]),
        (Quantization::Q8_0, b"GGUF\x03\0\0\0".to_vec()),
    ] {
        let path = toy.path(quantization.file_name());
        std::fs::write(&path, [start, garbage.clone()].concat()).unwrap();
        let refused = Model::load(toy.folder.path(), &LoadOptions { quantization });
        let refusal = refused.err().expect("garbage is refused").to_string();
        assert!(refusal.contains(quantization.file_name()), "{refusal}");
    }
}

/// candle would divide by it.
#[test]
fn a_gguf_file_with_an_alignment_of_zero_is_refused() {
    let toy = Toy::new();
    let key = "general.alignment";
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.extend(0_u64.to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    file.extend((key.len() as u64).to_le_bytes());
    file.extend(key.as_bytes());
    file.extend(4_u32.to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    std::fs::write(toy.path("model-q8_0.gguf"), file).unwrap();
    let options = LoadOptions {
        quantization: Quantization::Q8_0,
    };
    assert!(Model::load(toy.folder.path(), &options).is_err());
}

#[test]
fn a_config_of_another_model_is_refused_by_tensor() {
    let toy = Toy::new();
    let mut config = Toy::config();
    config["encoder_ffn_dim"] = 32.into();
    toy.write_json("config.json", &config);
    let refusal = toy.refusal();
    assert!(
        refusal.contains("model.encoder.layers.0.fc1.weight"),
        "{refusal}"
    );
    assert!(
        refusal.contains("[16, 8]") && refusal.contains("[32, 8]"),
        "{refusal}"
    );
}

#[test]
fn a_missing_layer_is_refused_by_tensor() {
    let toy = Toy::new();
    let mut config = Toy::config();
    config["decoder_layers"] = 2.into();
    toy.write_json("config.json", &config);
    let refusal = toy.refusal();
    assert!(refusal.contains("model.decoder.layers.1") && refusal.contains("is not in the file"));
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let toy = Toy::new();
    let mut tokenizer = Toy::tokenizer();
    tokenizer["added_tokens"][5]["content"] = "<|something|>".into();
    toy.write_json("tokenizer.json", &tokenizer);
    assert!(toy.refusal().contains("<|notimestamps|>"));
    std::fs::write(toy.path("tokenizer.json"), "{}").unwrap();
    assert!(toy.refusal().contains("tokenizer.json"));
}
