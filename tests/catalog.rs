//! Catalog files of one's own, and the list of what is known and what is here of it.

use crate::support::{Place, fake_matrix};
use serde_json::{Value, json};
use std::fs;

/// A catalog of one model beside the file, five bytes long.
const OWN: &str = "version: 1
models:
  mine:
    size: tiny
    parameters: 1000
    languages: [en]
    artifacts:
      ggml-f16: {files: {mine.bin: {bytes: 5}}, sources: [{path: weights}]}
";

fn plan(place: &Place, arguments: &[&str]) -> Value {
    let all = [&["plan", "m.yaml", "--format", "json"], arguments].concat();
    place.run(&all).expect_status(0).json()
}

#[test]
fn a_catalog_file_lies_over_what_is_built_in_and_under_the_matrix() {
    let place = Place::new();
    place.write("catalogs/own.yaml", OWN);
    // The fake engine alone would take any name for a model.
    place.write(
        "m.yaml",
        &fake_matrix("", "")
            .replace("[fake]", "[fake, candle]")
            .replace("[tiny.en]", "[mine, tiny.en]"),
    );
    // Without it nobody knows the model.
    let ran = place.run(&["check", "m.yaml"]).expect_status(2);
    assert!(
        ran.stderr.contains("unknown model `mine`"),
        "{}",
        ran.stderr
    );
    let own = ["--catalog", "catalogs/own.yaml"];
    place
        .run(&["check", "m.yaml", own[0], own[1]])
        .expect_status(0);
    let planned = plan(&place, &own);
    let mine = &planned["models"]["mine"];
    assert_eq!(mine["parameters"], 1000);
    assert_eq!(mine["built-in"], false);
    let weights = place.path().canonicalize().unwrap();
    let weights = weights.join("catalogs/weights");
    assert_eq!(
        mine["artifacts"]["ggml-f16"]["sources"],
        json!([{ "path": weights }]),
        "a path starts from the folder of the file that names it"
    );
    assert_eq!(planned["models"]["tiny.en"]["built-in"], true);
    // The later file lies over the earlier one, and the matrix over both.
    place.write("later.yaml", &OWN.replace("1000", "2000"));
    let both = ["--catalog", "catalogs/own.yaml", "--catalog", "later.yaml"];
    assert_eq!(plan(&place, &both)["models"]["mine"]["parameters"], 2000);
    let models = OWN.split_once("models:").unwrap().1.replace("1000", "3000");
    let matrix = fake_matrix("", &format!("models:{models}")).replace("[tiny.en]", "[mine]");
    place.write("m.yaml", &matrix);
    assert_eq!(plan(&place, &both)["models"]["mine"]["parameters"], 3000);
}

#[test]
fn a_saved_plan_has_its_own_copy_of_a_catalog_file() {
    let place = Place::new();
    place.write("own.yaml", OWN);
    place.write(
        "m.yaml",
        &fake_matrix("", "").replace("[tiny.en]", "[mine]"),
    );
    let planned = plan(&place, &["--catalog", "own.yaml"]);
    place.write("plan.json", &planned.to_string());
    fs::remove_file(place.path().join("own.yaml")).unwrap();
    place
        .run(&["run", "plan.json", "--out", "r"])
        .expect_status(0);
    let ran = place
        .run(&["plan", "plan.json", "--catalog", "own.yaml"])
        .expect_status(2);
    assert!(ran.stderr.contains("own copies"), "{}", ran.stderr);
}

#[test]
fn mistakes_of_a_catalog_file_are_told_at_their_place() {
    let place = Place::new();
    place.write("m.yaml", &fake_matrix("", ""));
    let sources = |text: &str| OWN.replace("{path: weights}", text);
    for (text, told) in [
        (OWN.replace("size: tiny", "size: huge"), "own.yaml:4:"),
        (OWN.replace("version: 1", "version: 2"), "own.yaml:1:"),
        (sources("{recipe: nobody-s}"), "unknown recipe `nobody-s`"),
        (sources("{hub: only-one-word}"), "own.yaml:8:"),
        (format!("{OWN}matrix: {{}}\n"), "unknown key `matrix`"),
    ] {
        place.write("own.yaml", &text);
        for verb in [
            &["check", "m.yaml"][..],
            &["run", "m.yaml"],
            &["verify", "m.yaml"],
            &["download", "m.yaml"],
            &["download", "--list"],
        ] {
            let arguments = [verb, &["--catalog", "own.yaml"]].concat();
            let ran = place.run(&arguments).expect_status(2);
            assert!(ran.stderr.contains(told), "{verb:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("help: "), "{}", ran.stderr);
            assert_eq!(ran.stdout, "");
        }
    }
    let ran = place
        .run(&["check", "m.yaml", "--catalog", "none.yaml"])
        .expect_status(2);
    assert!(
        ran.stderr.contains("none.yaml cannot be read"),
        "{}",
        ran.stderr
    );
    assert!(!place.path().join("runs").exists());
}

/// Returns the entry of a list.
fn entry<'l>(list: &'l Value, model: &str, artifact: &str) -> &'l Value {
    let all = list["artifacts"].as_array().unwrap();
    let found = all
        .iter()
        .find(|entry| entry["model"] == model && entry["artifact"] == artifact);
    found.unwrap_or_else(|| panic!("no {model}/{artifact} in {list}"))
}

