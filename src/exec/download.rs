//! Download jobs: the sources of an artifact in the order written, within one limit. A recipe runs in
//! a process of its own and a URL's files arrive in a temporary place; both are then checked and
//! moved whole into the store. A hub's files go into the cache that all programs for hubs share, each
//! as soon as it is whole.

use super::fetching::{Arrival, Fetching};
use super::recipe::run_recipe;
use super::supervise::Ended;
use crate::fetch::{
    Held, HubAccess, HubRequest, RecipeRun, UrlRequest, Workplace, fetch_hub, fetch_url, lock,
};
use crate::model::{Artifact, DownloadSpec, Outcome, Phase, Recipe, Source, Verdict, hexadecimal};
use crate::sharing::listed_metadata;
use crate::store::{Store, check};
use sha2::{Digest, Sha256};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// The folder of the store in which parts of files from URLs are kept.
const PARTIAL: &str = ".partial";

/// What a download came to.
pub(super) struct Downloaded {
    pub(super) ended: Ended,
    pub(super) bytes: u64,
}

/// The sources that were tried in vain, with the end of each.
#[derive(Default)]
struct Tried(Vec<(String, Ended)>);

impl Tried {
    /// Returns the end of a download that no source could serve.
    fn into_ended(mut self) -> Ended {
        if self.0.len() == 1
            && let Some((_, ended)) = self.0.pop()
        {
            return ended;
        }
        let reasons: Vec<String> = (self.0.iter())
            .map(|(source, ended)| match &ended.outcome {
                Outcome::Failed { reason, .. } => format!("{source}: {reason}"),
                other => format!("{source}: {}", other.reason()),
            })
            .collect();
        // Something of it may heal.
        let is_final = self.0.iter().all(|(_, ended)| ended.is_final);
        let last = self.0.into_iter().next_back().map(|(_, ended)| ended);
        let outcome = failed(reasons.join("; "));
        Ended {
            outcome: outcome.clone(),
            is_final,
            ..last.unwrap_or_else(|| Ended::without_process(outcome))
        }
    }
}

/// Carries out one download.
pub(super) async fn download(fetching: Fetching, spec: DownloadSpec) -> Downloaded {
    let models = &fetching.context.plan.models;
    let artifacts: Vec<Artifact> = spec
        .artifacts
        .iter()
        .filter_map(|(model, id)| models.get(model)?.artifacts.get(id).cloned())
        .collect();
    let mut bytes = 0;
    let completed = Ended::without_process(Outcome::Completed);
    let Some(recipe) = spec.recipe else {
        for artifact in artifacts {
            let sources = artifact.sources.clone();
            match from_sources(&fetching, &artifact, &sources, Tried::default()).await {
                Ok(fetched) => bytes += fetched,
                Err(ended) => {
                    return Downloaded {
                        ended: *ended,
                        bytes,
                    };
                }
            }
        }
        return Downloaded {
            ended: completed,
            bytes,
        };
    };
    // It makes all of them at once.
    let ended = match from_recipe(&fetching, &recipe, &artifacts).await {
        Ok((ended, bytes)) => return Downloaded { ended, bytes },
        Err(ended) => ended,
    };
    if is_over(&ended.outcome) {
        return Downloaded {
            ended: *ended,
            bytes,
        };
    }
    let name = format!("recipe {recipe}");
    let mut worst = None;
    for artifact in artifacts {
        let sources = later_sources(&artifact, &recipe);
        if sources
            .iter()
            .any(|source| !matches!(source, Source::Path(_)))
        {
            let reason = ended.outcome.reason();
            fetching.tell(format!("{name}: {reason}; trying the next source"));
        }
        let end = Ended {
            is_final: ended.is_final,
            ..Ended::without_process(ended.outcome.clone())
        };
        let tried = Tried(vec![(name.clone(), end)]);
        match from_sources(&fetching, &artifact, &sources, tried).await {
            Ok(fetched) => bytes += fetched,
            Err(end) if is_over(&end.outcome) => return Downloaded { ended: *end, bytes },
            // The others are wanted all the same.
            Err(end) => worst = worst.or(Some(end)),
        }
    }
    let ended = match worst {
        None => completed,
        // What the recipe's process left behind is told with it.
        Some(worst) => Ended {
            outcome: worst.outcome,
            is_final: worst.is_final,
            ..*ended
        },
    };
    Downloaded { ended, bytes }
}

