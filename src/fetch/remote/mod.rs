//! Files of hubs and behind URLs: our own requests, of which everything is looked at.

mod answer;
mod cache;
mod client;
mod content;
mod hub;
mod listing;
mod metadata;
mod meter;
mod pace;
mod sink;
mod space;
mod transfer;
mod trouble;
mod url;
mod wanted;

pub use hub::{fetch_hub, resolve_hub};
pub use url::fetch_url;
