//! The loop over windows of thirty seconds.
//!
//! It is the one of `whisper/transcribe.py` at <https://github.com/openai/whisper> and of whisper.cpp: a window is decoded, and
//! the next begins where the last complete segment ended. Text of earlier windows is not given as
//! context, and there is no second attempt at a higher temperature.

use super::decoding::{Rules, log_probability, most_probable_language};
use super::error::Error;
use super::mel::{HOP, SAMPLE_RATE, Spectrogram, WINDOW_FRAMES};
use super::tokens::SpecialTokens;
use super::transcribe::{Segment, Transcript};
use std::ops::Range;

/// Frames below which nothing is decoded, and which may be left over at the end: 100 ms.
const LEAST_FRAMES: usize = 10;
/// Frames of a step from one timestamp to the next.
const FRAMES_PER_TIMESTAMP: usize = 2;
/// A window is taken for one without speech when the model says so with more than this
/// probability and is unsure about the text; both limits are the defaults there.
const NO_SPEECH_PROBABILITY: f32 = 0.6;
/// The average logarithm of the probability of a token below which text is unsure.
const UNSURE_LOG_PROBABILITY: f32 = -1.0;
/// What [`Transcript::language`] says when nothing was heard: "undetermined" in ISO 639-2.
const UNDETERMINED: &str = "und";

/// A network that writes down what it hears in a window, token by token.
pub trait WindowModel {
    /// Listens to a window of log-mel frames, `(3000, bands)`.
    ///
    /// # Errors
    ///
    /// When the network fails.
    fn listen(&mut self, frames: Vec<f32>) -> Result<(), Error>;

    /// Begins a text for the window and returns the logits after the first and after the last
    /// token of `prompt`.
    ///
    /// # Errors
    ///
    /// When the network fails.
    fn begin(&mut self, prompt: &[u32]) -> Result<PromptLogits, Error>;

    /// Appends a token to the text and returns the logits of what may follow.
    ///
    /// # Errors
    ///
    /// When the network fails.
    fn follow(&mut self, token: u32) -> Result<Vec<f32>, Error>;
}

/// What a network says about its prompt: one number for each token of the vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptLogits {
    /// After the first token, where the language and the absence of speech are told.
    pub first: Vec<f32>,
    /// After the last token, where the text begins.
    pub last: Vec<f32>,
}

/// The language of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Language {
    /// Its ISO 639 code.
    pub(super) code: String,
    /// Its token; absent where the prompt names no language.
    pub(super) token: Option<u32>,
}

/// One recording on its way to a transcript.
pub(super) struct Run<'a> {
    rules: Rules<'a>,
    tokens: &'a SpecialTokens,
    text: &'a dyn Fn(&[u32]) -> String,
    longest: usize,
    language: Option<Language>,
    /// The text tokens of all windows: a character may be split between two segments.
    heard: Vec<u32>,
    segments: Vec<Segment>,
    token_count: usize,
}

/// What was decoded in one window.
#[derive(Debug, PartialEq)]
struct Window {
    /// Text and timestamps up to the point where the next window begins.
    tokens: Vec<u32>,
    /// Frames from the beginning of this window to that of the next.
    advance: usize,
    /// Whether the model says that nobody speaks.
    silent: bool,
}

impl<'a> Run<'a> {
    /// Prepares for a recording: `text` returns the text of tokens, `longest` is how many tokens a
    /// window may have, and without a `language` the first window decides it.
    pub(super) fn new(
        rules: Rules<'a>,
        text: &'a dyn Fn(&[u32]) -> String,
        longest: usize,
        language: Option<Language>,
    ) -> Self {
        Self {
            rules,
            tokens: rules.tokens,
            text,
            longest,
            language,
            heard: Vec::new(),
            segments: Vec::new(),
            token_count: 0,
        }
    }

    /// Returns what `network` hears in a recording.
    pub(super) fn transcript(
        mut self,
        network: &mut impl WindowModel,
        recording: &Spectrogram,
        on_segment: &mut dyn FnMut(&Segment),
    ) -> Result<Transcript, Error> {
        let end = recording.content_frames();
        let mut start = 0;
        while start + LEAST_FRAMES < end {
            if recording.is_silent(start) {
                start += WINDOW_FRAMES;
                continue;
            }
            network.listen(recording.window(start))?;
            let language = self.language(network)?;
            let window = self.decode(network, language, end - start)?;
            if !window.silent {
                self.collect(&window, start..end, on_segment);
            }
            start += window.advance;
        }
        Ok(Transcript {
            text: (self.text)(&self.heard).trim().to_owned(),
            segments: self.segments,
            language: self
                .language
                .map_or_else(|| UNDETERMINED.to_owned(), |language| language.code),
            tokens: self.token_count,
        })
    }