/// Returns the sources of an artifact that come after a recipe.
fn later_sources(artifact: &Artifact, recipe: &str) -> Vec<Source> {
    let is_it = |source: &&Source| matches!(source, Source::Recipe(id) if id == recipe);
    let others = artifact.sources.iter().skip_while(|source| !is_it(source));
    others.skip(1).cloned().collect()
}

/// Returns whether an end leaves nothing to be tried.
fn is_over(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Cancelled { .. } | Outcome::TimedOut { .. }
    )
}

/// Tries the sources of an artifact in their order. Returns the bytes of the first that serves, else
/// the end with the reason of each.
async fn from_sources(
    fetching: &Fetching,
    artifact: &Artifact,
    sources: &[Source],
    mut tried: Tried,
) -> Result<u64, Box<Ended>> {
    let mut sources = sources.iter().peekable();
    while let Some(source) = sources.next() {
        let (name, served) = match source {
            // It is used where it lies, or not at all.
            Source::Path(_) => continue,
            Source::Hub {
                repository,
                revision,
                ..
            } => {
                let served = from_hub(fetching, artifact, source, repository, revision).await;
                (format!("hub {repository}"), served.map_err(Box::new))
            }
            Source::Url(url) => {
                let served = from_url(fetching, artifact, source, url).await;
                ("url".to_owned(), served.map_err(Box::new))
            }
            Source::Recipe(recipe) => {
                let served = from_recipe(fetching, recipe, std::slice::from_ref(artifact)).await;
                let served = served.map(|(_, bytes)| bytes);
                (format!("recipe {recipe}"), served)
            }
        };
        let ended = match served {
            Ok(bytes) => return Ok(bytes),
            Err(ended) if is_over(&ended.outcome) => return Err(ended),
            Err(ended) => ended,
        };
        if sources.peek().is_some() {
            let reason = ended.outcome.reason();
            fetching.tell(format!("{name}: {reason}; trying the next source"));
        }
        tried.0.push((name, *ended));
    }
    if tried.0.is_empty() {
        let reason = format!(
            "`{}` of `{}` has no source to fetch it from; name a hub, a URL or a recipe, or put the \
             files where a `path` source names them",
            artifact.id, artifact.model
        );
        return Err(Box::new(lastingly(reason)));
    }
    Err(Box::new(tried.into_ended()))
}

/// Has a recipe make artifacts, and puts them into the store.
async fn from_recipe(
    fetching: &Fetching,
    recipe: &str,
    artifacts: &[Artifact],
) -> Result<(Ended, u64), Box<Ended>> {
    let id = recipe;
    let Some(recipe) = fetching.context.plan.recipes.get(id) else {
        return Err(Box::new(lastingly(format!(
            "the recipe `{id}` is not in the plan"
        ))));
    };
    let unable = |reason| Box::new(Ended::without_process(failed(reason)));
    let store = &fetching.context.store;
    let before = folders_of(store, artifacts);
    let held = claim(fetching, id, recipe).await.map_err(Box::new)?;
    let after = folders_of(store, artifacts);
    let are_new = || before.iter().zip(&after).all(|(one, other)| one != other);
    // What was refused although it looks right must be made again, unless others have done that.
    if (!fetching.is_refused || are_new()) && are_here(store, artifacts).await {
        return Ok((Ended::without_process(Outcome::Completed), 0));
    }
    let workplace = Workplace::new(store).map_err(unable)?;
    let run = RecipeRun::new(recipe, artifacts, &workplace).map_err(unable)?;
    let ended = run_recipe(fetching, recipe, &run).await;
    if ended.outcome != Outcome::Completed {
        return Err(Box::new(ended));
    }
    let arrival = Arrival {
        workplace,
        destination: run.destination,
        held: vec![held],
    };
    match fetching.publish(artifacts.to_vec(), arrival).await {
        Ok(bytes) => Ok((ended, bytes)),
        Err(outcome) => Err(Box::new(Ended { outcome, ..ended })),
    }
}

