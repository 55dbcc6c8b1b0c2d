//! Site files: what is wrong with one is told at its place.

use super::{example, matrix};
use crate::support::{Place, project};

#[test]
fn mistakes_in_a_site_file_are_told_kindly() {
    let place = Place::new();
    place.write("m.yaml", &matrix("none"));
    let cases = [
        (
            "an unknown key of a requirement",
            "version: 1\nschedulers:\n  github:\n    labels:\n      \"speed:high\": [fast]\n",
        ),
        (
            "a requirement without a key",
            "version: 1\nschedulers:\n  ssh:\n    labels:\n      fast: [host]\n",
        ),
        (
            "two systems at once",
            "version: 1\nschedulers:\n  nomad:\n    labels:\n      \"os:linux,os:macos\": {meta.a: b}\n",
        ),
        (
            "nothing that is required",
            "version: 1\nschedulers:\n  github:\n    labels:\n      none: [ubuntu-24.04]\n",
        ),
        (
            "the same requirements twice",
            "version: 1\nschedulers:\n  slurm:\n    labels:\n      \"os:linux,gpu:cuda\": {constraint: a}\n      \"gpu:cuda, os:linux\": {constraint: b}\n",
        ),
        ("another version", "version: 2\nschedulers: {}\n"),
        ("no version", "schedulers: {}\n"),
        (
            "a program that is no absolute path",
            "version: 1\nschedulers: {slurm: {program: bin/earmark}}\n",
        ),
        (
            "a time without a unit",
            "version: 1\nschedulers: {slurm: {shard-time: 10}}\n",
        ),
        (
            "no time at all",
            "version: 1\nschedulers: {slurm: {poll: 0s}}\n",
        ),
        (
            "an unknown scheduler",
            "version: 1\nschedulers: {lsf: {}}\n",
        ),
        (
            "an unknown key",
            "version: 1\nschedulers: {kubernetes: {imgae: x}}\n",
        ),
        (
            "a word where a list should stand",
            "version: 1\nschedulers:\n  github:\n    labels:\n      \"os:linux\": ubuntu-24.04\n",
        ),
        (
            "what would land anywhere",
            "version: 1\nschedulers:\n  slurm:\n    labels:\n      \"label:a\": {}\n      \"label:b\": {constraint: \"\"}\n",
        ),
        (
            "what a site does not say",
            "version: 1\nschedulers:\n  slurm:\n    base: [--qos=night, --array=1-3]\n    labels:\n      \"label:a\": {args: [--wrap=true]}\n",
        ),
        ("no YAML", "version: [1\n"),
        (
            "several at once",
            "version: 1\nschedulers:\n  slurm: {program: earmark, longest: 1}\n  github:\n    labels:\n      \"os:beos\": [x]\n      \"memory:16\": [y]\n",
        ),
    ];
    let mut told = String::new();
    for (case, text) in cases {
        place.write("site.yaml", text);
        let ran = place
            .run(&[
                "plan",
                "m.yaml",
                "--site",
                "site.yaml",
                "--format",
                "github",
            ])
            .expect_status(2);
        assert_eq!(ran.stdout, "", "{case}");
        assert!(
            ran.stderr.contains("help: "),
            "{case} says no remedy: {}",
            ran.stderr
        );
        told.push_str(&format!("── {case}\n{}\n", ran.stderr));
    }
    insta::assert_snapshot!(told);
    let ran = place
        .run(&[
            "plan",
            "m.yaml",
            "--site",
            "nosuch.yaml",
            "--format",
            "github",
        ])
        .expect_status(2);
    assert!(ran.stderr.contains("nosuch.yaml"), "{}", ran.stderr);
}

#[test]
fn the_example_has_words_for_all_that_it_says_and_fits_the_schema() {
    let place = Place::new();
    place.write("site.yaml", &example());
    let value = crate::support::invalid::as_json(&example()).unwrap();
    let validator = crate::support::invalid::validator("site");
    let problems: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    let schedulers = value["schedulers"].as_object().unwrap();
    let properties = std::fs::read_to_string(project().join("schemas/site.json")).unwrap();
    for scheduler in ["slurm", "github", "kubernetes", "buildkite", "nomad", "ssh"] {
        assert!(
            schedulers.contains_key(scheduler),
            "{scheduler} has no example"
        );
        assert!(properties.contains(&format!("\"{scheduler}\"")));
    }
    for (format, requires) in [
        (
            "github",
            "[none, \"os:linux\", \"os:macos\", \"os:linux,gpu:cuda\", \"label:bench\"]",
        ),
        (
            "kubernetes",
            "[none, \"os:linux\", \"gpu:cuda\", \"label:bench\", \"memory:64GiB\"]",
        ),
        (
            "buildkite",
            "[none, \"os:linux\", \"os:macos\", \"gpu:cuda\", \"label:bench\"]",
        ),
        (
            "nomad",
            "[none, \"os:linux\", \"os:macos,gpu:cuda\", \"label:bench\", \"memory:64GiB\"]",
        ),
        (
            "ssh",
            "[none, \"os:linux,gpu:cuda\", \"os:macos\", \"label:bench\"]",
        ),
    ] {
        super::write_plan(&place, format, &matrix(requires));
        let plan = format!("{format}/plan.json");
        place
            .run(&["plan", &plan, "--site", "site.yaml", "--format", format])
            .expect_status(0);
    }
    // Hosts that have the one and hosts that have the other, and none that has both.
    super::write_plan(&place, "p", &matrix("\"gpu:cuda,label:bench\""));
    let ran = place
        .run(&[
            "plan",
            "p/plan.json",
            "--site",
            "site.yaml",
            "--format",
            "ssh",
        ])
        .expect_status(2);
    assert!(ran.stderr.contains("no host has all of"), "{}", ran.stderr);
}
