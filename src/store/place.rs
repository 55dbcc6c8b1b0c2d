//! The places in which an artifact may lie, in the order of its sources, with what is expected of its
//! files in each.

use super::hub_cache::CachedRepository;
use super::hub_tree::{HubFile, HubTree};
use super::location::Store;
use crate::model::{Artifact, ArtifactFile, ManifestOrigin, Source};
use globset::{Glob, GlobMatcher};
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The most entries of a folder that are looked at for names that no list tells.
const MOST_ENTRIES: usize = 10_000;

/// A folder in which an artifact may lie, with what is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder. It need not be there.
    pub folder: PathBuf,
    /// What is expected of each file, by its name in the folder. These are the files that an engine
    /// is given.
    pub files: IndexMap<String, ArtifactFile>,
    /// What that comes from.
    pub manifest: ManifestOrigin,
    /// The globs whose names nothing tells: with one of them, nobody knows whether `files` are all
    /// files.
    pub unlisted: Vec<String>,
    /// The repository of the cache whose snapshot the folder is.
    pub(super) repository: Option<CachedRepository>,
}

impl Place {
    /// Returns a folder with what the artifact itself says of its files.
    pub(super) fn plain(artifact: &Artifact, folder: PathBuf) -> Self {
        Self::of(folder, artifact.files.clone(), &artifact.patterns)
    }

    fn of(folder: PathBuf, files: IndexMap<String, ArtifactFile>, patterns: &[String]) -> Self {
        let mut place = Self {
            folder,
            files,
            manifest: ManifestOrigin::None,
            unlisted: patterns.to_vec(),
            repository: None,
        };
        if (place.files.values()).any(|file| file.bytes.is_some() || file.has_digest()) {
            place.manifest = ManifestOrigin::Catalog;
        }
        place
    }

    /// Returns the snapshot of a repository that a hub source stands for. Where nobody has asked the
    /// hub yet what its revision stands for, the folder is one that nobody makes.
    fn in_hub(artifact: &Artifact, source: &Source, store: &Store) -> Option<Self> {
        let Source::Hub {
            repository,
            revision,
            ..
        } = source
        else {
            return None;
        };
        let repository = store.hub.repository(repository);
        let files = artifact.files_from(source);
        let mut place = match repository.commit(revision) {
            Some(commit) => {
                let mut place = Self::of(repository.snapshot(&commit), files, &artifact.patterns);
                // Where the definition says everything, the list has nothing to add.
                if place.lacks_something()
                    && let Some(tree) = repository.tree(&commit)
                {
                    place.complete_by(&tree);
                }
                place
            }
            None => {
                let is_safe = repository.reference(revision).is_some();
                let name = if is_safe { revision } else { "unknown" };
                Self::of(repository.snapshot(name), files, &artifact.patterns)
            }
        };
        place.repository = Some(repository);
        Some(place)
    }

    fn lacks_something(&self) -> bool {
        let is_known = |file: &ArtifactFile| file.bytes.is_some() && file.has_digest();
        !self.unlisted.is_empty() || !self.files.values().all(is_known)
    }

    /// Takes from the list of a commit what the definition leaves open: sizes, digests, and the names
    /// that its globs stand for. What the definition says is not overruled.
    fn complete_by(&mut self, tree: &HubTree) {
        let mut took = false;
        for (name, file) in &mut self.files {
            if let Some(listed) = tree.files.get(name) {
                took |= complete_file(file, listed);
            }
        }
        if let Some(globs) = matchers(&self.unlisted) {
            self.unlisted.clear();
            for (name, listed) in &tree.files {
                let is_wanted = is_inside(name)
                    && !self.files.contains_key(name)
                    && globs.iter().any(|glob| glob.is_match(name));
                if is_wanted {
                    self.files.insert(name.clone(), listed.expected());
                    took = true;
                }
            }
        }
        if took {
            self.manifest = ManifestOrigin::HubTree;
        }
    }

    /// Names the files that are in the folder and that a glob stands for which no list tells the
    /// names of: an engine is given them, though nobody knows whether they are all.
    fn name_unlisted(&mut self) {
        if self.unlisted.is_empty() {
            return;
        }
        let Some(globs) = matchers(&self.unlisted) else {
            return;
        };
        for name in names_in(&self.folder) {
            if globs.iter().any(|glob| glob.is_match(&name)) {
                self.files.entry(name).or_default();
            }
        }
    }

    /// Returns the names of its files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// Returns the sum of the expected lengths in bytes, if all are known.
    #[must_use]
    pub fn expected_bytes(&self) -> Option<u64> {
        if !self.unlisted.is_empty() {
            return None;
        }
        self.files.values().map(|file| file.bytes).sum()
    }
}

/// Returns the places in which an artifact may lie, in the order in which they are tried: what its
/// `path` sources name, the snapshots of its `hub` sources in the cache, and our own store for
/// everything else.
#[must_use]
pub fn places(artifact: &Artifact, store: &Store) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let own = |artifact: &Artifact| Place::plain(artifact, store.folder(artifact));
    for source in &artifact.sources {
        let place = match source {
            Source::Path(path) => Some(Place::plain(artifact, path.clone())),
            Source::Hub { .. } => Place::in_hub(artifact, source, store),
            Source::Url(_) | Source::Recipe(_) => Some(own(artifact)),
        };
        if let Some(place) = place
            && !places.iter().any(|known| known.folder == place.folder)
        {
            places.push(place);
        }
    }
    if places.is_empty() {
        places.push(own(artifact));
    }
    for place in &mut places {
        place.name_unlisted();
        if artifact.locked {
            place.manifest = ManifestOrigin::Lock;
        }
    }
    places
}

/// Adds what a list says of a file to what is known of it, unless the two are of different bytes.
/// Returns whether there was anything to add.
fn complete_file(file: &mut ArtifactFile, listed: &HubFile) -> bool {
    let listed = listed.expected();
    let agrees = |known: &Option<String>, other: &Option<String>| {
        known.is_none() || other.is_none() || known == other
    };
    let is_same = file.bytes.is_none_or(|bytes| listed.bytes == Some(bytes))
        && agrees(&file.sha256, &listed.sha256)
        && agrees(&file.git_blob, &listed.git_blob);
    let lacks_bytes = file.bytes.is_none();
    let lacks_digest = !file.has_digest();
    if !is_same || !(lacks_bytes || lacks_digest) {
        return false;
    }
    file.bytes = listed.bytes;
    if lacks_digest {
        file.sha256 = listed.sha256;
        file.git_blob = listed.git_blob;
    }
    true
}

/// Compiles globs, in which `*` matches `/` too, as it does for the tools of the hub. `None` if one is
/// no glob: then nobody knows what it stands for.
fn matchers(patterns: &[String]) -> Option<Vec<GlobMatcher>> {
    patterns
        .iter()
        .map(|pattern| Some(Glob::new(pattern).ok()?.compile_matcher()))
        .collect()
}

/// Whether a name stays inside its folder: a list may come from anybody.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Returns the names of the files in a folder and its folders, sorted. Links to folders are not
/// followed.
fn names_in(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut open = vec![folder.to_path_buf()];
    let mut looked_at = 0;
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            looked_at += 1;
            if looked_at > MOST_ENTRIES {
                return names;
            }
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if let Some(name) = path
                .strip_prefix(folder)
                .ok()
                .and_then(|name| name.to_str())
            {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
