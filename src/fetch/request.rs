//! What is asked of a hub or a URL, under which limits, and what is told meanwhile.

use super::hub_access::HubAccess;
use super::lock::Held;
use crate::clock::RunClock;
use crate::model::{ArtifactFile, TransferProgress};
use crate::sharing::LeaseRules;
use crate::store::HubCache;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What is asked of a hub.
#[derive(Clone, Debug)]
pub struct HubRequest {
    /// `owner/name`.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The files that are wanted, with what is known of them.
    pub files: IndexMap<String, ArtifactFile>,
    /// Globs of further files, which the hub's list names.
    pub patterns: Vec<String>,
    /// The cache that they go into.
    pub cache: HubCache,
    /// Where the hub is, and who asks.
    pub access: HubAccess,
}

/// What a hub would give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedHub {
    /// The commit that the revision stands for.
    pub commit: String,
    /// The files, each with its length and a digest.
    pub files: BTreeMap<String, ArtifactFile>,
}

/// What is asked of a URL.
#[derive(Clone, Debug)]
pub struct UrlRequest {
    /// The one file, or, ending with `/`, the folder of the files.
    pub url: String,
    /// The files that are wanted, with what is known of them.
    pub files: IndexMap<String, ArtifactFile>,
    /// Where parts are kept until they are whole.
    pub partial: PathBuf,
    /// The folder in which the artifact would lie if it were here.
    pub published: PathBuf,
    /// The folder that is filled.
    pub destination: PathBuf,
}

/// The limits of a fetch.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The clock that they go by.
    pub clock: RunClock,
    /// A transfer without progress is given up after this.
    pub stall: Duration,
    /// What the clock shows when the whole is given up. Whoever asked drops the fetch then; in here
    /// it keeps waits from being begun that would end later.
    pub deadline: Duration,
    /// How leases are held and given up where several machines share a store.
    pub lease: LeaseRules,
}

/// What a fetch tells while it goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The commit that a revision stands for.
    Resolved {
        /// `owner/name`.
        repository: String,
        /// What was asked for.
        revision: String,
        /// What that is.
        commit: String,
    },
    /// How far it is.
    Transfer(TransferProgress),
    /// Something for people to read.
    Note(String),
}

/// Who is told.
pub type Teller = Arc<dyn Fn(Told) + Send + Sync>;

/// What arrived from a URL.
#[derive(Debug)]
pub struct Arrived {
    /// Bytes that came over the network.
    pub bytes: u64,
    /// Locks that keep others from fetching the same until it is where they look for it.
    pub held: Vec<Arc<Held>>,
}
