//! An artifact out of a repository of a hub, into the cache that all programs for hubs share.

use super::answer::Asked;
use super::cache;
use super::client::{Client, Get, bearer};
use super::listing::{Listing, listing};
use super::metadata::resolve;
use super::meter::{Meter, Readings, TICK};
use super::pace;
use super::space::{check_space, write_failure};
use super::transfer::Transfer;
use super::trouble::persistently;
use super::wanted::{WantedFile, wanted};
use crate::clock::Clock;
use crate::fetch::failure::Failure;
use crate::fetch::lock::lock;
use crate::fetch::request::{HubRequest, Limits, ResolvedHub, Teller, Told};
use crate::store::{CachedRepository, FileStamp, is_commit};
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};

/// Connections of one artifact at a time. More of them bring no more over a line that one fills, and
/// hubs count them.
pub(super) const CONNECTIONS: usize = 4;

/// Fetches the files of an artifact that are not in the cache. Returns the bytes that came over the
/// network. Dropping the future ends its transfers; what has arrived is kept.
///
/// # Errors
///
/// Returns the reason, with the file, if one cannot be had. No file of the cache is wrong then that
/// was not wrong before.
pub async fn fetch_hub(request: HubRequest, limits: Limits, tell: Teller) -> Result<u64, Failure> {
    let access = request.access.clone();
    let hidden = access.clone();
    let told: Teller = Arc::new(move |event| {
        tell(match event {
            Told::Note(note) => Told::Note(hidden.hide(&note)),
            other => other,
        });
    });
    fetch(request, limits, told)
        .await
        .map_err(|failure| Failure {
            reason: access.hide(&failure.reason),
            ..failure
        })
}

/// Asks a hub what it would give: nothing is fetched but lists.
///
/// # Errors
///
/// Returns the reason if the hub does not tell, or tells of other bytes than are expected.
pub async fn resolve_hub(
    request: HubRequest,
    limits: Limits,
    tell: Teller,
) -> Result<ResolvedHub, Failure> {
    let access = request.access.clone();
    let looked_up = look_up(&request, limits, &tell).await;
    let found = looked_up.map_err(|failure| Failure {
        reason: access.hide(&failure.reason),
        ..failure
    })?;
    let files = found.files.into_iter();
    Ok(ResolvedHub {
        commit: found.commit,
        files: files.map(|file| (file.path, file.expected)).collect(),
    })
}

/// What a hub says of the files that are wanted.
struct LookedUp {
    client: Client,
    token: Option<HeaderValue>,
    commit: String,
    listing: Listing,
    files: Vec<WantedFile>,
}

async fn look_up(request: &HubRequest, limits: Limits, tell: &Teller) -> Result<LookedUp, Failure> {
    if request.access.is_offline {
        return Err(Failure::lasting(
            "HF_HUB_OFFLINE is set, so no hub is asked: unset it, or put the files into the cache",
        ));
    }
    let client = Client::new(limits)?;
    let token = request.access.token().map(bearer).transpose()?;
    let commit = if is_commit(&request.revision) {
        request.revision.clone()
    } else {
        persistently(&client.limits, tell, || resolve(&client, request)).await?
    };
    tell(Told::Resolved {
        repository: request.repository.clone(),
        revision: request.revision.clone(),
        commit: commit.clone(),
    });
    let mut tree = address(request, &["api", "models"], &["tree", &commit])?;
    tree.set_query(Some("recursive=true"));
    let asked = asked(request);
    let listing = persistently(&client.limits, tell, || {
        listing(&client, tree.clone(), token.as_ref(), asked)
    });
    let listing = listing.await?;
    let files = wanted(&request.files, &request.patterns, &listing)?;
    Ok(LookedUp {
        client,
        token,
        commit,
        listing,
        files,
    })
}

