//! Getting what is missing: into a temporary place, checked, then moved whole into the store, or
//! file by file into the cache that hubs share.
//!
//! Nothing that arrives is believed: every status, length and digest is looked at, every wait is
//! bounded, and what was there before is checked before it is used.

mod failure;
mod hub_access;
mod lock;
mod publish;
mod recipe;
#[cfg_attr(not(feature = "hub"), path = "without_network.rs")]
mod remote;
mod request;
mod waiting;
mod workplace;

pub use failure::Failure;
pub use hub_access::HubAccess;
pub use lock::{Held, lock};
pub use publish::Publication;
pub use recipe::RecipeRun;
pub use remote::{fetch_hub, fetch_url, resolve_hub};
pub use request::{Arrived, HubRequest, Limits, ResolvedHub, Teller, Told, UrlRequest};
pub use workplace::Workplace;
