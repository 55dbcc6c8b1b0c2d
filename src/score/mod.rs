//! Accuracy, from what was said and what was heard. Pure.

mod error_rate;

pub use error_rate::{Counts, UtteranceScore, normalize, score_utterance};
