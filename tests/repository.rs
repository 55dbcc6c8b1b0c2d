//! What other repositories use of this one: the hooks for pre-commit and the action for GitHub.
//!
//! Neither pre-commit nor GitHub runs here. The files are held against their published shape, every
//! command line in them against this program, and the action's main script is run in a repository
//! of its own as GitHub would run it. That the action works on GitHub is not shown by this.

use crate::support::{Place, fake_matrix, program, project};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn yaml(file: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(project().join(file)).unwrap()).unwrap()
}

/// Returns the scripts of the action's steps by their names.
fn scripts() -> Vec<(String, String)> {
    yaml("action.yml")["runs"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| {
            let script = step["run"].as_str()?;
            Some((step["name"].as_str().unwrap().into(), script.into()))
        })
        .collect()
}

fn accepts(arguments: &[String]) {
    let all = std::iter::once("earmark".to_owned()).chain(arguments.iter().cloned());
    let read = earmark::cli::command().try_get_matches_from(all);
    assert!(read.is_ok(), "{arguments:?}: {}", read.unwrap_err());
}

#[test]
fn the_hooks_are_what_pre_commit_reads() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let known = [
        "id",
        "name",
        "description",
        "entry",
        "language",
        "files",
        "exclude",
        "types",
    ];
    let mut ids = Vec::new();
    for hook in hooks.as_array().unwrap() {
        for key in ["id", "name", "entry", "language", "files"] {
            assert!(hook[key].is_string(), "a hook needs `{key}`");
        }
        for key in hook.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "pre-commit has no `{key}`");
        }
        assert!(["system", "rust"].contains(&hook["language"].as_str().unwrap()));
        let mut words: Vec<String> = hook["entry"]
            .as_str()
            .unwrap()
            .split(' ')
            .map(str::to_owned)
            .collect();
        assert_eq!(words.remove(0), "earmark");
        // pre-commit appends the files that changed.
        words.extend(["matrices/a.yaml".into(), "matrices/b.yaml".into()]);
        accepts(&words);
        ids.push(hook["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids, ["earmark-check", "earmark-check-built"]);
}

#[test]
fn the_action_has_the_shape_of_a_composite_action() {
    let action = yaml("action.yml");
    for key in ["name", "description", "author"] {
        assert!(action[key].is_string(), "an action needs `{key}`");
    }
    assert_eq!(action["runs"]["using"], "composite");
    for (name, input) in action["inputs"].as_object().unwrap() {
        assert!(
            input["description"].is_string(),
            "`{name}` is not described"
        );
        assert!(input["default"].is_string(), "`{name}` has no default");
    }
    for output in action["outputs"].as_object().unwrap().values() {
        assert!(output["description"].is_string() && output["value"].is_string());
    }
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(step["name"].is_string());
        assert!(step["run"].is_string() != step["uses"].is_string());
        if step["run"].is_string() {
            assert_eq!(
                step["shell"], "bash",
                "a step of a composite action names its shell"
            );
        }
    }
    // A workflow that hands its secrets to what strangers wrote is never needed.
    let text = fs::read_to_string(project().join("action.yml")).unwrap();
    assert!(!text.contains("secrets."));
}

