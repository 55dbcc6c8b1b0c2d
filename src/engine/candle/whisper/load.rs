//! A model as a whole: from a folder to transcripts.

use super::config::ModelConfig;
use super::error::Error;
use super::network::Network;
use super::transcribe::{DecodeOptions, Segment, Transcriber, Transcript};
use super::weights::Weights;
use std::path::Path;

/// Which weights are read, and how they are computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantization {
    /// `model.safetensors`, usually stored in float16; all arithmetic is float32.
    F16,
    /// `model-q8_0.gguf`: blocks of 32 signed bytes with one scale.
    Q8_0,
}

impl Quantization {
    /// Returns the name of the file that holds such weights.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::F16 => "model.safetensors",
            Self::Q8_0 => "model-q8_0.gguf",
        }
    }
}

/// How a model is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// Which of the files in the folder is read.
    pub quantization: Quantization,
}

/// A loaded Whisper model.
pub struct Model {
    transcriber: Transcriber,
    network: Network,
}

impl Model {
    /// Loads the model in `directory`: the weights, `config.json` and `tokenizer.json`, and
    /// `generation_config.json` and `preprocessor_config.json` where they exist.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] when a file is missing, [`Error::Malformed`] when one is damaged,
    /// [`Error::Mismatch`] when the weights are not those that `config.json` describes.
    pub fn load(directory: &Path, options: &LoadOptions) -> Result<Self, Error> {
        let config = ModelConfig::read(directory)?;
        let transcriber = Transcriber::read(directory, &config)?;
        let path = directory.join(options.quantization.file_name());
        let weights = match options.quantization {
            Quantization::F16 => Weights::safetensors(&path)?,
            Quantization::Q8_0 => Weights::gguf(&path)?,
        };
        let network = Network::load(&weights, &config.config)?;
        Ok(Self {
            transcriber,
            network,
        })
    }

    /// Returns whether the model knows more languages than English.
    pub fn is_multilingual(&self) -> bool {
        self.transcriber.is_multilingual()
    }

    /// Transcribes `samples`, 16,000 a second of one channel. Each segment is handed to
    /// `on_segment` as soon as its window of thirty seconds is done. Less than 100 ms of sound
    /// gives no segment.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a beam or a language that the model does not have,
    /// [`Error::Inference`] when candle fails.
    pub fn transcribe(
        &mut self,
        samples: &[f32],
        options: &DecodeOptions,
        on_segment: &mut dyn FnMut(&Segment),
    ) -> Result<Transcript, Error> {
        self.transcriber
            .transcribe(&mut self.network, samples, options, on_segment)
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "real_weights_tests.rs"]
mod real_weights;
