//! What schedulers are handed, held against what reads it, and carried out as they would.

use super::{hosts, matrix, parts_in, rows, stand_in, write_plan};
use crate::nightly::schema_checker;
use crate::support::{Place, Ran, program, python};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What this machine has, or takes on trust.
const REQUIRES: &str = "[none, \"os:linux,label:bench\"]";

fn hand_out(place: &Place, format: &str) -> String {
    place
        .run(&[
            "plan",
            "p/plan.json",
            "--site",
            "site.yaml",
            "--format",
            format,
            "--shards",
            "3",
        ])
        .expect_status(0)
        .stdout
}

fn place() -> Place {
    let place = Place::new();
    write_plan(&place, "p", &matrix(REQUIRES));
    place
        .run(&["run", "p/plan.json", "--out", "whole", "--no-history"])
        .expect_status(0);
    std::os::unix::fs::symlink(program(), place.path().join("earmark")).unwrap();
    place
}

/// Returns a Python with what reads the languages of schedulers.
fn checkers() -> PathBuf {
    python::with_packages("handouts-1", "tests/elsewhere/requirements.txt")
}

/// Returns the documents of a YAML file.
fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n")
        .skip(1)
        .map(|document| serde_yaml::from_str(document).unwrap())
        .collect()
}

/// Carries out a script of one part, as a scheduler would, and returns the process.
fn start(
    place: &Place,
    folder: &str,
    script: &str,
    environment: &BTreeMap<String, String>,
) -> Command {
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .current_dir(place.path().join(folder))
        .env("PATH", format!("{}:{path}", place.path().display()))
        .env("HF_HOME", place.path().join("home/huggingface"))
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Merges the parts in a folder, which must be all, and the same as one run.
fn merged(place: &Place, parts: &str) {
    place
        .run(&[
            "merge",
            parts,
            "--out",
            "merged",
            "--replace",
            "--no-history",
        ])
        .expect_status(0);
    let reasons: Vec<String> = place
        .table("merged/jobs.csv")
        .iter()
        .map(|job| format!("{}: {} {}", job["job_id"], job["status"], job["reason"]))
        .collect();
    assert_eq!(
        rows(place, "merged"),
        rows(place, "whole"),
        "{}",
        reasons.join("\n")
    );
}

#[test]
fn jobs_of_kubernetes_are_what_it_reads() {
    let place = place();
    let text = hand_out(&place, "kubernetes");
    place.write("jobs.yaml", &text);
    let python = checkers();
    for version in ["1.33.0", "1.37.0"] {
        let checked = Command::new(python.with_file_name("kubernetes-validate"))
            .args(["--strict", "-k", version, "jobs.yaml"])
            .current_dir(place.path())
            .output()
            .unwrap();
        assert!(
            checked.status.success(),
            "{}{}",
            String::from_utf8_lossy(&checked.stdout),
            String::from_utf8_lossy(&checked.stderr)
        );
    }
    let jobs = documents(&text);
    assert_eq!(jobs.len(), 2);
    let completions = jobs
        .iter()
        .map(|job| job["spec"]["completions"].as_u64().unwrap());
    assert_eq!(completions.sum::<u64>(), 3);
    let selector = &jobs[1]["spec"]["template"]["spec"]["nodeSelector"];
    assert_eq!(selector["kubernetes.io/os"], "linux");
    assert_eq!(selector["example.org/bench"], "quiet");
    // Without an image or a claim there is nothing to start.
    place.write("site.yaml", "version: 1\nschedulers: {kubernetes: {labels: {\"os:linux\": {a: b}, \"label:bench\": {c: d}}}}\n");
    let ran = place
        .run(&[
            "plan",
            "p/plan.json",
            "--format",
            "kubernetes",
            "--site",
            "site.yaml",
        ])
        .expect_status(2);
    assert!(ran.stderr.contains("write `image: …`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("write `claim: …`"), "{}", ran.stderr);
}

#[test]
fn pods_of_one_index_never_write_one_folder() {
    let place = place();
    for job in documents(&hand_out(&place, "kubernetes")) {
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        let mut environment: BTreeMap<String, String> = BTreeMap::new();
        for variable in container["env"].as_array().unwrap() {
            if let Some(value) = variable["value"].as_str() {
                let name = variable["name"].as_str().unwrap().to_owned();
                environment.insert(name, value.replace("$$", "$"));
            }
        }
        let home = place.path().join("home").display().to_string();
        environment.insert("EARMARK_HOME".into(), home);
        let script = container["args"][0].as_str().unwrap();
        for index in 0..job["spec"]["completions"].as_u64().unwrap() {
            environment.insert("JOB_COMPLETION_INDEX".into(), index.to_string());
            // Two pods of one index at the same time.
            let pods: Vec<_> = ["node-1", "node-2"]
                .map(|node| {
                    start(&place, "p", script, &environment)
                        .env("EARMARK_MACHINE", node)
                        .spawn()
                        .unwrap()
                })
                .into();
            for pod in pods {
                let ran = Ran::from(pod.wait_with_output().unwrap());
                ran.expect_status(0);
            }
        }
    }
    let parts = parts_in(&place, "p");
    let count = std::fs::read_dir(place.path().join(&parts))
        .unwrap()
        .count();
    assert_eq!(count, 6, "a folder for each pod");
    merged(&place, &parts);
}

#[test]
fn a_pipeline_is_what_buildkite_reads_and_its_commands_work() {
    let place = place();
    let text = hand_out(&place, "buildkite");
    place.write("pipeline.yaml", &text);
    let checked = Command::new(schema_checker())
        .args(["--builtin-schema", "vendor.buildkite", "pipeline.yaml"])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
    let pipeline: Value = serde_yaml::from_str(&text).unwrap();
    let steps = pipeline["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4);
    assert_eq!(steps[1]["agents"]["queue"], "bench");
    assert_eq!(steps[1]["agents"]["os"], "linux");
    // An agent that keeps artifacts in a folder, and takes everything from there.
    place.write("artifacts/x", "");
    stand_in(
        &place,
        "buildkite-agent",
        "#!/bin/sh\n[ \"$1 $2\" = 'artifact download' ] || exit 9\ncp -R \"$STORE\"/. .\n",
    );
    let environment = |step: &Value, job: u64| {
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        let own = [&pipeline["env"], &step["env"]];
        for (name, value) in own.into_iter().filter_map(Value::as_object).flatten() {
            all.insert(name.clone(), value.as_str().unwrap().replace("$$", "$"));
        }
        all.insert("BUILDKITE_PARALLEL_JOB".into(), job.to_string());
        all.insert(
            "BUILDKITE_PARALLEL_JOB_COUNT".into(),
            step["parallelism"].to_string(),
        );
        all.insert("BUILDKITE_RETRY_COUNT".into(), "0".into());
        let path = |name: &str| place.path().join(name).display().to_string();
        all.insert("STORE".into(), path("artifacts"));
        all.insert("EARMARK_HOME".into(), path("home"));
        all
    };
    std::fs::copy(
        place.path().join("p/plan.json"),
        place.path().join("artifacts/plan.json"),
    )
    .unwrap();
    for step in &steps[..2] {
        let command = step["command"].as_str().unwrap().replace("$$", "$");
        for job in 0..step["parallelism"].as_u64().unwrap() {
            place.write("checkout/x", "");
            let ran = start(&place, "checkout", &command, &environment(step, job))
                .output()
                .unwrap();
            Ran::from(ran).expect_status(0);
            let copied = Command::new("cp")
                .args(["-R", "checkout/earmark-parts", "artifacts/"])
                .current_dir(place.path())
                .status();
            assert!(copied.unwrap().success());
            std::fs::remove_dir_all(place.path().join("checkout")).unwrap();
        }
    }
    place.write("checkout/x", "");
    let command = steps[3]["command"].as_str().unwrap().replace("$$", "$");
    let ran = start(&place, "checkout", &command, &environment(&steps[3], 0))
        .output()
        .unwrap();
    Ran::from(ran).expect_status(0);
    assert_eq!(
        rows(&place, "checkout/earmark-report"),
        rows(&place, "whole")
    );
}

/// Returns the words of HCL outside of texts, with `…` for each text. Panics where a text or a block does
/// not end.
pub fn blocks_of_hcl(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        let mut rest = line;
        if let Some((before, _)) = line.split_once("<<-END") {
            rest = before;
            assert!(
                lines.any(|line| line.trim() == "END"),
                "a text without an end"
            );
        }
        let mut outside = String::new();
        let mut letters = rest.chars();
        while let Some(letter) = letters.next() {
            if letter != '"' {
                outside.push(letter);
                continue;
            }
            loop {
                match letters.next().expect("a text ends in its line") {
                    '\\' => {
                        letters.next().unwrap();
                    }
                    '"' => break,
                    _ => {}
                }
            }
            outside.push('…');
        }
        for mark in outside.chars() {
            depth += match mark {
                '{' | '[' => 1,
                '}' | ']' => -1,
                _ => 0,
            };
            assert!(depth >= 0, "{line}");
        }
        words.extend(outside.split_whitespace().map(str::to_owned));
    }
    assert_eq!(depth, 0, "a block without an end");
    words
}

#[test]
fn a_job_of_nomad_has_whole_blocks_and_its_command_works() {
    let place = place();
    let site = super::example().replace("/usr/local/bin/earmark", program());
    place.write("site.yaml", &site);
    let text = hand_out(&place, "nomad");
    place.write("job.hcl", &text);
    let read = Command::new(checkers())
        .args([
            "-c",
            "import hcl2; print(len(hcl2.load(open('job.hcl'))['job']))",
        ])
        .current_dir(place.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&read.stderr);
    assert_eq!(String::from_utf8_lossy(&read.stdout), "1\n", "{told}");
    let words = blocks_of_hcl(&text);
    let count = |word: &str| words.iter().filter(|known| *known == word).count();
    assert_eq!(
        ["job", "group", "task", "constraint", "reschedule"].map(count),
        [1, 2, 2, 3, 2],
        "{text}"
    );
    assert!(
        text.contains("attribute = \"${attr.kernel.name}\""),
        "{text}"
    );
    for group in text.split("\n  group ").skip(1) {
        let value = |name: &str| {
            let line = group.lines().find(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some(name) && words.next() == Some("=")
            });
            line.unwrap()
                .split_once("= ")
                .unwrap()
                .1
                .trim_matches('"')
                .to_owned()
        };
        let names = ["FOLDER", "PLAN", "PROGRAM", "SHARDS", "REQUIRES"];
        let mut environment: BTreeMap<String, String> =
            names.map(|name| (name.to_owned(), value(name))).into();
        let home = place.path().join("home").display().to_string();
        environment.insert("EARMARK_HOME".into(), home);
        let script = group.split("<<-END\n").nth(1).unwrap();
        let script = script.split("        END\n").next().unwrap();
        for index in 0..value("count").parse::<u32>().unwrap() {
            environment.insert("NOMAD_ALLOC_INDEX".into(), index.to_string());
            environment.insert("EARMARK_MACHINE".into(), format!("client-{index}"));
            let ran = start(&place, ".", script, &environment).output().unwrap();
            Ran::from(ran).expect_status(0);
        }
    }
    merged(&place, &parts_in(&place, "p"));
    assert!(hosts(&place, "merged").contains("client-0"));
}

#[test]
fn a_handout_is_of_a_saved_plan() {
    let place = Place::new();
    place.write("m.yaml", &matrix("none"));
    for format in ["kubernetes", "buildkite", "nomad", "ssh"] {
        let ran = place
            .run(&["plan", "m.yaml", "--format", format])
            .expect_status(2);
        assert!(
            ran.stderr.contains("--format json > plan.json"),
            "{}",
            ran.stderr
        );
        let ran = place
            .run(&["plan", "m.yaml", "--format", format, "--diff", "m.yaml"])
            .expect_status(2);
        assert!(
            ran.stderr.contains("--diff is shown with"),
            "{}",
            ran.stderr
        );
    }
}
