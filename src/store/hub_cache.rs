//! The layout of the cache that programs for Hugging Face hubs share, as Python's `huggingface_hub`
//! defines it: `models--OWNER--NAME/{blobs,refs,snapshots,trees}`, and `.locks` beside. Contents lie
//! in `blobs` under their digest; a snapshot is a folder of links to them.

use super::hub_tree::HubTree;
use crate::sharing::listed_metadata;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The cache, of which any folder may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubCache {
    /// Its root, the folder that holds `models--…`.
    pub root: PathBuf,
}

impl HubCache {
    /// Finds the cache as `huggingface_hub` does: `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else
    /// `HF_HOME/hub`, else `XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`. Where
    /// neither these nor `HOME` are set, an `EARMARK_HOME` has a cache beside its models.
    pub fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let home = get("HOME").map(PathBuf::from);
        let folder = |name: &str| {
            let value = get(name).filter(|value| !value.is_empty())?;
            let path = PathBuf::from(value);
            match (path.strip_prefix("~"), &home) {
                (Ok(rest), Some(home)) => Some(home.join(rest)),
                _ => Some(path),
            }
        };
        let root = folder("HF_HUB_CACHE")
            .or_else(|| folder("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| folder("HF_HOME").map(|home| home.join("hub")))
            .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface/hub")))
            .or_else(|| folder("HOME").map(|home| home.join(".cache/huggingface/hub")))
            .or_else(|| folder("EARMARK_HOME").map(|home| home.join("hub")))?;
        Some(Self { root })
    }

    /// Returns the folder of a repository `owner/name`.
    #[must_use]
    pub fn repository(&self, repository: &str) -> CachedRepository {
        let name = format!(
            "models--{}",
            repository.trim_matches('/').replace('/', "--")
        );
        CachedRepository {
            root: self.root.join(&name),
            locks: self.root.join(".locks").join(name),
        }
    }
}

/// The folder of one repository in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedRepository {
    /// Its folder.
    pub root: PathBuf,
    locks: PathBuf,
}

impl CachedRepository {
    /// Returns where content with a digest lies: SHA-256 of large files, the git blob id of small
    /// ones.
    #[must_use]
    pub fn blob(&self, digest: &str) -> PathBuf {
        self.root.join("blobs").join(digest)
    }

    /// Returns the file that is locked while content with a digest is fetched.
    #[must_use]
    pub fn lock(&self, digest: &str) -> PathBuf {
        self.locks.join(format!("{digest}.lock"))
    }

    /// Returns the folder of links of a commit.
    #[must_use]
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    /// Returns the file that holds the commit of a branch or tag, if the name can be one of a file.
    #[must_use]
    pub fn reference(&self, revision: &str) -> Option<PathBuf> {
        let is_safe = Path::new(revision)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        (is_safe && !revision.is_empty()).then(|| self.root.join("refs").join(revision))
    }

    /// Returns the file that lists what a commit holds.
    #[must_use]
    pub fn tree_file(&self, commit: &str) -> PathBuf {
        self.root.join("trees").join(format!("{commit}.json"))
    }

    /// Returns the commit that a revision stood for when somebody last asked the hub; a commit is
    /// itself.
    #[must_use]
    pub fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let reference = self.reference(revision)?;
        // Another machine may have written it a moment ago.
        listed_metadata(&reference).ok()?;
        let text = fs::read_to_string(reference).ok()?;
        let commit = text.trim();
        is_commit(commit).then(|| commit.to_owned())
    }

    /// Reads the list of what a commit holds, if somebody left it here and it is whole.
    #[must_use]
    pub fn tree(&self, commit: &str) -> Option<HubTree> {
        let file = self.tree_file(commit);
        listed_metadata(&file).ok()?;
        let text = fs::read(file).ok()?;
        HubTree::from_json(&text).ok()
    }
}

/// Returns whether a revision is a whole commit id and so can never mean anything else.
#[must_use]
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40
        && revision
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Option<PathBuf> {
        HubCache::from_environment(|name| {
            let value = variables.iter().find(|(key, _)| *key == name);
            value.map(|(_, value)| OsString::from(value))
        })
        .map(|cache| cache.root)
    }

    #[test]
    fn the_cache_is_found_where_python_finds_it() {
        let home = ("HOME", "/home/me");
        for (variables, expected) in [
            (vec![home], "/home/me/.cache/huggingface/hub"),
            (vec![home, ("XDG_CACHE_HOME", "/c")], "/c/huggingface/hub"),
            (
                vec![home, ("XDG_CACHE_HOME", "/c"), ("HF_HOME", "/h")],
                "/h/hub",
            ),
            (vec![home, ("HF_HOME", "~/h")], "/home/me/h/hub"),
            (vec![home, ("HF_HOME", "/h"), ("HF_HUB_CACHE", "/x")], "/x"),
            (
                vec![home, ("HF_HUB_CACHE", "")],
                "/home/me/.cache/huggingface/hub",
            ),
        ] {
            assert_eq!(found(&variables), Some(PathBuf::from(expected)));
        }
    }

    #[test]
    fn a_reference_that_leaves_its_folder_is_none() {
        let cache = HubCache { root: "/c".into() };
        let repository = cache.repository("openai/whisper-tiny");
        assert_eq!(
            repository.root,
            PathBuf::from("/c/models--openai--whisper-tiny")
        );
        assert_eq!(repository.reference("../../etc"), None);
        assert!(repository.reference("refs/pr/1").is_some());
    }
}
