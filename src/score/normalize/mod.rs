//! Text normalizers: what is done to reference and hypothesis before words are compared.
//!
//! The same transcripts score very differently under different normalizers, so each has an id and
//! a version that stand beside every score. [`Normalizer`] is the only way in; the files beside it
//! each hold one step.

mod basic;
mod character;
mod contractions;
mod normalizer;
mod number_text;
mod number_words;
mod numbers;
mod numeral;
mod passes;
mod spelling;
mod unicode;
mod whisper_english;

pub(in crate::score) use character::{is_ascii_space, is_space};
pub use normalizer::{Normalizer, UnknownNormalizer};
pub(in crate::score) use passes::words;
