//! Which bytes an artifact is now: as its definition says, as the list of its repository says, or as
//! they lie here.

use crate::cli::exit::say;
use crate::clock::{Clock, RunClock};
use crate::fetch::{HubAccess, HubRequest, Limits, Teller, Told, resolve_hub};
use crate::lockfile::{LockedArtifact, LockedFile, LockedSource};
use crate::model::{Artifact, ArtifactFile, Deadlines, Source, Verdict};
use crate::sharing::LeaseRules;
use crate::store::{HubCache, Store, find, sha256_file};
use crate::ui::printable;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Returns what is to be locked of an artifact: of its sources the first of which every file is known.
///
/// # Errors
///
/// Returns the reasons, one for each source, if there is none.
pub(super) fn resolve(
    artifact: &Artifact,
    store: &Store,
    hub: &Hub<'_>,
) -> Result<LockedArtifact, String> {
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
            } => match of_cache(&alone, repository, revision, store) {
                Some(known) if !hub.asks_always => Ok(known),
                _ => hub.ask(&alone, source, repository, revision),
            },
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

/// Returns the files of a snapshot, and its commit, if the cache knows which commit the revision
/// stood for when somebody last asked, and what it holds.
fn of_cache(
    artifact: &Artifact,
    repository: &str,
    revision: &str,
    store: &Store,
) -> Option<(Files, Option<String>)> {
    let commit = store.hub.repository(repository).commit(revision)?;
    let found = find(artifact, store);
    if !found.place.unlisted.is_empty() {
        return None;
    }
    Some((known(&found.place.files)?, Some(commit)))
}

/// How hubs are asked.
pub(super) struct Hub<'a> {
    /// Whether they are asked even where the cache knows the answer.
    pub(super) asks_always: bool,
    /// The cache, which is only read.
    pub(super) cache: &'a HubCache,
    /// The limits of the matrix for downloads.
    pub(super) deadlines: &'a Deadlines,
}

impl Hub<'_> {
    /// Asks which commit a revision is, and what that holds.
    fn ask(
        &self,
        artifact: &Artifact,
        source: &Source,
        repository: &str,
        revision: &str,
    ) -> Result<(Files, Option<String>), String> {
        let request = HubRequest {
            repository: repository.to_owned(),
            revision: revision.to_owned(),
            files: artifact.files_from(source),
            patterns: artifact.patterns.clone(),
            cache: self.cache.clone(),
            access: HubAccess::from_environment(|name| std::env::var_os(name)),
        };
        let clock = RunClock::starting_at(Duration::ZERO);
        let limits = Limits {
            deadline: clock.now().saturating_add(self.deadlines.download_total),
            stall: self.deadlines.download_stall,
            // Only lists are fetched, and nothing is locked for them.
            lease: LeaseRules::default(),
            clock,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let total = self.deadlines.download_total;
        let tell: Teller = Arc::new(|told| {
            if let Told::Note(note) = told {
                say(&printable(&note));
            }
        });
        let resolved = runtime.block_on(async {
            tokio::time::timeout(total, resolve_hub(request, limits, tell)).await
        });
        let resolved = resolved
            .map_err(|_| format!("{repository} did not answer within {total:?}"))?
            .map_err(|failure| failure.reason)?;
        let files = known(&resolved.files)
            .ok_or_else(|| format!("{repository} does not tell the digest of each file"))?;
        Ok((files, Some(resolved.commit)))
    }
}

/// Returns the files of a folder: as they are expected, else as they are.
fn of_folder(artifact: &Artifact, store: &Store) -> Result<(Files, Option<String>), String> {
    let found = find(artifact, store);
    if !found.place.unlisted.is_empty() {
        return Err("the names of its files are known to a hub only".into());
    }
    if let Some(files) = known(&found.place.files) {
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

/// Returns what is expected of files, if it is known of every one down to its digest.
fn known<'f>(files: impl IntoIterator<Item = (&'f String, &'f ArtifactFile)>) -> Option<Files> {
    let file = |(name, file): (&String, &ArtifactFile)| {
        let locked = LockedFile {
            bytes: file.bytes?,
            sha256: file.sha256.clone(),
            git_blob: file.git_blob.clone().filter(|_| file.sha256.is_none()),
        };
        file.has_digest().then(|| (name.clone(), locked))
    };
    let known: Option<Files> = files.into_iter().map(file).collect();
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
