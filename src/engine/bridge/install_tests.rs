//! Tests of how an environment is made.

use super::*;
use crate::engine::bridge::EnvironmentState;

fn home() -> (TempDir, EngineHome) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("engines");
    (folder, EngineHome { root })
}

fn entries(home: &EngineHome) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(&home.root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("bridges-"))
        .collect();
    names.sort();
    names
}

fn fill(installation: &Installation) {
    let python = python_in(installation.place.path());
    fs::create_dir_all(python.parent().unwrap()).unwrap();
    fs::write(python, "12345").unwrap();
}

const ANSWER: &[u8] =
    br#"{"python": "3.11.7", "distributions": {"Moonshine_Voice": "0.0.73", "numpy": "2.4.6"}}"#;

#[test]
fn an_environment_is_there_when_it_is_whole_and_replaces_another() {
    let (_folder, home) = home();
    let first = Installation::begin(&home, "moonshine").unwrap().unwrap();
    assert!(Installation::begin(&home, "moonshine").unwrap().is_none());
    // Another environment is another lock.
    assert!(Installation::begin(&home, "mlx").unwrap().is_some());
    assert_eq!(home.state("moonshine"), EnvironmentState::Absent);
    fill(&first);
    let installed = first.finish(ANSWER, "now".into()).unwrap();
    assert_eq!(installed.bytes, 5);
    assert_eq!(
        home.state("moonshine"),
        EnvironmentState::Ready(Box::new(installed))
    );
    fs::write(home.folder("moonshine").join("mark"), "").unwrap();
    let second = Installation::begin(&home, "moonshine").unwrap().unwrap();
    fill(&second);
    second.finish(ANSWER, "later".into()).unwrap();
    assert!(!home.folder("moonshine").join("mark").exists());
    assert_eq!(
        entries(&home),
        [".mlx.lock", ".moonshine.lock", "moonshine"]
    );
    assert_eq!(remove(&home, "moonshine"), Ok(Some(true)));
    assert_eq!(remove(&home, "moonshine"), Ok(Some(false)));
    assert_eq!(entries(&home), [".mlx.lock", ".moonshine.lock"]);
}

#[test]
fn nothing_stays_of_one_that_fails_or_was_killed() {
    let (_folder, home) = home();
    let installation = Installation::begin(&home, "moonshine").unwrap().unwrap();
    fill(&installation);
    let other = br#"{"python": "3.11.7", "distributions": {"moonshine-voice": "0.1.5"}}"#;
    let reason = installation.finish(other, String::new()).unwrap_err();
    assert_eq!(
        reason,
        "`moonshine` wants moonshine-voice 0.0.73, and the environment has 0.1.5"
    );
    assert_eq!(entries(&home), [".moonshine.lock"]);
    fs::create_dir(home.root.join(".installing-moonshine-killed")).unwrap();
    let next = Installation::begin(&home, "moonshine").unwrap().unwrap();
    drop(next);
    assert_eq!(entries(&home), [".moonshine.lock"]);
}

#[test]
fn an_old_python_will_not_do() {
    for (answer, good) in [
        ("3.11\n", true),
        ("3.9\n", false),
        ("3.14", true),
        ("2.7", false),
        ("", false),
    ] {
        assert_eq!(Step::is_new_enough(answer.as_bytes()), good, "{answer}");
    }
}
