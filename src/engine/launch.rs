//! How an engine's process is started: program, arguments, environment and walls.

use super::bridge::{self, BridgeTerms};
use crate::model::{EngineFacts, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The hidden verb by which this program becomes the worker of a built-in engine.
pub const WORKER_VERB: &str = "__worker";

/// A process to be started under a shim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchSpec {
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// The whole environment.
    pub environment: BTreeMap<String, OsString>,
    /// Whether the process may reach a network.
    pub network: bool,
    /// Whether it speaks the protocol.
    pub protocol: bool,
}

/// Variables that every child keeps if the runner has them: where programs and temporary files
/// are, how text is written, and what a dynamic linker needs.
const KEPT: [&str; 9] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "USER",
];

/// Variables that a child keeps beside those if it may reach a network: proxies, certificates and
/// the settings of package indexes, as a recipe's tools need them.
const KEPT_WITH_NETWORK: [&str; 27] = [
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
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_TRUSTED_HOST",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_CONFIG_FILE",
    "PIP_NO_INDEX",
    "PIP_CACHE_DIR",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_FIND_LINKS",
    "UV_CACHE_DIR",
    "XDG_CONFIG_HOME",
];

/// An address at which nobody answers: the port is that of a service which throws away what it is sent,
/// and which nobody runs. No name has to be looked up for it.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Returns the environment of a child: an allow-list of what the runner has, and nothing else.
/// `get` is the runner's own environment.
#[must_use]
pub fn child_environment(
    network: bool,
    get: impl Fn(&str) -> Option<OsString>,
) -> BTreeMap<String, OsString> {
    let extra: &[&str] = if network { &KEPT_WITH_NETWORK } else { &[] };
    KEPT.iter()
        .chain(extra)
        .filter_map(|name| Some(((*name).to_owned(), get(name)?)))
        .collect()
}

/// Returns how a built-in engine is started. Threads and offline variables are set before the
/// process exists, because libraries read them once, when they start.
#[must_use]
pub fn launch(
    program: &Path,
    engine: &EngineFacts,
    settings: &BTreeMap<String, Value>,
    threads: u32,
    get: impl Fn(&str) -> Option<OsString>,
) -> LaunchSpec {
    let mut environment = offline_environment(threads, get);
    let policy = settings
        .get("wait-policy")
        .map_or("active", |value| value.written.as_str());
    environment.insert("OMP_WAIT_POLICY".into(), policy.into());
    LaunchSpec {
        command: vec![program.into(), WORKER_VERB.into(), engine.id.clone().into()],
        environment,
        network: false,
        protocol: true,
    }
}

/// Returns how an engine is started, be it built in or a bridge.
///
/// # Errors
///
/// Returns the reason if there is no Python for a bridge, or its files cannot be written.
pub fn launch_any(
    program: &Path,
    engine: &EngineFacts,
    terms: &BridgeTerms<'_>,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<LaunchSpec, String> {
    match bridge::definition(&engine.id) {
        Some(bridge) => bridge::launch(bridge, terms, get),
        None => Ok(launch(program, engine, terms.settings, terms.threads, get)),
    }
}

/// Returns the environment of a child that computes and reaches no network.
pub(super) fn offline_environment(
    threads: u32,
    get: impl Fn(&str) -> Option<OsString>,
) -> BTreeMap<String, OsString> {
    let mut environment = child_environment(false, get);
    let mut set = |name: &str, value: &str| {
        environment.insert(name.to_owned(), value.into());
    };
    let threads = threads.to_string();
    for name in ["OMP_NUM_THREADS", "RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        set(name, &threads);
    }
    // ggml would start a debugger on an abort.
    set("GGML_NO_BACKTRACE", "1");
    // The wall is what protects; these make well-behaved libraries fail fast instead of retrying.
    for name in [
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "HF_DATASETS_OFFLINE",
    ] {
        set(name, "1");
    }
    for name in ["HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        set(name, NOWHERE);
    }
    // Some programs read only these, and some only the others.
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        set(name, NOWHERE);
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_the_runner_do_not_reach_a_child() {
        let environment = child_environment(true, |name| Some(name.into()));
        assert!(environment.contains_key("PATH"));
        assert!(environment.contains_key("HTTPS_PROXY"));
        assert!(
            environment
                .keys()
                .all(|name| !name.contains("TOKEN") && !name.contains("SECRET"))
        );
        let offline = child_environment(false, |name| Some(name.into()));
        assert!(!offline.contains_key("HTTPS_PROXY"));
    }

    #[test]
    fn a_child_without_a_network_is_told_so_and_led_nowhere() {
        let environment = offline_environment(1, |name| Some(name.into()));
        assert_eq!(environment["HF_HUB_OFFLINE"], "1");
        for name in ["HF_ENDPOINT", "HTTPS_PROXY", "https_proxy"] {
            assert_eq!(environment[name], NOWHERE, "{name}");
        }
        assert!(!environment.contains_key("NO_PROXY"));
    }
}
