//! What rows require, from the matrix to the plan and to the machine.

use super::matrix;
use crate::support::{Place, fake_matrix};
use earmark::model::{Job, JobSpec, Plan};
use earmark::plan::{groups, requirements};

fn benchmarks(plan: &Plan) -> Vec<&Job> {
    let is_benchmark = |job: &&Job| matches!(job.spec, JobSpec::Benchmark(_));
    plan.jobs.iter().filter(is_benchmark).collect()
}

/// Plans a matrix, with its own backends.
fn planned(text: &str) -> Plan {
    let place = Place::new();
    place.write("m.yaml", text);
    let ran = place.run(&["plan", "m.yaml", "--format", "json"]);
    serde_json::from_str(&ran.expect_status(0).stdout).unwrap()
}

fn ids(text: &str) -> Vec<String> {
    let plan = planned(text);
    plan.jobs.iter().map(|job| job.id.to_string()).collect()
}

/// A model and a backend of one's own, each with what it requires.
fn own(model: &str, backend: &str) -> String {
    format!(
        "models: {{mine: {{size: tiny, requires: {model}, artifacts: {{ggml-f16: {{files: {{m.bin: {{bytes: \
         3}}}}, sources: [{{path: weights}}]}}}}}}}}\nbackends: {{cli: {{command: [\"true\", \"{{{{ audio.wav \
         }}}}\", \"{{{{ threads }}}}\"], output: text, requires: {backend}}}}}\n"
    )
}

#[test]
fn rows_are_grouped_by_all_that_they_require() {
    let text = matrix("[none, {gpu: cuda}]")
        .replace("[fake]", "[fake, cli]")
        .replace("[tiny.en]", "[tiny.en, mine]")
        .replace(", fake-seconds: 0", "")
        + &own("{memory: 16GiB}", "\"os:linux\"");
    let plan = planned(&text);
    let found = groups(&plan);
    let shown: Vec<String> = found
        .iter()
        .map(|(set, jobs)| format!("{set} × {}", jobs.len()))
        .collect();
    let mut sorted = shown.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "gpu:cuda × 2",
            "memory:16GiB × 2",
            "memory:16GiB,gpu:cuda × 2",
            "none × 2",
            "os:linux × 2",
            "os:linux,gpu:cuda × 2",
            "os:linux,memory:16GiB × 2",
            "os:linux,memory:16GiB,gpu:cuda × 2",
        ]
    );
    for (set, positions) in found {
        for position in positions {
            assert_eq!(requirements(&plan, &plan.jobs[position]), set);
        }
    }
}

#[test]
fn what_no_machine_has_is_a_planned_skip() {
    let text = matrix("[\"os:linux\", \"os:macos\"]")
        .replace("[fake]", "[cli]")
        .replace(", fake-seconds: 0", "")
        + &own("none", "{os: macos}");
    let place = Place::new();
    place.write("m.yaml", &text);
    place.run(&["check", "m.yaml"]).expect_status(0);
    let plan = planned(&text);
    let skips: Vec<&str> = benchmarks(&plan)
        .into_iter()
        .filter_map(|job| job.skip.as_deref())
        .collect();
    assert_eq!(skips.len(), 2, "{skips:?}");
    for skip in skips {
        assert_eq!(
            skip,
            "what it requires does not go together: no machine is both os:macos and os:linux"
        );
    }
}

