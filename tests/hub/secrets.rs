//! A token goes to the hub and to nobody else, and stands in nothing that is kept or shown.

use super::fault::{At, Fault};
use super::server::Hub;
use super::{
    Place, QUICK, REPOSITORY, Row, all_described, command_of, download, files_below, matrix,
    place_of, weights,
};
use crate::support::Ran;
use std::fs;

const TOKEN: &str = "hf_secretOfTheTest";

fn two_files() -> Hub {
    Hub::with(&[
        ("m.bin", weights(300_000, 1)),
        ("config.json", weights(200, 2)),
    ])
}

/// Asserts that nothing below a place, and nothing that was shown, holds the token.
fn is_nowhere(place: &Place, ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(TOKEN), "{text}");
        assert!(!text.contains("secret-of-the-way"), "{text}");
    }
    for path in files_below(place.path()) {
        let bytes = fs::read(&path).unwrap_or_default();
        let holds = |secret: &str| {
            bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        };
        assert!(
            !holds(TOKEN) && !holds("secret-of-the-way"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_token_goes_to_the_hub_alone() {
    let hub = two_files();
    hub.require_token(TOKEN);
    let place = place_of(&hub, QUICK);
    Row::of(&download(&place, &hub)).expect("failed", "set HF_TOKEN");
    let mut command = place.command(&["run", "m.yaml", "--out", "run"]);
    let command = command.env("HF_ENDPOINT", hub.url()).env("HF_TOKEN", TOKEN);
    let ran = Ran::from(command.output().unwrap());
    Row::of(&ran).expect("completed", "");
    is_nowhere(&place, &ran);
    let asked = hub.asked();
    assert!(asked.iter().any(|asked| asked.of_cdn));
    for asked in asked.into_iter().filter(|asked| asked.of_cdn) {
        assert_eq!(asked.headers.get("authorization"), None);
        assert_eq!(asked.headers.get("referer"), None);
    }
}

#[test]
fn what_servers_say_may_hold_the_token_and_is_shown_without_it() {
    let echo = "{\"error\": \"you sent hf_secretOfTheTest\"}";
    for (at, fault) in [
        (At::Info, Fault::Status(403, "", echo)),
        (
            At::Tree,
            Fault::Status(401, "X-Error-Message: hf_secretOfTheTest\r\n", ""),
        ),
        (At::Resolve, Fault::Status(500, "", echo)),
        (At::Bytes, Fault::Status(403, "", echo)),
        (At::Bytes, Fault::Cut(10)),
        (At::Bytes, Fault::Circle),
    ] {
        let hub = two_files();
        let place = place_of(&hub, QUICK);
        hub.fail(at, fault, 1000);
        let mut command = place.command(&["run", "m.yaml", "--out", "run"]);
        let command = command.env("HF_ENDPOINT", hub.url()).env("HF_TOKEN", TOKEN);
        let ran = Ran::from(command.output().unwrap());
        Row::of(&ran).expect("failed", "");
        is_nowhere(&place, &ran);
    }
}

#[test]
fn a_recipe_is_not_told_the_token() {
    let hub = two_files();
    let place = Place::new();
    let recipe = format!(
        "recipes:\n  made: {{command: [/bin/sh, -c, \"env >&2; exit 1\"], produces: {{mine: \
         [ggml-f16]}}}}\n{QUICK}"
    );
    let sources = format!("{{recipe: made}}, {{hub: {REPOSITORY}}}");
    place.write("m.yaml", &matrix(&all_described(&hub), &sources, &recipe));
    let home = place.path().join("hf");
    fs::create_dir_all(&home).unwrap();
    let mut command = place.command(&["run", "m.yaml", "--out", "run"]);
    let command = command.env("HF_ENDPOINT", hub.url()).env("HF_TOKEN", TOKEN);
    let ran = Ran::from(command.output().unwrap());
    Row::of(&ran).expect("completed", "");
    is_nowhere(&place, &ran);
}

#[test]
fn a_token_that_is_kept_in_a_file_is_found() {
    let hub = two_files();
    hub.require_token(TOKEN);
    let place = place_of(&hub, QUICK);
    let file = place.path().join("my-token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let mut command = command_of(&place, &hub);
    let command = command.env("HF_TOKEN_PATH", &file).env_remove("HF_TOKEN");
    Row::of(&Ran::from(command.output().unwrap())).expect("completed", "");
    let place = place_of(&hub, QUICK);
    let mut command = command_of(&place, &hub);
    let command = command
        .env("HF_TOKEN", TOKEN)
        .env("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    Row::of(&Ran::from(command.output().unwrap())).expect("failed", "set HF_TOKEN");
}
