//! The engine `candle`: Whisper in pure Rust.

#[cfg(not(feature = "candle"))]
mod disabled;
#[cfg(feature = "candle")]
mod enabled;
mod shared;
#[cfg(feature = "candle")]
pub mod whisper;

#[cfg(not(feature = "candle"))]
pub(super) use disabled::{create, facts};
#[cfg(feature = "candle")]
pub(super) use enabled::{create, facts};
pub(super) use shared::ID;
