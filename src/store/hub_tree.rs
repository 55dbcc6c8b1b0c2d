//! The list of what a commit of a repository holds, as `trees/COMMIT.json` of the hub cache keeps it:
//! written by our downloads and by Python's `huggingface_hub` from 1.33 on.

use crate::model::ArtifactFile;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the file's format that is known.
const FORMAT: u32 = 1;

/// What a commit holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubTree {
    /// The version of the format: 1.
    pub format_version: u32,
    /// Files by their paths in the repository.
    pub files: BTreeMap<String, HubFile>,
}

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubFile {
    /// Its length in bytes.
    pub size: u64,
    /// Its id in git; of a large file that of the pointer to it.
    pub blob_id: String,
    /// The SHA-256 digest of a large file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lfs_sha256: Option<String>,
    /// The length of a large file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lfs_size: Option<u64>,
    /// What the hub's other protocol knows a large file by. It is kept and not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xet_hash: Option<String>,
}

impl HubFile {
    /// Returns the digest that names the file's content in the cache.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.lfs_sha256.as_deref().unwrap_or(&self.blob_id)
    }

    /// Returns the length of the content in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lfs_size.unwrap_or(self.size)
    }

    /// Returns what is expected of the file.
    #[must_use]
    pub fn expected(&self) -> ArtifactFile {
        ArtifactFile {
            bytes: Some(self.bytes()),
            sha256: self.lfs_sha256.clone(),
            git_blob: self.lfs_sha256.is_none().then(|| self.blob_id.clone()),
        }
    }
}

impl HubTree {
    /// Returns a list of files in the format that is written.
    #[must_use]
    pub fn new(files: BTreeMap<String, HubFile>) -> Self {
        Self {
            format_version: FORMAT,
            files,
        }
    }

    /// Reads a list.
    ///
    /// # Errors
    ///
    /// Returns the reason if it is no such list, of another version, or names a digest that is none.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let tree: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if tree.format_version != FORMAT {
            return Err(format!("format {} is not known", tree.format_version));
        }
        let is_hexadecimal = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let good = tree.files.values().all(|file| {
            is_hexadecimal(&file.blob_id, 40)
                && (file.lfs_sha256.as_ref()).is_none_or(|digest| is_hexadecimal(digest, 64))
        });
        good.then_some(tree)
            .ok_or_else(|| "a digest is none".to_owned())
    }
}
