//! Each row lands where it should, and ends when it should.

use super::lab::{Lab, matrix};
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn three_sets_of_requirements_land_on_the_nodes_that_have_them() {
    let lab = Lab::new();
    let text = matrix(
        "[\"label:rack\", \"gpu:cuda\", {label: mini}]",
        4,
        "fake-seconds: 0",
    );
    lab.place.write("m.yaml", &text);
    let ran = lab.run(&[
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--out",
        "run",
    ]);
    let ran = ran.expect_status(0);
    assert!(ran.stderr.contains("12 of 12 benchmarks"), "{}", ran.stderr);
    let nodes = lab.nodes("run");
    assert_eq!(nodes.len(), 12);
    for (job, nodes) in nodes {
        let expected = [
            ("label_rack", "n1"),
            ("gpu_cuda", "n2"),
            ("label_mini", "n3"),
        ]
        .into_iter()
        .find(|(word, _)| job.contains(word))
        .unwrap();
        assert_eq!(nodes.into_iter().collect::<Vec<_>>(), [expected.1], "{job}");
    }
    // As on one machine, but for who did it.
    lab.run(&["run", "run/plan.json", "--out", "here", "--no-history"])
        .expect_status(0);
    let here = lab.rows("here");
    for (job, row) in lab.rows("run") {
        // This machine has no such GPU, and says so.
        if !job.contains("gpu_cuda") {
            assert_eq!(here[&job], row, "{job}");
        }
    }
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn a_node_that_is_not_what_was_asked_for_measures_nothing_and_says_so() {
    let lab = Lab::new();
    // Node 3 only says that it runs macOS.
    lab.place.write(
        "m.yaml",
        &matrix("[\"label:rack\", \"os:macos\"]", 1, "fake-seconds: 0"),
    );
    let ran = lab.run(&[
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--out",
        "run",
    ]);
    let ran = ran.expect_status(3);
    assert!(
        ran.stderr
            .contains("this needs os:macos, and this machine runs linux"),
        "{}",
        ran.stderr
    );
    let rows = lab.place.table("run/results.csv");
    let row = rows
        .iter()
        .find(|row| row["job_id"].contains("os_macos"))
        .unwrap();
    assert_eq!(
        (row["status"].as_str(), row["n"].as_str()),
        ("skipped", "0")
    );
    assert!(row["error"].contains("this machine runs linux"), "{row:?}");
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn what_the_cluster_does_not_have_is_told_before_anything_is_handed_over() {
    let lab = Lab::new();
    lab.place.write(
        "m.yaml",
        &matrix("[\"label:rack\", \"gpu:rocm\"]", 1, "fake-seconds: 0"),
    );
    let on = ["run", "m.yaml", "--on", "slurm", "--out", "run", "--site"];
    let ran = lab
        .run(&[&on[..], &["site.yaml"]].concat())
        .expect_status(2);
    assert!(ran.stderr.contains("needs gpu:rocm"), "{}", ran.stderr);
    let site = super::lab::SITE
        .replace("label:mini", "gpu:rocm")
        .replace(": mini", ": radeon");
    lab.place.write(
        "other.yaml",
        &site.replace("{constraint: mini}", "{constraint: radeon}"),
    );
    let ran = lab
        .run(&[&on[..], &["other.yaml"]].concat())
        .expect_status(2);
    assert!(
        ran.stderr.contains("Invalid feature specification"),
        "{}",
        ran.stderr
    );
    assert!(!lab.path("run").exists());
    assert_eq!(
        lab.slurm(&["squeue", "-h", "-u", "nobody", "-t", "pending,running"]),
        ""
    );
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn an_engine_that_hangs_is_timed_out_at_its_second_and_not_at_slurms_minute() {
    let lab = Lab::new();
    lab.place.write(
        "m.yaml",
        &matrix("[\"label:rack\"]", 1, "fake-fault: hang-trial"),
    );
    let begun = Instant::now();
    let ran = lab.run(&[
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--out",
        "run",
    ]);
    ran.expect_status(3);
    assert!(
        begun.elapsed() < Duration::from_mins(1),
        "{:?}",
        begun.elapsed()
    );
    let rows = lab.place.table("run/jobs.csv");
    let row = rows.iter().find(|row| row["kind"] == "benchmark").unwrap();
    assert_eq!(row["status"], "timed-out");
    assert_eq!(row["limit_seconds"], "3");
    let limit = lab.slurm(&["squeue", "-h", "-t", "all", "-u", "nobody", "-o", "%j %l"]);
    let minutes = limit.lines().find(|line| line.contains(".g1")).unwrap();
    assert!(
        minutes.contains(":00"),
        "{minutes}: Slurm's own limit is minutes away"
    );
}

#[test]
#[ignore = "needs the cluster of `make cluster-test`"]
fn a_detached_run_is_attached_to_and_an_interruption_calls_it_back() {
    let lab = Lab::new();
    lab.place.write(
        "m.yaml",
        &matrix("[\"label:rack\", \"label:mini\"]", 3, "fake-seconds: 1"),
    );
    let on = [
        "run",
        "m.yaml",
        "--on",
        "slurm",
        "--site",
        "site.yaml",
        "--detach",
        "--out",
    ];
    let ran = lab.run(&[&on[..], &["run"]].concat()).expect_status(0);
    assert!(ran.stderr.contains("earmark attach"), "{}", ran.stderr);
    lab.run(&["attach", "run"]).expect_status(0);
    assert_eq!(lab.rows("run").len(), 6);

    lab.run(&[&on[..], &["other"]].concat()).expect_status(0);
    let mut attached = lab.start(&["attach", "other"], "attach.log");
    super::lab::eventually("it runs", || {
        std::fs::read_to_string(lab.path("attach.log")).is_ok_and(|log| log.contains("running"))
    });
    let process = attached.id().to_string();
    std::process::Command::new("kill")
        .args(["-INT", &process])
        .status()
        .unwrap();
    assert_eq!(attached.wait().unwrap().code(), Some(130));
    assert_eq!(
        lab.slurm(&["squeue", "-h", "-u", "nobody", "-t", "pending,running"]),
        ""
    );
    // What was done stays, and the rest is still to be had.
    lab.run(&["run", "--resume", "other"]).expect_status(0);
    assert_eq!(lab.rows("other"), lab.rows("run"));
}
