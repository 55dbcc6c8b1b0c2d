//! Which bytes an artifact is now: as its definition says, as the list of its repository says, or as
//! they lie here.

use crate::lockfile::{LockedArtifact, LockedFile, LockedSource};
use crate::model::{Artifact, ArtifactFile, Source, Verdict};
use crate::store::{Found, Store, find, is_commit, sha256_file};
use std::collections::BTreeMap;

/// Returns what is to be locked of an artifact: of its sources the first of which every file is known.
///
/// # Errors
///
/// Returns the reasons, one for each source, if there is none.
pub(super) fn resolve(artifact: &Artifact, store: &Store) -> Result<LockedArtifact, String> {
    let mut reasons = Vec::new();
    for source in &artifact.sources {
        let alone = Artifact {
            sources: vec![source.clone()],
            ..artifact.clone()
        };
        let found = match source {
            Source::Hub {
                repository,
                revision,
                ..
            } => of_hub(&alone, repository, revision, store),
            Source::Recipe(_) | Source::Url(_) | Source::Path(_) => of_folder(&alone, store),
        };
        match found {
            Ok((files, commit)) => {
                return Ok(LockedArtifact {
                    source: locked_source(source, commit),
                    files,
                });
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() {
        reasons.push("it has no source".into());
    }
    Err(reasons.join("; "))
}

type Files = BTreeMap<String, LockedFile>;

/// Returns the files of a snapshot, and its commit.
fn of_hub(
    artifact: &Artifact,
    repository: &str,
    revision: &str,
    store: &Store,
) -> Result<(Files, Option<String>), String> {
    let Some(commit) = store.hub.repository(repository).commit(revision) else {
        return Err(format!(
            "nobody here has asked the hub which commit `{revision}` of {repository} is; \
             `earmark download` does"
        ));
    };
    let found = find(artifact, store);
    let known = found
        .place
        .unlisted
        .is_empty()
        .then(|| known(&found))
        .flatten();
    let files = known.ok_or_else(|| {
        format!(
            "the list of what {repository} holds at {} is not here; `earmark download` fetches it",
            commit.get(..12).unwrap_or(&commit)
        )
    })?;
    let commit = is_commit(&commit).then_some(commit);
    Ok((files, commit))
}

/// Returns the files of a folder: as they are expected, else as they are.
fn of_folder(artifact: &Artifact, store: &Store) -> Result<(Files, Option<String>), String> {
    let found = find(artifact, store);
    if !found.place.unlisted.is_empty() {
        return Err("the names of its files are known to a hub only".into());
    }
    if let Some(files) = known(&found) {
        return Ok((files, None));
    }
    if !matches!(found.finding.verdict, Verdict::Complete | Verdict::Unknown) {
        return Err(format!(
            "its definition does not say the size and SHA-256 of each file, and it is not whole \
             here: {}; `earmark download` fetches it",
            found.finding.reason
        ));
    }
    let mut files = Files::new();
    for (name, expected) in &found.place.files {
        let path = found.place.folder.join(name);
        let hashed = sha256_file(&path).and_then(|digest| {
            let bytes = std::fs::metadata(&path)?.len();
            Ok((bytes, digest))
        });
        let (bytes, sha256) =
            hashed.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        if expected
            .sha256
            .as_ref()
            .is_some_and(|wanted| *wanted != sha256)
        {
            return Err(format!(
                "{} is not what its definition expects; `earmark verify --verify-method checksum` \
                 tells more",
                path.display()
            ));
        }
        let file = LockedFile {
            bytes,
            sha256: Some(sha256),
            git_blob: None,
        };
        files.insert(name.clone(), file);
    }
    Ok((files, None))
}

/// Returns what is expected in a place, if it is known of every file down to its digest.
fn known(found: &Found) -> Option<Files> {
    let files = &found.place.files;
    let file = |(name, file): (&String, &ArtifactFile)| {
        let locked = LockedFile {
            bytes: file.bytes?,
            sha256: file.sha256.clone(),
            git_blob: file.git_blob.clone().filter(|_| file.sha256.is_none()),
        };
        file.has_digest().then(|| (name.clone(), locked))
    };
    let known: Option<Files> = files.iter().map(file).collect();
    known.filter(|known| !known.is_empty())
}

fn locked_source(source: &Source, commit: Option<String>) -> LockedSource {
    let mut locked = LockedSource {
        hub: None,
        revision: None,
        commit,
        recipe: None,
        url: None,
        path: None,
    };
    match source {
        Source::Hub {
            repository,
            revision,
            ..
        } => {
            locked.hub = Some(repository.clone());
            locked.revision = Some(revision.clone());
        }
        Source::Recipe(recipe) => locked.recipe = Some(recipe.clone()),
        Source::Url(url) => locked.url = Some(url.clone()),
        Source::Path(_) => locked.path = Some(true),
    }
    locked
}
