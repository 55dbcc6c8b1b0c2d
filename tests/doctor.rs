//! What `earmark doctor` finds, and that it changes nothing.

use crate::support::Place;
use std::fs;

#[test]
fn a_machine_on_which_everything_runs_has_no_problem() {
    let place = Place::new();
    let told = place.run(&["doctor"]).expect_status(0);
    for words in [
        "machine\n",
        "holding\n",
        "places\n",
        "engines\n",
        "0 to mend",
    ] {
        assert!(told.stdout.contains(words), "{}", told.stdout);
    }
    assert!(!place.path().join("home").exists(), "it makes nothing");
}

#[test]
fn a_store_that_cannot_be_is_to_mend_and_values_of_variables_are_not_told() {
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let mut command = place.command(&["doctor", "--format", "json"]);
    command
        .env("EARMARK_HOME", file.join("home"))
        .env("HTTPS_PROXY", "http://me:secret@127.0.0.1:1");
    let told = crate::support::Ran::from(command.output().unwrap()).expect_status(3);
    assert!(!told.stdout.contains("secret"), "{}", told.stdout);
    let findings = told.json()["findings"].as_array().unwrap().clone();
    let of = |name: &str| {
        findings
            .iter()
            .find(|finding| finding["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of("model store")["state"], "problem");
    assert!(
        of("model store")["mend"]
            .as_str()
            .unwrap()
            .contains("EARMARK_HOME")
    );
    assert!(of("set")["found"].as_str().unwrap().contains("HTTPS_PROXY"));
    assert_eq!(of("network wall")["state"], "ok");
}
