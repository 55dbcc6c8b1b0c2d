//! Where models live, and whether they are whole. There is no network in here, nor in anything
//! that it imports: a verify cannot download.

mod check;
mod digest;
mod hub_cache;
mod hub_tree;
mod identity;
mod location;
mod partial;
mod place;
mod verdict_cache;

pub use check::{Found, check, check_place, find, find_by};
pub use digest::{sha256_bytes, sha256_file};
pub use hub_cache::{CachedRepository, HubCache, is_commit};
pub use hub_tree::{HubFile, HubTree};
pub use identity::{Identity, identify};
pub use location::Store;
pub use place::{Place, places};
pub use verdict_cache::{EngineTerms, FileStamp, Inquiry, Terms};
