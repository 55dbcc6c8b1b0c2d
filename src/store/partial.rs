//! Files that were begun and not finished: `NAME.incomplete` beside where the file belongs, and in the
//! cache of hubs `blobs/DIGEST.incomplete` or, as newer Pythons name it, `blobs/DIGEST.TOKEN.incomplete`,
//! of which each process has its own.

use super::place::Place;
use crate::model::ArtifactFile;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// How the names of such files end.
const INCOMPLETE: &str = ".incomplete";

/// What was begun in one place. The folder of contents is read when something is first asked for.
pub(super) struct Partials<'a> {
    place: &'a Place,
    blobs: OnceLock<Vec<(String, u64)>>,
}

impl<'a> Partials<'a> {
    pub(super) fn new(place: &'a Place) -> Self {
        Self {
            place,
            blobs: OnceLock::new(),
        }
    }

    /// Returns how many bytes of a file have arrived, if it was begun; of several beginnings the
    /// longest counts. `target` is the name of the content that a link in its place points to.
    pub(super) fn bytes_of(
        &self,
        name: &str,
        expected: &ArtifactFile,
        target: Option<&str>,
    ) -> Option<u64> {
        let mut beside = self.place.folder.join(name).into_os_string();
        beside.push(INCOMPLETE);
        let beside = fs::metadata(beside).ok().map(|metadata| metadata.len());
        let digests = [
            expected.sha256.as_deref(),
            expected.git_blob.as_deref(),
            target,
        ];
        let is_of_it = |blob: &str| {
            let mut digests = digests.iter().flatten();
            digests.any(|digest| matches!(blob.strip_prefix(digest), Some(rest) if rest.is_empty() || rest.starts_with('.')))
        };
        let blobs = self.blobs();
        let begun = blobs.iter().filter(|(blob, _)| is_of_it(blob));
        begun.map(|(_, bytes)| *bytes).chain(beside).max()
    }

    /// Returns the contents of the repository that were begun, by their names without the ending.
    fn blobs(&self) -> &[(String, u64)] {
        self.blobs.get_or_init(|| match &self.place.repository {
            Some(repository) => incomplete_in(&repository.root.join("blobs")),
            None => Vec::new(),
        })
    }
}

fn incomplete_in(folder: &Path) -> Vec<(String, u64)> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let blob = name.strip_suffix(INCOMPLETE)?.to_owned();
            Some((blob, entry.metadata().ok()?.len()))
        })
        .collect()
}
