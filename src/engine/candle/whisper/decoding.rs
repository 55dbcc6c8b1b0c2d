//! Greedy choice of the next token under Whisper's rules.
//!
//! The rules are those of `whisper/decoding.py` at <https://github.com/openai/whisper> (`SuppressBlank`,
//! `SuppressTokens`, `ApplyTimestampRules`), described in section 4.5 of "Robust Speech
//! Recognition via Large-Scale Weak Supervision".

use super::kernels;
use super::tokens::{SpecialTokens, Suppression};

/// The latest start of the first segment of a window: 1.00 s, in steps of 0.02 s.
const LATEST_FIRST_TIMESTAMP: usize = 50;

/// A chosen token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The token.
    pub token: u32,
    /// The natural logarithm of its probability among the tokens that the rules allow.
    pub log_probability: f32,
}

/// The rules for one recording.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Where the special tokens stand.
    pub tokens: &'a SpecialTokens,
    /// The tokens that are kept out.
    pub suppression: &'a Suppression,
    /// Whether segments begin and end with timestamps; without, no timestamp is allowed.
    pub timestamps: bool,
}

impl Rules<'_> {
    /// Returns the most probable token that may follow `generated`, the tokens chosen in this
    /// window so far. `logits` has one value for each token of the vocabulary and is overwritten.
    pub fn choose(&self, logits: &mut [f32], generated: &[u32]) -> Choice {
        forbid_each(logits, &self.suppression.always);
        if generated.is_empty() {
            forbid_each(logits, &self.suppression.first);
        }
        let boundary = (self.tokens.first_timestamp() as usize).min(logits.len());
        if self.timestamps {
            self.forbid_unpaired(logits, generated);
            self.forbid_decreasing(logits, generated);
            if generated.is_empty() {
                forbid(logits, 0..boundary);
                forbid(logits, boundary + LATEST_FIRST_TIMESTAMP + 1..logits.len());
            }
        } else {
            forbid(logits, boundary..logits.len());
        }
        let (text, timestamps) = logits.split_at(boundary);
        let timestamp_mass = kernels::log_sum_exp(timestamps);
        // When a timestamp, whichever, is more probable than the best text token, it is its turn.
        if self.timestamps && timestamp_mass > kernels::maximum(text) {
            return most_probable(timestamps, boundary, timestamp_mass);
        }
        let text_mass = kernels::log_sum_exp(text);
        let larger = text_mass.max(timestamp_mass);
        let total = larger + ((text_mass - larger).exp() + (timestamp_mass - larger).exp()).ln();
        most_probable(logits, 0, total)
    }

    /// Timestamps come in pairs, the end of a segment and the start of the next, except right
    /// before the end of the text.
    fn forbid_unpaired(&self, logits: &mut [f32], generated: &[u32]) {
        let Some((last, before)) = generated.split_last() else {
            return;
        };
        if !self.tokens.is_timestamp(*last) {
            return;
        }
        if before
            .last()
            .is_none_or(|token| self.tokens.is_timestamp(*token))
        {
            forbid(logits, self.tokens.first_timestamp() as usize..logits.len());
        } else {
            forbid(logits, 0..self.tokens.end_of_text as usize);
        }
    }

    /// Time does not run backwards, and a segment is longer than nothing: only the start of a
    /// segment may repeat the end of the one before.
    fn forbid_decreasing(&self, logits: &mut [f32], generated: &[u32]) {
        let is_timestamp = |token: &u32| self.tokens.is_timestamp(*token);
        let Some(latest) = generated.iter().copied().rfind(|token| is_timestamp(token)) else {
            return;
        };
        let ends_segment = match generated {
            [.., before, last] => is_timestamp(last) && !is_timestamp(before),
            _ => false,
        };
        let earliest = if ends_segment { latest } else { latest + 1 };
        forbid(
            logits,
            self.tokens.first_timestamp() as usize..earliest as usize,
        );
    }
}

/// Returns the language token with the highest logit, with its probability among the languages.
/// Nothing for an English model.
pub fn most_probable_language<'a>(
    logits: &[f32],
    tokens: &'a SpecialTokens,
) -> Option<(&'a str, u32)> {
    let logit = |token: u32| {
        logits
            .get(token as usize)
            .copied()
            .unwrap_or(f32::NEG_INFINITY)
    };
    tokens
        .languages
        .iter()
        .max_by(|(_, left), (_, right)| logit(*left).total_cmp(&logit(*right)))
        .map(|(code, token)| (code.as_str(), *token))
}

/// Returns the natural logarithm of the probability of `token` under `logits`.
pub fn log_probability(logits: &[f32], token: u32) -> f32 {
    let logit = logits
        .get(token as usize)
        .copied()
        .unwrap_or(f32::NEG_INFINITY);
    logit - kernels::log_sum_exp(logits)
}

