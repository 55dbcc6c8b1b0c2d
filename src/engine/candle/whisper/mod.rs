//! Whisper in pure Rust, on candle.
//!
//! The network is our own in candle's tensors: the encoder works on time-major states, the decoder
//! keeps its keys and values from token to token. The rules of decoding and the loop over windows
//! of thirty seconds are those of the original.
//!
//! Threads are candle's and rayon's. Both read the environment once, when they first work:
//! `RAYON_NUM_THREADS` and `CANDLE_NUM_THREADS` must be set before the process starts, to the
//! same number.

mod attention;
mod block_matrix;
mod config;
mod decoder;
mod decoding;
mod encoder;
mod error;
mod half_precision;
mod kernels;
mod linear;
mod load;
mod mel;
mod network;
mod operations;
mod tokens;
mod transcribe;
mod weights;
mod windows;

pub use config::{Config, ModelConfig};
pub use error::Error;
pub use load::{LoadOptions, Model, Quantization};
pub use transcribe::{DecodeOptions, Segment, Transcriber, Transcript};
pub use windows::{PromptLogits, WindowModel};
