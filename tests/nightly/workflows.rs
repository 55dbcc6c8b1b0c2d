//! The workflows, the units and the crontab: held against what reads them.

use crate::support::{Place, project};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn workflows() -> Vec<(PathBuf, String)> {
    let mut found: Vec<(PathBuf, String)> = fs::read_dir(project().join(".github/workflows"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    found.sort();
    assert!(found.len() >= 5);
    found
}

fn jobs(text: &str) -> Vec<(String, Value)> {
    let workflow: Value = serde_yaml::from_str(text).unwrap();
    let jobs = workflow["jobs"].as_object().unwrap().clone();
    jobs.into_iter().collect()
}

fn steps(text: &str) -> Vec<Value> {
    jobs(text)
        .iter()
        .flat_map(|(_, job)| job["steps"].as_array().unwrap().clone())
        .collect()
}

/// Returns a program that holds workflows against the published schema, installed once, by digests.
pub fn schema_checker() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check-jsonschema");
    let checker = folder.join("bin/check-jsonschema");
    let lock = fs::File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("made").exists() {
        let run = |command: &mut Command| {
            let output = command.output().unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder));
        run(Command::new(folder.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--only-binary",
                ":all:",
            ])
            .arg("--requirement")
            .arg(project().join("tests/nightly/requirements.txt")));
        fs::write(folder.join("made"), "").unwrap();
    }
    checker
}

#[test]
fn the_workflows_are_what_github_reads() {
    // The schema comes along with the package; nothing is fetched.
    let mut command = Command::new(schema_checker());
    command.args(["--builtin-schema", "vendor.github-workflows"]);
    command.args(workflows().iter().map(|(path, _)| path));
    let checked = command.output().unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

#[test]
fn actions_are_pinned_to_commits_with_their_versions() {
    for (path, text) in workflows() {
        for line in text.lines().filter(|line| line.contains("uses:")) {
            let (action, version) = line
                .split_once("uses: ")
                .and_then(|(_, rest)| rest.split_once(" # v"))
                .unwrap_or_else(|| panic!("{}: {line}", path.display()));
            let (name, commit) = action.split_once('@').unwrap();
            assert!(name.starts_with("actions/"), "{line}");
            assert!(
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{line}"
            );
            assert_eq!(version.split('.').count(), 3, "{line}");
        }
    }
}

#[test]
fn what_people_write_reaches_no_script_and_what_measures_has_no_secret() {
    let place = Place::new();
    for (path, text) in workflows() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!text.contains("secrets."), "{name}");
        assert!(!text.contains("pull_request_target"), "{name}");
        for step in steps(&text) {
            let Some(script) = step["run"].as_str() else {
                continue;
            };
            assert!(
                !script.contains("${{"),
                "{name} pastes a value into a script: {script}"
            );
            let file = place.write("step.sh", script);
            let read = Command::new("bash")
                .args(["-n", &file])
                .current_dir(place.path())
                .status();
            assert!(read.unwrap().success(), "{name}: {script}");
            // Whatever of ours it starts is there, and can be started.
            for word in script
                .split_whitespace()
                .map(|word| word.trim_start_matches("\"$SCRIPTS\"/").trim_matches('"'))
                .filter(|word| word.starts_with("nightly/") || word.starts_with("cluster/"))
            {
                let path = project().join(word);
                let mode = std::os::unix::fs::PermissionsExt::mode(
                    &path.metadata().unwrap().permissions(),
                );
                assert!(mode & 0o111 != 0, "{word}");
            }
        }
        // Rights are given job by job, or there are only those to read.
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        let all = workflow["permissions"].as_object().unwrap();
        assert!(all.values().all(|right| right == "read"), "{name}");
    }
    let text = |wanted: &str| {
        let found = workflows()
            .into_iter()
            .find(|(path, _)| path.ends_with(wanted));
        found.unwrap().1
    };
    // What runs a stranger's program can read, and nothing else, and no step of it knows a token.
    let compare = text("compare.yml");
    assert!(!compare.contains("token"), "{compare}");
    assert!(
        jobs(&compare)
            .iter()
            .all(|(_, job)| job["permissions"].is_null())
    );
    for step in steps(&compare) {
        if step["uses"]
            .as_str()
            .is_some_and(|uses| uses.contains("checkout"))
        {
            assert_eq!(step["with"]["persist-credentials"], false);
        }
    }
    // What can comment runs nothing of a stranger's: it checks out the default branch.
    let comment = text("comment.yml");
    for step in steps(&comment) {
        assert!(step["with"]["ref"].is_null(), "{step}");
    }
    // What measures at night can only read.
    let nightly = text("nightly.yml");
    for (name, job) in jobs(&nightly) {
        let rights = job["permissions"].as_object().unwrap();
        if name == "measure" {
            assert!(rights.values().all(|right| right == "read"));
        }
        let measures = job["steps"].as_array().unwrap().iter().any(|step| {
            step["run"]
                .as_str()
                .is_some_and(|run| run.contains("cargo") || run.contains("night.sh"))
        });
        assert!(!measures || name == "measure", "{name}");
    }
}

