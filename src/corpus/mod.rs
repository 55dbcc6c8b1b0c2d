//! Audio and reference texts: the recordings that a run transcribes.
//!
//! A [`Corpus`] knows the built-in clips and those that a matrix defines, and resolves selectors.
//! [`decode`](fn@decode) turns a recording in any common format into 16 kHz mono samples, and a
//! [`DecodedCache`] keeps them on disk under the digest of the source, so that no run decodes a
//! recording twice and none decodes inside a timed span.
//!
//! Files come from anywhere. Memory stays bounded whatever a header states, and every refusal
//! names the file, the reason and a remedy.

mod builtin;
mod cache;
mod clip;
mod container;
mod decode;
mod definition;
mod error;
mod manifest;
mod mp4;
mod mpeg;
mod ogg;
mod opus;
mod resample;
mod selector;
mod source;
mod stream;
mod wav;

pub use builtin::{BUILTIN_MANIFEST, BUILTIN_NOTICE, builtin_clips, builtin_data_sets};
pub use cache::{DecodedCache, Prepared};
pub use clip::{Clip, DataSet, Origin, RecordedFacts};
pub use decode::{DecodeLimits, Decoded, DecodedSummary, decode, decode_into};
pub use definition::clip_of;
pub use error::{DecodeError, DecodeFailure};
pub use manifest::{ManifestProblem, read_manifest};
pub use resample::{MonoResampler, TARGET_RATE, resampled_length};
pub use selector::{Corpus, DefinitionError, Selection, SelectorError};
pub use wav::wav_bytes;

#[cfg(test)]
mod tests;
