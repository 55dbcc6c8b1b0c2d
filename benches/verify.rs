//! What a look at models costs: `cache-check` beside the bare stat calls of the same files, and
//! `checksum` beside `openssl dgst`, on one core and on all.
//!
//! Times are CPU times but for the last, and mean little by themselves; the ratios are against what is
//! done in the same run, turn by turn. `EARMARK_BENCH_ROUNDS` sets how often each is repeated (default
//! 9); medians are shown. `EARMARK_BENCH_MEBIBYTES` is the size of what is hashed (default 512).

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

mod usage;

use earmark::model::{Artifact, ArtifactFile, Source, Verdict};
use earmark::store::{HubCache, HubFile, HubTree, Store, check, find};
use sha2::{Digest, Sha256};
use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use usage::usage;

/// Artifacts that are looked for, and files of each.
const ARTIFACTS: usize = 100;
const FILES: usize = 5;
/// How often all of them are looked for in one round.
const TURNS: u32 = 20;
/// The commit that is cached.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn main() {
    let rounds = number("EARMARK_BENCH_ROUNDS", 9);
    let mebibytes = number("EARMARK_BENCH_MEBIBYTES", 512);
    let place = tempfile::tempdir().unwrap();
    let store = Store {
        root: place.path().join("models"),
        hub: HubCache {
            root: place.path().join("hub"),
        },
    };
    println!(
        "CPU time of a look at {ARTIFACTS} artifacts of {FILES} files, median of {rounds} rounds:"
    );
    let (artifacts, paths) = in_own_store(&store);
    looks("in our store", &store, &artifacts, &paths, rounds);
    let (artifacts, paths) = in_hub_cache(&store);
    looks("in the cache of hubs", &store, &artifacts, &paths, rounds);
    let without = |artifact: &Artifact| {
        let mut artifact = artifact.clone();
        for file in artifact.files.values_mut() {
            *file = ArtifactFile::default();
        }
        artifact
    };
    let artifacts: Vec<Artifact> = artifacts.iter().map(without).collect();
    looks(
        "there, sizes from the list",
        &store,
        &artifacts,
        &paths,
        rounds,
    );
    digests(place.path(), mebibytes, rounds);
}

fn number(name: &str, default: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn name(file: usize) -> String {
    format!("model-{file:05}-of-00005.safetensors")
}

fn expected(file: usize) -> ArtifactFile {
    ArtifactFile {
        bytes: Some(file as u64 + 1),
        sha256: Some("ab".repeat(32)),
        git_blob: None,
    }
}

fn artifact(number: usize, source: Source) -> Artifact {
    Artifact {
        model: format!("model-{number}"),
        id: "safetensors".into(),
        files: (0..FILES)
            .map(|file| (name(file), expected(file)))
            .collect(),
        sources: vec![source],
        ..Artifact::default()
    }
}

/// Puts artifacts into our own store. Returns them with the paths of all their files.
fn in_own_store(store: &Store) -> (Vec<Artifact>, Vec<PathBuf>) {
    let mut paths = Vec::new();
    let artifacts: Vec<Artifact> = (0..ARTIFACTS)
        .map(|number| artifact(number, Source::Recipe("r".into())))
        .collect();
    for artifact in &artifacts {
        let folder = store.folder(artifact);
        fs::create_dir_all(&folder).unwrap();
        for file in 0..FILES {
            let path = folder.join(name(file));
            fs::write(&path, vec![0; file + 1]).unwrap();
            paths.push(path);
        }
    }
    (artifacts, paths)
}

/// Puts artifacts into the cache of hubs: contents, links to them, and the list of the commit.
fn in_hub_cache(store: &Store) -> (Vec<Artifact>, Vec<PathBuf>) {
    let mut paths = Vec::new();
    let mut artifacts = Vec::new();
    for number in 0..ARTIFACTS {
        let id = format!("owner/model-{number}");
        let repository = store.hub.repository(&id);
        let snapshot = repository.snapshot(COMMIT);
        for folder in ["blobs", "refs", "trees"] {
            fs::create_dir_all(repository.root.join(folder)).unwrap();
        }
        fs::create_dir_all(&snapshot).unwrap();
        fs::write(repository.root.join("refs/main"), COMMIT).unwrap();
        let mut files = std::collections::BTreeMap::new();
        for file in 0..FILES {
            let digest = format!("{file:064x}");
            fs::write(repository.blob(&digest), vec![0; file + 1]).unwrap();
            let path = snapshot.join(name(file));
            symlink(format!("../../blobs/{digest}"), &path).unwrap();
            paths.push(path);
            let listed = HubFile {
                size: file as u64 + 1,
                blob_id: "ab".repeat(20),
                lfs_sha256: Some("ab".repeat(32)),
                lfs_size: None,
                xet_hash: None,
            };
            files.insert(name(file), listed);
        }
        let tree = serde_json::to_vec(&HubTree::new(files)).unwrap();
        fs::write(repository.tree_file(COMMIT), tree).unwrap();
        let source = Source::Hub {
            repository: id,
            revision: "main".into(),
            files: indexmap::IndexMap::new(),
        };
        artifacts.push(artifact(number, source));
    }
    (artifacts, paths)
}

/// Shows what looking for artifacts costs beside the stat calls of their files.
fn looks(what: &str, store: &Store, artifacts: &[Artifact], paths: &[PathBuf], rounds: usize) {
    let (mut bare, mut full) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(cost(|| {
            for _ in 0..TURNS {
                for path in paths {
                    black_box(fs::metadata(path).unwrap());
                }
            }
        }));
        full.push(cost(|| {
            for _ in 0..TURNS {
                for artifact in artifacts {
                    assert!(black_box(find(artifact, store)).is_complete());
                }
            }
        }));
    }
    let (bare, full) = (median(&mut bare), median(&mut full));
    println!(
        "  {what:<28} {:7.1} µs, its stat calls alone {:7.1} µs: {:.2} x",
        full * 1e6 / f64::from(TURNS),
        bare * 1e6 / f64::from(TURNS),
        full / bare
    );
}

