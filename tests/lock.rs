//! The lock file: what it holds, and what `--locked` refuses.

use crate::support::{Place, Ran};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// An engine that reads a model and tells its version, a model that lies in a folder, a recording of
/// one's own. No digest is written down anywhere.
const MATRIX: &str = r#"version: 1
name: mine
matrix:
  backend: [my-cli]
  model: [mine]
  audio: [clip]
  verify-method: [cache-check]
settings: {repeat: 1, warmup: 0}
models:
  mine:
    size: tiny
    artifacts:
      weights: {files: {weights.bin: {bytes: 5}, more.bin: {}}, sources: [{path: store}]}
audio:
  clip: {file: clip.wav, reference: hello, language: en}
backends:
  my-cli:
    command: [./my-cli, "{{ model.path }}", "{{ audio.wav }}"]
    artifact: weights
    version: [./my-cli, --version]
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("mine.yaml", MATRIX);
    place.write("store/weights.bin", "hello");
    place.write("store/more.bin", "more");
    write_program(&place, "1.0");
    write_clip(&place, 8000);
    place
}

fn write_program(place: &Place, version: &str) {
    let text =
        format!("#!/bin/sh\n[ \"$1\" = --version ] && {{ echo {version}; exit; }}\necho hello\n");
    place.write("my-cli", &text);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.path().join("my-cli"), mode).unwrap();
}

/// Writes a recording of silence with so many samples.
fn write_clip(place: &Place, samples: u32) {
    let bytes = samples * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1, 0, 1, 0]);
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(32_000_u32.to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    wav.resize(wav.len() + bytes as usize, 0);
    fs::write(place.path().join("clip.wav"), wav).unwrap();
}

fn run_locked(place: &Place, out: &str) -> Ran {
    place.run(&["run", "mine.yaml", "--locked", "--out", out])
}

/// Asserts that a locked run is refused with a sentence, and that nothing was started.
#[track_caller]
fn assert_refused(place: &Place, sentence: &str) {
    let refused = run_locked(place, "refused").expect_status(2);
    assert!(refused.stderr.contains(sentence), "{}", refused.stderr);
    let logs = place.path().join("refused/results.csv");
    assert!(!logs.exists(), "something was measured");
}

#[test]
fn a_lock_file_names_every_byte_and_holds_until_something_changes() {
    let place = place();
    let written = place.run(&["lock", "mine.yaml"]).expect_status(0);
    assert_eq!(written.stdout, "mine.lock.yaml\n");
    assert_eq!(
        written.stderr,
        "written: 1 artifact, 1 engine, 1 recording\n"
    );
    let text = fs::read_to_string(place.path().join("mine.lock.yaml")).unwrap();
    insta::assert_snapshot!(text);

    let again = place.run(&["lock", "mine.yaml"]).expect_status(0);
    assert_eq!(again.stderr, "mine.lock.yaml holds already\n");
    run_locked(&place, "locked").expect_status(0);
    let rows = place.table("locked/results.csv");
    assert_eq!(rows[0]["status"], "completed");
}

#[test]
fn without_a_lock_file_the_way_to_one_is_told() {
    let place = place();
    assert_refused(
        &place,
        "--locked: mine.lock.yaml cannot be read: No such file or directory (os error 2); write it: \
         `earmark lock mine.yaml`",
    );
}

type Change<'a> = &'a dyn Fn(&Place);

