//! Downloads from a hub on loopback that lies in every way it can: what is wrong is never taken, and
//! what was cut is gone on with.

mod connection;
mod cuts;
mod fault;
mod faults;
#[cfg(target_os = "linux")]
mod leases;
mod locking;
mod misbehaviour;
mod python;
mod secrets;
mod server;
mod sharing;
mod sources;

use crate::support::{Place, Ran};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use server::{COMMIT, Content, Hub, REPOSITORY, hexadecimal};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns bytes that look like weights: the same ones for the same seed.
fn weights(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

/// A matrix with one model whose artifact is made of `files`, from `sources`.
fn matrix(files: &str, sources: &str, rest: &str) -> String {
    format!(
        "version: 1\nname: hub\nmatrix:\n  backend: [reader]\n  model: [mine]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\nbackends:\n  reader: {{command: [/bin/true, \
         \"{{{{ model.path }}}}\"], output: text, artifact: ggml-f16}}\nmodels:\n  mine:\n    size: \
         tiny\n    artifacts:\n      ggml-f16:\n        files: {{{files}}}\n        sources: \
         [{sources}]\n{rest}\n"
    )
}

/// What a definition says of a file.
fn described(name: &str, content: &Content) -> String {
    let (bytes, sha256) = (content.bytes.len(), &content.sha256);
    format!("{name}: {{bytes: {bytes}, sha256: {sha256}}}")
}

/// What a definition says of all files of a hub.
fn all_described(hub: &Hub) -> String {
    let files = hub.files();
    let files: Vec<String> = files
        .iter()
        .map(|(name, content)| described(name, content))
        .collect();
    files.join(", ")
}

/// Limits that a test can wait for.
const QUICK: &str = "deadlines: {download: {stall: 400ms, total: 10s}}\nretries: {download: 0}";

/// A hub of one large file.
fn one_file() -> Hub {
    Hub::with(&[("m.bin", weights(300_000, 1))])
}

/// Returns a place with the matrix of a hub's one file and other sources.
fn place_with(hub: &Hub, sources: &str, rest: &str) -> Place {
    let place = Place::new();
    place.write("m.yaml", &matrix(&all_described(hub), sources, rest));
    place
}

/// Returns a place with the matrix of a hub's files, which come from the hub.
fn place_of(hub: &Hub, rest: &str) -> Place {
    let place = Place::new();
    let source = format!("{{hub: {REPOSITORY}}}");
    place.write("m.yaml", &matrix(&all_described(hub), &source, rest));
    place
}

fn command_of(place: &Place, hub: &Hub) -> Command {
    let mut command = place.command(&["download", "m.yaml"]);
    command.env("HF_ENDPOINT", hub.url());
    command
}

fn download(place: &Place, hub: &Hub) -> Ran {
    Ran::from(command_of(place, hub).output().unwrap())
}

/// The row of the download job, as it is told.
#[derive(Debug)]
struct Row {
    status: String,
    reason: String,
}

impl Row {
    #[track_caller]
    fn of(ran: &Ran) -> Self {
        let line = ran.stderr.lines().find(|line| {
            let is_end = line.trim_start().starts_with('[');
            is_end && line.contains(" download/")
        });
        let line = line.unwrap_or_else(|| panic!("no download ended:\n{}", ran.stderr));
        let (_, rest) = line.split_once(']').unwrap();
        let (status, reason) = rest.trim().split_once(' ').unwrap();
        Self {
            status: status.into(),
            reason: reason.into(),
        }
    }

    #[track_caller]
    fn expect(&self, status: &str, reason: &str) {
        assert!(
            self.status == status && self.reason.contains(reason),
            "expected {status} with `{reason}`: {self:?}"
        );
    }
}

/// The cache of a place.
fn cache(place: &Place) -> PathBuf {
    let home = place.store();
    home.with_file_name("huggingface").join("hub")
}

fn repository(place: &Place) -> PathBuf {
    cache(place).join(format!("models--{}", REPOSITORY.replace('/', "--")))
}

/// Asserts that nothing wrong lies in the cache: every content is what its name says, and every file
/// of a snapshot leads to one.
#[track_caller]
fn nothing_is_wrong(place: &Place) {
    let root = repository(place);
    for path in files_below(&root.join("blobs")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".incomplete") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let digest = if name.len() == 64 {
            hexadecimal(&Sha256::digest(&bytes))
        } else {
            let mut hasher = Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
            hasher.update(&bytes);
            hexadecimal(&hasher.finalize())
        };
        assert_eq!(digest, name, "{} is wrong", path.display());
    }
    for path in files_below(&root.join("snapshots")) {
        assert!(path.exists(), "{} leads to nothing", path.display());
    }
}

/// Asserts that every file of a hub is in the cache, with its manifest.
#[track_caller]
fn everything_is_here(place: &Place, hub: &Hub) {
    nothing_is_wrong(place);
    let root = repository(place);
    for (name, content) in hub.files() {
        let link = root.join("snapshots").join(COMMIT).join(&name);
        assert!(
            fs::read(&link).is_ok_and(|bytes| bytes == *content.bytes),
            "{name} is not here"
        );
        let target = fs::read_link(&link).unwrap();
        assert!(target.is_relative() && target.ends_with(content.digest()));
        let partial = root
            .join("blobs")
            .join(format!("{}.incomplete", content.digest()));
        assert!(!partial.exists());
    }
    assert_eq!(fs::read_to_string(root.join("refs/main")).unwrap(), COMMIT);
    let tree = fs::read(root.join("trees").join(format!("{COMMIT}.json"))).unwrap();
    let tree = earmark::store::HubTree::from_json(&tree).unwrap();
    for (name, content) in hub.files() {
        assert_eq!(tree.files[&name].digest(), content.digest());
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let is_folder = fs::symlink_metadata(&path).unwrap().is_dir();
        if is_folder {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
