//! Where environments of bridges live on this machine, and which of them are whole.

use super::files;
use super::installed::{FORMAT, Installed};
use crate::model::earmark_home;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The file that is written last.
const RECORD: &str = "installed.json";
/// The virtual environment beside it.
const ENVIRONMENT: &str = "environment";
/// The lock that it was installed from.
const LOCK: &str = "lock.txt";

/// How an environment is on this machine. Nothing is started to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentState {
    /// Whole, and what this program wants.
    Ready(Box<Installed>),
    /// Nothing is there.
    Absent,
    /// Something is there that cannot be used, and why.
    Unusable(String),
}

/// The folder of engines: `$EARMARK_HOME/engines`, beside the models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineHome {
    /// The folder.
    pub root: PathBuf,
}

impl EngineHome {
    /// Finds it from environment variables.
    ///
    /// # Errors
    ///
    /// Returns the reason if none of them is set to an absolute folder.
    pub fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        earmark_home(get)
            .map(|home| Self {
                root: home.join("engines"),
            })
            .ok_or_else(|| {
                "no place for engines: set EARMARK_HOME (or HOME) to an absolute folder".into()
            })
    }

    /// Returns the folder of an environment with all that belongs to it.
    #[must_use]
    pub fn folder(&self, environment: &str) -> PathBuf {
        self.root.join(environment)
    }

    /// Returns the Python of an environment.
    #[must_use]
    pub fn python(&self, environment: &str) -> PathBuf {
        python_in(&self.folder(environment))
    }

    /// Returns the file that is locked while an environment is changed. That it is there means nothing.
    #[must_use]
    pub fn lock_file(&self, environment: &str) -> PathBuf {
        self.root.join(format!(".{environment}.lock"))
    }

    /// Returns how an environment is.
    #[must_use]
    pub fn state(&self, environment: &str) -> EnvironmentState {
        let folder = self.folder(environment);
        let text = match fs::read_to_string(folder.join(RECORD)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.exists() => {
                return EnvironmentState::Absent;
            }
            Err(error) => {
                return EnvironmentState::Unusable(format!(
                    "installed, but what is installed cannot be read ({error})"
                ));
            }
        };
        let Ok(installed) = serde_json::from_str::<Installed>(&text) else {
            return EnvironmentState::Unusable("installed by another version of Earmark".into());
        };
        let wanted = files::lock_of(environment).map(files::digest_of);
        if installed.format != FORMAT || Some(&installed.lock_sha256) != wanted.as_ref() {
            return EnvironmentState::Unusable("installed, but for another version".into());
        }
        // A link to a Python that was removed since is no file.
        if !python_in(&folder).is_file() {
            return EnvironmentState::Unusable("installed, but its Python is gone".into());
        }
        EnvironmentState::Ready(Box::new(installed))
    }

    /// Writes this program's bridges out, unless they are there, and returns their folder.
    ///
    /// # Errors
    ///
    /// Returns the reason if they cannot be written.
    pub fn write_bridges(&self) -> Result<PathBuf, String> {
        files::write_into(&self.root).map_err(|error| {
            format!(
                "the bridges cannot be written to {}: {error}; set EARMARK_HOME to a folder of yours",
                self.root.display()
            )
        })
    }
}

/// Returns the virtual environment in the folder of an environment.
pub(super) fn environment_in(folder: &Path) -> PathBuf {
    folder.join(ENVIRONMENT)
}

/// Returns the Python in the folder of an environment.
pub(super) fn python_in(folder: &Path) -> PathBuf {
    environment_in(folder).join("bin/python")
}

/// Returns where the lock lies in the folder of an environment.
pub(super) fn lock_in(folder: &Path) -> PathBuf {
    folder.join(LOCK)
}

/// Writes the record into the folder of an environment, which is whole with it.
pub(super) fn write_record(folder: &Path, installed: &Installed) -> io::Result<()> {
    let text = serde_json::to_string_pretty(installed).map_err(io::Error::other)? + "\n";
    let path = folder.join(RECORD);
    fs::write(&path, text)?;
    File::open(&path)?.sync_all()
}
