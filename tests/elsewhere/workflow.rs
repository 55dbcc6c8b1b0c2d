//! The reusable workflow, its steps carried out as GitHub would: each job on a machine of its own, artifacts
//! whose names are given once, and a stand-in for `gh`. That it works on GitHub is not shown by this.

use super::{Rows, hosts, matrix, rows, stand_in};
use crate::support::{Place, Ran, program, project};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A stand-in for `gh run download`: artifacts lie in a folder; by name their content is put where it is
/// asked for, by pattern each in a folder of its own.
const GH: &str = "#!/bin/sh
[ \"$1 $2 $3\" = 'run download 42' ] || exit 9
[ \"$GH_TOKEN\" = token ] || exit 8
mkdir -p \"$7\"
case $4 in
--name) cp -R \"$ARTIFACTS/$5/.\" \"$7\" ;;
--pattern)
    found=1
    for artifact in \"$ARTIFACTS\"/*; do
        case ${artifact##*/} in
        $5) cp -R \"$artifact\" \"$7\"; found=0 ;;
        esac
    done
    exit $found ;;
*) exit 7 ;;
esac
";

struct Forge {
    place: Place,
    workflow: Value,
    inputs: Vec<(&'static str, &'static str)>,
}

/// The machine of one job.
struct Machine {
    folder: PathBuf,
    workspace: PathBuf,
}

/// What a job came to.
#[derive(Default)]
struct Done {
    status: i32,
    outputs: BTreeMap<String, String>,
    stderr: String,
    summary: String,
}

impl Forge {
    fn new(matrix: &str, inputs: &[(&'static str, &'static str)]) -> Self {
        let place = Place::new();
        place.write("repository/bench/m.yaml", matrix);
        place.write("repository/bench/site.yaml", &super::example());
        place.write("artifacts/x", "");
        fs::remove_file(place.path().join("artifacts/x")).unwrap();
        stand_in(&place, "bin/gh", GH);
        let path = project().join(".github/workflows/sharded.yml");
        Self {
            workflow: serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap(),
            place,
            inputs: inputs.to_vec(),
        }
    }

