//! An artifact from a URL, into a folder that is published as a whole.

use super::answer::Asked;
use super::cache;
use super::client::{Client, Get, shown};
use super::content::{StopOnDrop, mismatch_of};
use super::meter::{Meter, Readings, TICK};
use super::pace;
use super::space::{check_space, write_failure};
use super::transfer::Transfer;
use crate::clock::Clock;
use crate::fetch::failure::Failure;
use crate::fetch::lock::{Held, lock};
use crate::fetch::request::{Arrived, Limits, Teller, Told, UrlRequest};
use crate::model::{ArtifactFile, hexadecimal};
use reqwest::Url;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Fetches the files of an artifact into a folder, one after the other: a server of files that
/// somebody named is asked for one thing at a time. Dropping the future ends its transfer; what has
/// arrived is kept for the next run.
///
/// # Errors
///
/// Returns the reason, with the file, if one cannot be had.
pub async fn fetch_url(
    request: UrlRequest,
    limits: Limits,
    tell: Teller,
) -> Result<Arrived, Failure> {
    let files = addresses(&request)?;
    let fetching = Fetching {
        client: Client::new(limits)?,
        meter: Meter::default(),
        tell,
        request,
    };
    fetching.prepare(&files)?;
    let total = files.iter().map(|(_, _, file)| file.bytes).sum();
    let mut readings = Readings::new(total);
    let bringing = async {
        let mut held = Vec::new();
        for (url, name, expected) in &files {
            held.push(fetching.file(url, name, expected).await?);
        }
        Ok::<_, Failure>(held)
    };
    let mut bringing = std::pin::pin!(bringing);
    let limits = &fetching.client.limits;
    let held = loop {
        tokio::select! {
            biased;
            brought = &mut bringing => break brought?,
            () = pace::sleep(limits, TICK) => {
                let progress = readings.read(&fetching.meter, limits.clock.now());
                (fetching.tell)(Told::Transfer(progress));
            }
        }
    };
    let progress = readings.read(&fetching.meter, limits.clock.now());
    (fetching.tell)(Told::Transfer(progress));
    Ok(Arrived {
        bytes: fetching.meter.bytes_arrived(),
        held,
    })
}

/// Returns where each file lies.
fn addresses(request: &UrlRequest) -> Result<Vec<(Url, String, ArtifactFile)>, Failure> {
    let url = Url::parse(&request.url)
        .map_err(|error| Failure::lasting(format!("the URL cannot be read: {error}")))?;
    let is_folder = url.path().ends_with('/');
    if !is_folder && request.files.len() != 1 {
        return Err(Failure::lasting(format!(
            "{} is one file, and the artifact has {}: end the URL of their folder with `/`",
            shown(&url),
            request.files.len()
        )));
    }
    let mut addresses = Vec::new();
    for (name, expected) in &request.files {
        if expected.sha256.is_none() && (expected.git_blob.is_none() || expected.bytes.is_none()) {
            return Err(Failure::lasting(format!(
                "nothing says what `{name}` should be: give its `sha256`, so that what arrives can \
                 be believed"
            )));
        }
        let mut file = url.clone();
        if is_folder && let Ok(mut segments) = file.path_segments_mut() {
            segments.pop_if_empty().extend(name.split('/'));
        }
        addresses.push((file, name.clone(), expected.clone()));
    }
    Ok(addresses)
}

/// What the files of one fetch share.
struct Fetching {
    client: Client,
    meter: Meter,
    tell: Teller,
    request: UrlRequest,
}

impl Fetching {
    fn prepare(&self, files: &[(Url, String, ArtifactFile)]) -> Result<(), Failure> {
        let partial = &self.request.partial;
        fs::create_dir_all(partial).map_err(|error| write_failure(partial, 0, &error))?;
        let missing = files.iter().map(|(url, _, file)| {
            let here = fs::metadata(self.folder_of(url).join("content"));
            let here = here.map_or(0, |found| found.len());
            file.bytes.unwrap_or(0).saturating_sub(here)
        });
        check_space(partial, missing.sum())
    }

