//! How a bridge's process is started.

use super::home::EngineHome;
use crate::engine::find_on_path;
use crate::engine::launch::{LaunchSpec, child_environment, offline_environment};
use crate::model::{BridgeDefinition, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The setting that names the variable with a key: never the key itself.
pub const KEY_VARIABLE: &str = "key-variable";

/// What a bridge's process is started with beside its definition.
#[derive(Clone, Debug)]
pub struct BridgeTerms<'a> {
    /// Its settings.
    pub settings: &'a BTreeMap<String, Value>,
    /// How many threads it may use.
    pub threads: u32,
    /// It is measured: only then may an engine that transcribes through a network reach one.
    pub measured: bool,
}

/// Returns how a bridge's process is started. Threads and offline variables are set before it exists,
/// because libraries read them once. Its files are written out if they are not there. `get` is the
/// runner's own environment.
///
/// # Errors
///
/// Returns the reason if there is no Python for it, or its files cannot be written.
pub fn launch(
    bridge: &BridgeDefinition,
    terms: &BridgeTerms<'_>,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<LaunchSpec, String> {
    let home = EngineHome::from_environment(&get)?;
    let folder = home.write_bridges()?;
    let python: PathBuf = match &bridge.environment {
        Some(environment) => home.python(environment),
        None => find_on_path("python3", get("PATH").as_deref())
            .ok_or("no folder of PATH has `python3`: install Python")?,
    };
    let network = bridge.network && terms.measured;
    let mut environment = offline_environment(terms.threads, &get);
    if network {
        // Its own clients may follow proxies and certificates; those for hubs stay offline.
        let kept = child_environment(true, &get);
        for name in PROXIES {
            match kept.get(name) {
                Some(value) => environment.insert(name.into(), value.clone()),
                None => environment.remove(name),
            };
        }
        environment.extend(kept);
        // By name, from this environment into that one: it is written nowhere.
        if let Some(name) = terms.settings.get(KEY_VARIABLE)
            && let name = name.written.as_str()
            && let Some(key) = get(name)
        {
            environment.insert(name.to_owned(), key);
        }
    }
    // Neither the variables of somebody's Python, nor the packages of their home, nor files of compiled
    // code where this lies. A fully isolated Python would not find what bridges share.
    let flags = ["-E", "-s", "-B"].map(OsString::from);
    let mut command = vec![python.into_os_string()];
    command.extend(flags);
    command.push(folder.join(&bridge.file).into_os_string());
    Ok(LaunchSpec {
        command,
        environment,
        network,
        protocol: true,
    })
}

const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::bridge_definition;

    fn spec(id: &str, settings: &BTreeMap<String, Value>, measured: bool) -> LaunchSpec {
        let home = tempfile::tempdir().unwrap();
        let terms = BridgeTerms {
            settings,
            threads: 3,
            measured,
        };
        launch(bridge_definition(id).unwrap(), &terms, |name| match name {
            "EARMARK_HOME" => Some(home.path().into()),
            "PATH" => std::env::var_os("PATH"),
            "HTTPS_PROXY" => Some("http://proxy:1".into()),
            "THE_KEY" | "OTHER_KEY" => Some("secret".into()),
            _ => None,
        })
        .unwrap()
    }

    #[test]
    fn an_installed_engine_gets_its_own_python_and_no_network() {
        let spec = spec("faster-whisper", &BTreeMap::new(), true);
        let words: Vec<String> = spec
            .command
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        assert!(words[0].ends_with("engines/faster-whisper/environment/bin/python"));
        assert!(words.last().unwrap().ends_with("/faster_whisper.py"));
        assert!(!spec.network && spec.protocol);
        assert_eq!(spec.environment["OMP_NUM_THREADS"], "3");
        assert_eq!(spec.environment["HF_HUB_OFFLINE"], "1");
        assert_ne!(spec.environment["HTTPS_PROXY"], "http://proxy:1");
    }

    #[test]
    fn a_key_reaches_only_the_engine_that_names_it_and_only_when_it_is_measured() {
        let settings = BTreeMap::from([(KEY_VARIABLE.to_owned(), Value::text("THE_KEY"))]);
        let measured = spec("openai-http", &settings, true);
        assert!(measured.network);
        assert_eq!(measured.environment["THE_KEY"], "secret");
        assert_eq!(measured.environment["HTTPS_PROXY"], "http://proxy:1");
        assert!(!measured.environment.contains_key("OTHER_KEY"));
        assert!(!measured.environment.contains_key("http_proxy"));
        let asked = spec("openai-http", &settings, false);
        assert!(!asked.network && !asked.environment.contains_key("THE_KEY"));
        let other = spec("moonshine", &settings, true);
        assert!(!other.environment.contains_key("THE_KEY"));
    }
}