/// Shows what hashing costs beside `openssl`, and what more cores bring.
fn digests(place: &Path, mebibytes: usize, rounds: usize) {
    let (one, four) = (place.join("one"), place.join("four"));
    let whole = hashed(&one, 1, mebibytes);
    let parts = hashed(&four, 4, mebibytes.div_ceil(4));
    let file = one.join(name(0));
    let pool = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (alone, together) = (pool(1), pool(cores));
    let verify = |artifact: &Artifact, folder: &Path| {
        let finding = check(artifact, &[folder], true);
        assert_eq!(finding.verdict, Verdict::Complete, "{}", finding.reason);
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(cost(|| alone.install(|| verify(&whole, &one))));
        theirs.push(cost(|| openssl(&file)));
        slow.push(wall(|| alone.install(|| verify(&parts, &four))));
        fast.push(wall(|| together.install(|| verify(&parts, &four))));
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!(
        "checksum of {mebibytes} MiB: {:.0} ms CPU, openssl dgst -sha256 {:.0} ms: {:.2} x its speed",
        ours * 1e3,
        theirs * 1e3,
        theirs / ours
    );
    let (slow, fast) = (median(&mut slow), median(&mut fast));
    println!(
        "four files of a quarter of it: {:.0} ms wall on one core, {:.0} ms on {cores}: {:.2} x",
        slow * 1e3,
        fast * 1e3,
        slow / fast
    );
}

/// Writes so many files of so many MiB into a folder, and returns the artifact that they are.
fn hashed(folder: &Path, files: usize, mebibytes: usize) -> Artifact {
    fs::create_dir_all(folder).unwrap();
    let mut artifact = artifact(0, Source::Path(folder.to_path_buf()));
    artifact.files.clear();
    for number in 0..files {
        let mut block = vec![0u8; 1 << 20];
        let mut hasher = Sha256::new();
        let mut file = fs::File::create(folder.join(name(number))).unwrap();
        for position in 0..mebibytes {
            block[..8].copy_from_slice(&(position as u64).to_le_bytes());
            hasher.update(&block);
            file.write_all(&block).unwrap();
        }
        let digest = hasher.finalize();
        let expected = ArtifactFile {
            bytes: Some((mebibytes as u64) << 20),
            sha256: Some(digest.iter().map(|byte| format!("{byte:02x}")).collect()),
            git_blob: None,
        };
        artifact.files.insert(name(number), expected);
    }
    artifact
}

fn openssl(file: &Path) {
    let status = Command::new("openssl")
        .args(["dgst", "-sha256"])
        .arg(file)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

/// Returns the CPU seconds that something costs, with those of the children that it waits for.
fn cost(work: impl FnOnce()) -> f64 {
    let before = usage();
    work();
    usage() - before
}

fn wall(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
