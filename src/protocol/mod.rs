//! What runner and engine say to one another: JSON Lines over a private socket.
//!
//! The engine speaks first (`hello`), then answers each request. It times itself; the runner keeps
//! its own wall time as a cross-check.

mod allowance;
mod codec;
mod message;

pub use allowance::Allowance;
pub use codec::{LineBuffer, MAXIMUM_LINE_BYTES, decode, encode};
pub use message::{AudioInput, ErrorKind, Reply, Request, VERSION};
