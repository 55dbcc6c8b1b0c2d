//! Combinations and jobs, as `earmark plan` shows them.

use crate::support::{Place, fake_matrix};
use serde_json::Value;

fn plan(place: &Place, text: &str) -> Value {
    place.write("m.yaml", text);
    place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json()
}

/// Returns the combinations with the values of some keys, as `a b`, `-` for a key that is not there.
fn shown(plan: &Value, keys: &[&str]) -> Vec<String> {
    let one = |combination: &Value, key: &str| match combination.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "-".into(),
    };
    plan["combinations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|combination| {
            keys.iter()
                .map(|key| one(combination, key))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn include_and_exclude_follow_the_rules_of_github_actions() {
    let axes = "  beam-size: [1, 2]\n  threads: [1, 2]\n";
    let cases: &[(&str, &[&str])] = &[
        ("", &["1 1 -", "1 2 -", "2 1 -", "2 2 -"]),
        ("  exclude: [{beam-size: 1}]", &["2 1 -", "2 2 -"]),
        (
            "  exclude: [{beam-size: 1, threads: 2}]",
            &["1 1 -", "2 1 -", "2 2 -"],
        ),
        (
            "  exclude: [{beam-size: [1, 2], threads: 2}]",
            &["1 1 -", "2 1 -"],
        ),
        (
            "  exclude: [{model: \"tiny*\", threads: 1}]",
            &["1 2 -", "2 2 -"],
        ),
        (
            "  exclude: [{threads: \"1\"}]",
            &["1 1 -", "1 2 -", "2 1 -", "2 2 -"],
        ),
        (
            "  include: [{tag.a: x}]",
            &["1 1 x", "1 2 x", "2 1 x", "2 2 x"],
        ),
        (
            "  include: [{beam-size: 2, tag.a: x}]",
            &["1 1 -", "1 2 -", "2 1 x", "2 2 x"],
        ),
        (
            "  include: [{tag.a: x}, {threads: 1, tag.a: y}]",
            &["1 1 y", "1 2 x", "2 1 y", "2 2 x"],
        ),
        (
            "  exclude: [{threads: 1}]\n  include: [{threads: 2, tag.a: x}]",
            &["1 2 x", "2 2 x"],
        ),
        (
            "  include: [{backend: fake, model: tiny.en, audio: jfk, verify-method: checksum, \
             beam-size: 4, threads: 1, tag.a: z}]",
            &["1 1 -", "1 2 -", "2 1 -", "2 2 -", "4 1 z"],
        ),
        (
            "  include:\n    - {backend: fake, model: tiny.en, audio: jfk, verify-method: load}\n    \
             - {verify-method: load, tag.a: x}",
            // The second fits no combination of the axes; it does not join the first.
            &[],
        ),
        ("  exclude: [{backend: fake}]", &[]),
    ];
    let place = Place::new();
    for (entries, expected) in cases {
        let text = fake_matrix(&format!("{axes}{entries}"), "");
        place.write("m.yaml", &text);
        let ran = place.run(&["plan", "m.yaml", "--format", "json"]);
        if entries.contains("verify-method: load, tag.a") {
            let ran = ran.expect_status(2);
            assert!(
                ran.stderr.contains("does not name `backend`"),
                "{}",
                ran.stderr
            );
            continue;
        }
        let plan = ran.expect_status(0).json();
        assert_eq!(
            shown(&plan, &["beam-size", "threads", "tag.a"]),
            *expected,
            "{entries}"
        );
    }
}

#[test]
fn the_first_axis_is_the_slowest_and_globs_stand_for_their_clips() {
    let place = Place::new();
    let text = fake_matrix("  beam-size: [1, 2]", "").replace("[jfk]", "[\"austen-*\", english]");
    assert_eq!(
        shown(&plan(&place, &text), &["audio", "beam-size"]),
        [
            "austen-0870 1",
            "austen-0870 2",
            "austen-0920 1",
            "austen-0920 2",
            "english 1",
            "english 2"
        ]
    );
}

#[test]
fn labels_keep_their_text_and_numbers_are_one() {
    let place = Place::new();
    let plan = plan(
        &place,
        &fake_matrix("  tag.release: [3.10, 3.1]\n  threads: [2, 2.0]", ""),
    );
    assert_eq!(
        shown(&plan, &["tag.release", "threads"]),
        ["3.10 2", "3.10 2.0", "3.1 2", "3.1 2.0"]
    );
    let benchmarks = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["kind"] == "benchmark");
    assert_eq!(benchmarks.count(), 1);
}

