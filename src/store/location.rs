//! Where models live on this machine.

use super::hub_cache::HubCache;
use crate::model::{Artifact, earmark_home};
use std::ffi::OsString;
use std::path::PathBuf;

/// Where models live on this machine: what recipes and URLs give in a store of our own, one folder
/// for each artifact of each model; what hubs give in the cache that every program for such hubs
/// shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The root of our own: `$EARMARK_HOME/models`, else `$XDG_CACHE_HOME/earmark/models`, else
    /// `~/.cache/earmark/models`.
    pub root: PathBuf,
    /// The cache of hubs.
    pub hub: HubCache,
}

impl Store {
    /// Finds the store from environment variables.
    ///
    /// # Errors
    ///
    /// Returns the reason if none of the variables is set to an absolute folder.
    pub fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        earmark_home(&get)
            .zip(HubCache::from_environment(&get))
            .map(|(home, hub)| Self {
                root: home.join("models"),
                hub,
            })
            .ok_or_else(|| {
                "no place for models: set EARMARK_HOME and HF_HOME (or HOME) to absolute folders"
                    .to_owned()
            })
    }

    /// Returns a store at a folder, with a hub cache of its own beside it.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let hub = HubCache {
            root: root.with_file_name("hub"),
        };
        Self { root, hub }
    }

    /// Returns the folder of an artifact.
    #[must_use]
    pub fn folder(&self, artifact: &Artifact) -> PathBuf {
        self.root
            .join(safe(&artifact.model))
            .join(safe(&artifact.id))
    }

    /// Returns the folder in which verdicts are remembered, beside the models.
    #[must_use]
    pub fn verdicts(&self) -> PathBuf {
        self.root.with_file_name("verdicts")
    }
}

/// Keeps ids that people write from leaving the store.
fn safe(id: &str) -> String {
    let name: String = id
        .chars()
        .map(|c| {
            if matches!(c, '/' | '\\' | '\0') {
                '_'
            } else {
                c
            }
        })
        .collect();
    if name == "." || name == ".." {
        "_".into()
    } else {
        name
    }
}