async fn fetch(request: HubRequest, limits: Limits, tell: Teller) -> Result<u64, Failure> {
    let LookedUp {
        client,
        token,
        commit,
        listing,
        files,
    } = look_up(&request, limits, &tell).await?;
    let repository = request.cache.repository(&request.repository);
    let fetching = Arc::new(Fetching {
        client,
        repository,
        commit,
        token,
        meter: Meter::default(),
        tell,
        request,
    });
    fetching.prepare(&files)?;
    fetch_files(&fetching, files).await?;
    fetching.finish(listing).await?;
    Ok(fetching.meter.bytes_arrived())
}

/// What the files of one fetch share.
struct Fetching {
    client: Client,
    repository: CachedRepository,
    commit: String,
    token: Option<HeaderValue>,
    meter: Meter,
    tell: Teller,
    request: HubRequest,
}

/// Fetches files side by side, and tells how far they are.
async fn fetch_files(fetching: &Arc<Fetching>, files: Vec<WantedFile>) -> Result<(), Failure> {
    let total = files.iter().map(|file| file.expected.bytes).sum();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    // Tasks of their own, so that one that writes holds up no other; they end with the set.
    let mut running = JoinSet::new();
    for file in files {
        let (fetching, slots) = (Arc::clone(fetching), Arc::clone(&slots));
        running.spawn(async move {
            // It is never closed.
            let _slot = slots.acquire().await;
            fetching.file(file).await
        });
    }
    let limits = &fetching.client.limits;
    let mut readings = Readings::new(total);
    let mut told = None;
    loop {
        let progress = readings.read(&fetching.meter, limits.clock.now());
        if told != Some(progress.bytes_done) {
            told = Some(progress.bytes_done);
            (fetching.tell)(Told::Transfer(progress));
        }
        tokio::select! {
            biased;
            ended = running.join_next() => match ended {
                None => return Ok(()),
                Some(ended) => ended.map_err(|error| Failure::passing(error.to_string()))??,
            },
            () = pace::sleep(limits, TICK) => {}
        }
    }
}

impl Fetching {
    /// Makes the folder, and refuses what there is no room for.
    fn prepare(&self, files: &[WantedFile]) -> Result<(), Failure> {
        let blobs = self.repository.root.join("blobs");
        fs::create_dir_all(&blobs).map_err(|error| {
            let place = self.request.cache.root.display();
            Failure::lasting(format!(
                "the hub cache {place} cannot be written: {error}; set HF_HOME to a folder of yours"
            ))
        })?;
        let missing = files.iter().map(|file| {
            let blob = self.repository.blob(&file.blob);
            let length = |path: PathBuf| fs::metadata(path).map_or(0, |found| found.len());
            let bytes = file.expected.bytes.unwrap_or(0);
            if length(blob.clone()) == bytes {
                0
            } else {
                bytes.saturating_sub(length(cache::partial_of(&blob, None)))
            }
        });
        check_space(&blobs, missing.sum())
    }

    /// Brings one file into the cache, if it is not there.
    async fn file(&self, wanted: WantedFile) -> Result<(), Failure> {
        let name = wanted.path.as_str();
        let blob = self.repository.blob(&wanted.blob);
        let limits = &self.client.limits;
        let lock_file = self.repository.lock(&wanted.blob);
        // What lay there and was wrong, so that it is not read again and again.
        let mut wrong = None;
        let held = loop {
            let is_there = || {
                let length = fs::metadata(&blob).map(|found| found.len()).ok();
                length == wanted.expected.bytes && FileStamp::of(&blob) != wrong
            };
            let held = lock(&lock_file, name, limits, &self.tell, is_there).await?;
            let stamp = FileStamp::of(&blob);
            // Whoever had the lock before us may have brought it.
            if cache::is_right(&blob, &wanted).await? {
                self.meter.found(wanted.expected.bytes.unwrap_or(0));
                if held.is_some() {
                    cache::remove_abandoned(&blob, cache::INCOMPLETE);
                }
                return self.link(&wanted);
            }
            match held {
                Some(held) => break held,
                None => wrong = stamp,
            }
        };
        let partial = cache::partial_of(&blob, held.tag());
        if held.tag().is_some()
            && let (Some(folder), Some(digest)) = (blob.parent(), blob.file_name())
        {
            let begins = digest.to_string_lossy();
            cache::begin_with_longest(folder, (&begins, cache::INCOMPLETE), &partial).await;
        }
        let url = address(&self.request, &[], &["resolve", &self.commit, name])?;
        let transfer = Transfer {
            client: &self.client,
            asked: asked(&self.request),
            name,
            get: Get::all(url, self.token.clone()),
            may_change: false,
            expected: &wanted.expected,
            partial: &partial,
            held: Arc::clone(&held),
            meter: &self.meter,
            tell: &self.tell,
        };
        transfer.run().await?;
        // A lease may have been lost meanwhile, and another may have brought the same: then there are
        // two files of the same bytes, and one is enough.
        if held.tag().is_some() && cache::is_right(&blob, &wanted).await? {
            let _ = fs::remove_file(&partial);
        } else {
            let published = cache::publish_blob(partial, blob.clone()).await;
            let bytes = wanted.expected.bytes.unwrap_or(0);
            published.map_err(|error| write_failure(&blob, bytes, &error))?;
        }
        cache::remove_abandoned(&blob, cache::INCOMPLETE);
        self.link(&wanted)
    }

