//! Writing into the cache that programs for hubs share: everything appears whole, by a rename.

use super::content::{StopOnDrop, mismatch_of};
use super::wanted::WantedFile;
use crate::fetch::failure::Failure;
use crate::sharing::unique_name;
use crate::store::{CachedRepository, HubTree};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How old a partial file of another program must be before it is taken for abandoned.
const ABANDONED: Duration = Duration::from_hours(24);

/// How the name of a content ends that is not whole.
pub(super) const INCOMPLETE: &str = ".incomplete";

/// Returns where the bytes of a content lie until they are whole. With a tag the name is that of one
/// holder alone.
pub(super) fn partial_of(blob: &Path, tag: Option<&str>) -> PathBuf {
    let mut name = blob.as_os_str().to_owned();
    if let Some(tag) = tag {
        name.push(format!(".{tag}"));
    }
    name.push(INCOMPLETE);
    name.into()
}

/// Begins a file of our own with a copy of what others have of the same content, so that what was on its
/// way before is not lost. It is a copy because they may still write: theirs is theirs. That it is
/// right is found out by hashing it, and then all that comes behind it. `begins` and `ends` are how the
/// names of such files do.
pub(super) async fn begin_with_longest(
    folder: &Path,
    (begins, ends): (&str, &'static str),
    own: &Path,
) {
    let (folder, begins, own) = (folder.to_path_buf(), begins.to_owned(), own.to_path_buf());
    let copying = spawn_blocking(move || {
        let longest = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| {
                let name = entry.file_name();
                let rest = name.to_str().and_then(|name| name.strip_prefix(&begins));
                rest.is_some_and(|rest| {
                    rest.ends_with(ends) && (rest.is_empty() || rest.starts_with('.'))
                })
            })
            .filter_map(|entry| Some((entry.metadata().ok()?.len(), entry.path())))
            .max();
        if let Some((length, path)) = longest
            && length > 0
            && fs::copy(path, &own).is_err()
        {
            // There may be no room for two of them.
            let _ = fs::remove_file(&own);
        }
    });
    let _ = copying.await;
}

/// Returns whether a content is here and right. What is there was put there by somebody, and is
/// believed by its digest alone.
pub(super) async fn is_right(blob: &Path, wanted: &WantedFile) -> Result<bool, Failure> {
    if fs::symlink_metadata(blob).is_err() {
        return Ok(false);
    }
    let stop = StopOnDrop::default();
    let stopped = std::sync::Arc::clone(&stop.0);
    let (path, expected) = (blob.to_path_buf(), wanted.expected.clone());
    let looked = spawn_blocking(move || mismatch_of(&path, &expected, &stopped)).await;
    match looked.map_err(io::Error::other).and_then(|looked| looked) {
        Ok(mismatch) => Ok(mismatch.is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::lasting(format!(
            "{} cannot be read: {error}",
            blob.display()
        ))),
    }
}

/// Puts a content in place that is whole and right.
pub(super) async fn publish_blob(partial: PathBuf, blob: PathBuf) -> io::Result<()> {
    let publishing = spawn_blocking(move || {
        File::open(&partial)?.sync_all()?;
        fs::rename(&partial, &blob)?;
        match blob.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    });
    publishing.await.map_err(io::Error::other)?
}

/// Puts a file of a snapshot in place: a relative link to its content, as Python makes it.
pub(super) fn link(
    repository: &CachedRepository,
    commit: &str,
    wanted: &WantedFile,
) -> io::Result<()> {
    let place = repository.snapshot(commit).join(&wanted.path);
    let depth = 2 + wanted.path.matches('/').count();
    let target = PathBuf::from("../".repeat(depth))
        .join("blobs")
        .join(&wanted.blob);
    if fs::read_link(&place).is_ok_and(|link| link == target) {
        return Ok(());
    }
    let temporary = temporary_beside(&place)?;
    symlink(&target, &temporary)?;
    fs::rename(&temporary, &place).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Writes what a commit holds, and which commit a revision stands for.
pub(super) fn write_manifest(
    repository: &CachedRepository,
    revision: &str,
    commit: &str,
    tree: &HubTree,
) -> io::Result<()> {
    let text = serde_json::to_vec(tree).map_err(io::Error::other)?;
    write_whole(&repository.tree_file(commit), &text)?;
    // A commit stands for itself.
    match repository
        .reference(revision)
        .filter(|_| revision != commit)
    {
        Some(reference) => write_whole(&reference, commit.as_bytes()),
        None => Ok(()),
    }
}

/// Removes what others have left of a content that is here now and whose lock we hold: who works at it
/// would hold that. `ending` is how the names of such files end.
pub(super) fn remove_abandoned(blob: &Path, ending: &str) {
    let (Some(folder), Some(digest)) = (blob.parent(), blob.file_name()) else {
        return;
    };
    let begins = format!("{}.", digest.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_partial = name.starts_with(&begins) && name.ends_with(ending);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED));
        if is_partial && is_old {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
}

/// Returns a name beside a file that nobody else uses, in a folder that is there.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let folder = path
        .parent()
        .ok_or_else(|| io::Error::other("it has no folder"))?;
    fs::create_dir_all(folder)?;
    Ok(folder.join(format!(".new-{}", unique_name())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ArtifactFile;
    use crate::store::HubCache;

    #[test]
    fn a_link_leads_to_the_content_from_any_depth_and_replaces_what_was_there() {
        let place = tempfile::tempdir().unwrap();
        let cache = HubCache {
            root: place.path().into(),
        };
        let repository = cache.repository("owner/name");
        let blob = repository.blob("d1");
        fs::create_dir_all(blob.parent().unwrap()).unwrap();
        fs::write(&blob, "hello").unwrap();
        for path in ["m.bin", "a/b/m.bin"] {
            let wanted = WantedFile {
                path: path.into(),
                blob: "d1".into(),
                expected: ArtifactFile::default(),
            };
            let place = repository.snapshot("c").join(path);
            for _ in 0..2 {
                link(&repository, "c", &wanted).unwrap();
                assert_eq!(fs::read(&place).unwrap(), b"hello");
            }
            fs::remove_file(&place).unwrap();
            fs::write(&place, "a copy").unwrap();
            link(&repository, "c", &wanted).unwrap();
            assert!(fs::symlink_metadata(&place).unwrap().is_symlink());
        }
    }

    #[test]
    fn only_old_parts_of_the_same_content_are_removed() {
        let place = tempfile::tempdir().unwrap();
        let blob = place.path().join("abc");
        let old = std::time::SystemTime::now() - 2 * ABANDONED;
        let make = |name: &str, is_old: bool| {
            let file = File::create(place.path().join(name)).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
        };
        make("abc.0123.incomplete", true);
        make("abc.4567.incomplete", false);
        make("abcd.incomplete", true);
        make("abc", true);
        remove_abandoned(&blob, INCOMPLETE);
        let mut left: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["abc", "abc.4567.incomplete", "abcd.incomplete"]);
    }
}