#[test]
fn a_row_that_requires_nothing_is_the_job_that_it_was() {
    let plain = ids(&fake_matrix("  threads: [1, 2]", ""));
    assert_eq!(
        plain,
        ids(&fake_matrix("  threads: [1, 2]\n  requires: [none]", ""))
    );
    assert_eq!(
        plain,
        ids(&fake_matrix(
            "  threads: [1, 2]",
            "settings: {requires: none}"
        ))
    );
    // On another kind of machine it is another job, however that is written.
    let forms = [
        "\"gpu:cuda, os:linux\"",
        "{os: linux, gpu: cuda}",
        "{gpu: [cuda], os: linux}",
        "[\"gpu:cuda\", \"os:linux\"]",
        "[none, \"gpu:cuda, os:linux\"]",
    ]
    .map(|form| {
        ids(&fake_matrix(
            "  threads: [1, 2]",
            &format!("settings: {{requires: {form}}}"),
        ))
    });
    assert_ne!(plain, forms[0]);
    assert!(forms.iter().all(|form| *form == forms[0]), "{forms:?}");
    // A list on an axis holds its values, and a list in that is one of them.
    for axis in [
        "[[\"os:linux\", \"gpu:cuda\"]]",
        "[{value: [\"os:linux\", \"gpu:cuda\"], if: \"backend == 'fake'\"}]",
    ] {
        let axes = format!("  threads: [1, 2]\n  requires: {axis}");
        assert_eq!(ids(&fake_matrix(&axes, "")), forms[0], "{axis}");
    }
    for added in [
        "[\"os:linux\", \"gpu:cuda\"]",
        "[[\"os:linux\", \"gpu:cuda\"]]",
    ] {
        let axes = format!("  threads: [1, 2]\n  include: [{{backend: fake, requires: {added}}}]");
        assert_eq!(ids(&fake_matrix(&axes, "")), forms[0], "{added}");
    }
    let axes = "  threads: [1, 2]\n  requires: [none, {os: linux, label: [b, a]}, \"os:macos\"]\n  \
                exclude: [{requires: [{label: [a, b], os: linux}, \"os:macos\"]}]";
    assert_eq!(plain, ids(&fake_matrix(axes, "")));
    // What an engine or a model requires is no part of what is measured with it.
    let text = |model: &str| matrix("none").replace("[tiny.en]", "[mine]") + &own(model, "none");
    assert_eq!(ids(&text("none")), ids(&text("\"gpu:cuda\"")));
}

#[test]
fn what_is_required_reaches_no_engine() {
    let plan = planned(&matrix("\"os:linux\""));
    for job in benchmarks(&plan) {
        let JobSpec::Benchmark(spec) = &job.spec else {
            continue;
        };
        assert_eq!(spec.requires().to_string(), "os:linux");
        let told = spec.engine_settings();
        assert!(
            told.contains_key("threads") && !told.contains_key("requires"),
            "{told:?}"
        );
    }
    // A command has exactly the settings that it names, and this is none of them.
    let place = Place::new();
    let text = matrix(&format!("\"os:{}\"", std::env::consts::OS))
        .replace("[fake]", "[cli]")
        .replace(", fake-seconds: 0", "")
        .replace("  threads: [1, 2]\n", "")
        + "backends: {cli: {command: [echo, \"{{ audio.wav }}\"], output: text}}\n";
    place.write("m.yaml", &text);
    place
        .run(&["run", "m.yaml", "--out", "r", "--no-history"])
        .expect_status(0);
    assert_eq!(place.table("r/results.csv")[0]["status"], "completed");
}

#[test]
fn what_this_machine_does_not_have_is_a_skipped_row_and_no_fault() {
    let place = Place::new();
    let other = match std::env::consts::OS {
        "macos" => "linux",
        _ => "macos",
    };
    place.write(
        "m.yaml",
        &matrix(&format!("[none, \"os:{other}\", \"memory:1000TiB\"]")),
    );
    let ran = place
        .run(&["run", "m.yaml", "--out", "r", "--no-history"])
        .expect_status(0);
    assert!(
        ran.stderr.contains(&format!("this needs os:{other}")),
        "{}",
        ran.stderr
    );
    let rows = place.table("r/results.csv");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let id = &row["job_id"];
        if id.contains("memory") || id.contains("os_") {
            assert_eq!(
                (row["status"].as_str(), row["n"].as_str()),
                ("skipped", "0"),
                "{id}"
            );
            assert!(row["error"].contains("and this machine"), "{row:?}");
        } else {
            assert_eq!(row["status"], "completed", "{id}");
        }
    }
    // What only its owner knows is taken from whoever owns it.
    place.write("l.yaml", &matrix("[\"label:bench\", \"label:mini\"]"));
    let ran = place
        .command(&["run", "l.yaml", "--out", "l", "--no-history"])
        .env("EARMARK_LABELS", "bench")
        .output()
        .unwrap();
    assert!(ran.status.success());
    let statuses: Vec<String> = place
        .table("l/results.csv")
        .iter()
        .map(|row| {
            format!(
                "{} {}",
                row["job_id"].contains("label_bench"),
                row["status"]
            )
        })
        .collect();
    assert_eq!(
        statuses,
        [
            "true completed",
            "true completed",
            "false skipped",
            "false skipped"
        ]
    );
}