/// Returns the first of the largest logits as a token, counted from `offset`.
fn most_probable(logits: &[f32], offset: usize, total: f32) -> Choice {
    let largest = kernels::maximum(logits);
    let position = logits
        .iter()
        .position(|logit| *logit >= largest)
        .unwrap_or(0);
    let token = u32::try_from(offset + position).unwrap_or(u32::MAX);
    Choice {
        token,
        log_probability: largest - total,
    }
}

fn forbid(logits: &mut [f32], range: std::ops::Range<usize>) {
    let end = range.end.min(logits.len());
    if let Some(logits) = logits.get_mut(range.start..end) {
        logits.fill(f32::NEG_INFINITY);
    }
}

fn forbid_each(logits: &mut [f32], tokens: &[u32]) {
    for token in tokens {
        if let Some(logit) = logits.get_mut(*token as usize) {
            *logit = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten text tokens, end of text 10, special 11 to 15, timestamps from 16.
    fn tokens() -> SpecialTokens {
        SpecialTokens {
            end_of_text: 10,
            start_of_transcript: 11,
            transcribe: 12,
            no_speech: 14,
            no_timestamps: 15,
            languages: vec![("en".into(), 12), ("es".into(), 13)],
        }
    }

    const VOCABULARY: usize = 16 + 1501;

    fn choose(likely: &[(u32, f32)], generated: &[u32], timestamps: bool) -> Choice {
        let suppression = Suppression {
            always: (11..16).chain([7]).collect(),
            first: vec![3, 10],
        };
        let tokens = tokens();
        let rules = Rules {
            tokens: &tokens,
            suppression: &suppression,
            timestamps,
        };
        let mut logits = vec![-30.0; VOCABULARY];
        for (token, logit) in likely {
            logits[*token as usize] = *logit;
        }
        rules.choose(&mut logits, generated)
    }

    #[test]
    fn the_first_token_is_a_timestamp_of_at_most_one_second() {
        assert_eq!(
            choose(&[(4, 9.0), (16 + 60, 8.0), (16 + 50, 1.0)], &[], true).token,
            66
        );
    }

    #[test]
    fn suppressed_tokens_are_never_chosen_and_blanks_not_first() {
        assert_eq!(
            choose(&[(7, 9.0), (11, 9.0), (5, 1.0)], &[16], true).token,
            5
        );
        assert_eq!(
            choose(&[(3, 9.0), (10, 8.0), (5, 1.0)], &[], false).token,
            5
        );
        assert_eq!(
            choose(&[(3, 9.0), (10, 8.0), (5, 1.0)], &[5], false).token,
            3
        );
    }

    #[test]
    fn text_follows_the_timestamp_that_starts_a_segment() {
        assert_eq!(choose(&[(20, 9.0), (4, 1.0)], &[16], true).token, 4);
        assert_eq!(
            choose(&[(30, 9.0), (4, 1.0)], &[16, 4, 20, 20], true).token,
            4
        );
    }

    #[test]
    fn a_timestamp_or_the_end_follows_the_one_that_ends_a_segment() {
        assert_eq!(choose(&[(4, 9.0), (20, 1.0)], &[16, 4, 20], true).token, 20);
        assert_eq!(choose(&[(4, 9.0), (10, 1.0)], &[16, 4, 20], true).token, 10);
    }

    #[test]
    fn time_does_not_run_backwards() {
        assert_eq!(
            choose(&[(18, 9.0), (25, 1.0)], &[16, 4, 20, 20, 5], true).token,
            25
        );
        // The end of a segment lies after its start.
        assert_eq!(
            choose(&[(20, 9.0), (21, 1.0)], &[16, 4, 20, 20, 5], true).token,
            21
        );
    }

    #[test]
    fn many_possible_timestamps_together_beat_one_word() {
        let mut likely = vec![(4, 2.0)];
        likely.extend((20..40).map(|token| (token, 0.0)));
        let choice = choose(&likely, &[16, 5], true);
        assert_eq!(choice.token, 20);
        assert!(
            (choice.log_probability - (1.0_f32 / 20.0).ln()).abs() < 1e-4,
            "{choice:?}"
        );
        assert_eq!(choose(&[(4, 2.0), (20, 1.0)], &[16, 5], true).token, 4);
    }

    #[test]
    fn without_timestamps_none_is_chosen() {
        assert_eq!(choose(&[(30, 9.0), (4, 1.0)], &[], false).token, 4);
    }

    #[test]
    fn probability_is_taken_among_the_allowed_tokens() {
        let choice = choose(&[(4, 1.0), (5, 1.0), (7, 20.0)], &[16], true);
        assert!(
            (choice.log_probability - 0.5_f32.ln()).abs() < 1e-3,
            "{choice:?}"
        );
    }

    #[test]
    fn the_language_is_the_most_probable_of_the_language_tokens() {
        let mut logits = vec![0.0; VOCABULARY];
        logits[4] = 9.0;
        logits[13] = 2.0;
        assert_eq!(most_probable_language(&logits, &tokens()), Some(("es", 13)));
    }
}
