//! Every command of the README is run as it stands there.

use crate::support::project;
use std::fs;
use std::process::Command;

/// Returns the lines of all blocks that are marked as shell.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    readme
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_commands_of_the_readme_work() {
    let blocks = commands();
    assert!(!blocks.is_empty());
    for block in blocks {
        // Running the tests within the tests would not end: that the target exists is enough.
        let block = block.replace("make test", "make --dry-run test");
        let place = tempfile::tempdir().unwrap();
        let output = Command::new("sh")
            .args(["-euc", &format!("cd {}\n{block}", project().display())])
            .env("EARMARK_RUNS", place.path())
            .env(
                "EARMARK_HOME",
                concat!(env!("CARGO_TARGET_TMPDIR"), "/earmark-home"),
            )
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{block}\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn the_matrices_of_the_readme_are_sound() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let place = crate::support::Place::new();
    place.write("clips/a.flac", "");
    place.write("weights/ggml-my-model.bin", "");
    let mut count = 0;
    for block in readme.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        // The others are configurations of other programs.
        if !block.starts_with("version:") {
            continue;
        }
        place.write("m.yaml", block);
        place.run(&["check", "--strict", "m.yaml"]).expect_status(0);
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn the_readme_names_only_files_that_are_there() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    for link in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        if link.contains("://") || link.starts_with('#') {
            continue;
        }
        let (file, section) = link.split_once('#').unwrap_or((link, ""));
        let path = project().join(file);
        assert!(
            path.exists(),
            "README.md links to {link}, which is not there"
        );
        if !section.is_empty() {
            let page = fs::read_to_string(&path).unwrap();
            assert!(
                page.lines()
                    .any(|line| anchor(line) == Some(section.to_owned())),
                "README.md links to {link}, and {file} has no such section"
            );
        }
    }
}

/// Returns the name under which a heading can be linked to, as GitHub makes it.
fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#');
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    Some(
        kept.chars()
            .filter(|letter| letter.is_alphanumeric() || *letter == '-')
            .collect(),
    )
}