#[test]
fn the_list_tells_what_is_here_what_is_partial_and_what_the_rest_costs() {
    let place = Place::new();
    place.write("own.yaml", OWN);
    let list = |arguments: &[&str]| {
        let all = [&["download", "--list", "--catalog", "own.yaml"], arguments].concat();
        place.run(&all).expect_status(0)
    };
    let json = || list(&["--format", "json"]).json();
    let found = json();
    let mine = entry(&found, "mine", "ggml-f16");
    assert_eq!(mine["state"], "not here");
    assert_eq!(mine["bytes_to_fetch"], 5);
    assert!(found["free"][0]["free"].as_u64().unwrap() > 0);
    let known = entry(&found, "large-v3", "ggml-f16");
    assert_eq!(known["bytes_to_fetch"], 3_095_033_483_u64);
    assert_eq!(known["approximate"], false);
    assert_eq!(
        known["sources"],
        json!([{ "hub": "ggerganov/whisper.cpp", "revision": "main" }])
    );
    let about = entry(&found, "parakeet-tdt-0.6b-v3", "coreml");
    assert_eq!(about["approximate"], true);
    let unknown = entry(&found, "tiny", "coreml-encoder");
    assert_eq!(unknown["bytes_to_fetch"], Value::Null);

    place.write("weights/mine.bin", "he");
    let found = json();
    let mine = entry(&found, "mine", "ggml-f16");
    assert_eq!(mine["state"], "partial 0 of 1");
    assert_eq!(
        (&mine["bytes_present"], &mine["bytes_to_fetch"]),
        (&json!(2), &json!(3))
    );

    place.write("weights/mine.bin", "hello");
    let table = list(&[]).stdout;
    let line = |word: &str| {
        let line = table.lines().find(|line| line.trim().starts_with(word));
        line.unwrap_or_else(|| panic!("no `{word}` in\n{table}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(line("mine").ends_with("/weights here 5 B"), "{table}");
    assert!(table.contains("~ 483.0 MB"), "{table}");
    assert!(line("to fetch all: ~ ").contains("GB, and "), "{table}");
    assert!(line("free: ").contains("home/models"), "{table}");
}

#[test]
fn the_list_of_a_matrix_holds_what_its_engines_read_and_asks_nobody() {
    let place = Place::new();
    place.write("own.yaml", OWN);
    let matrix = fake_matrix(
        "",
        "backends: {cli: {command: [touch, RAN, \"{{ model.path }}\"], artifact: ggml-f16}}",
    );
    place.write(
        "m.yaml",
        &matrix
            .replace("[fake]", "[fake, cli]")
            .replace("[tiny.en]", "[mine, tiny.en, large-v3]"),
    );
    let arguments = [
        "download",
        "--list",
        "m.yaml",
        "--catalog",
        "own.yaml",
        "--format",
        "json",
    ];
    // Whoever asked a hub would get no answer here, and say so.
    let mut command = place.command(&arguments);
    command.env("HF_ENDPOINT", "http://127.0.0.1:1");
    let ran = crate::support::Ran::from(command.output().unwrap()).expect_status(0);
    assert_eq!(ran.stderr, "");
    let listed = ran.json();
    let names: Vec<&str> = listed["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["model"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["mine", "tiny.en", "large-v3"]);
    assert!(!place.path().join("RAN").exists());
    assert!(!place.store().exists(), "a list leaves nothing behind");
    // What engines need no model says so.
    place.write("m.yaml", &fake_matrix("", ""));
    let ran = place
        .run(&["download", "--list", "m.yaml"])
        .expect_status(0);
    assert!(ran.stdout.contains("no model is read"), "{}", ran.stdout);
}
