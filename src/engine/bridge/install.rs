//! How an environment of bridges is made: in a place of its own, step by step, and moved to where it
//! belongs when it is whole. Whoever installs runs the steps; nothing in here starts a process.

use super::files;
use super::home::{EngineHome, environment_in, lock_in, python_in, write_record};
use super::installed::{FORMAT, Installed};
use crate::catalog::bridges;
use crate::sharing::has_no_locks;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How the names of places begin in which environments are made, and of what is thrown away.
const PREFIX: &str = ".installing-";
/// Tells the versions of everything in an environment.
const ASK_VERSIONS: &str = "\
import importlib.metadata, json, sys
found = {d.name: d.version for d in importlib.metadata.distributions() if d.name}
print(json.dumps({'python': '%d.%d.%d' % sys.version_info[:3], 'distributions': found}))";
/// Tells a Python's version.
const ASK_PYTHON: &str = "import sys; print('%d.%d' % sys.version_info[:2])";
/// The oldest Python that the locks are for.
const OLDEST: (u32, u32) = (3, 11);

/// What makes environments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// uv, which finds a Python by itself.
    Uv(PathBuf),
    /// A Python with its `venv` and pip.
    Pip(PathBuf),
}

/// A program that an installation runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is called in a reason, such as `pip`.
    pub name: &'static str,
    /// What it does, for people.
    pub doing: String,
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// It may reach a network.
    pub network: bool,
    /// Its standard output is its answer; if not, what it says on standard error is progress.
    pub answers: bool,
}

impl Step {
    /// Asks a Python for its version.
    #[must_use]
    pub fn ask_python(python: &Path) -> Self {
        Self {
            name: "python",
            doing: format!("asking {} for its version", python.display()),
            command: words([python.into(), "-I".into(), "-c".into(), ASK_PYTHON.into()]),
            network: false,
            answers: true,
        }
    }

    /// Returns whether the answer to [`ask_python`](Self::ask_python) is one of a version that will do.
    #[must_use]
    pub fn is_new_enough(answer: &[u8]) -> bool {
        let text = String::from_utf8_lossy(answer);
        let version = text.trim().split_once('.');
        version
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
            .is_some_and(|version: (u32, u32)| version >= OLDEST)
    }
}

/// An environment that is being made. What was made goes when this value goes, unless it was
/// [finished](Self::finish).
#[derive(Debug)]
pub struct Installation {
    home: EngineHome,
    environment: String,
    lock: &'static str,
    place: TempDir,
    /// Held until the end.
    _claim: File,
}

