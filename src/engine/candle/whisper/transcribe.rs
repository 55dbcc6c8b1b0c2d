//! From samples to a transcript.

use super::config::ModelConfig;
use super::decoding::Rules;
use super::error::Error;
use super::mel::MelTransform;
use super::tokens::Vocabulary;
use super::windows::{Language, Run, WindowModel};
use std::path::Path;

/// How a recording is to be transcribed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeOptions {
    /// The language as an ISO 639 code such as `en`; absent to detect it in the first window. An
    /// English model takes everything for English.
    pub language: Option<String>,
    /// Whether segments within a window are told apart; without, each window is one segment.
    pub timestamps: bool,
    /// Hypotheses that are followed at once. 1, greedy, is the only number supported.
    pub beam_size: usize,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            language: None,
            timestamps: true,
            beam_size: 1,
        }
    }
}

/// A stretch of speech.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where it begins, in seconds from the beginning of the recording.
    pub start_seconds: f64,
    /// Where it ends, in seconds from the beginning of the recording.
    pub end_seconds: f64,
    /// What is said, without blanks around it.
    pub text: String,
}

/// What was heard in a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// The whole text, without blanks around it.
    pub text: String,
    /// The segments in order.
    pub segments: Vec<Segment>,
    /// The language given or detected, as an ISO 639 code; `und` when there was nothing to detect
    /// it in.
    pub language: String,
    /// Tokens that were decoded, timestamps and ends of windows included.
    pub tokens: usize,
}

/// Everything about a model except its network.
pub struct Transcriber {
    vocabulary: Vocabulary,
    mel: MelTransform,
    multilingual: bool,
    /// Tokens that a window may have: half of the decoder's positions.
    longest: usize,
}

impl Transcriber {
    /// Reads the vocabulary beside a model that is described by `config`.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] and [`Error::Malformed`].
    pub fn read(directory: &Path, config: &ModelConfig) -> Result<Self, Error> {
        let ModelConfig {
            config,
            multilingual,
        } = config;
        Ok(Self {
            vocabulary: Vocabulary::read(directory, config, *multilingual)?,
            mel: MelTransform::new(config.num_mel_bins),
            multilingual: *multilingual,
            longest: config.max_target_positions / 2,
        })
    }

    /// Returns whether the model knows more languages than English.
    pub fn is_multilingual(&self) -> bool {
        self.multilingual
    }

    /// Transcribes `samples`, 16,000 a second of one channel, with `network`. Each segment is
    /// handed to `on_segment` as soon as its window is done. Nothing is heard in less than 100 ms.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a beam or a language that the model does not have,
    /// [`Error::Inference`] when the network fails.
    pub fn transcribe(
        &self,
        network: &mut impl WindowModel,
        samples: &[f32],
        options: &DecodeOptions,
        on_segment: &mut dyn FnMut(&Segment),
    ) -> Result<Transcript, Error> {
        let language = self.requested_language(options)?;
        if options.beam_size != 1 {
            return Err(Error::Unsupported {
                what: format!("beam size {}", options.beam_size),
                remedy: "set it to 1".into(),
            });
        }
        let rules = Rules {
            tokens: &self.vocabulary.tokens,
            suppression: &self.vocabulary.suppression,
            timestamps: options.timestamps,
        };
        let text = |tokens: &[u32]| self.vocabulary.text(tokens);
        let spectrogram = self.mel.spectrogram(samples);
        Run::new(rules, &text, self.longest, language).transcript(network, &spectrogram, on_segment)
    }

    /// Returns the language to be used, with its token, or nothing when it is to be detected.
    fn requested_language(&self, options: &DecodeOptions) -> Result<Option<Language>, Error> {
        if !self.multilingual {
            return Ok(Some(Language {
                code: "en".into(),
                token: None,
            }));
        }
        let Some(code) = &options.language else {
            return Ok(None);
        };
        let token = self
            .vocabulary
            .tokens
            .language(code)
            .ok_or_else(|| Error::Unsupported {
                what: format!("the language `{code}`"),
                remedy:
                    "give an ISO 639 code that the model has, such as `en`, or none to detect it"
                        .into(),
            })?;
        Ok(Some(Language {
            code: code.clone(),
            token: Some(token),
        }))
    }
}
