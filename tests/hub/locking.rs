//! `earmark lock` asks a hub what a branch is, and a locked run takes nothing else.

use super::server::{COMMIT, Hub};
use super::{QUICK, REPOSITORY, Row, cache, matrix, weights};
use crate::support::{Place, Ran};
use std::fs;
use std::process::Command;

/// A place whose matrix says nothing of the files but their names and a glob.
fn place() -> Place {
    let place = Place::new();
    let source = format!("{{hub: {REPOSITORY}}}");
    let text = matrix("m.bin: {}", &source, QUICK);
    let text = text.replace(
        "        sources:",
        "        patterns: [\"*.json\"]\n        sources:",
    );
    place.write("m.yaml", &text);
    place
}

fn hub() -> Hub {
    Hub::with(&[
        ("m.bin", weights(3000, 1)),
        ("config.json", b"{}".to_vec()),
        ("README.md", b"not wanted".to_vec()),
    ])
}

fn run(place: &Place, hub: &Hub, arguments: &[&str]) -> Ran {
    let mut command: Command = place.command(arguments);
    command.env("HF_ENDPOINT", hub.url());
    Ran::from(command.output().unwrap())
}

#[test]
fn what_a_branch_is_now_is_written_down_without_fetching_it() {
    let (place, hub) = (place(), hub());
    run(&place, &hub, &["lock", "m.yaml"]).expect_status(0);
    let text = fs::read_to_string(place.path().join("m.lock.yaml")).unwrap();
    let content = hub.content("m.bin");
    for line in [
        format!("source: {{hub: {REPOSITORY}, revision: main, commit: {COMMIT}}}"),
        format!("m.bin: {{bytes: 3000, sha256: {}}}", content.sha256),
        "config.json: {bytes: 2, git-blob: ".to_owned(),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!text.contains("README"), "{text}");
    assert_eq!(hub.fetches(), 0);
    assert!(!cache(&place).exists());

    // The locked commit is fetched and verified; nobody asks what the branch is.
    let before = hub.asked().len();
    let fetched = run(&place, &hub, &["download", "m.yaml", "--locked"]).expect_status(0);
    Row::of(&fetched).expect("completed", "");
    let asked = hub.asked().split_off(before);
    assert!(
        asked.iter().all(|asked| !asked.target.contains("main")),
        "{asked:?}"
    );
    let verified = run(
        &place,
        &hub,
        &[
            "verify",
            "m.yaml",
            "--locked",
            "--verify-method",
            "checksum",
            "--format",
            "json",
        ],
    )
    .expect_status(0)
    .json();
    let verify = &verified["verifies"][0];
    assert_eq!(verify["verdict"], "complete");
    assert_eq!(verify["manifest"], "lock");
    assert_eq!(verify["files"].as_array().unwrap().len(), 2);
}

#[test]
fn a_hub_that_cannot_be_asked_is_told_with_its_reason() {
    let (place, hub) = (place(), hub());
    let url = hub.url().to_owned();
    drop(hub);
    let mut command = place.command(&["lock", "m.yaml"]);
    command.env("HF_ENDPOINT", url).env("HF_HUB_OFFLINE", "1");
    let refused = Ran::from(command.output().unwrap()).expect_status(2);
    assert!(
        refused
            .stderr
            .contains("cannot be locked: HF_HUB_OFFLINE is set"),
        "{}",
        refused.stderr
    );
}