impl Installation {
    /// Begins one. `None` if another installer is at the same environment.
    ///
    /// # Errors
    ///
    /// Returns the reason if the folder of engines cannot be written.
    pub fn begin(home: &EngineHome, environment: &str) -> Result<Option<Self>, String> {
        let problem = |error: io::Error| {
            format!(
                "the folder of engines {} cannot be written: {error}; set EARMARK_HOME to a folder of \
                 yours",
                home.root.display()
            )
        };
        let lock = files::lock_of(environment)
            .ok_or_else(|| format!("there is no environment `{environment}`"))?;
        fs::create_dir_all(&home.root).map_err(problem)?;
        let claim = match claim(&home.lock_file(environment)) {
            Ok(Some(claim)) => claim,
            Ok(None) => return Ok(None),
            Err(error) => return Err(problem(error)),
        };
        let prefix = format!("{PREFIX}{environment}-");
        remove_left(&home.root, &prefix);
        let place = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&home.root)
            .map_err(problem)?;
        fs::write(lock_in(place.path()), lock).map_err(problem)?;
        fs::create_dir(place.path().join("temporary")).map_err(problem)?;
        Ok(Some(Self {
            home: home.clone(),
            environment: environment.to_owned(),
            lock,
            place,
            _claim: claim,
        }))
    }

    /// Returns where its programs put temporary files.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.place.path().join("temporary")
    }

    /// Returns the steps that make the environment.
    #[must_use]
    pub fn steps(&self, tool: &Tool) -> [Step; 2] {
        let folder = self.place.path();
        let (environment, python) = (environment_in(folder), python_in(folder));
        let lock = lock_in(folder);
        let packages = self.lock.matches("==").count();
        let making = "making an environment".to_owned();
        let installing = format!("installing {packages} packages");
        match tool {
            Tool::Uv(uv) => {
                let uv = || uv.clone().into_os_string();
                [
                    Step {
                        name: "uv venv",
                        doing: making,
                        command: words([
                            uv(),
                            "venv".into(),
                            "--no-project".into(),
                            "--relocatable".into(),
                            "--python".into(),
                            format!(">={}.{}", OLDEST.0, OLDEST.1).into(),
                            environment.into(),
                        ]),
                        network: true,
                        answers: false,
                    },
                    Step {
                        name: "uv pip",
                        doing: installing,
                        command: words([
                            uv(),
                            "pip".into(),
                            "install".into(),
                            "--python".into(),
                            python.into(),
                            "--require-hashes".into(),
                            "--no-deps".into(),
                            "--compile-bytecode".into(),
                            "--requirement".into(),
                            lock.into(),
                        ]),
                        network: true,
                        answers: false,
                    },
                ]
            }
            Tool::Pip(base) => [
                Step {
                    name: "python -m venv",
                    doing: making,
                    command: told(words([
                        base.into(),
                        "-m".into(),
                        "venv".into(),
                        environment.into(),
                    ])),
                    network: false,
                    answers: false,
                },
                Step {
                    name: "pip",
                    doing: installing,
                    command: told(words([
                        python.into(),
                        "-m".into(),
                        "pip".into(),
                        "install".into(),
                        "--require-hashes".into(),
                        // What some packages declare and never import is not in the lock.
                        "--no-deps".into(),
                        "--no-input".into(),
                        "--disable-pip-version-check".into(),
                        "--progress-bar=off".into(),
                        "--requirement".into(),
                        lock.into(),
                    ])),
                    network: true,
                    answers: false,
                },
            ],
        }
    }

    /// Returns the step that asks the environment for all that it holds.
    #[must_use]
    pub fn ask_versions(&self) -> Step {
        Step {
            name: "python",
            doing: "looking at what was installed".into(),
            command: words([
                python_in(self.place.path()).into(),
                "-I".into(),
                "-c".into(),
                ASK_VERSIONS.into(),
            ]),
            network: false,
            answers: true,
        }
    }

    /// Moves the environment to its place. `answer` is that to [`ask_versions`](Self::ask_versions),
    /// `at` the time in UTC.
    ///
    /// # Errors
    ///
    /// Returns the reason if an engine is not in there in the version that its lock pins, or files
    /// cannot be written.
    pub fn finish(self, answer: &[u8], at: String) -> Result<Installed, String> {
        #[derive(Deserialize)]
        struct Told {
            python: String,
            distributions: BTreeMap<String, String>,
        }
        let told: Told = serde_json::from_slice(answer)
            .map_err(|error| format!("what was installed cannot be told: {error}"))?;
        self.refuse_other_versions(&told.distributions)?;
        let folder = self.place.path();
        let problem = |error: io::Error| format!("{}: {error}", self.home.root.display());
        fs::remove_dir_all(self.temporary()).map_err(problem)?;
        let installed = Installed {
            format: FORMAT,
            environment: self.environment.clone(),
            lock_sha256: files::digest_of(self.lock),
            python: told.python,
            bytes: bytes_in(&environment_in(folder)),
            at,
            distributions: told.distributions,
        };
        write_record(folder, &installed).map_err(problem)?;
        let target = self.home.folder(&self.environment);
        retire(&self.home.root, &target, &self.environment).map_err(problem)?;
        fs::rename(folder, &target).map_err(problem)?;
        self.home.write_bridges()?;
        Ok(installed)
    }

    fn refuse_other_versions(&self, found: &BTreeMap<String, String>) -> Result<(), String> {
        for (id, bridge) in bridges() {
            if bridge.environment.as_ref() != Some(&self.environment) {
                continue;
            }
            let (Some(package), Some(version)) = (&bridge.package, &bridge.version) else {
                continue;
            };
            let told = found
                .iter()
                .find(|(name, _)| normal(name) == normal(package))
                .map(|(_, version)| version.as_str());
            if told != Some(version) {
                return Err(format!(
                    "`{id}` wants {package} {version}, and the environment has {}",
                    told.unwrap_or("none")
                ));
            }
        }
        Ok(())
    }
}

/// Removes an environment. Returns whether there was one; `None` if an installer is at it.
///
/// # Errors
///
/// Returns the reason if it cannot be removed.
pub fn remove(home: &EngineHome, environment: &str) -> Result<Option<bool>, String> {
    let target = home.folder(environment);
    if !target.exists() {
        return Ok(Some(false));
    }
    let problem = |error: io::Error| format!("{}: {error}", target.display());
    let Some(_claim) = claim(&home.lock_file(environment)).map_err(problem)? else {
        return Ok(None);
    };
    retire(&home.root, &target, environment).map_err(problem)?;
    Ok(Some(true))
}

/// Takes an environment out of its place and removes it: it is whole or not there at every moment.
fn retire(root: &Path, target: &Path, environment: &str) -> io::Result<()> {
    if !target.exists() {
        return Ok(());
    }
    let old = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{environment}-"))
        .tempdir_in(root)?;
    fs::rename(target, old.path().join("old"))?;
    old.close()
}

/// Has a program tell on standard error what it writes to standard output.
fn told(command: Vec<OsString>) -> Vec<OsString> {
    let mut shell = words([
        "sh".into(),
        "-c".into(),
        "exec \"$@\" 1>&2".into(),
        "sh".into(),
    ]);
    shell.extend(command);
    shell
}

fn words<const N: usize>(words: [OsString; N]) -> Vec<OsString> {
    words.into()
}

/// Locks a file. `None` if another holds it. A file system without locks keeps nobody out.
fn claim(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Some(file)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes what installers of an environment have left that were killed. Its lock is held.
fn remove_left(root: &Path, prefix: &str) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Returns the lengths of all files under a folder; links are not followed.
fn bytes_in(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Returns a distribution's name in its one spelling (PEP 503).
fn normal(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
#[path = "install_tests.rs"]
mod tests;
