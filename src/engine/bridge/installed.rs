//! What was installed, as `installed.json` in an environment's folder says.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the file's format.
pub(super) const FORMAT: u32 = 1;

/// An environment that is whole: the file is the last that is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Installed {
    /// Version of this format: 1.
    pub format: u32,
    /// The environment's name.
    pub environment: String,
    /// SHA-256 of the lock that it was installed from.
    pub lock_sha256: String,
    /// Version of the Python that runs it.
    pub python: String,
    /// What it takes up on disk.
    pub bytes: u64,
    /// When it was made, UTC.
    pub at: String,
    /// The version of every distribution in it.
    pub distributions: BTreeMap<String, String>,
}