    /// Returns the token of the recording's language, which the first window decides.
    fn language(&mut self, network: &mut impl WindowModel) -> Result<Option<u32>, Error> {
        if let Some(language) = &self.language {
            return Ok(language.token);
        }
        let logits = network.begin(&[self.tokens.start_of_transcript])?.last;
        let detected = most_probable_language(&logits, self.tokens);
        let token = detected.map(|(_, token)| token);
        self.language = detected.map(|(code, token)| Language {
            code: code.into(),
            token: Some(token),
        });
        Ok(token)
    }

    /// Decodes the window that the network has listened to, of which `remaining` frames and more
    /// belong to the recording.
    fn decode(
        &mut self,
        network: &mut impl WindowModel,
        language: Option<u32>,
        remaining: usize,
    ) -> Result<Window, Error> {
        let prompt = self.tokens.prompt(language, self.rules.timestamps);
        let PromptLogits { first, last } = network.begin(&prompt)?;
        let no_speech = log_probability(&first, self.tokens.no_speech).exp();
        let mut logits = last;
        let mut tokens = Vec::new();
        let mut log_probability = 0.0;
        // What stands before the last timestamp is complete.
        let (mut complete, mut advance) = (0, WINDOW_FRAMES);
        let mut finished = false;
        loop {
            let choice = self.rules.choose(&mut logits, &tokens);
            log_probability += choice.log_probability;
            self.token_count += 1;
            if choice.token == self.tokens.end_of_text {
                finished = true;
                break;
            }
            tokens.push(choice.token);
            if choice.token > self.tokens.first_timestamp() {
                let steps = (choice.token - self.tokens.first_timestamp()) as usize;
                advance = steps * FRAMES_PER_TIMESTAMP;
                complete = tokens.len();
                // Nothing but the padding is left.
                finished = advance + LEAST_FRAMES >= remaining;
            }
            if finished || tokens.len() == self.longest {
                break;
            }
            logits = network.follow(choice.token)?;
        }
        let silent = no_speech > NO_SPEECH_PROBABILITY
            && average(log_probability, tokens.len()) < UNSURE_LOG_PROBABILITY;
        if silent || complete == 0 {
            advance = WINDOW_FRAMES;
        } else {
            tokens.truncate(complete);
            if finished && self.ends_with_one_timestamp(&tokens) {
                // Nobody speaks after the last segment.
                advance = remaining.min(WINDOW_FRAMES);
            }
        }
        Ok(Window {
            tokens,
            advance,
            silent,
        })
    }

    fn ends_with_one_timestamp(&self, tokens: &[u32]) -> bool {
        match tokens {
            [.., before, last] => {
                self.tokens.is_timestamp(*last) && !self.tokens.is_timestamp(*before)
            }
            _ => false,
        }
    }

    /// Cuts the tokens of a window into segments. `frames` are those from the beginning of the
    /// window to the end of the recording.
    fn collect(
        &mut self,
        window: &Window,
        frames: Range<usize>,
        on_segment: &mut dyn FnMut(&Segment),
    ) {
        let seconds = |after: usize| seconds((frames.start + after).min(frames.end));
        let time = |timestamp: u32| {
            let steps = timestamp.saturating_sub(self.tokens.first_timestamp()) as usize;
            seconds(steps * FRAMES_PER_TIMESTAMP)
        };
        let is_timestamp = |token: &u32| self.tokens.is_timestamp(*token);
        let mut start_seconds = seconds(0);
        let mut stretches = window
            .tokens
            .chunk_by(|left, right| is_timestamp(left) == is_timestamp(right))
            .peekable();
        while let Some(stretch) = stretches.next() {
            if let Some(timestamp) = stretch.last().filter(|token| is_timestamp(token)) {
                start_seconds = time(*timestamp);
                continue;
            }
            let end = stretches.peek().and_then(|next| next.first());
            let end_seconds = end.map_or_else(|| seconds(window.advance), |token| time(*token));
            self.heard.extend_from_slice(stretch);
            let text = (self.text)(stretch).trim().to_owned();
            if !text.is_empty() {
                let segment = Segment {
                    start_seconds,
                    end_seconds,
                    text,
                };
                on_segment(&segment);
                self.segments.push(segment);
            }
        }
    }
}

/// Returns a number of frames in seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "recordings have far fewer than 2^53 samples"
)]
fn seconds(frames: usize) -> f64 {
    (frames * HOP) as f64 / SAMPLE_RATE as f64
}

/// Returns the average over the tokens and the end of the text.
#[expect(
    clippy::cast_precision_loss,
    reason = "a window has a few hundred tokens"
)]
fn average(sum: f32, tokens: usize) -> f32 {
    sum / (tokens + 1) as f32
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;
