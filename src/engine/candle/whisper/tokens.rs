//! Whisper's special tokens: their places in the vocabulary, and which of them are never chosen.

use super::config::Config;
use super::error::{Error, read};
use std::path::Path;
use tokenizers::Tokenizer;

/// Timestamp tokens run from 0.00 s to 30.00 s in steps of 0.02 s.
pub const TIMESTAMPS: u32 = 1501;

/// Where the special tokens of one model stand.
///
/// The order is that of every Whisper vocabulary: text, end of text, the other special tokens
/// with the languages among them, and the timestamps last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Ends a window; all text tokens stand before it.
    pub end_of_text: u32,
    /// Begins every prompt.
    pub start_of_transcript: u32,
    /// Asks for a transcript in the language of the speech.
    pub transcribe: u32,
    /// Its probability at the start is that of a window without speech.
    pub no_speech: u32,
    /// Asks for text without timestamps; the timestamps begin right after it.
    pub no_timestamps: u32,
    /// The languages as ISO 639 codes, with their tokens; empty for an English model.
    pub languages: Vec<(String, u32)>,
}

impl SpecialTokens {
    /// Returns the special tokens of the vocabulary in `tokenizer`, which was read from `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when a token is missing, or when the vocabulary and
    /// `vocabulary_size` leave no room for 1501 timestamps.
    pub fn find(
        tokenizer: &Tokenizer,
        path: &Path,
        vocabulary_size: usize,
        multilingual: bool,
    ) -> Result<Self, Error> {
        let find = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| tokenizer.token_to_id(name))
                .ok_or_else(|| {
                    Error::malformed(path, format!("there is no token {}", names.join(" or ")))
                })
        };
        let start_of_transcript = find(&["<|startoftranscript|>"])?;
        let translate = find(&["<|translate|>"])?;
        let languages = (start_of_transcript.saturating_add(1)..translate)
            .take_while(|_| multilingual)
            .filter_map(|token| {
                let name = tokenizer.id_to_token(token)?;
                let code = name.strip_prefix("<|")?.strip_suffix("|>")?;
                Some((code.to_owned(), token))
            })
            .collect();
        let tokens = Self {
            end_of_text: find(&["<|endoftext|>"])?,
            start_of_transcript,
            transcribe: find(&["<|transcribe|>"])?,
            no_speech: find(&["<|nospeech|>", "<|nocaptions|>"])?,
            no_timestamps: find(&["<|notimestamps|>"])?,
            languages,
        };
        tokens
            .check(vocabulary_size)
            .map_err(|reason| Error::malformed(path, reason))?;
        Ok(tokens)
    }

    /// Returns why the tokens do not stand where a Whisper vocabulary has them.
    fn check(&self, vocabulary_size: usize) -> Result<(), String> {
        let special = [
            self.start_of_transcript,
            self.transcribe,
            self.no_speech,
            self.no_timestamps,
        ];
        let ordered = special
            .iter()
            .all(|token| *token > self.end_of_text && *token < self.first_timestamp());
        if !ordered {
            return Err("the special tokens are not in the order of a Whisper vocabulary".into());
        }
        let needed = self.first_timestamp() as usize + TIMESTAMPS as usize;
        if needed != vocabulary_size {
            return Err(format!(
                "with its timestamps the vocabulary has {needed} tokens, and config.json says \
                 {vocabulary_size}"
            ));
        }
        Ok(())
    }

    /// Returns the token of 0.00 s.
    pub fn first_timestamp(&self) -> u32 {
        self.no_timestamps + 1
    }

    /// Returns whether `token` is a timestamp.
    pub fn is_timestamp(&self, token: u32) -> bool {
        token >= self.first_timestamp()
    }

    /// Returns the token of a language given by its code, as in `en`.
    pub fn language(&self, code: &str) -> Option<u32> {
        self.languages
            .iter()
            .find(|(known, _)| known == code)
            .map(|(_, token)| *token)
    }

    /// Returns the tokens that begin a window. `language` is absent for an English model, whose
    /// prompt names neither language nor task.
    pub fn prompt(&self, language: Option<u32>, timestamps: bool) -> Vec<u32> {
        let mut prompt = vec![self.start_of_transcript];
        if let Some(language) = language {
            prompt.extend([language, self.transcribe]);
        }
        if !timestamps {
            prompt.push(self.no_timestamps);
        }
        prompt
    }
}

/// Which tokens are never chosen, and which are not chosen first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppression {
    /// Never chosen: what the configuration lists (symbols that are not speech), and every
    /// special token except the end of text.
    pub always: Vec<u32>,
    /// Not chosen as the first token of a window: a blank and the end of text.
    pub first: Vec<u32>,
}

impl Suppression {
    /// Returns the lists of a model. Numbers outside the vocabulary are left out: some
    /// configurations hold -1 for "none".
    pub fn new(config: &Config, tokens: &SpecialTokens) -> Self {
        let known = |listed: &Option<Vec<i64>>| {
            let inside = |token: &i64| u32::try_from(*token).ok();
            listed
                .iter()
                .flatten()
                .filter_map(inside)
                .filter(|token| (*token as usize) < config.vocab_size)
                .collect::<Vec<_>>()
        };
        let mut always = known(&config.suppress_tokens);
        always.extend(tokens.end_of_text + 1..tokens.first_timestamp());
        always.sort_unstable();
        always.dedup();
        let mut first = known(&config.begin_suppress_tokens);
        first.push(tokens.end_of_text);
        first.sort_unstable();
        first.dedup();
        Self { always, first }
    }
}

/// The vocabulary of a model: its text, its special tokens and the tokens it must not choose.
pub struct Vocabulary {
    tokenizer: Tokenizer,
    /// Where the special tokens stand.
    pub tokens: SpecialTokens,
    /// Which tokens are kept out.
    pub suppression: Suppression,
}

impl Vocabulary {
    /// Reads `tokenizer.json` in `directory`.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] without the file, [`Error::Malformed`] when it is not the tokenizer
    /// of the model that `config` describes.
    pub fn read(directory: &Path, config: &Config, multilingual: bool) -> Result<Self, Error> {
        let path = directory.join("tokenizer.json");
        let tokenizer = Tokenizer::from_bytes(read(&path)?)
            .map_err(|error| Error::malformed(&path, error.to_string()))?;
        let tokens = SpecialTokens::find(&tokenizer, &path, config.vocab_size, multilingual)?;
        let suppression = Suppression::new(config, &tokens);
        Ok(Self {
            tokenizer,
            tokens,
            suppression,
        })
    }

    /// Returns the text of `tokens`, leaving out special tokens and timestamps.
    pub fn text(&self, tokens: &[u32]) -> String {
        let text = tokens
            .iter()
            .copied()
            .filter(|token| *token < self.tokens.end_of_text)
            .collect::<Vec<_>>();
        // Only a tokenizer without a decoder fails, and one without is refused when it is read.
        self.tokenizer.decode(&text, true).unwrap_or_default()
    }
}
