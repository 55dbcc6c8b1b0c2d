//! Nights: one after the other, kept on a branch, told once.

use super::{asked, script, stand_in_for_github};
use crate::history::nights::Night;
use crate::support::{Place, Ran, fake_matrix, program};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

fn night(place: &Place, nights: &str) -> Ran {
    let mut command = script(place, "night.sh");
    command
        .env("NIGHTS", place.path().join(nights))
        .env("MATRIX", "nightly.yaml");
    Ran::from(command.output().unwrap())
}

fn place() -> Place {
    let place = Place::new();
    place.write("nightly.yaml", &fake_matrix("", ""));
    place.run(&["lock", "nightly.yaml"]).expect_status(0);
    place
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
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_night_measures_looks_back_and_writes_the_site() {
    let place = place();
    night(&place, "nights").expect_status(0);
    let read = |name: &str| fs::read_to_string(place.path().join("nights").join(name)).unwrap();
    assert_eq!(read("history.jsonl").lines().count(), 1);
    assert!(read("site/index.html").contains("fake"));
    assert_eq!(read("change-points.md"), "No change point.\n");
    let points: Value = serde_json::from_str(&read("change-points.json")).unwrap();
    assert_eq!(points, json!({"change_points": []}));
    // What the person who runs it has at home is not touched.
    assert!(!place.path().join("home/history.db").exists());
    // Nothing is started where the matrix is not what is locked.
    place.write(
        "nightly.yaml",
        &fake_matrix("", "").replace("[jfk]", "[jfk, sonnet-1]"),
    );
    night(&place, "nights").expect_status(2);
    assert_eq!(read("history.jsonl").lines().count(), 1);
}

#[test]
fn a_fault_of_a_night_is_its_status_and_everything_is_kept() {
    let place = Place::new();
    place.write(
        "nightly.yaml",
        &fake_matrix("", "settings: {fake-fault: fail-trial}"),
    );
    place.run(&["lock", "nightly.yaml"]).expect_status(0);
    night(&place, "nights").expect_status(3);
    assert!(place.path().join("nights/site/index.html").exists());
    let lines = fs::read_to_string(place.path().join("nights/history.jsonl")).unwrap();
    assert!(lines.contains("\"failed\""), "{lines}");
}

/// A workflow's nights have nothing but what is on the branch.
#[test]
fn nights_on_fresh_machines_share_a_branch_and_lose_nothing() {
    let place = place();
    let remote = place.path().join("remote.git");
    git(place.path(), &["init", "--quiet", "--bare", "remote.git"]);
    git(place.path(), &["init", "--quiet", "checkout"]);
    let checkout = place.path().join("checkout");
    git(
        &checkout,
        &["commit", "--quiet", "--allow-empty", "--message", "x"],
    );
    git(
        &checkout,
        &["remote", "add", "origin", &remote.display().to_string()],
    );
    let step = |name: &str, nights: &str| {
        let mut command = script(&place, name);
        command
            .current_dir(&checkout)
            .env("NIGHTS", place.path().join(nights));
        Ran::from(command.output().unwrap())
    };
    for nights in ["one", "two"] {
        step("fetch-history.sh", nights).expect_status(0);
        night(&place, nights).expect_status(0);
    }
    // Both began with what was there, which was nothing; neither takes away what the other has put there.
    step("keep-history.sh", "one").expect_status(0);
    step("keep-history.sh", "two").expect_status(0);
    step("fetch-history.sh", "three").expect_status(0);
    night(&place, "three").expect_status(0);
    step("keep-history.sh", "three").expect_status(0);
    let lines = git(&remote, &["show", "history:history.jsonl"]);
    assert_eq!(lines.lines().count(), 3);
    let files = git(&remote, &["ls-tree", "-r", "--name-only", "history"]);
    assert!(files.contains("site/index.html"), "{files}");
    assert!(
        files
            .lines()
            .all(|file| file.starts_with("site/") || file == "history.jsonl"),
        "{files}"
    );
    let index = git(&remote, &["show", "history:site/index.html"]);
    assert!(
        index.contains("over 2 runs") || index.contains("over 3 runs"),
        "{index}"
    );
    assert_eq!(git(&remote, &["rev-list", "--count", "history"]), "4\n");
    // The same night once more is nothing new.
    let again = step("keep-history.sh", "three").expect_status(0);
    assert_eq!(again.stdout, "nothing is new\n");
}

#[test]
fn each_change_point_gets_one_issue_whatever_night_tells_it() {
    let place = Place::new();
    let mut told = Vec::new();
    for days in 21..=29 {
        // Every night is a new machine that knows only the lines.
        let runs = place.path().join("runs");
        for day in 0..days {
            let folder = runs.join(format!("night-{day:03}"));
            if !folder.exists() {
                Night::of(day, if day < 20 { 0.5 } else { 0.7 }).write(&folder);
            }
        }
        let database = format!("{days}/history.db");
        place
            .run(&["history", "rebuild", "runs", "--history", &database])
            .expect_status(0);
        fs::remove_file(place.path().join(&database)).unwrap();
        let checked = place.run(&[
            "history",
            "check",
            "--since",
            "2026-01-01",
            "--format",
            "json",
            "--history",
            &database,
        ]);
        let points = checked.json()["change_points"].as_array().unwrap().clone();
        told.extend(
            points
                .iter()
                .map(|point| point["id"].as_str().unwrap().to_owned()),
        );
    }
    assert!(told.len() > 1, "{told:?}");
    told.dedup();
    assert_eq!(told.len(), 1, "one id, in whatever night");

    let point = |id: &str, regression: bool, synthetic: bool| {
        json!({"id": id, "regression": regression, "synthetic": synthetic,
               "title": format!("slower {id}"), "markdown": "### Worse\n"})
    };
    let points = json!({"change_points": [
        point("aaaaaaaaaa", true, false), point("bbbbbbbbbb", true, false),
        point("cccccccccc", false, false), point("dddddddddd", true, true),
    ]});
    place.write("points.json", &points.to_string());
    // One of them has an issue already, and somebody has closed it.
    stand_in_for_github(
        &place,
        &[(
            "repos/o/r/issues -f",
            "text\n<!-- earmark change point aaaaaaaaaa -->\nmore\n",
        )],
    );
    let mut command = script(&place, "open-issues.py");
    command
        .arg("points.json")
        .env("GH_LOG", place.path().join("gh.log"))
        .env("REPOSITORY", "o/r");
    let ran = Ran::from(command.output().unwrap()).expect_status(0);
    assert_eq!(ran.stdout, "opened: slower bbbbbbbbbb\n");
    let asked = asked(&place);
    assert!(asked.contains("state=all"), "{asked}");
    assert_eq!(asked.matches("POST").count(), 1, "{asked}");
    assert!(
        asked.contains("<!-- earmark change point bbbbbbbbbb -->"),
        "{asked}"
    );
    assert!(
        !asked.contains("cccccccccc") && !asked.contains("dddddddddd"),
        "{asked}"
    );
}

#[test]
fn two_programs_are_measured_with_the_same_matrix() {
    let place = place();
    let mut command = script(&place, "compare.sh");
    command
        .env("BASE", program())
        .env("HEAD", program())
        .env("OUT", place.path().join("comparison"))
        .env("MATRIX", "nightly.yaml");
    let ran = Ran::from(command.output().unwrap());
    // What a program that measures nothing says may be worse or not; it is compared in any case.
    assert!([0, 1].contains(&ran.status), "{}", ran.stderr);
    for file in [
        "comparison.md",
        "base/plan.json",
        "base/journal.jsonl",
        "head/plan.json",
        "head/journal.jsonl",
    ] {
        assert!(
            place.path().join("comparison").join(file).exists(),
            "{file}: {}",
            ran.stderr
        );
    }
}
