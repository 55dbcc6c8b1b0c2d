//! Bridges as a user meets them: how they stand here, how one is installed, and what happens when one
//! misbehaves. Nothing here reaches a network or needs a package.

mod install;
mod misbehaviour;
mod own;
mod remote;

use crate::support::{Place, project};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes a program.
fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns the folder in which a place's engines are installed.
fn engines(place: &Place) -> PathBuf {
    place.store().with_file_name("engines")
}

/// Puts an environment in place whose Python is a program of the shell.
fn install(place: &Place, environment: &str, python: &str) {
    let lock = project().join(format!("bridges/locks/{environment}.txt"));
    let digest: String = Sha256::digest(fs::read(lock).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = engines(place).join(environment);
    program(&folder.join("environment/bin/python"), python);
    let record = json!({
        "format": 1, "environment": environment, "lock-sha256": digest, "python": "3.11.7",
        "bytes": 1, "at": "2026-01-01T00:00:00Z", "distributions": {},
    });
    fs::write(folder.join("installed.json"), record.to_string()).unwrap();
}

/// Returns where a program of this machine is.
fn on_this_machine(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap()
}

/// Returns how an engine stands, as the table says.
fn row(place: &Place, id: &str) -> Value {
    let document = place
        .run(&["engines", "--format", "json"])
        .expect_status(0)
        .json();
    let rows = document["engines"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap().clone()
}

#[test]
fn the_table_says_of_each_engine_how_it_stands() {
    let place = Place::new();
    let absent = row(&place, "faster-whisper");
    assert_eq!(absent["state"], "installable");
    let reason = absent["reason"].as_str().unwrap();
    let start = "not installed: `earmark engines install faster-whisper`, about ";
    assert!(
        reason.starts_with(start) && reason.ends_with(" MB"),
        "{reason}"
    );
    assert_eq!(absent["artifacts"], json!({"f16": "ctranslate2"}));
    assert_eq!(row(&place, "fake")["state"], "ready");
    install(&place, "faster-whisper", "#!/bin/sh\n");
    let ready = row(&place, "faster-whisper");
    assert_eq!(
        (&ready["state"], &ready["reason"], &ready["version"]),
        (&json!("ready"), &json!(""), &json!("1.2.1"))
    );
    let text = place.run(&["engines"]).expect_status(0).stdout;
    for id in ["whisper-cpp", "candle", "fake", "mlx-whisper", "whisperkit"] {
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(id)),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_installed_is_a_planned_skip_with_its_reason() {
    let place = Place::new();
    place.write(
        "m.yaml",
        "version: 1\nname: m\nmatrix:\n  backend: [fake, faster-whisper]\n  model: [tiny.en]\n  \
         audio: [jfk]\n  verify-method: [cache-check]\n  beam-size: [1, 5]\n",
    );
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    let skips: Vec<&Value> = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["kind"] == "benchmark" && job["spec"]["backend"] == "faster-whisper")
        .map(|job| &job["skip"])
        .collect();
    assert_eq!(skips.len(), 2);
    for skip in skips {
        let reason = skip.as_str().unwrap();
        assert!(
            reason.contains("`earmark engines install faster-whisper`"),
            "{reason}"
        );
    }
    // Looking leaves nothing behind.
    assert!(!engines(&place).exists());
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let results = place.table("r/results.csv");
    assert_eq!(results.len(), 4);
    let skipped = results.iter().filter(|row| row["status"] == "skipped");
    assert_eq!(skipped.count(), 2);
    place.run(&["plan", "m.yaml", "--strict"]).expect_status(2);
}

#[test]
fn a_matrix_cannot_give_a_bridge_another_meaning() {
    let place = Place::new();
    place.write(
        "m.yaml",
        "version: 1\nname: m\nmatrix: {backend: [moonshine], model: [tiny.en], audio: [jfk], \
         verify-method: [cache-check]}\nbackends: {moonshine: {command: [true]}}\n",
    );
    let ran = place.run(&["check", "m.yaml"]).expect_status(2);
    assert!(
        ran.stderr.contains("`moonshine` is a built-in engine"),
        "{}",
        ran.stderr
    );
}

/// The bridges' own tests that need no package: the loop, the programs, the table.
#[test]
fn the_tests_in_python_pass() {
    let ran = Command::new("python3")
        .args(["-B", "-m", "unittest", "discover", "bridges/tests"])
        .current_dir(project())
        .env_remove("EARMARK_ENVIRONMENTS")
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