#[test]
fn labels_and_methods_do_not_make_another_benchmark() {
    let place = Place::new();
    let text = fake_matrix("  tag.x: [a, b]", "")
        .replace("[cache-check]", "[cache-check, checksum]")
        .replace("[fake]", "[whisper-cpp]");
    let plan = plan(&place, &text);
    let kinds: Vec<&str> = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "verify",
            "verify",
            "download",
            "verify",
            "verify",
            "benchmark"
        ]
    );
    let benchmark = &plan["jobs"][5];
    assert_eq!(benchmark["combinations"], serde_json::json!([0, 1, 2, 3]));
    assert_eq!(benchmark["needs"].as_array().unwrap().len(), 2);
}

#[test]
fn needs_stand_before_those_who_need_them_and_ids_are_unique() {
    let place = Place::new();
    let text = fake_matrix("  quantization: [f16, q5_1]\n  threads: [1, 2]", "")
        .replace("[fake]", "[whisper-cpp, fake]");
    let plan = plan(&place, &text);
    let mut seen = std::collections::BTreeSet::new();
    for job in plan["jobs"].as_array().unwrap() {
        for need in job["needs"].as_array().unwrap() {
            assert!(seen.contains(need.as_str().unwrap()), "{need} comes later");
        }
        assert!(seen.insert(job["id"].as_str().unwrap().to_owned()));
        assert_eq!(job["digest"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn what_cannot_run_is_a_planned_skip_with_its_reason() {
    let place = Place::new();
    let text = fake_matrix("", "")
        .replace("[fake]", "[whisper-cpp]")
        .replace("[jfk]", "[jfk, mls-es-13697]");
    let found = plan(&place, &text);
    let skip = found["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|job| job["skip"].as_str())
        .unwrap();
    assert_eq!(
        skip,
        "`tiny.en` knows only en, and `mls-es-13697` is in `es`"
    );
    place.run(&["check", "--strict", "m.yaml"]).expect_status(2);
    let text = fake_matrix("  beam-size: [1, 900]", "").replace("[fake]", "[whisper-cpp, fake]");
    let found = plan(&place, &text);
    let skips = found["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| !job["skip"].is_null());
    assert_eq!(skips.count(), 1);
}

#[test]
fn a_plan_is_the_same_from_any_folder_and_whatever_the_order_of_keys() {
    let place = Place::new();
    let text = fake_matrix("", "audio: {mine: {file: a.wav}}");
    place.write("a.wav", "not looked into");
    place.write("m.yaml", &text);
    place.write("elsewhere/x", "");
    let here = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .stdout;
    let there = place
        .command(&["plan", "../m.yaml", "--format", "json"])
        .current_dir(place.path().join("elsewhere"))
        .output()
        .unwrap();
    assert_eq!(here, String::from_utf8(there.stdout).unwrap());
    let ids = |plan: &Value| -> Vec<String> {
        let jobs = plan["jobs"].as_array().unwrap();
        jobs.iter()
            .map(|job| job["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let settings = "settings: {repeat: 7, warmup: 2, threads: 1}";
    let turned = "settings: {threads: 1, warmup: 2, repeat: 7}";
    assert_eq!(
        ids(&plan(&place, &fake_matrix("", settings))),
        ids(&plan(&place, &fake_matrix("", turned)))
    );
}

#[test]
fn a_default_that_is_written_down_is_the_same_job() {
    let place = Place::new();
    let id = |rest: &str| {
        let plan = plan(&place, &fake_matrix("", rest));
        plan["jobs"][2]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(id(""), id("settings: {beam-size: 1, language: en}"));
    assert_ne!(id(""), id("settings: {beam-size: 2}"));
}
