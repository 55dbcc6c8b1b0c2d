//! What is to be fetched of a repository: what its list says, joined with what was known before.

use super::listing::Listing;
use crate::fetch::failure::Failure;
use crate::model::ArtifactFile;
use globset::{Glob, GlobSet, GlobSetBuilder};
use indexmap::IndexMap;
use std::path::{Component, Path};

/// A file that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedFile {
    /// Its path in the repository.
    pub(super) path: String,
    /// What its content is called in the cache.
    pub(super) blob: String,
    /// Everything that must be true of it: its length and a digest at least.
    pub(super) expected: ArtifactFile,
}

/// Returns what is to be fetched.
///
/// # Errors
///
/// Returns the reason if a file is not in the list, is something else there than was known before, or
/// nothing says what it should be.
pub(super) fn wanted(
    files: &IndexMap<String, ArtifactFile>,
    patterns: &[String],
    listing: &Listing,
) -> Result<Vec<WantedFile>, Failure> {
    let mut wanted = Vec::new();
    for (path, known) in files {
        wanted.push(join(path, known, listing)?);
    }
    let globs = globs(patterns)?;
    for path in listing.names() {
        if globs.is_match(path) && is_inside(path) && !files.contains_key(path) {
            wanted.push(join(path, &ArtifactFile::default(), listing)?);
        }
    }
    if wanted.is_empty() {
        return Err(Failure::lasting(format!(
            "it has no file that matches {}",
            patterns.join(", ")
        )));
    }
    Ok(wanted)
}

/// Compiles globs, in which `*` matches `/` too, as it does for the tools of the hub.
fn globs(patterns: &[String]) -> Result<GlobSet, Failure> {
    let problem = |error: globset::Error| Failure::lasting(error.to_string());
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        globs.add(Glob::new(pattern).map_err(problem)?);
    }
    globs.build().map_err(problem)
}

/// Whether a name stays inside its folder: a list may come from anybody.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty()
        && !name.contains('\\')
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn join(path: &str, known: &ArtifactFile, listing: &Listing) -> Result<WantedFile, Failure> {
    if !is_inside(path) {
        return Err(Failure::lasting(format!(
            "`{path}` is no name of a file inside a folder"
        )));
    }
    let Some(listed) = listing.tree.files.get(path) else {
        return Err(Failure::lasting(if listing.without_digest.contains(path) {
            format!(
                "nothing says what `{path}` should be: the hub's list has no digest of it, so what \
                 arrives could not be believed"
            )
        } else {
            format!(
                "it has no file `{path}`: does it have another name there, or in this revision?"
            )
        }));
    };
    let told = listed.expected();
    let differs = |what: &str, known: &str, told: &str| {
        Failure::lasting(format!(
            "`{path}` is not what was expected: {what} is {told} by the hub's list, and {known} by \
             the catalog, the matrix or the lock file; nothing was fetched"
        ))
    };
    if let (Some(known), Some(told)) = (known.bytes, told.bytes)
        && known != told
    {
        return Err(differs(
            "its length in bytes",
            &known.to_string(),
            &told.to_string(),
        ));
    }
    for (what, known, told) in [
        ("its SHA-256", &known.sha256, &told.sha256),
        ("its git blob", &known.git_blob, &told.git_blob),
    ] {
        if let (Some(known), Some(told)) = (known, told)
            && !known.eq_ignore_ascii_case(told)
        {
            return Err(differs(what, known, told));
        }
    }
    Ok(WantedFile {
        path: path.to_owned(),
        blob: listed.digest().to_owned(),
        expected: ArtifactFile {
            bytes: told.bytes,
            sha256: told.sha256.or_else(|| known.sha256.clone()),
            git_blob: told.git_blob.or_else(|| known.git_blob.clone()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{HubFile, HubTree};

    const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    const BLOB: &str = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0";

    fn listing() -> Listing {
        let small = HubFile {
            size: 5,
            blob_id: BLOB.into(),
            lfs_sha256: None,
            lfs_size: None,
            xet_hash: None,
        };
        let large = HubFile {
            lfs_sha256: Some(SHA256.into()),
            lfs_size: Some(5),
            ..small.clone()
        };
        let files = [
            ("config.json".to_owned(), small.clone()),
            ("m.bin".to_owned(), large),
            ("a/config.json".to_owned(), small.clone()),
            ("../x".to_owned(), small),
        ];
        Listing {
            tree: HubTree::new(files.into_iter().collect()),
            without_digest: ["odd.bin".to_owned()].into_iter().collect(),
        }
    }

    fn asked(path: &str, known: ArtifactFile) -> Result<Vec<WantedFile>, String> {
        let files = IndexMap::from([(path.to_owned(), known)]);
        wanted(&files, &[], &listing()).map_err(|failure| failure.reason)
    }

    #[test]
    fn the_list_and_what_was_known_must_agree() {
        let known = |bytes, sha256: Option<&str>, git_blob: Option<&str>| ArtifactFile {
            bytes,
            sha256: sha256.map(str::to_owned),
            git_blob: git_blob.map(str::to_owned),
        };
        let both = asked("config.json", known(None, Some(SHA256), None)).unwrap();
        // The id of the blob names it, and the SHA-256 that was known must be true as well.
        assert_eq!(both[0].blob, BLOB);
        assert_eq!(both[0].expected, known(Some(5), Some(SHA256), Some(BLOB)));
        let other = SHA256.replace('2', "3");
        for (path, known, word) in [
            (
                "m.bin",
                known(Some(6), None, None),
                "is 5 by the hub's list, and 6 by",
            ),
            ("m.bin", known(None, Some(&other), None), "its SHA-256"),
            (
                "config.json",
                known(None, None, Some(&BLOB.replace('b', "c"))),
                "its git blob",
            ),
            ("none.bin", known(None, None, None), "no file `none.bin`"),
            ("odd.bin", known(Some(1), None, None), "nothing says what"),
            ("../x", known(None, None, None), "is no name"),
        ] {
            let refused = asked(path, known).unwrap_err();
            assert!(refused.contains(word), "{refused} lacks {word}");
        }
    }

    #[test]
    fn globs_find_files_in_any_folder() {
        let none = IndexMap::new();
        let found = |pattern: &str| {
            wanted(&none, &[pattern.to_owned()], &listing()).map(|files| {
                let paths = files.into_iter().map(|file| file.path);
                paths.collect::<Vec<_>>()
            })
        };
        assert_eq!(found("*.json").unwrap(), ["a/config.json", "config.json"]);
        assert_eq!(found("c*.json").unwrap(), ["config.json"]);
        assert!(found("*.onnx").unwrap_err().reason.contains("*.onnx"));
    }
}
