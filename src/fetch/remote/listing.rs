//! The list of a repository's files, by a request of our own: `hf-hub` reads no digests of large
//! files, which the hub calls `oid`.

use super::answer::Asked;
use super::client::{Client, Get, is_same_server};
use super::trouble::Trouble;
use crate::store::{HubFile, HubTree};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue, LINK};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most that a page, and all pages together, may hold.
const LONGEST_PAGE: usize = 32 << 20;
const MOST_FILES: usize = 1_000_000;

/// What a commit holds, as the hub says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) tree: HubTree,
    /// Files of which the list has no digest that is one.
    pub(super) without_digest: BTreeSet<String>,
}

impl Listing {
    /// Returns the names of all files, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let all: BTreeSet<&String> = self.tree.files.keys().chain(&self.without_digest).collect();
        all.into_iter().map(String::as_str)
    }
}

/// An entry of the list, as the hub's API writes it.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    oid: String,
    lfs: Option<LargeFile>,
    #[serde(rename = "xetHash")]
    xet_hash: Option<String>,
}

#[derive(Debug, Deserialize)]
struct LargeFile {
    #[serde(default)]
    oid: String,
    size: u64,
}

/// Asks for the list of a commit, all its pages.
pub(super) async fn listing(
    client: &Client,
    first: Url,
    authorization: Option<&HeaderValue>,
    asked: Asked<'_>,
) -> Result<Listing, Trouble> {
    let mut files = BTreeMap::new();
    let mut without_digest = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut next = Some(first.clone());
    while let Some(url) = next.take() {
        if !seen.insert(url.clone()) {
            return Err(Trouble::lasting("the list of its files leads in a circle"));
        }
        // A page that lies elsewhere is asked for without saying who asks.
        let authorization = authorization
            .filter(|_| is_same_server(&url, &first))
            .cloned();
        let response = client.get(&Get::all(url, authorization), asked).await?;
        next = next_page(response.headers(), response.url());
        let body = client.read(response, LONGEST_PAGE).await?;
        let entries: Vec<Entry> = serde_json::from_slice(&body)
            .map_err(|error| Trouble::passing(format!("the list of its files is none: {error}")))?;
        for entry in entries.into_iter().filter(|entry| entry.kind == "file") {
            let path = entry.path.clone();
            match file(entry) {
                Some(file) => drop(files.insert(path, file)),
                None => drop(without_digest.insert(path)),
            }
        }
        if files.len() + without_digest.len() > MOST_FILES {
            return Err(Trouble::lasting(format!(
                "it has more than {MOST_FILES} files"
            )));
        }
    }
    Ok(Listing {
        tree: HubTree::new(files),
        without_digest,
    })
}

/// Returns what an entry says of a file, if that can be held against what arrives.
fn file(entry: Entry) -> Option<HubFile> {
    let is_digest = |text: &str, length| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let good = is_digest(&entry.oid, 40)
        && (entry.lfs.as_ref()).is_none_or(|large| is_digest(&large.oid, 64));
    good.then(|| HubFile {
        size: entry.size,
        blob_id: entry.oid,
        lfs_size: entry.lfs.as_ref().map(|large| large.size),
        lfs_sha256: entry.lfs.map(|large| large.oid),
        xet_hash: entry.xet_hash,
    })
}

/// Returns the address of the next page (RFC 8288).
fn next_page(headers: &HeaderMap, base: &Url) -> Option<Url> {
    let links = headers.get_all(LINK).into_iter();
    let texts = links.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| base.join(target).ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let base = Url::parse("http://hub/api/models/o/n/tree/c?recursive=true").unwrap();
        let found = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, HeaderValue::from_static(text));
            next_page(&headers, &base).map(String::from)
        };
        assert_eq!(
            found("</x?cursor=1>; rel=\"next\"").as_deref(),
            Some("http://hub/x?cursor=1")
        );
        assert_eq!(
            found("<http://a/>; rel=\"prev\", <http://b/>; rel=next").as_deref(),
            Some("http://b/")
        );
        assert_eq!(found("<http://a/>; rel=\"prev\""), None);
    }

    #[test]
    fn what_has_no_digest_is_no_file_to_be_fetched() {
        let entry = |text: &str| file(serde_json::from_str(text).unwrap());
        let oid = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0";
        let small = format!(r#"{{"type": "file", "path": "a", "size": 5, "oid": "{oid}"}}"#);
        assert_eq!(entry(&small).unwrap().digest(), oid);
        for (from, to) in [
            (oid, "b6fc"),
            ("b6", "B6"),
            ("\"size\"", "\"lfs\": {\"size\": 5}, \"size\""),
        ] {
            assert_eq!(entry(&small.replace(from, to)), None, "{to}");
        }
    }
}
