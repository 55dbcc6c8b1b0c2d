//! The night, whole: what measures, keeps, publishes, tells and compares, executed as far as it can be
//! without GitHub.
//!
//! Git, Python and the scripts are real, and so are the runs, by the engine `fake`. GitHub is a stand-in
//! for `gh` that writes down what it was asked.

mod comment;
mod night;
mod workflows;

pub use workflows::schema_checker;

use crate::support::{Place, program, project};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Returns a script of the folder `nightly`, to be run in a place with what it may use.
fn script(place: &Place, name: &str) -> Command {
    let mut command = Command::new(project().join("nightly").join(name));
    let path = std::env::var("PATH").unwrap();
    command
        .current_dir(place.path())
        .env(
            "PATH",
            format!("{}:{path}", place.path().join("bin").display()),
        )
        .env("EARMARK", program())
        .env("EARMARK_HOME", place.path().join("home"))
        .env("HF_HOME", place.path().join("home/huggingface"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env_remove("GITHUB_OUTPUT");
    command
}

/// A stand-in for `gh` in a place: it writes down its arguments and its input, and answers what a file
/// says for the first argument that a pattern of it is part of.
fn stand_in_for_github(place: &Place, answers: &[(&str, &str)]) {
    let mut text = String::from(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$GH_LOG\"\ncase \"$*\" in *--input*) cat >> \"$GH_LOG\"; echo >> \"$GH_LOG\";; esac\n",
    );
    text.push_str("case \"$*\" in\n");
    for (number, (pattern, answer)) in answers.iter().enumerate() {
        place.write(&format!("bin/answer-{number}"), answer);
        text.push_str(&format!(
            "*'{pattern}'*) cat \"$(dirname \"$0\")/answer-{number}\";;\n"
        ));
    }
    text.push_str("esac\n");
    place.write("bin/gh", &text);
    executable(&place.path().join("bin/gh"));
}

fn executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns what the stand-in was asked.
fn asked(place: &Place) -> String {
    fs::read_to_string(place.path().join("gh.log")).unwrap_or_default()
}