    /// Fills in what stands between `${{` and `}}`.
    fn fill(&self, text: &str, known: &BTreeMap<String, String>) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").unwrap();
            let expression = expression.trim();
            let value = known.get(expression).map_or_else(
                || {
                    let name = expression.strip_prefix("inputs.");
                    let name = name.unwrap_or_else(|| panic!("nothing is known of {expression}"));
                    let input = self.inputs.iter().find(|(known, _)| *known == name);
                    input.map_or("", |(_, value)| value)
                },
                String::as_str,
            );
            filled.push_str(before);
            filled.push_str(value);
            rest = after;
        }
        filled + rest
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Makes the machine of a job: checkouts and what was built are there.
    fn machine(&self, name: &str) -> Machine {
        let folder = self.at(&format!("machines/{name}"));
        let workspace = folder.join("workspace");
        for checkout in ["", "earmark"] {
            let target = workspace.join(checkout).join("target/release");
            fs::create_dir_all(&target).unwrap();
            symlink(program(), target.join("earmark")).unwrap();
            let scripts = workspace.join(checkout).join("cluster");
            symlink(project().join("cluster"), scripts).unwrap();
        }
        symlink(self.at("repository"), workspace.join("work")).unwrap();
        fs::create_dir_all(folder.join("temp")).unwrap();
        Machine { folder, workspace }
    }

    /// Carries out a job on a machine of its own.
    fn job(&self, name: &str, host: &str, attempt: u32, more: &[(&str, &str)]) -> Done {
        let machine = self.machine(&format!("{name}-{host}-{attempt}"));
        let show = |path: &Path| path.display().to_string();
        let mut known: BTreeMap<String, String> = [
            ("github.workspace", show(&machine.workspace)),
            ("runner.temp", show(&machine.folder.join("temp"))),
            ("github.run_attempt", attempt.to_string()),
            ("github.run_id", "42".into()),
            ("github.token", "token".into()),
            ("github.repository", "o/r".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let more = more.iter();
        known.extend(more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let job = &self.workflow["jobs"][name];
        let mut done = Done::default();
        for step in job["steps"].as_array().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            if done.status != 0 && step["if"] != "always()" {
                continue;
            }
            if uses.contains("/upload-artifact@") {
                self.upload(&step["with"], &known);
            } else if uses.is_empty() && !step["name"].as_str().unwrap().starts_with("Build") {
                self.step(step, host, &machine, &mut known, &mut done);
            }
        }
        for (name, value) in job["outputs"].as_object().into_iter().flatten() {
            let value = self.fill(value.as_str().unwrap(), &known);
            done.outputs.insert(name.clone(), value);
        }
        done
    }

    /// Keeps an artifact. Its name is given once, and is one that GitHub takes.
    fn upload(&self, with: &Value, known: &BTreeMap<String, String>) {
        let filled = |key: &str| self.fill(with[key].as_str().unwrap(), known);
        let (name, path) = (filled("name"), filled("path"));
        assert!(!name.contains(['"', ':', '<', '>', '|', '*', '?', '\\', '/', '\n']));
        let artifact = self.at("artifacts").join(&name);
        assert!(!artifact.exists(), "the name {name} is given twice");
        if Path::new(&path).exists() {
            let copied = Command::new("cp")
                .arg("-R")
                .args([&path])
                .arg(&artifact)
                .status();
            assert!(copied.unwrap().success());
        }
    }

    /// Carries out the script of a step.
    fn step(
        &self,
        step: &Value,
        host: &str,
        machine: &Machine,
        known: &mut BTreeMap<String, String>,
        done: &mut Done,
    ) {
        let output = machine.folder.join("output");
        let summary = machine.folder.join("summary");
        let path = std::env::var("PATH").unwrap();
        let below = step["working-directory"].as_str().unwrap_or_default();
        let mut command = Command::new("bash");
        command
            .args(["-e", "-c", step["run"].as_str().unwrap()])
            .current_dir(machine.workspace.join(below))
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .env("ARTIFACTS", self.at("artifacts"))
            .env("EARMARK_HOME", self.at("home"))
            .env("HF_HOME", self.at("home/huggingface"))
            .env("EARMARK_MACHINE", host)
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary);
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, self.fill(value.as_str().unwrap(), known));
        }
        if let Some(limit) = step["timeout-minutes"].as_str() {
            let minutes: u64 = self.fill(limit, known).parse().unwrap();
            assert!((1..=360).contains(&minutes));
        }
        let ran = Ran::from(command.output().unwrap());
        done.stderr.push_str(&ran.stderr);
        done.status = done.status.max(ran.status);
        for line in fs::read_to_string(&output).unwrap_or_default().lines() {
            let (name, value) = line.split_once('=').unwrap();
            if let Some(id) = step["id"].as_str() {
                known.insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
            }
        }
        done.summary = fs::read_to_string(&summary).unwrap_or_default();
    }

    fn plan(&self) -> (Vec<Value>, String) {
        let done = self.job("plan", "runner", 1, &[]);
        assert_eq!(done.status, 0, "{}", done.stderr);
        let parts: Value = serde_json::from_str(&done.outputs["parts"]).unwrap();
        let parts = parts["include"].as_array().unwrap().clone();
        (parts, done.outputs["artifact"].clone())
    }

    fn measure(&self, part: &Value, plan: &str, machine: &str, attempt: u32) -> Done {
        let text = |name: &str| match &part[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let values = ["name", "shard", "requires", "minutes"]
            .map(|name| (format!("matrix.{name}"), text(name)));
        let mut more: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        more.push(("needs.plan.outputs.artifact", plan));
        self.job("measure", machine, attempt, &more)
    }

    fn merge(&self, attempt: u32) -> Done {
        self.job("merge", "runner", attempt, &[])
    }

    /// Returns the rows of a report, and of all of it done in one run.
    fn rows(&self, attempt: u32) -> [Rows; 2] {
        if !self.place.path().join("whole").exists() {
            self.place.run(&[
                "run",
                "artifacts/plan-1/plan.json",
                "--out",
                "whole",
                "--no-history",
            ]);
        }
        [
            rows(&self.place, &format!("artifacts/report-{attempt}")),
            rows(&self.place, "whole"),
        ]
    }
}

const INPUTS: [(&str, &str); 4] = [
    ("matrix", "bench/m.yaml"),
    ("site", "bench/site.yaml"),
    ("shards", "3"),
    ("locked", "false"),
];