/// Takes the lock of a recipe: what it makes is made once, however many machines share the store.
async fn claim(fetching: &Fetching, id: &str, recipe: &Recipe) -> Result<Arc<Held>, Ended> {
    let digest = Sha256::digest(format!("{id}\n{}", recipe.command.join("\n")));
    let folder = fetching.context.store.root.join(PARTIAL);
    let path = folder.join(format!("recipe-{}", hexadecimal(&digest)));
    let (limits, tell) = (fetching.limits(), fetching.teller());
    let name = format!("recipe {id}");
    loop {
        let locking = lock(&path, &name, &limits, &tell, || false);
        if let Some(held) = fetching.within_limit(locking).await? {
            return Ok(held);
        }
    }
}

/// Returns whether artifacts lie in the store and are right, as far as names, sizes and digests tell.
async fn are_here(store: &Store, artifacts: &[Artifact]) -> bool {
    let (store, artifacts) = (store.clone(), artifacts.to_vec());
    let looking = tokio::task::spawn_blocking(move || {
        artifacts.iter().all(|artifact| {
            let verdict = check(artifact, &[store.folder(artifact)], true).verdict;
            // Unknown is what has no digest, and the size that it should have, if there is one.
            verdict == Verdict::Complete
                || (verdict == Verdict::Unknown && artifact.names_all_files())
        })
    });
    looking.await.unwrap_or(false)
}

/// Which folder an artifact lies in, and when that was changed last.
type Folder = (u64, u64, i64, i64);

/// Returns the folders that artifacts lie in: whoever publishes them puts others in their places.
fn folders_of(store: &Store, artifacts: &[Artifact]) -> Vec<Option<Folder>> {
    let folders = artifacts.iter().map(|artifact| {
        let found = listed_metadata(&store.folder(artifact)).ok()?;
        Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
    });
    folders.collect()
}

/// Fetches an artifact from a hub, into the hub's cache.
async fn from_hub(
    fetching: &Fetching,
    artifact: &Artifact,
    source: &Source,
    repository: &str,
    revision: &str,
) -> Result<u64, Ended> {
    let context = &fetching.context;
    let request = HubRequest {
        repository: repository.to_owned(),
        revision: revision.to_owned(),
        files: artifact.files_from(source),
        patterns: artifact.patterns.clone(),
        cache: context.store.hub.clone(),
        access: HubAccess::from_environment(|name| context.variable(name)),
    };
    fetching
        .within_limit(fetch_hub(request, fetching.limits(), fetching.teller()))
        .await
}

/// Fetches an artifact from a URL, and puts it into the store.
async fn from_url(
    fetching: &Fetching,
    artifact: &Artifact,
    source: &Source,
    url: &str,
) -> Result<u64, Ended> {
    let store = &fetching.context.store;
    if !artifact.names_all_files() {
        return Err(lastingly(
            "a URL has no list of files: name every file instead of `patterns`".into(),
        ));
    }
    let unable = |reason| Ended::without_process(failed(reason));
    let workplace = Workplace::new(store).map_err(unable)?;
    let destination = workplace.path().join("destination");
    let request = UrlRequest {
        url: url.to_owned(),
        files: artifact.files_from(source),
        partial: store.root.join(PARTIAL),
        published: store.folder(artifact),
        destination: destination.join(&artifact.model).join(&artifact.id),
    };
    let fetch = fetch_url(request, fetching.limits(), fetching.teller());
    let arrived = fetching.within_limit(fetch).await?;
    let arrival = Arrival {
        workplace,
        destination,
        held: arrived.held,
    };
    let published = fetching.publish(vec![artifact.clone()], arrival).await;
    published.map_err(Ended::without_process)?;
    Ok(arrived.bytes)
}

pub(super) fn failed(reason: String) -> Outcome {
    let phase = Phase::Download;
    Outcome::Failed { phase, reason }
}

/// Returns an end that trying again would not mend.
fn lastingly(reason: String) -> Ended {
    Ended {
        is_final: true,
        ..Ended::without_process(failed(reason))
    }
}
