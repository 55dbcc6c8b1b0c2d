//! A place of its own for each test, and the program run in it.

pub mod invalid;
pub mod journal;
pub mod mutate;
pub mod plans;
pub mod python;
#[cfg(all(target_os = "linux", feature = "hub"))]
pub mod without_locks;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A temporary folder in which the program is run, with a model store of its own.
pub struct Place {
    folder: TempDir,
    store: PathBuf,
}

impl Place {
    /// Makes an empty place with an empty model store.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("home");
        Self { folder, store }
    }

    /// Makes a place whose model store is shared by the tests of real engines, so that weights are
    /// made once.
    #[cfg(feature = "whisper-cpp")]
    pub fn with_shared_store() -> Self {
        let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("earmark-home");
        Self {
            folder: tempfile::tempdir().unwrap(),
            store,
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> PathBuf {
        self.store.join("models")
    }

    /// Writes a file and returns its name.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        name.to_owned()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.path())
            .env("EARMARK_HOME", &self.store)
            .env("HF_HOME", self.store.join("huggingface"))
            .env_remove("HF_HUB_CACHE")
            .env_remove("HUGGINGFACE_HUB_CACHE")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Reads a table of a run folder as rows of column to cell.
    pub fn table(&self, file: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.path().join(file)).unwrap();
        let header = reader.headers().unwrap().clone();
        reader
            .records()
            .map(|row| {
                let row = row.unwrap();
                header
                    .iter()
                    .map(str::to_owned)
                    .zip(row.iter().map(str::to_owned))
                    .collect()
            })
            .collect()
    }
}

/// What a run of the program came to.
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Returns the same if the status is the expected one, and shows everything if not.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// The program under test.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_earmark")
}

/// The folder of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A matrix of the fake engine with other lines under `matrix:` and after it.
pub fn fake_matrix(axes: &str, rest: &str) -> String {
    format!(
        "version: 1\nname: test\nmatrix:\n  backend: [fake]\n  model: [tiny.en]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\n{axes}\n{rest}\n"
    )
}

/// The longest that anything waited for may take on a machine under load.
const LIMIT: Duration = Duration::from_mins(1);

/// Waits for something that no descriptor tells of.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        let moment = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 2_000_000,
        };
        rustix::event::poll(&mut [], Some(&moment)).unwrap();
    }
}

/// Returns the processes that carry a mark in their environment: what a test's children left.
pub fn processes_with(mark: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let carries = |bytes: &[u8]| {
            bytes
                .windows(mark.len())
                .any(|window| window == mark.as_bytes())
        };
        if pid != std::process::id() && (carries(&arguments) || carries(&environment)) {
            found.push(pid);
        }
    }
    found
}
