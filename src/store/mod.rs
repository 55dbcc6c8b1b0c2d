//! Where models live, and whether they are whole. There is no network in here, nor in anything
//! that it imports: a verify cannot download.

mod check;
mod digest;
mod location;

pub use check::{check, check_until, combine};
pub use digest::{artifact_digest, sha256_file};
pub use location::{Store, candidates};