#[test]
fn whatever_is_not_in_the_lock_file_is_refused_by_its_name() {
    let changes: [(&str, Change<'_>); 6] = [
        (
            "the engine `my-cli` has version 1.1, and 1.0 is locked",
            &|place| {
                write_program(place, "1.1");
            },
        ),
        ("the recording `clip` of `clip` is another file", &|place| {
            write_clip(place, 8001);
        }),
        ("the artifact `weights` of `other` is not in it", &|place| {
            let text = MATRIX
                .replace("model: [mine]", "model: [mine, other]")
                .replace("  mine:\n", "  other: {size: tiny, artifacts: {weights: {files: {weights.bin: {bytes: 5}}, sources: [{path: store}]}}}\n  mine:\n");
            place.write("mine.yaml", &text);
        }),
        (
            "the artifact `weights` of `mine` expects other bytes of `weights.bin` than are locked",
            &|place| {
                place.write("mine.yaml", &MATRIX.replace("bytes: 5", "bytes: 6"));
            },
        ),
        ("the audio `jfk` is not in it", &|place| {
            place.write(
                "mine.yaml",
                &MATRIX.replace("audio: [clip]", "audio: [clip, jfk]"),
            );
        }),
        ("the engine `fake` is not in it", &|place| {
            place.write(
                "mine.yaml",
                &MATRIX.replace("backend: [my-cli]", "backend: [my-cli, fake]"),
            );
        }),
    ];
    for (sentence, change) in changes {
        let place = place();
        place.run(&["lock", "mine.yaml"]).expect_status(0);
        change(&place);
        assert_refused(&place, sentence);
        // What changed was meant: the lock file is written again, and holds.
        if !sentence.contains("expects other bytes") {
            place.run(&["lock", "mine.yaml"]).expect_status(0);
            run_locked(&place, "again").expect_status(0);
        }
    }
}

/// The size is as it was, so that the verify has nothing to say; what would be measured is not what
/// is locked.
#[test]
fn other_bytes_of_the_same_size_are_not_measured() {
    let place = place();
    place.run(&["lock", "mine.yaml"]).expect_status(0);
    place.write("store/more.bin", "less");
    let ran = run_locked(&place, "run").expect_status(3);
    let rows = place.table("run/results.csv");
    assert_eq!(rows[0]["status"], "failed", "{}", ran.stderr);
    assert!(
        rows[0]["error"].contains("`weights` of `mine` is not what is locked: more.bin"),
        "{}",
        rows[0]["error"]
    );
    assert_eq!(rows[0]["n"], "0");
    // A checksum sees it before.
    let arguments = [
        "verify",
        "mine.yaml",
        "--locked",
        "--verify-method",
        "checksum",
    ];
    let verified = place.run(&arguments).expect_status(3);
    assert!(verified.stdout.contains("corrupt"), "{}", verified.stdout);
    let arguments = ["verify", "mine.yaml", "--locked", "--format", "json"];
    let verified = place.run(&arguments).expect_status(0).json();
    assert_eq!(verified["verifies"][0]["manifest"], "lock");
}

#[test]
fn a_lock_file_with_a_mistake_is_told_at_its_place() {
    let place = place();
    place.run(&["lock", "mine.yaml"]).expect_status(0);
    let path = place.path().join("mine.lock.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("engines:", "<<<<<<< ours\nengines:")).unwrap();
    let refused = run_locked(&place, "refused").expect_status(2);
    assert!(
        refused.stderr.contains("mine.lock.yaml:") && refused.stderr.contains("earmark lock"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_saved_plan_keeps_what_was_locked() {
    let place = place();
    place.run(&["lock", "mine.yaml"]).expect_status(0);
    let plan = place
        .run(&["plan", "mine.yaml", "--locked", "--format", "json"])
        .expect_status(0);
    place.write("plan.json", &plan.stdout);
    place
        .run(&["run", "plan.json", "--locked", "--out", "run"])
        .expect_status(0);
    let unlocked = place
        .run(&["plan", "mine.yaml", "--format", "json"])
        .expect_status(0);
    place.write("plain.json", &unlocked.stdout);
    let refused = place
        .run(&["run", "plain.json", "--locked", "--out", "refused"])
        .expect_status(2);
    assert!(
        refused
            .stderr
            .contains("the saved plan was made without a lock file"),
        "{}",
        refused.stderr
    );
    // What the plan means does not depend on being locked: its jobs have the same ids.
    assert_eq!(plan.json()["jobs"], unlocked.json()["jobs"]);
}

#[test]
fn what_is_not_here_and_not_known_cannot_be_locked() {
    let place = place();
    fs::remove_file(place.path().join("store/more.bin")).unwrap();
    let refused = place.run(&["lock", "mine.yaml"]).expect_status(2);
    assert!(
        refused
            .stderr
            .contains("the artifact `weights` of `mine` cannot be locked")
            && refused.stderr.contains("more.bin"),
        "{}",
        refused.stderr
    );
    assert!(!place.path().join("mine.lock.yaml").exists());
}
