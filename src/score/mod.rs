//! Scores: what a transcript is worth, and how sure one can be of a measured time.
//!
//! Everything here is a pure function of its arguments. The order of work is: [`Normalizer`] makes
//! texts comparable, [`align`](fn@align) finds the edits, [`score_utterance`] and [`score_set`]
//! turn them into rates; `statistics` and `speed` do the same for times, and `bootstrap` says how
//! sure ratios and rates are.

pub mod bootstrap;
pub mod normalize;
pub mod speed;
pub mod statistics;

mod align;
mod bit_matrix;
mod character_edits;
mod confusion;
mod ends;
mod error_rate;
mod language;
mod loop_search;
mod repeat;
mod repetition;
mod set;
mod tokens;
mod utterance;
mod word_edits;

pub use align::{ALIGNMENT_RULE, Alignment, Operation, align, distance};
pub use confusion::{AlignedUtterance, Confusion, align_utterance, confusions};
pub use error_rate::{CharacterErrors, EditCounts, ErrorRates};
pub use language::scored_on_characters;
pub use normalize::{Normalizer, UnknownNormalizer};
pub use repeat::{RepeatLoop, RepeatLoops, repeat_loops, wrong_loops};
pub use repetition::{judge, passes};
pub use set::{SetScore, score_set};
pub use utterance::{ScoringUnit, TextPair, UtteranceScore, score_all, score_utterance};
