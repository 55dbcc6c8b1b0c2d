//! Where an artifact is looked for, and what is expected there.

use super::*;
use crate::store::HubCache;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const BLOB: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn store(root: &Path) -> Store {
    Store {
        root: root.join("models"),
        hub: HubCache {
            root: root.join("hub"),
        },
    }
}

fn hub(repository: &str) -> Source {
    Source::Hub {
        repository: repository.into(),
        revision: "main".into(),
        files: indexmap::IndexMap::new(),
    }
}

fn artifact(sources: Vec<Source>, patterns: &[&str]) -> Artifact {
    Artifact {
        model: "m".into(),
        id: "a".into(),
        files: [("config.json".to_owned(), ArtifactFile::default())]
            .into_iter()
            .collect(),
        patterns: patterns.iter().map(|glob| (*glob).to_owned()).collect(),
        sources,
        ..Artifact::default()
    }
}

/// Makes the cached folder of `o/n`, whose `main` is the commit, and which lists some files.
fn cached(store: &Store, tree: Option<&str>) -> PathBuf {
    let repository = store.hub.repository("o/n");
    fs::create_dir_all(repository.root.join("refs")).unwrap();
    fs::write(repository.root.join("refs/main"), COMMIT).unwrap();
    if let Some(files) = tree {
        fs::create_dir_all(repository.root.join("trees")).unwrap();
        let text = format!("{{\"format_version\": 1, \"files\": {{{files}}}}}");
        fs::write(repository.tree_file(COMMIT), text).unwrap();
    }
    repository.snapshot(COMMIT)
}

fn listed(name: &str, size: u64) -> String {
    format!("\"{name}\": {{\"size\": {size}, \"blob_id\": \"{BLOB}\"}}")
}

#[test]
fn places_come_in_the_order_of_the_sources_each_once() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    let snapshot = cached(&store, None);
    let own = root.path().join("models/m/a");
    let sources = vec![
        Source::Recipe("r".into()),
        hub("o/n"),
        Source::Url("https://example.org/".into()),
        Source::Path("/elsewhere".into()),
        hub("o/unknown"),
    ];
    let folders: Vec<PathBuf> = places(&artifact(sources, &[]), &store)
        .into_iter()
        .map(|place| place.folder)
        .collect();
    let unknown = root.path().join("hub/models--o--unknown/snapshots/main");
    assert_eq!(
        folders,
        [own.clone(), snapshot, "/elsewhere".into(), unknown]
    );
    let nowhere = places(&artifact(Vec::new(), &[]), &store);
    assert_eq!(nowhere[0].folder, own);
}

#[test]
fn the_list_of_a_commit_fills_in_what_the_definition_leaves_open() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    let names = [
        "config.json",
        "weights/a.bin",
        "weights/b.txt",
        "../out.bin",
    ];
    let files: Vec<String> = names.iter().map(|name| listed(name, 7)).collect();
    cached(&store, Some(&files.join(",")));
    let [place]: [Place; 1] = places(&artifact(vec![hub("o/n")], &["*.bin"]), &store)
        .try_into()
        .unwrap();
    assert_eq!(place.names(), ["config.json", "weights/a.bin"]);
    assert_eq!(place.manifest, ManifestOrigin::HubTree);
    assert_eq!(place.expected_bytes(), Some(14));
    assert_eq!(place.files["config.json"].git_blob.as_deref(), Some(BLOB));
}

#[test]
fn what_the_definition_says_is_not_overruled() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    cached(&store, Some(&listed("config.json", 7)));
    let mut pinned = artifact(vec![hub("o/n")], &[]);
    pinned.files["config.json"].bytes = Some(5);
    let place = &places(&pinned, &store)[0];
    assert_eq!(place.files, pinned.files);
    assert_eq!(place.manifest, ManifestOrigin::Catalog);
}

#[test]
fn without_a_list_the_names_are_those_that_are_there_and_never_all() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    let snapshot = cached(&store, None);
    fs::create_dir_all(snapshot.join("weights")).unwrap();
    for name in ["weights/b.bin", "weights/a.bin", "notes.txt"] {
        fs::write(snapshot.join(name), "x").unwrap();
    }
    let place = &places(&artifact(vec![hub("o/n")], &["*.bin"]), &store)[0];
    let expected = ["config.json", "weights/a.bin", "weights/b.bin"];
    assert_eq!(place.names(), expected);
    assert_eq!(place.manifest, ManifestOrigin::None);
    assert_eq!(place.expected_bytes(), None);
    assert_eq!(place.unlisted, ["*.bin"]);
}
