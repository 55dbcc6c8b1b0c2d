//! Verify as a question of its own: what each policy lets run, and what verdicts were worth.

use crate::support::Place;
use crate::support::journal::{Journal, plan};
use earmark::model::{Job, JobSpec, Outcome, Phase, Stage, Verdict, VerifyFinding};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// SHA-256 of `good`.
const GOOD: &str = "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c";

/// A program that works with weights that it likes, and models: `sound`; `spoilt`, whose bytes are
/// others of the same number; `newer`, which works although its digest is not the expected one; and
/// `gone`.
fn place() -> Place {
    let place = Place::new();
    place.write(
        "read",
        "#!/bin/sh\ngrep -q good \"$1\" || { echo 'bad weights' >&2; exit 3; }\n\
         echo ask not what your country can do for you\n",
    );
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.path().join("read"), mode).unwrap();
    for (model, content) in [("sound", "good"), ("spoilt", "evil"), ("newer", "good")] {
        place.write(&format!("weights/{model}/w.bin"), content);
    }
    place
}

fn matrix(policy: &str) -> String {
    let mut text = format!(
        "version: 1
name: trust
description: Which verify can be trusted?
matrix:
  backend: [reader]
  model: [sound, spoilt, newer, gone]
  audio: [jfk]
  verify-method: [cache-check, checksum]
settings: {{warmup: 0, repeat: 1}}
verify-policy: {policy}
backends:
  reader: {{command: [./read, \"{{{{ model.path }}}}\", \"{{{{ audio.wav }}}}\"], artifact: w}}
models:
"
    );
    let other = "0".repeat(64);
    for (model, digest) in [
        ("sound", GOOD),
        ("spoilt", GOOD),
        ("newer", &other),
        ("gone", GOOD),
    ] {
        text.push_str(&format!(
            "  {model}: {{size: tiny, languages: [en], artifacts: {{w: {{files: {{w.bin: {{bytes: 4, \
             sha256: {digest}}}}}, sources: [{{path: weights/{model}}}]}}}}}}\n"
        ));
    }
    text
}

/// Runs under a policy and returns what became of the benchmark of each model.
fn ended(place: &Place, policy: &str) -> BTreeMap<String, String> {
    place.write("m.yaml", &matrix(policy));
    place
        .run(&["run", "m.yaml", "--out", policy])
        .expect_status(3);
    let rows = place.table(&format!("{policy}/results.csv"));
    rows.into_iter()
        .map(|row| (row["model"].clone(), row["status"].clone()))
        .collect()
}

#[test]
fn a_benchmark_needs_the_verdicts_that_the_policy_asks_for() {
    let place = place();
    for (policy, wanted) in [
        ("all", ["completed", "skipped", "skipped", "skipped"]),
        ("any", ["completed", "failed", "completed", "skipped"]),
        ("ignore", ["completed", "failed", "completed", "failed"]),
    ] {
        let found = ended(&place, policy);
        let models = ["sound", "spoilt", "newer", "gone"];
        assert_eq!(
            models.map(|model| found[model].as_str()),
            wanted,
            "{policy}"
        );
    }
    // Why one was not tried names the verdict.
    let rows = place.table("all/results.csv");
    let spoilt = rows.iter().find(|row| row["model"] == "spoilt").unwrap();
    assert!(
        spoilt["error"].contains("corrupt: w.bin: SHA-256 is"),
        "{spoilt:?}"
    );
}

/// Returns the text of the section about trust, without its tags.
fn section(place: &Place, run: &str) -> String {
    let page = fs::read_to_string(place.path().join(run).join("report.html")).unwrap();
    let (_, rest) = page.split_once("<h2 id=\"trust\">").unwrap();
    let (section, _) = rest.split_once("<h2").unwrap();
    let mut text = String::new();
    let mut in_tag = false;
    for letter in section.chars() {
        match letter {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                text.push(' ');
            }
            _ if !in_tag => text.push(letter),
            _ => {}
        }
    }
    let text = text.replace("&#x2f;", "/");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_holds_each_verdict_against_what_the_benchmark_did() {
    let place = place();
    ended(&place, "ignore");
    let told = section(&place, "ignore");
    for part in [
        // `spoilt` was complete by its size and failed; `newer` had another digest and worked.
        "No method was always right: cache-check in 3 of 4, checksum in 3 of 4.",
        "cache-check 3 of 4 1 0 0 ",
        "checksum 3 of 4 0 1 0 ",
        "1 missing",
        "2 corrupt",
        "cache-check: complete → failed benchmark/reader/spoilt/w/jfk",
        "bad weights",
        "checksum: corrupt → completed benchmark/reader/newer/w/jfk",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    assert_eq!(told.matches("benchmark/reader/").count(), 2, "{told}");
}

#[test]
fn what_a_policy_kept_from_running_is_told_as_not_tried() {
    let place = place();
    ended(&place, "all");
    let told = section(&place, "all");
    for part in [
        "cache-check was right in 1 of 1; it took ",
        " for checksum.",
        // A verdict after the downloads that took over the first one is no second verdict.
        "3 complete, 1 missing",
        "1 complete, 2 corrupt, 1 missing",
        "nothing shows whether one would have worked",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    assert!(told.contains("verify-policy: ignore"), "{told}");
}

#[test]
fn verdicts_about_a_stand_in_show_nothing() {
    let place = Place::new();
    place.write("m.yaml", &crate::support::fake_matrix("", ""));
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let page = fs::read_to_string(place.path().join("r/report.html")).unwrap();
    assert!(!page.contains("id=\"trust\""));
}

#[test]
fn a_verdict_that_was_remembered_or_taken_over_counts_once_and_has_no_time() {
    let place = Place::new();
    let mut plan = plan(2);
    let JobSpec::Verify(spec) = &plan.jobs[0].spec else {
        panic!("the first job verifies");
    };
    let mut spec = spec.clone();
    spec.stage = Stage::After;
    let mut after = Job::new(JobSpec::Verify(spec));
    after.needs = vec![plan.jobs[0].id.clone()];
    for benchmark in &mut plan.jobs[1..] {
        benchmark.needs = vec![after.id.clone()];
    }
    plan.jobs.insert(1, after);
    let mut finding = VerifyFinding::plain(Verdict::Complete, "");
    finding.remembered = true;
    let mut journal = Journal::of(&plan);
    let [before, after] = [0, 1].map(|position: usize| plan.jobs[position].id.clone());
    journal.end(&before, &Outcome::Completed, Some(finding.clone()));
    let taken_over = Outcome::NotNeeded {
        reason: "nothing was downloaded".into(),
    };
    journal.end(&after, &taken_over, Some(finding));
    journal.measure(&plan.jobs[2], &Outcome::Completed);
    let failed = Outcome::Failed {
        phase: Phase::Load,
        reason: "out of memory".into(),
    };
    journal.measure(&plan.jobs[3], &failed);
    journal.over(false);
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    let told = section(&place, "r");
    for part in [
        "No method was always right: cache-check in 1 of 2.",
        "cache-check 1 of 2 1 0 0 – 1 complete 1 of them remembered",
        "cache-check: complete → failed benchmark/fake/tiny.en/f16/clip-1 load: out of memory",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
}
