//! The dimensions of a model and the token lists of its generation settings.
//!
//! The files are those of the Hugging Face layout: `config.json` is required,
//! `generation_config.json` and `preprocessor_config.json` refine it where they exist.

use super::error::{Error, read};
use serde::Deserialize;
use std::path::Path;

/// Positions of the encoder for a window of thirty seconds. The window loop and the meaning of a
/// timestamp token (0.02 s) rest on it.
pub const AUDIO_POSITIONS: usize = 1500;

/// A dimension above this is taken for a damaged file. The largest Whisper has 51,866.
const LARGEST_DIMENSION: usize = 1 << 20;

/// The dimensions of a Whisper model, with the names of `config.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Bands of the mel spectrogram: 80, or 128 for large-v3.
    pub num_mel_bins: usize,
    /// Width of every hidden state.
    pub d_model: usize,
    /// Positions of the encoder's output, 1500 in every Whisper.
    pub max_source_positions: usize,
    /// The longest sequence of tokens that the decoder has positions for, 448 in every Whisper.
    pub max_target_positions: usize,
    /// Number of tokens.
    pub vocab_size: usize,
    /// Layers of the encoder.
    pub encoder_layers: usize,
    /// Attention heads of the encoder.
    pub encoder_attention_heads: usize,
    /// Width inside the encoder's feed-forward layers.
    pub encoder_ffn_dim: usize,
    /// Layers of the decoder.
    pub decoder_layers: usize,
    /// Attention heads of the decoder.
    pub decoder_attention_heads: usize,
    /// Width inside the decoder's feed-forward layers.
    pub decoder_ffn_dim: usize,
    /// The activation between feed-forward layers; every Whisper has `gelu`.
    #[serde(default = "gelu")]
    pub activation_function: String,
    /// Tokens that are never chosen.
    #[serde(default)]
    pub suppress_tokens: Option<Vec<i64>>,
    /// Tokens that are not chosen first.
    #[serde(default)]
    pub begin_suppress_tokens: Option<Vec<i64>>,
}

/// The part of `generation_config.json` that changes what is decoded.
#[derive(Debug, Default, Deserialize)]
struct GenerationConfig {
    is_multilingual: Option<bool>,
    suppress_tokens: Option<Vec<i64>>,
    begin_suppress_tokens: Option<Vec<i64>>,
}

/// The part of `preprocessor_config.json` that must agree with this implementation.
#[derive(Debug, Deserialize)]
struct PreprocessorConfig {
    feature_size: Option<usize>,
    hop_length: Option<usize>,
    n_fft: Option<usize>,
    sampling_rate: Option<usize>,
}

/// What the configuration files of one model say, checked.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// The dimensions, with the token lists of `generation_config.json` where it has any.
    pub config: Config,
    /// Whether the model knows more languages than English.
    pub multilingual: bool,
}

fn gelu() -> String {
    "gelu".into()
}

impl ModelConfig {
    /// Reads the configuration files in `directory`.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] without a `config.json`, [`Error::Malformed`] when one of the files
    /// is not JSON of the expected form, has dimensions that no Whisper has, or asks for another
    /// spectrogram than Whisper's.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("config.json");
        let mut config: Config = parse(&path)?;
        config
            .check()
            .map_err(|reason| Error::malformed(&path, reason))?;
        let generation: GenerationConfig =
            optional(&directory.join("generation_config.json"))?.unwrap_or_default();
        config.suppress_tokens = generation.suppress_tokens.or(config.suppress_tokens);
        config.begin_suppress_tokens = generation
            .begin_suppress_tokens
            .or(config.begin_suppress_tokens);
        let path = directory.join("preprocessor_config.json");
        if let Some(preprocessor) = optional::<PreprocessorConfig>(&path)? {
            preprocessor
                .check(&config)
                .map_err(|reason| Error::malformed(&path, reason))?;
        }
        // The English models have one token fewer: 51,864.
        let multilingual = generation
            .is_multilingual
            .unwrap_or(config.vocab_size >= 51_865);
        Ok(Self {
            config,
            multilingual,
        })
    }
}

