//! The engine `whisper-cpp`: whisper.cpp, built in.

#[cfg(not(feature = "whisper-cpp"))]
mod disabled;
#[cfg(feature = "whisper-cpp")]
mod enabled;
#[cfg(any(test, feature = "whisper-cpp"))]
mod file;
mod shared;

#[cfg(not(feature = "whisper-cpp"))]
pub(super) use disabled::{create, facts};
#[cfg(feature = "whisper-cpp")]
pub(super) use enabled::{create, facts};
pub(super) use shared::{ID, device};
