//! Schemas against what they are schemas of.

use crate::support::invalid::{as_json, validator};
use crate::support::{Place, fake_matrix, project};
use earmark::lockfile::is_lock_file;
use serde_json::{Value, json};
use std::fs;

fn problems(name: &str, value: &Value) -> Vec<String> {
    validator(name)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn every_plan_is_what_its_schema_says() {
    let place = Place::new();
    let definitions = "deadlines:\n  overrides: [{backend: fake, start: 90s}]\n\
         gates: [{metric: wer, max: 0.2}]\nscore: {normalizers: [basic]}\n\
         backends:\n  my-cli: {command: [my-cli, \"{{ audio.wav }}\"], output: {jsonpath: \"$.text\"}, artifact: ggml-f16}\n\
         models:\n  mine:\n    size: tiny\n    artifacts:\n      ggml-f16:\n        files: {a.bin: {bytes: 3}}\n        \
         sources: [{path: there}, {hub: a/b, files: {a.bin: {bytes: 4}}}, {url: \"https://example.org/a\"}]\n      \
         coreml: {patterns: [\"a/**\"], approximate-bytes: 9, sources: [{hub: a/b}]}\n";
    place.write(
        "own.yaml",
        &fake_matrix("  tag.x: [3.10, yes]\n  threads: [1, 2]", definitions)
            .replace("[fake]", "[fake, whisper-cpp, my-cli]")
            .replace("[tiny.en]", "[tiny.en, mine]")
            .replace("[cache-check]", "[checksum, load]"),
    );
    let mut matrices = vec!["own.yaml".to_owned()];
    for entry in fs::read_dir(project().join("matrices")).unwrap() {
        let path = entry.unwrap().path();
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml");
        if is_yaml && !is_lock_file(&path) {
            matrices.push(path.to_str().unwrap().to_owned());
        }
    }
    for matrix in matrices {
        let plan = place
            .run(&["plan", "--format", "json", &matrix])
            .expect_status(0)
            .json();
        let found = problems("plan", &plan);
        assert!(found.is_empty(), "{matrix}: {found:?}");
    }
    let plan = place.run(&["plan", "--format", "json", "own.yaml"]).json();
    let mut broken = plan.clone();
    broken["jobs"][0]["kind"] = json!("guess");
    assert!(!problems("plan", &broken).is_empty());
    let mut broken = plan;
    broken.as_object_mut().unwrap().remove("combinations");
    assert!(!problems("plan", &broken).is_empty());
}

#[test]
fn the_built_in_catalog_is_what_its_schema_says() {
    let mut families = 0;
    for entry in fs::read_dir(project().join("src/catalog")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let found = problems("catalog", &as_json(&text).unwrap());
        assert!(found.is_empty(), "{}: {found:?}", path.display());
        families += 1;
    }
    assert_eq!(families, 4);
}

/// What an editor needs to be of use: each key is described, known ids are offered, and ids of
/// one's own are no mistakes.
#[test]
fn an_editor_can_complete_a_matrix() {
    let schema: Value = serde_json::from_str(&earmark::schema::schema("matrix").unwrap()).unwrap();
    let mut bare = Vec::new();
    let definitions = schema["$defs"].as_object().unwrap();
    let objects = definitions
        .iter()
        .map(|(name, definition)| (name.as_str(), definition))
        .chain([("", &schema)]);
    for (name, object) in objects {
        for (key, property) in object["properties"].as_object().into_iter().flatten() {
            if property.get("description").is_none() {
                bare.push(format!("{name}.{key}"));
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:?}");

    let axes = &schema["$defs"]["Matrix"]["properties"];
    for (axis, id) in [
        ("backend", "whisper-cpp"),
        ("model", "tiny.en"),
        ("audio", "english"),
        ("verify-method", "cache-check"),
        ("quantization", "q5_1"),
        ("wait-policy", "passive"),
    ] {
        let text = axes[axis].to_string();
        assert!(text.contains(&format!("\"{id}\"")), "{axis} offers no {id}");
        for list in ["include", "exclude", "only", "exclude-after"] {
            let text = axes[list]["items"]["properties"][axis].to_string();
            assert!(text.contains(&format!("\"{id}\"")), "{list} offers no {id}");
        }
    }
    let settings = &schema["properties"]["settings"]["properties"];
    assert_eq!(settings["beam-size"]["default"], 1);
    assert_eq!(settings["repeat"]["maximum"], 10_000);
    assert_eq!(
        schema["$defs"]["DeadlinesWire"]["properties"]["grace"]["default"],
        "2s"
    );

    let own = fake_matrix("  threads: [1]\n  quantization: [int4]", "")
        .replace("[fake]", "[my-cli]")
        .replace(
            "[tiny.en]",
            "[{value: my-model, if: \"os == 'linux'\"}, 3.10]",
        )
        .replace("[jfk]", "\"austen-*\"");
    let found = problems("matrix", &as_json(&own).unwrap());
    assert!(found.is_empty(), "{found:?}");
}