impl Config {
    /// Returns why these cannot be the dimensions of a Whisper model.
    fn check(&self) -> Result<(), String> {
        let dimensions = [
            ("num_mel_bins", self.num_mel_bins),
            ("d_model", self.d_model),
            ("max_source_positions", self.max_source_positions),
            ("max_target_positions", self.max_target_positions),
            ("vocab_size", self.vocab_size),
            ("encoder_layers", self.encoder_layers),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("decoder_layers", self.decoder_layers),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
        ];
        for (name, value) in dimensions {
            if value == 0 || value > LARGEST_DIMENSION {
                return Err(format!("{name} is {value}, which no Whisper model has"));
            }
        }
        for (name, heads) in [
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("decoder_attention_heads", self.decoder_attention_heads),
        ] {
            if !self.d_model.is_multiple_of(heads) {
                return Err(format!(
                    "d_model {} is not a multiple of {name} {heads}",
                    self.d_model
                ));
            }
        }
        if self.d_model < 4 || !self.d_model.is_multiple_of(2) {
            return Err(format!(
                "d_model is {}, and sines need an even number",
                self.d_model
            ));
        }
        if self.max_source_positions != AUDIO_POSITIONS {
            return Err(format!(
                "max_source_positions is {}, and a window of thirty seconds has {AUDIO_POSITIONS}",
                self.max_source_positions
            ));
        }
        if self.max_target_positions < 16 {
            return Err(format!(
                "max_target_positions is {}, too few for a sentence",
                self.max_target_positions
            ));
        }
        if self.activation_function != "gelu" {
            return Err(format!(
                "activation_function is `{}`, and Whisper has `gelu`",
                self.activation_function
            ));
        }
        Ok(())
    }
}

impl PreprocessorConfig {
    /// Returns how the spectrogram asked for differs from Whisper's.
    fn check(&self, config: &Config) -> Result<(), String> {
        let expected = [
            ("feature_size", self.feature_size, config.num_mel_bins),
            ("hop_length", self.hop_length, 160),
            ("n_fft", self.n_fft, 400),
            ("sampling_rate", self.sampling_rate, 16_000),
        ];
        for (name, value, wanted) in expected {
            if let Some(value) = value.filter(|value| *value != wanted) {
                return Err(format!("{name} is {value} where this model needs {wanted}"));
            }
        }
        Ok(())
    }
}

/// Returns the content of a JSON file.
fn parse<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&read(path)?).map_err(|error| Error::malformed(path, error.to_string()))
}

/// Returns the content of a JSON file, or nothing when there is no such file.
fn optional<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, Error> {
    if path.exists() {
        parse(path).map(Some)
    } else {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tiny() -> Value {
        json!({
            "num_mel_bins": 80, "d_model": 384, "max_source_positions": 1500,
            "max_target_positions": 448, "vocab_size": 51864, "encoder_layers": 4,
            "encoder_attention_heads": 6, "encoder_ffn_dim": 1536, "decoder_layers": 4,
            "decoder_attention_heads": 6, "decoder_ffn_dim": 1536, "suppress_tokens": [1, 2],
        })
    }

    fn folder(files: &[(&str, &Value)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content.to_string()).unwrap();
        }
        folder
    }

    #[test]
    fn generation_settings_win_over_the_model_config() {
        let generation = json!({ "is_multilingual": false, "suppress_tokens": [7] });
        let folder = folder(&[
            ("config.json", &tiny()),
            ("generation_config.json", &generation),
        ]);
        let read = ModelConfig::read(folder.path()).unwrap();
        assert_eq!(read.config.suppress_tokens, Some(vec![7]));
        assert!(!read.multilingual);
    }

    #[test]
    fn without_generation_settings_the_vocabulary_tells_the_languages() {
        let mut config = tiny();
        assert!(
            !ModelConfig::read(folder(&[("config.json", &config)]).path())
                .unwrap()
                .multilingual
        );
        config["vocab_size"] = 51_865.into();
        assert!(
            ModelConfig::read(folder(&[("config.json", &config)]).path())
                .unwrap()
                .multilingual
        );
    }

    #[test]
    fn impossible_dimensions_are_refused_by_name() {
        for (name, value) in [
            ("d_model", json!(0)),
            ("encoder_attention_heads", json!(7)),
            ("max_source_positions", json!(750)),
            ("vocab_size", json!(4_000_000_000_u64)),
            ("activation_function", json!("relu")),
        ] {
            let mut config = tiny();
            config[name] = value;
            let folder = folder(&[("config.json", &config)]);
            let message = ModelConfig::read(folder.path()).unwrap_err().to_string();
            assert!(
                message.contains(name) && message.contains("config.json"),
                "{message}"
            );
        }
    }

    #[test]
    fn another_spectrogram_is_refused() {
        let preprocessor = json!({ "feature_size": 128 });
        let folder = folder(&[
            ("config.json", &tiny()),
            ("preprocessor_config.json", &preprocessor),
        ]);
        let message = ModelConfig::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("feature_size is 128"), "{message}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = ModelConfig::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("config.json"), "{message}");
    }
}
