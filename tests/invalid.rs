//! Every kind of mistake, with its whole message, and who finds it.

use crate::support::invalid::{as_json, invalid_files, validator};
use crate::support::{Place, fake_matrix, project};
use std::collections::BTreeSet;
use std::fs;

#[test]
fn every_kind_of_mistake_is_told_kindly() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/invalid");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let place = Place::new();
    let files = invalid_files();
    for file in &files {
        let name = format!("{}.yaml", file.kind);
        fs::write(place.path().join(&name), &file.bytes).unwrap();
        let ran = place.run(&["check", &name]).expect_status(2);
        assert_eq!(ran.stdout, "", "{name}");
        assert!(ran.stderr.contains("error"), "{name}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("help: "),
            "{name} says no remedy: {}",
            ran.stderr
        );
        let told = ran
            .stderr
            .replace(place.path().to_str().unwrap(), "[folder]");
        settings.bind(|| insta::assert_snapshot!(file.kind.clone(), told));
    }
    let kinds: BTreeSet<String> = files.into_iter().map(|file| file.kind).collect();
    let told: BTreeSet<String> = fs::read_dir(project().join("tests/snapshots/invalid"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix(".snap")?.to_owned())
        })
        .collect();
    assert!(kinds.len() >= 40);
    assert_eq!(told, kinds, "a message whose file is gone");
}

#[test]
fn the_schema_finds_what_it_is_said_to_find_and_no_more() {
    let validator = validator("matrix");
    let mut wrong = Vec::new();
    for file in invalid_files() {
        let value = std::str::from_utf8(&file.bytes).ok().and_then(as_json);
        let problems: Vec<String> = value
            .iter()
            .flat_map(|value| validator.iter_errors(value))
            .map(|error| error.to_string())
            .collect();
        let found_by = if problems.is_empty() {
            "parser"
        } else {
            "schema"
        };
        if file.found_by != found_by {
            wrong.push(format!(
                "{} is found by {found_by}: {problems:?}",
                file.kind
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_found_can_be_read_by_programs() {
    let place = Place::new();
    place.write("good.yaml", &fake_matrix("", ""));
    place.write("bad.yaml", &fake_matrix("  beam-sise: [1]", "colour: red"));
    let ran = place
        .run(&[
            "check",
            "--format",
            "json",
            "good.yaml",
            "bad.yaml",
            "none.yaml",
        ])
        .expect_status(2);
    assert_eq!(ran.stderr, "");
    let found = ran.json();
    assert_eq!(found["files"][0]["valid"], true);
    assert_eq!(found["files"][0]["combinations"], 1);
    assert_eq!(found["files"][0]["jobs"]["benchmark"], 1);
    assert_eq!(found["files"][1]["valid"], false);
    let diagnostics = found["diagnostics"].as_array().unwrap();
    let shown: Vec<String> = diagnostics
        .iter()
        .map(|problem| {
            format!(
                "{} {} {} {} {} {}",
                problem["file"].as_str().unwrap(),
                problem["line"],
                problem["column"],
                problem["end"],
                problem["path"],
                problem["severity"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"bad.yaml 8 3 {"line":8,"column":12} "matrix.beam-sise" error"#,
            r#"bad.yaml 9 1 {"line":9,"column":7} "colour" error"#,
            r#"none.yaml null null null "" error"#,
        ]
    );
    for problem in diagnostics {
        assert!(!problem["message"].as_str().unwrap().is_empty());
        assert!(!problem["hints"].as_array().unwrap().is_empty());
    }
}

#[test]
fn what_is_found_becomes_annotations_on_github() {
    let place = Place::new();
    place.write("good.yaml", &fake_matrix("  beam-size: [1, 1]", ""));
    place.write(
        "bad.yaml",
        &fake_matrix("", "\"a,b: %0A\\n::error::x\": red"),
    );
    let ran = place
        .run(&["check", "--format", "github", "./good.yaml", "bad.yaml"])
        .expect_status(2);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stdout);
    assert!(
        lines[0].starts_with(
            "::warning file=good.yaml,line=8,col=18,title=matrix.beam-size::`1` stands twice"
        ),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("::notice file=good.yaml,title=earmark check::2 combinations"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with(
            "::error file=bad.yaml,line=9,col=1,title=a%2Cb%3A %250A %3A%3Aerror%3A%3Ax::unknown key"
        ),
        "{}",
        lines[2]
    );
}