    /// Returns where a URL's part and lock lie.
    fn folder_of(&self, url: &Url) -> PathBuf {
        let digest = hexadecimal(&Sha256::digest(url.as_str()));
        self.request.partial.join(digest)
    }

    /// Brings one file into the destination. Returns the lock that is kept until it is published.
    async fn file(
        &self,
        url: &Url,
        name: &str,
        expected: &ArtifactFile,
    ) -> Result<Arc<Held>, Failure> {
        let folder = self.folder_of(url);
        let limits = &self.client.limits;
        let lock_file = folder.join("lock");
        let held = loop {
            // What others publish is taken over under the lock.
            let asked = lock(&lock_file, name, limits, &self.tell, || false);
            if let Some(held) = asked.await? {
                break held;
            }
        };
        let target = self.request.destination.join(name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(|error| write_failure(&target, 0, &error))?;
        }
        // Whoever had the lock before us may have published it.
        if take_over(&self.request.published.join(name), &target, expected).await {
            self.meter.found(expected.bytes.unwrap_or(0));
            return Ok(held);
        }
        let shared = folder.join("content");
        let partial = match held.tag() {
            None => shared,
            Some(tag) => {
                let own = folder.join(format!("content.{tag}"));
                cache::begin_with_longest(&folder, ("content", ""), &own).await;
                own
            }
        };
        let transfer = Transfer {
            client: &self.client,
            asked: Asked::Server,
            name,
            get: Get::all(url.clone(), None),
            may_change: true,
            expected,
            partial: &partial,
            held: Arc::clone(&held),
            meter: &self.meter,
            tell: &self.tell,
        };
        let place = shown(url);
        transfer.run().await.map_err(|failure| Failure {
            reason: format!("{} ({place})", failure.reason),
            ..failure
        })?;
        let moved = fs::rename(&partial, &target);
        moved.map_err(|error| write_failure(&target, 0, &error))?;
        cache::remove_abandoned(&folder.join("content"), "");
        Ok(held)
    }
}

/// Takes a file that is here already, if it is right. Returns whether it is.
async fn take_over(from: &Path, to: &Path, expected: &ArtifactFile) -> bool {
    let stop = StopOnDrop::default();
    let stopped = Arc::clone(&stop.0);
    let (from, to, expected) = (from.to_path_buf(), to.to_path_buf(), expected.clone());
    let taking = spawn_blocking(move || {
        let is_right = mismatch_of(&from, &expected, &stopped).is_ok_and(|wrong| wrong.is_none());
        is_right && fs::hard_link(&from, &to).is_ok()
    });
    taking.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use indexmap::IndexMap;

    fn request(url: &str, names: &[&str]) -> UrlRequest {
        let file = ArtifactFile {
            sha256: Some("0".repeat(64)),
            ..ArtifactFile::default()
        };
        let files: IndexMap<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), file.clone()))
            .collect();
        UrlRequest {
            url: url.into(),
            files,
            partial: PathBuf::new(),
            published: PathBuf::new(),
            destination: PathBuf::new(),
        }
    }

    #[test]
    fn a_url_is_a_file_and_one_with_a_slash_at_its_end_a_folder() {
        let found = |url: &str, names: &[&str]| {
            addresses(&request(url, names)).map(|files| {
                let urls = files.into_iter().map(|(url, ..)| url.to_string());
                urls.collect::<Vec<_>>()
            })
        };
        assert_eq!(
            found("http://h/x?a=b", &["m.bin"]).unwrap(),
            ["http://h/x?a=b"]
        );
        assert_eq!(
            found("http://h/d/", &["m.bin", "a/c.json"]).unwrap(),
            ["http://h/d/m.bin", "http://h/d/a/c.json"]
        );
        let refused = found("http://h/x", &["m.bin", "c.json"]).unwrap_err();
        assert!(refused.reason.contains("end the URL"));
    }

    #[test]
    fn what_has_no_digest_is_not_fetched() {
        let mut request = request("http://h/x", &["m.bin"]);
        request.files["m.bin"].sha256 = None;
        let refused = addresses(&request).unwrap_err();
        assert!(refused.reason.contains("give its `sha256`"));
    }
}
