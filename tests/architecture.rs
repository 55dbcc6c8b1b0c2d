//! Who may import whom is law.

use crate::support::project;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// For each room, the rooms that it may import. `ARCHITECTURE.md` gives the reasons.
const MAY_IMPORT: [(&str, &[&str]); 29] = [
    ("model", &[]),
    ("diagnostic", &[]),
    ("clock", &[]),
    ("sharing", &["clock"]),
    ("machine", &["model"]),
    ("event", &["model"]),
    ("protocol", &["model"]),
    ("yaml", &["model", "diagnostic"]),
    ("catalog", &["model", "diagnostic", "yaml"]),
    ("corpus", &["model", "diagnostic"]),
    ("matrix", &["model", "diagnostic", "yaml", "catalog"]),
    (
        "plan",
        &["model", "diagnostic", "yaml", "matrix", "catalog", "corpus"],
    ),
    ("lockfile", &["model", "diagnostic", "yaml"]),
    ("store", &["model", "catalog", "diagnostic", "sharing"]),
    (
        "fetch",
        &[
            "store",
            "model",
            "clock",
            "catalog",
            "diagnostic",
            "sharing",
        ],
    ),
    (
        "engine",
        &[
            "model",
            "protocol",
            "clock",
            "diagnostic",
            "catalog",
            "sharing",
        ],
    ),
    (
        "worker",
        &[
            "model",
            "protocol",
            "clock",
            "diagnostic",
            "engine",
            "catalog",
        ],
    ),
    ("shim", &[]),
    (
        "exec",
        &[
            "model", "event", "plan", "protocol", "engine", "store", "fetch", "clock", "corpus",
            "shim", "machine", "score", "sharing",
        ],
    ),
    ("record", &["model", "event", "diagnostic", "sharing"]),
    (
        "cluster",
        &["model", "event", "plan", "record", "yaml", "diagnostic"],
    ),
    ("score", &["model"]),
    ("report", &["model", "record", "score"]),
    ("history", &["model", "record", "report"]),
    ("compare", &["model", "record", "report", "score"]),
    ("ui", &["model", "event", "diagnostic"]),
    (
        "schema",
        &[
            "matrix", "catalog", "cluster", "lockfile", "event", "protocol", "model", "engine",
            "corpus", "plan", "report", "compare",
        ],
    ),
    (
        "cli",
        &[
            "catalog",
            "cluster",
            "compare",
            "corpus",
            "diagnostic",
            "engine",
            "event",
            "exec",
            "fetch",
            "history",
            "lockfile",
            "machine",
            "matrix",
            "model",
            "plan",
            "record",
            "report",
            "schema",
            "score",
            "sharing",
            "store",
            "ui",
            "clock",
            "yaml",
        ],
    ),
    ("lib", &["cli", "shim", "worker"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns each room's files with their code: comments and the tests at the foot left out.
fn rooms() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let sources_folder = project().join("src");
    let mut rooms: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for path in sources(&sources_folder) {
        let relative = path.strip_prefix(&sources_folder).unwrap();
        let first = relative.iter().next().unwrap().to_str().unwrap();
        let room = first.strip_suffix(".rs").unwrap_or(first).to_owned();
        if room == "main" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: Vec<&str> = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        rooms.entry(room).or_default().push((path, code.join("\n")));
    }
    rooms
}

/// Returns the rooms that some code names after `crate::`, in paths and in grouped imports.
fn imports(code: &str) -> BTreeSet<String> {
    code.match_indices("crate::")
        .map(|(position, mark)| {
            code[position + mark.len()..]
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect()
        })
        .filter(|room: &String| !room.is_empty())
        .collect()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let rooms = rooms();
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut broken = Vec::new();
    for (room, files) in &rooms {
        if room == "lib" {
            continue;
        }
        let Some(allowed) = table.get(room.as_str()) else {
            broken.push(format!("the room `{room}` is not in the table"));
            continue;
        };
        for (path, code) in files {
            for import in imports(code) {
                if import != *room && !allowed.contains(&import.as_str()) {
                    broken.push(format!("{} imports `{import}`", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    for room in table.keys() {
        assert!(
            *room == "lib" || rooms.contains_key(*room),
            "there is no room `{room}`"
        );
    }
}

/// A verify cannot download: what looks at files imports nothing that could.
#[test]
fn looking_for_a_model_reaches_no_network_code() {
    let rooms = rooms();
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut reached = BTreeSet::from(["store"]);
    let mut open = vec!["store"];
    while let Some(room) = open.pop() {
        for next in table[room] {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    for room in reached {
        for (path, code) in &rooms[room] {
            for word in [
                "hf_hub",
                "reqwest",
                "std::net",
                "rustix::net",
                "libc",
                "tokio",
                "socket",
                "std::process::Command",
            ] {
                assert!(!code.contains(word), "{} names `{word}`", path.display());
            }
        }
    }
}

/// What looks at files is built of nothing that could reach a network, whoever changes it.
#[test]
fn looking_for_a_model_uses_only_what_it_needs() {
    let allowed = [
        "crate", "globset", "indexmap", "rayon", "rustix", "serde", "sha1", "sha2", "std", "super",
    ];
    for (path, code) in &rooms()["store"] {
        let imports = code.lines().filter_map(|line| {
            let path = line.strip_prefix("pub ").unwrap_or(line);
            path.strip_prefix("use ")?.split([':', ';']).next()
        });
        for import in imports.filter(|import| !allowed.contains(import)) {
            // A module of the room's own, in its list of what it shows.
            let module = path.with_file_name(format!("{import}.rs"));
            assert!(module.exists(), "{} imports `{import}`", path.display());
        }
    }
}

#[test]
fn files_stay_small_enough_to_be_one_thing() {
    for (path, code) in rooms().into_values().flatten() {
        let lines = code.lines().count();
        assert!(
            lines <= 600,
            "{} has {lines} lines: is it still one thing?",
            path.display()
        );
    }
}