#[test]
fn parts_on_two_machines_are_one_report_and_a_lost_one_is_run_again() {
    let forge = Forge::new(&matrix("[\"os:linux\", \"label:bench\"]"), &INPUTS);
    let (parts, plan) = forge.plan();
    assert_eq!(parts.len(), 3);
    for (part, machine) in parts[..2].iter().zip(["one", "two"]) {
        let done = forge.measure(part, &plan, machine, 1);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
    // The runner of the third was lost. What is there is reported, and what is missing fails the job.
    let done = forge.merge(1);
    assert_eq!(done.status, 3, "{}", done.stderr);
    assert!(done.summary.contains("# "), "{}", done.summary);
    let [partial, whole] = forge.rows(1);
    assert!(!partial.is_empty() && partial != whole);
    // Run again, with one that had ended: of that nothing is left to do.
    for (part, machine) in parts[1..].iter().zip(["three", "four"]) {
        let done = forge.measure(part, &plan, machine, 2);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
    let name = parts[1]["name"].as_str().unwrap();
    let again = format!("artifacts/{name}.attempt-2/journal.jsonl");
    let journal = fs::read_to_string(forge.place.path().join(again)).unwrap();
    assert!(!journal.contains("attempt-started"), "{journal}");
    let done = forge.merge(2);
    assert_eq!(done.status, 0, "{}", done.stderr);
    let [all, whole] = forge.rows(2);
    assert_eq!(all, whole);
    for file in ["report.html", "report.md", "junit.xml", "results.csv"] {
        assert!(
            forge
                .place
                .path()
                .join("artifacts/report-2")
                .join(file)
                .exists(),
            "{file}"
        );
    }
    let machines = hosts(&forge.place, "artifacts/report-2");
    for machine in ["one", "two", "four"] {
        assert!(machines.contains(machine), "{machines:?}");
    }
}

#[test]
fn a_failed_benchmark_is_a_result_of_its_part_and_fails_the_report() {
    let text = matrix("none").replace("fake-seconds: 0", "fake-seconds: 0, fake-fault: fail-trial");
    let forge = Forge::new(&text, &[("matrix", "bench/m.yaml"), ("shards", "2")]);
    let (parts, plan) = forge.plan();
    for (part, machine) in parts.iter().zip(["one", "two"]) {
        let done = forge.measure(part, &plan, machine, 1);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
    let done = forge.merge(1);
    assert_eq!(done.status, 3, "{}", done.stderr);
    let [all, whole] = forge.rows(1);
    assert_eq!(all, whole);
    assert!(
        all.values().all(|(status, _)| status == "failed"),
        "{all:?}"
    );
}

#[test]
fn what_is_not_locked_is_refused_before_anything_is_measured() {
    let forge = Forge::new(
        &matrix("none"),
        &[
            ("matrix", "bench/m.yaml"),
            ("shards", "2"),
            ("locked", "true"),
        ],
    );
    let done = forge.job("plan", "runner", 1, &[("steps.plan.outputs.parts", "")]);
    assert_eq!(done.status, 2, "{}", done.stderr);
    forge
        .place
        .run(&["lock", "repository/bench/m.yaml"])
        .expect_status(0);
    fs::remove_dir_all(forge.place.path().join("machines")).unwrap();
    assert_eq!(forge.plan().0.len(), 2);
}

#[test]
fn the_workflow_gives_no_job_more_than_it_needs() {
    let forge = Forge::new("", &[]);
    assert_eq!(forge.workflow["permissions"], serde_json::json!({}));
    for (name, job) in forge.workflow["jobs"].as_object().unwrap() {
        let rights = job["permissions"].as_object().unwrap();
        assert!(rights.values().all(|right| right == "read"), "{name}");
        for step in job["steps"].as_array().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            if uses.contains("/checkout@") {
                assert_eq!(step["with"]["persist-credentials"], false);
            }
            // The token is known to nothing but what takes artifacts.
            if step.to_string().contains("github.token") {
                let script = step["run"].as_str().unwrap();
                assert!(
                    !script.contains("earmark") && !script.contains("cluster/"),
                    "{script}"
                );
            }
        }
    }
    assert_eq!(
        forge.workflow["jobs"]["measure"]["strategy"]["fail-fast"],
        false
    );
}
