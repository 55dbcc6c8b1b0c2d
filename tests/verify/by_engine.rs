//! Verifies that an engine answers. The stand-in engine reads no model, so a plan is made by hand in
//! which it is asked to load one.

use crate::shim::wall::refuse_walls;
use crate::support::{Place, eventually, fake_matrix, processes_with};
use earmark::model::{Job, JobId, JobSpec, Plan, VerifyMethod};
use earmark::plan::seal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;

/// Makes a place with a model of one file, and `plan.json`: the stand-in engine, with a fault, is asked
/// about it by a method, under a limit of so long.
pub fn asking(method: VerifyMethod, fault: &str, limit: &str) -> Place {
    let place = Place::new();
    fs::create_dir(place.path().join("own")).unwrap();
    place.write("own/m.bin", "hello");
    let matrix = fake_matrix(
        &format!("  fake-fault: [{fault}]"),
        &format!(
            "models:\n  mine: {{size: tiny, artifacts: {{ggml-f16: {{files: {{m.bin: {{bytes: 5}}}}, \
             sources: [{{path: own}}]}}}}}}\nsettings: {{warmup: 0, repeat: 1}}\n\
             deadlines: {{grace: 200ms, overrides: [{{backend: fake, model: mine, verify: {limit}}}]}}"
        ),
    );
    let matrix = matrix.replace("[tiny.en]", "[mine]");
    place.write(
        "m.yaml",
        &matrix.replace("[cache-check]", &format!("[{method}]")),
    );
    let planned = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0);
    let mut plan: Plan = serde_json::from_str(&planned.stdout).unwrap();
    let mut renamed: BTreeMap<JobId, JobId> = BTreeMap::new();
    for job in &mut plan.jobs {
        let JobSpec::Verify(mut spec) = job.spec.clone() else {
            continue;
        };
        spec.artifact = Some("ggml-f16".into());
        let asked = Job::new(JobSpec::Verify(spec));
        renamed.insert(job.id.clone(), asked.id.clone());
        (job.id, job.digest, job.spec) = (asked.id, asked.digest, asked.spec);
    }
    for need in plan.jobs.iter_mut().flat_map(|job| &mut job.needs) {
        if let Some(name) = renamed.get(need) {
            *need = name.clone();
        }
    }
    seal(&mut plan);
    place.write("plan.json", &serde_json::to_string(&plan).unwrap());
    place
}

/// What a run came to.
struct Outcome {
    /// The verify before the downloads, as it stands in `jobs.csv`.
    verify: BTreeMap<String, String>,
    /// Its finding, as it stands in the journal.
    finding: Value,
    /// How often an engine said for it that it is there.
    engines: usize,
}

fn run(place: &Place, arguments: &[&str], status: i32) -> Outcome {
    let runs = fs::read_dir(place.path()).unwrap().count().to_string();
    let mut all = vec!["run", "plan.json", "--out", &runs];
    all.extend(arguments);
    place.run(&all).expect_status(status);
    outcome(place, &runs)
}

/// Reads what a run left in a folder.
fn outcome(place: &Place, runs: &str) -> Outcome {
    let jobs = place.table(&format!("{runs}/jobs.csv"));
    let verify = jobs
        .into_iter()
        .find(|job| job["stage"] == "before")
        .unwrap();
    let journal = fs::read_to_string(place.path().join(runs).join("journal.jsonl")).unwrap();
    let events: Vec<Value> = journal
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &Value| event["job"] == verify["job_id"].as_str())
        .collect();
    let is = |event: &&Value, name: &str| event["event"] == name;
    let end = events.iter().find(|event| is(event, "job-ended")).unwrap();
    let ready = events.iter().filter(|event| is(event, "engine-ready"));
    Outcome {
        finding: end["finding"].clone(),
        engines: ready.count(),
        verify,
    }
}

#[test]
fn what_an_engine_has_loaded_is_not_loaded_again_until_something_changes() {
    let place = asking(VerifyMethod::Load, "none", "15s");
    let first = run(&place, &[], 0);
    assert_eq!(first.verify["verdict"], "complete");
    assert_eq!(first.finding["network-wall"], "seccomp");
    assert_eq!((first.engines, first.verify["reason"].as_str()), (1, ""));
    eventually("the verdict is remembered", || {
        let again = run(&place, &[], 0);
        let remembered = again.finding["remembered"] == true;
        // Where it is remembered, no process is started.
        assert_eq!(again.engines, usize::from(!remembered));
        remembered
    });
    let again = run(&place, &[], 0);
    assert_eq!(again.finding["network-wall"], "seccomp", "it held then");
    assert!(again.verify["reason"].starts_with("remembered"));
    assert_eq!(run(&place, &["--fresh"], 0).engines, 1);
    place.write("own/m.bin", "world");
    assert_eq!(run(&place, &[], 0).engines, 1);
}

#[test]
fn an_engine_is_asked_only_if_the_files_are_right() {
    let place = asking(VerifyMethod::Load, "none", "15s");
    place.write("own/m.bin", "hell");
    let outcome = run(&place, &[], 3);
    assert_eq!(outcome.verify["verdict"], "incomplete");
    assert_eq!(outcome.finding["network-wall"], "none-needed");
    assert_eq!(outcome.engines, 0);
}

#[test]
fn an_engine_that_does_not_load_in_time_is_gone_and_so_is_all_it_had() {
    let place = asking(VerifyMethod::Load, "hang-load", "300ms");
    let mark = format!("earmark-verify-{}", std::process::id());
    let mut command = place.command(&["run", "plan.json", "--out", "r"]);
    let ran = command.env("TZ", &mark).output().unwrap();
    crate::support::Ran::from(ran).expect_status(3);
    assert!(processes_with(&mark).is_empty());
    let jobs = place.table("r/jobs.csv");
    let verify = jobs.iter().find(|job| job["stage"] == "before").unwrap();
    assert_eq!(verify["status"], "timed-out");
    assert_eq!(verify["verdict"], "timed-out");
    assert_eq!(verify["limit_seconds"], "0.3");
    assert_eq!(verify["phase"], "load", "its start has a limit of its own");
    let took: f64 = verify["seconds"].parse().unwrap();
    assert!(took < 10.0, "{took}");
}

#[test]
fn words_that_are_not_in_the_clip_are_no_model() {
    let place = asking(VerifyMethod::Transcribe, "none", "15s");
    let outcome = run(&place, &[], 3);
    assert_eq!(outcome.verify["verdict"], "corrupt");
    assert!(outcome.verify["reason"].contains("it heard"));
}

/// Where no wall can be raised nothing is loaded: what is asked then is not whether the model is good.
#[test]
#[expect(unsafe_code, reason = "`pre_exec` is how a process is prepared")]
fn without_a_wall_no_engine_is_asked() {
    let place = asking(VerifyMethod::Load, "none", "15s");
    let mut command = place.command(&["run", "plan.json", "--out", "r"]);
    // SAFETY: the function makes system calls only.
    unsafe { command.pre_exec(refuse_walls) };
    crate::support::Ran::from(command.output().unwrap()).expect_status(3);
    let outcome = outcome(&place, "r");
    assert_eq!(outcome.engines, 0);
    assert_eq!(outcome.verify["status"], "failed");
    assert_eq!(outcome.verify["verdict"], "error");
    let reason = &outcome.verify["reason"];
    assert!(
        reason.contains("the network wall does not hold"),
        "{reason}"
    );
}