#[test]
fn the_units_are_what_systemd_reads() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        eprintln!("skipped: there is no systemd-analyze");
        return;
    };
    assert!(version.status.success());
    let place = Place::new();
    let folder = project().join("nightly/systemd");
    for name in ["earmark-nightly.service", "earmark-nightly.timer"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        // What it starts is installed where no test may write.
        let installed = project().join("nightly/night.sh").display().to_string();
        place.write(
            name,
            &text.replace("/usr/local/lib/earmark/night.sh", &installed),
        );
    }
    let checked = Command::new("systemd-analyze")
        .args([
            "verify",
            "--man=no",
            "./earmark-nightly.service",
            "./earmark-nightly.timer",
        ])
        .current_dir(place.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&checked.stderr);
    // It tells of keys that it does not know, and of nothing else of ours.
    let ours: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("earmark-nightly"))
        .collect();
    assert!(checked.status.success() && ours.is_empty(), "{told}");
}

#[test]
fn the_line_for_cron_has_five_times_and_starts_the_night() {
    let text = fs::read_to_string(project().join("nightly/crontab")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let [line] = lines.as_slice() else {
        panic!("{text}");
    };
    let fields: Vec<&str> = line.splitn(6, ' ').collect();
    assert!(
        fields[..5].iter().all(|field| field
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '*')),
        "{line}"
    );
    // A percent sign means a line feed to cron.
    assert!(!line.contains('%'));
    let place = Place::new();
    place.write(
        "earmark/nightly/night.sh",
        "#!/bin/sh\necho \"$NIGHTS $MATRIX $EARMARK\" > \"$HOME/started\"\n",
    );
    super::executable(&place.path().join("earmark/nightly/night.sh"));
    let started = Command::new("sh")
        .args(["-c", fields[5]])
        .env("HOME", place.path())
        .status()
        .unwrap();
    if Command::new("flock").arg("--version").output().is_err() {
        eprintln!("skipped: there is no flock");
        return;
    }
    assert!(started.success());
    let home = place.path().display();
    assert_eq!(
        fs::read_to_string(place.path().join("started")).unwrap(),
        format!("{home}/nights {home}/earmark/matrices/nightly.yaml {home}/.cargo/bin/earmark\n")
    );
}

#[test]
fn the_commands_of_its_page_work() {
    let page = fs::read_to_string(project().join("nightly/README.md")).unwrap();
    let blocks: Vec<&str> = page
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(!blocks.is_empty());
    let place = Place::new();
    for block in blocks {
        let block = block.replace("./target/release/earmark", crate::support::program());
        let output = Command::new("sh")
            .args(["-euc", &format!("cd {}\n{block}", project().display())])
            .env("EARMARK_HOME", place.path().join("home"))
            .env("HF_HOME", place.path().join("huggingface"))
            .env("TMPDIR", place.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{block}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for link in page.split("](").skip(1) {
        let link = link.split(')').next().unwrap();
        // Sections are headings of the page that is linked to.
        let (file, section) = link.split_once('#').unwrap_or((link, ""));
        let path = project().join("nightly").join(file);
        assert!(path.exists(), "{link}");
        let text = fs::read_to_string(path).unwrap_or_default();
        let heading = |line: &str| {
            let title = line.trim_start_matches('#').trim();
            title.to_lowercase().replace(' ', "-") == section
        };
        let is_there = section.is_empty()
            || text
                .lines()
                .any(|line| line.starts_with('#') && heading(line));
        assert!(is_there, "{link}");
    }
}