#[test]
fn the_action_s_scripts_can_be_read_and_hold_nothing_that_people_write() {
    let place = Place::new();
    for (name, script) in scripts() {
        assert!(
            !script.contains("${{"),
            "{name} pastes a value into its script"
        );
        let file = place.write("step.sh", &script);
        let read = Command::new("bash")
            .args(["-n", &file])
            .current_dir(place.path())
            .output()
            .unwrap();
        assert!(
            read.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
}

#[test]
fn every_command_line_of_the_action_is_one_of_this_program() {
    let mut count = 0;
    for (_, script) in scripts() {
        for call in script.split("\"$earmark\" ").skip(1) {
            let end = call.find([';', '>', '\n', '|']).unwrap_or(call.len());
            let mut words = Vec::new();
            for word in call[..end].split_whitespace().filter(|word| *word != "2") {
                let word = word.trim_matches('"');
                words.push(match word {
                    "${strict[@]}" => "--strict".to_owned(),
                    "${files[@]}" | "$file" | "$before/$file" => "a.yaml".to_owned(),
                    word => {
                        assert!(!word.contains('$'), "{word} in {call}");
                        word.to_owned()
                    }
                });
            }
            accepts(&words);
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
}

/// A repository with a base and a head, as a pull request has them.
struct PullRequest {
    place: Place,
    base: String,
}

impl PullRequest {
    fn new(before: &[(&str, &str)], after: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let checkout = place.path().join("checkout");
        fs::create_dir_all(&checkout).unwrap();
        git(&checkout, &["init", "--quiet"]);
        let commit = |files: &[(&str, &str)]| {
            for (name, text) in files {
                place.write(&format!("checkout/{name}"), text);
            }
            git(&checkout, &["add", "."]);
            git(&checkout, &["commit", "--quiet", "--message", "x"]);
            git(&checkout, &["rev-parse", "HEAD"])
        };
        let base = commit(before);
        commit(after);
        // What the action fetches from.
        git(&checkout, &["remote", "add", "origin", "."]);
        git(
            &checkout,
            &["config", "uploadpack.allowAnySHA1InWant", "true"],
        );
        Self { place, base }
    }

    /// Runs the script that checks and plans.
    fn run(&self, base: &str, matrices: &str) -> Output {
        let script = scripts()
            .into_iter()
            .find(|(name, _)| name == "Check and plan")
            .unwrap()
            .1;
        for file in ["output", "summary"] {
            self.place.write(file, "");
        }
        fs::create_dir_all(self.place.path().join("temp")).unwrap();
        self.place.write("step.sh", &script);
        let path = |name: &str| self.place.path().join(name);
        Command::new("bash")
            .arg(path("step.sh"))
            .current_dir(path("checkout"))
            .env("EARMARK", program())
            .env("EARMARK_HOME", self.place.store())
            .env("MATRICES", matrices)
            .env("STRICT", "false")
            .env("BASE", base)
            .env("RUNNER_TEMP", path("temp"))
            .env("GITHUB_OUTPUT", path("output"))
            .env("GITHUB_STEP_SUMMARY", path("summary"))
            .output()
            .unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.place.path().join(name)).unwrap()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim_end().into()
}

#[test]
fn a_pull_request_is_told_what_its_change_does_and_nothing_of_it_runs() {
    // A recipe and a backend that would leave a trace, and files in which nothing changes.
    let hostile = "recipes: {r: {command: [touch, RAN], produces: {own: [ggml-f16]}}}
backends: {b: {command: [touch, RAN], version: [touch, RAN], output: text}}
models: {own: {size: tiny, artifacts: {ggml-f16: {files: {m.bin: {bytes: 3}}, sources: [{recipe: r}]}}}}
audio: {mine: {file: a.wav}}";
    let same = fake_matrix("", hostile)
        .replace("[tiny.en]", "[tiny.en, own]")
        .replace("[fake]", "[fake, whisper-cpp]")
        .replace("[jfk]", "[jfk, mine]");
    let old = fake_matrix("", "");
    let new = fake_matrix("  beam-size: [1, 2]", "");
    let request = PullRequest::new(
        &[
            ("matrices/a.yaml", &old),
            ("matrices/same.yaml", &same),
            ("matrices/a.wav", "x"),
        ],
        &[
            ("matrices/a.yaml", &new),
            ("matrices/new $(touch RAN).yaml", &old),
            ("matrices/a.lock.yaml", "- no matrix"),
        ],
    );
    let ran = request.run(&request.base, "matrices/*.yaml\n\nnosuch/*.yaml\n");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stderr}");
    assert_eq!(request.read("output"), "changed=true\n");
    let summary = request.read("summary");
    assert!(
        summary.contains("### What changes in the plan of"),
        "{summary}"
    );
    assert!(summary.contains("Combinations added: 2"), "{summary}");
    assert!(summary.contains("### Plan of"), "{summary}");
    assert_eq!(summary.matches("### ").count(), 2, "{summary}");
    assert!(!request.place.path().join("checkout/RAN").exists());
    assert!(!request.place.path().join("checkout/matrices/RAN").exists());
    assert!(!request.place.store().exists());
    // A second push to the same pull request.
    assert!(
        request
            .run(&request.base, "matrices/*.yaml")
            .status
            .success()
    );
}

#[test]
fn the_action_fails_on_mistakes_and_is_calm_where_nothing_changes() {
    let good = fake_matrix("", "");
    let bad = fake_matrix("", "setings: {}");
    let request = PullRequest::new(
        &[("matrices/a.yaml", &good), ("matrices/b.yaml", &good)],
        &[("matrices/b.yaml", &bad)],
    );
    let ran = request.run(&request.base, "matrices/*.yaml");
    assert_eq!(ran.status.code(), Some(2));
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(
        told.contains("::error file=matrices/b.yaml,line="),
        "{told}"
    );
    assert_eq!(request.read("summary"), "No matrix changes what it does.\n");
    assert_eq!(request.read("output"), "changed=false\n");
    // Outside pull requests the plans are shown.
    let ran = request.run("", "matrices/a.yaml");
    assert!(ran.status.success());
    assert!(request.read("summary").contains("### Plan of `test`"));
    assert_eq!(request.read("output"), "");
    // An input that names no file is a mistake of the workflow.
    assert_eq!(request.run("", "nosuch.yaml").status.code(), Some(1));
}
