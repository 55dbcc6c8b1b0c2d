//! Where `${env:NAME}` may stand: in what says where things are and how they are started, never in
//! what decides what is measured.

use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::environment_names;
use crate::yaml::Document;
use std::collections::BTreeMap;

/// Returns the variables that a document asks for, each with its first place. What is malformed, or stands where it may not,
/// goes into `problems`.
pub(super) fn environment_of(
    document: &Document,
    problems: &mut Diagnostics,
) -> BTreeMap<String, Span> {
    let mut names = BTreeMap::new();
    for node in document.scalars() {
        let Some(value) = document.scalar(node) else {
            continue;
        };
        if !value.written.contains("${env:") {
            continue;
        }
        let path = document.path(node);
        let refuse = |message: String, hint: &str| {
            Diagnostic::error(Some(document.span(node)), message)
                .path(path.clone())
                .hint(hint)
        };
        if is_prose(&path) {
            continue;
        }
        if !may_hold(&path) {
            problems.push(refuse(
                "a value of the environment may not stand here".into(),
                "it may in paths, sources and commands of definitions; what is measured must be \
                 readable in the file",
            ));
            continue;
        }
        match environment_names(&value.written) {
            Ok(found) => {
                for name in found {
                    names
                        .entry(name.to_owned())
                        .or_insert_with(|| document.span(node));
                }
            }
            Err(reason) => problems.push(refuse(reason, "write `${env:NAME}`")),
        }
    }
    names
}

/// Text for people, in which nothing is filled in.
fn is_prose(path: &str) -> bool {
    path == "description"
}

fn may_hold(path: &str) -> bool {
    let Some((section, rest)) = path.split_once('.') else {
        return false;
    };
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| rest.ends_with(suffix));
    match section {
        "models" => rest.contains(".sources[") && ends(&["].path", "].hub", "].revision", "].url"]),
        "audio" => ends(&[".file", ".manifest"]),
        "backends" => rest.contains(".command[") || rest.contains(".version["),
        "recipes" => rest.contains(".command["),
        _ => false,
    }
}
