//! Programs that engines and recipes are made with, and variables that lead them elsewhere.

use super::finding::Finding;
use crate::exec::{RunContext, try_program};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a probe may take; Python's first start on a slow disk is slow.
const LIMIT: Duration = Duration::from_secs(30);
/// The oldest Python that bridges run on.
const OLDEST: (u32, u32) = (3, 9);
/// Says Python's version, and whether environments can be made with it.
const QUESTION: &str = "import sys, venv\nprint('%d.%d.%d' % sys.version_info[:3])\ntry:\n import ensurepip\n print('venv')\nexcept ImportError:\n print('no pip')\n";
/// Variables that lead fetches through, to or past other machines, and those that move caches.
const VARIABLES: [&str; 21] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_ENDPOINT",
    "HF_TOKEN",
    "HF_HUB_OFFLINE",
    "PIP_INDEX_URL",
    "UV_INDEX_URL",
    "EARMARK_HOME",
    "XDG_CACHE_HOME",
];

/// Looks for Python and uv.
pub(super) async fn findings(context: &RunContext) -> Vec<Finding> {
    let uv = match find("uv", context) {
        Some(path) => Finding::ok("tools", "uv", path.display().to_string()),
        None => Finding::note(
            "tools",
            "uv",
            "not on PATH",
            "not needed: engines are installed with Python's own pip without it, slower",
        ),
    };
    vec![python(context).await, uv]
}

async fn python(context: &RunContext) -> Finding {
    let name = "python3";
    let Some(path) = find(name, context) else {
        return Finding::note(
            "tools",
            name,
            "not on PATH",
            "engines written in Python and some recipes need version 3.9 or later",
        );
    };
    let command = [
        path.clone().into(),
        "-I".into(),
        "-c".into(),
        QUESTION.into(),
    ];
    match try_program(context, command.to_vec(), LIMIT).await {
        Ok(tried) => judge(&path.display().to_string(), &tried.answer),
        Err(reason) => Finding::note(
            "tools",
            name,
            format!("{}: {reason}", path.display()),
            "engines written in Python and some recipes cannot run: install Python with its venv",
        ),
    }
}

fn judge(path: &str, answer: &str) -> Finding {
    let name = "python3";
    let mut lines = answer.lines();
    let version = lines.next().unwrap_or_default();
    let mut numbers = version
        .split('.')
        .filter_map(|number| number.parse::<u32>().ok());
    let known = numbers.next().zip(numbers.next());
    let found = format!("{path}, version {version}");
    if known.is_none_or(|known| known < OLDEST) {
        let mend = "engines written in Python need version 3.9 or later";
        return Finding::note("tools", name, found, mend);
    }
    if lines.next() == Some("venv") {
        Finding::ok("tools", name, format!("{found}, makes environments"))
    } else {
        let mend = "environments have no pip: install `python3-venv`, or uv";
        Finding::note("tools", name, found, mend)
    }
}

/// Finds a program on PATH.
fn find(name: &str, context: &RunContext) -> Option<PathBuf> {
    let search = context.variable("PATH")?;
    std::env::split_paths(&search)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| {
            path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
        })
}

/// Names the variables that are set; their values are nobody's business.
pub(super) fn variables(get: impl Fn(&str) -> Option<OsString>) -> Vec<Finding> {
    let set: Vec<&str> = VARIABLES
        .into_iter()
        .filter(|name| get(name).is_some_and(|value| !value.is_empty()))
        .collect();
    let found = if set.is_empty() {
        "none".to_owned()
    } else {
        set.join(", ")
    };
    let mut findings = vec![Finding::ok("variables", "set", found)];
    if set.contains(&"HF_HUB_OFFLINE") {
        findings.push(Finding::note(
            "variables",
            "HF_HUB_OFFLINE",
            "is set",
            "unset it if models are to be fetched from hubs",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn values_of_variables_are_not_shown() {
        let secret = |name: &str| (name == "HF_TOKEN").then(|| OsString::from("hf_secret"));
        let findings = variables(secret);
        assert_eq!(findings[0].found, "HF_TOKEN");
        assert!(!format!("{findings:?}").contains("secret"));
    }

    #[test]
    fn an_old_python_and_one_without_pip_are_to_know() {
        assert_eq!(judge("p", "3.11.2\nvenv").state, State::Ok);
        assert_eq!(judge("p", "3.8.1\nvenv").state, State::Note);
        assert!(judge("p", "3.11.2\nno pip").mend.contains("python3-venv"));
        assert_eq!(judge("p", "").state, State::Note);
    }
}
