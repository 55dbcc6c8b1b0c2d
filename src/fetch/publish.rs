//! From a temporary place into the store: checked first, moved whole, never half.

use crate::model::{Artifact, Verdict};
use crate::store::{Store, check};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What was fetched, and where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The store.
    pub store: &'a Store,
    /// The folder that was filled.
    pub folder: &'a Path,
}

impl Publication<'_> {
    /// Checks every artifact against its expected sizes and digests, and moves all of them into
    /// the store if all are right. Returns the bytes.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with which file. Then the store is as it was.
    pub fn publish(&self, artifacts: &[Artifact]) -> Result<u64, String> {
        let mut ready = Vec::new();
        let mut bytes = 0;
        for artifact in artifacts {
            let folder = self.gather(artifact)?;
            let has_digests = artifact.files.values().all(|file| file.sha256.is_some());
            let finding = check(artifact, &[&folder], has_digests);
            // Without an expected size there is nothing to compare with, and nothing to refuse.
            if !matches!(finding.verdict, Verdict::Complete | Verdict::Unknown) {
                return Err(format!(
                    "`{}` of `{}` is not what was expected: {}",
                    artifact.id, artifact.model, finding.reason
                ));
            }
            bytes += finding.bytes_present;
            let place = self.store.folder(artifact);
            // Another machine may have published the same meanwhile, and others may be reading it: what
            // is right stays where it is.
            let is_here =
                has_digests && check(artifact, &[&place], true).verdict == Verdict::Complete;
            ready.push((folder, place, is_here));
        }
        for (from, to, is_here) in ready {
            if is_here {
                continue;
            }
            replace(&from, &to)
                .map_err(|error| format!("{} cannot be put in place: {error}", to.display()))?;
        }
        Ok(bytes)
    }

    /// Collects an artifact's files into one folder. A recipe writes `<model>/<artifact>/<file>`;
    /// one that makes a single thing may leave the outer folders out.
    fn gather(&self, artifact: &Artifact) -> Result<PathBuf, String> {
        let gathered = self
            .folder
            .join(".gathered")
            .join(&artifact.model)
            .join(&artifact.id);
        let places = [
            self.folder.join(&artifact.model).join(&artifact.id),
            self.folder.join(&artifact.id),
            self.folder.join(&artifact.model),
            self.folder.to_path_buf(),
        ];
        for name in artifact.files.keys() {
            let found = places.iter().map(|place| place.join(name)).find(|path| {
                // Links are refused: what they point at could change after it was checked.
                fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
            });
            let found = found.ok_or_else(|| {
                format!(
                    "`{name}` of `{}` was not made; it belongs into {}/{} of the destination",
                    artifact.model, artifact.model, artifact.id
                )
            })?;
            let target = gathered.join(name);
            let problem = |error: std::io::Error| format!("{}: {error}", target.display());
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(problem)?;
            }
            // Two artifacts may share a file that lies at the top.
            fs::hard_link(&found, &target)
                .or_else(|_| fs::copy(&found, &target).map(|_| ()))
                .map_err(problem)?;
            fs::File::open(&target)
                .and_then(|file| file.sync_all())
                .map_err(problem)?;
        }
        Ok(gathered)
    }
}

/// How often a folder is moved again that others put there in the same moment.
const MOST_MOVES: u32 = 10;

/// Moves a folder to where another may be. The old one is moved aside first, because a folder
/// cannot be renamed over one that holds files. Others may do the same at the same time.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut moves = 0;
    loop {
        if fs::symlink_metadata(to).is_ok() {
            let aside = from.with_extension(format!("replaced-{moves}"));
            match fs::rename(to, &aside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        moves += 1;
        match fs::rename(from, to) {
            Err(error) if moves < MOST_MOVES && is_taken(&error) => {}
            done => return done,
        }
    }
}

fn is_taken(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ArtifactFile, Source};

    fn artifact(sha256: &str) -> Artifact {
        let file = ArtifactFile {
            bytes: Some(5),
            sha256: Some(sha256.to_owned()),
            git_blob: None,
        };
        Artifact {
            model: "tiny.en".into(),
            id: "ggml-f16".into(),
            files: [("model.bin".to_owned(), file)].into_iter().collect(),
            sources: vec![Source::Recipe("r".into())],
            ..Artifact::default()
        }
    }

    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    #[test]
    fn what_is_right_replaces_what_was_there_and_what_is_wrong_changes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::at(root.path().join("models"));
        for (content, expected, right) in [
            ("hello", HELLO, true),
            ("hallo", HELLO, false),
            ("hello", HELLO, true),
        ] {
            let made = tempfile::tempdir_in(root.path()).unwrap();
            let folder = made.path().join("tiny.en/ggml-f16");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("model.bin"), content).unwrap();
            let published = Publication {
                store: &store,
                folder: made.path(),
            }
            .publish(&[artifact(expected)]);
            assert_eq!(published.is_ok(), right, "{published:?}");
            let there = fs::read(store.folder(&artifact(expected)).join("model.bin")).unwrap();
            assert_eq!(there, b"hello");
        }
    }

    #[test]
    fn two_that_publish_the_same_at_once_are_harmless() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::at(root.path().join("models"));
        let place = store.folder(&artifact(HELLO));
        // Wrong, so that each of them has something to replace.
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("model.bin"), "hallo").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let made = tempfile::tempdir_in(root.path()).unwrap();
                    let folder = made.path().join("tiny.en/ggml-f16");
                    fs::create_dir_all(&folder).unwrap();
                    fs::write(folder.join("model.bin"), "hello").unwrap();
                    let publication = Publication {
                        store: &store,
                        folder: made.path(),
                    };
                    publication.publish(&[artifact(HELLO)]).unwrap();
                });
            }
        });
        assert_eq!(fs::read(place.join("model.bin")).unwrap(), b"hello");
        // What is right is not moved again: somebody may be reading it.
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
        let before = inode(&place);
        let made = tempfile::tempdir_in(root.path()).unwrap();
        fs::write(made.path().join("model.bin"), "hello").unwrap();
        let again = Publication {
            store: &store,
            folder: made.path(),
        };
        again.publish(&[artifact(HELLO)]).unwrap();
        assert_eq!(inode(&place), before);
    }

    #[test]
    fn a_link_in_a_files_place_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::at(root.path().join("models"));
        let made = root.path().join("made");
        fs::create_dir_all(&made).unwrap();
        fs::write(root.path().join("elsewhere"), "hello").unwrap();
        std::os::unix::fs::symlink(root.path().join("elsewhere"), made.join("model.bin")).unwrap();
        let refused = Publication {
            store: &store,
            folder: &made,
        }
        .publish(&[artifact(HELLO)]);
        assert!(refused.unwrap_err().contains("was not made"));
    }
}