    /// Puts a file of the snapshot in place.
    fn link(&self, wanted: &WantedFile) -> Result<(), Failure> {
        let linked = cache::link(&self.repository, &self.commit, wanted);
        linked.map_err(|error| {
            let place = self.repository.snapshot(&self.commit).join(&wanted.path);
            Failure::lasting(format!(
                "{} cannot be put in place: {error}",
                place.display()
            ))
        })
    }

    /// Writes down what the commit holds: only now, when all that was wanted of it is here.
    async fn finish(&self, listing: Listing) -> Result<(), Failure> {
        let (repository, commit) = (self.repository.clone(), self.commit.clone());
        let revision = self.request.revision.clone();
        let writing = spawn_blocking(move || {
            cache::write_manifest(&repository, &revision, &commit, &listing.tree)
        });
        let written = writing.await.map_err(std::io::Error::other);
        written.and_then(|written| written).map_err(|error| {
            let place = self.repository.root.display();
            Failure::lasting(format!("{place} cannot be written: {error}"))
        })
    }
}

fn asked(request: &HubRequest) -> Asked<'_> {
    Asked::Hub {
        access: &request.access,
        repository: &request.repository,
        revision: &request.revision,
    }
}

/// Returns an address of the hub: `ENDPOINT/BEFORE…/OWNER/NAME/AFTER…`, every name made safe.
fn address(request: &HubRequest, before: &[&str], after: &[&str]) -> Result<Url, Failure> {
    let endpoint = &request.access.endpoint;
    let wrong = || {
        Failure::lasting(format!(
            "`{endpoint}` is no address of a hub: set HF_ENDPOINT to one such as \
             https://huggingface.co, or unset it"
        ))
    };
    let mut url = Url::parse(endpoint).map_err(|_| wrong())?;
    let names = before.iter().copied();
    let names = names.chain(request.repository.split('/'));
    let names = names.chain(after.iter().flat_map(|name| name.split('/')));
    url.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(names.filter(|name| !name.is_empty()));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::HubAccess;
    use crate::store::HubCache;
    use indexmap::IndexMap;

    #[test]
    fn names_are_made_safe_in_addresses_and_a_mirror_may_lie_in_a_folder() {
        let request = |endpoint: &str| HubRequest {
            repository: "owner/name".into(),
            revision: "main".into(),
            files: IndexMap::new(),
            patterns: Vec::new(),
            cache: HubCache { root: "/c".into() },
            access: HubAccess::from_environment(|name| {
                (name == "HF_ENDPOINT").then(|| endpoint.into())
            }),
        };
        let file = ["resolve", "c0ffee", "a b/m#1?.bin"];
        let made = address(&request("http://mirror/hf/"), &[], &file).unwrap();
        assert_eq!(
            made.as_str(),
            "http://mirror/hf/owner/name/resolve/c0ffee/a%20b/m%231%3F.bin"
        );
        assert!(address(&request("mirror"), &[], &file).is_err());
    }
}
