//! Entries of a job matrix of GitHub: a part each.

use super::{matrix, write_plan};
use crate::support::{Place, fake_matrix};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn entries(place: &Place, more: &[&str]) -> Vec<Value> {
    let arguments = [&["plan", "p/plan.json", "--format", "github"], more].concat();
    let ran = place.run(&arguments).expect_status(0);
    assert_eq!(ran.stdout.lines().count(), 1);
    ran.json()["include"].as_array().unwrap().clone()
}

#[test]
fn each_part_has_one_set_of_requirements_and_a_runner_that_has_it() {
    let place = Place::new();
    let requires = "[none, \"os:linux,gpu:cuda\", \"label:bench\"]";
    let text = matrix(requires).replace("threads: [1, 2]", "threads: [1, 2, 3, 4]");
    let text = text.replace("fake-seconds: 0", "fake-seconds: 3");
    write_plan(&place, "p", &text);
    let entries = entries(&place, &["--site", "site.yaml", "--shards", "7"]);
    assert_eq!(entries.len(), 7);
    let shown: BTreeSet<String> = entries
        .iter()
        .map(|entry| {
            format!(
                "{} {}",
                entry["requires"].as_str().unwrap(),
                entry["runs-on"]
            )
        })
        .collect();
    assert_eq!(
        shown.into_iter().collect::<Vec<_>>(),
        [
            "label:bench [\"self-hosted\",\"bench\"]",
            "none [\"ubuntu-24.04\"]",
            "os:linux,gpu:cuda [\"self-hosted\",\"linux\",\"x64\",\"cuda\"]",
        ]
    );
    let benchmarks = entries
        .iter()
        .map(|entry| entry["benchmarks"].as_u64().unwrap());
    assert_eq!(benchmarks.sum::<u64>(), 12);
    let names: BTreeSet<&str> = entries
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 7);
    assert!(
        names.contains("shard-2-of-2.os-linux+gpu-cuda"),
        "{names:?}"
    );
    for name in names {
        let is_safe = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
        assert!(name.chars().all(is_safe), "{name}");
    }
    for entry in &entries {
        assert!(
            (1..=360).contains(&entry["minutes"].as_u64().unwrap()),
            "{entry}"
        );
    }
}

#[test]
fn what_no_runner_has_is_told_with_who_asks_for_it() {
    let place = Place::new();
    place.write("site.yaml", &super::example());
    let own = "models: {mine: {size: tiny, requires: {memory: 64GiB}, artifacts: {ggml-f16: {files: \
               {m.bin: {bytes: 3}}, sources: [{path: weights}]}}}}
backends: {cli: {command: [\"true\", \"{{ audio.wav }}\", \"{{ threads }}\"], output: text, requires: {gpu: rocm}}}";
    let text =
        matrix("[\"os:windows\", none]").replace("[tiny.en]", "[tiny.en, mine]") + own + "\n";
    let text = text
        .replace("[fake]", "[fake, cli]")
        .replace(", fake-seconds: 0", "");
    place.write("m.yaml", &text);
    let ran = place
        .run(&[
            "plan",
            "m.yaml",
            "--format",
            "github",
            "--site",
            "site.yaml",
        ])
        .expect_status(2);
    for told in [
        "the model `mine` requires `memory:64GiB`",
        "the engine `cli` requires `gpu:rocm`",
        "the combination {backend: fake, model: tiny.en, audio: jfk, verify-method: cache-check, requires: \
         os:windows, threads: 1} requires `os:windows`",
        "add `\"os:windows\": [self-hosted, …]` to `schedulers.github.labels` of the site file",
    ] {
        assert!(ran.stderr.contains(told), "{told}\n{}", ran.stderr);
    }
    assert_eq!(
        ran.stderr.matches("requires `gpu:rocm`").count(),
        1,
        "{}",
        ran.stderr
    );
    // Nothing is required, and no site file is needed.
    place.write("m.yaml", &fake_matrix("  threads: [1, 2, 3]", ""));
    let ran = place
        .run(&["plan", "m.yaml", "--format", "github", "--shards", "2"])
        .expect_status(0);
    let entries = ran.json()["include"].clone();
    assert_eq!(entries[1]["shard"], "2/2");
    assert_eq!(entries[1]["runs-on"], json!(["ubuntu-24.04"]));
}

#[test]
fn the_number_of_parts_has_its_limits() {
    let place = Place::new();
    write_plan(
        &place,
        "p",
        &matrix("[none, \"label:bench\", \"os:linux\"]"),
    );
    let plan = [
        "plan",
        "p/plan.json",
        "--format",
        "github",
        "--site",
        "site.yaml",
        "--shards",
    ];
    // One for each set at least, never more than there are benchmarks.
    for (wished, expected) in [("1", 3), ("3", 3), ("4", 4), ("200", 6)] {
        let ran = place.run(&[&plan[..], &[wished]].concat()).expect_status(0);
        let found = ran.json()["include"].as_array().unwrap().len();
        assert_eq!(found, expected, "{wished}");
        assert_eq!(
            ran.stderr.contains("one for each set"),
            wished == "1",
            "{}",
            ran.stderr
        );
    }
    let ran = place.run(&[&plan[..], &["257"]].concat()).expect_status(2);
    assert!(ran.stderr.contains("at most 256"), "{}", ran.stderr);
    let ran = place
        .run(&["plan", "p/plan.json", "--shards", "2"])
        .expect_status(2);
    assert!(ran.stderr.contains("--format github"), "{}", ran.stderr);
    let labels: Vec<String> = (0..257)
        .map(|number| format!("\"label:l{number}\""))
        .collect();
    place.write("many.yaml", &matrix(&format!("[{}]", labels.join(", "))));
    let ran = place
        .run(&["plan", "many.yaml", "--format", "github"])
        .expect_status(2);
    assert!(ran.stderr.contains("257 different sets"), "{}", ran.stderr);
}

#[test]
fn a_part_that_could_take_longer_than_github_allows_is_told() {
    let place = Place::new();
    let text = matrix("none") + "deadlines: {benchmark: {floor: 9h, per-audio-second: 0s}}\n";
    write_plan(&place, "p", &text);
    let ran = place
        .run(&["plan", "p/plan.json", "--format", "github", "--shards", "2"])
        .expect_status(0);
    assert!(ran.stderr.contains("360 minutes"), "{}", ran.stderr);
    assert_eq!(ran.json()["include"][0]["minutes"], 360);
}
