//! An environment with the programs that scores are held against, in the target folder. Tests and
//! benches share it.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the interpreter of the environment, which is made if it is not there: installs what
/// `requirements.txt` pins, every file by its digest.
pub fn interpreter() -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/requirements.txt");
    let python = ["python3.11", "python3"].into_iter().find(|name| {
        let told = Command::new(name).arg("--version").output();
        told.is_ok_and(|told| told.status.success())
    });
    let python = python.expect("Python 3.11 or newer is on the path");
    let digest = Sha256::digest(std::fs::read(&requirements).unwrap());
    let name = format!(
        "score-oracle-{python}-{:02x}{:02x}{:02x}",
        digest[0], digest[1], digest[2]
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let interpreter = folder.join("bin/python");
    if !interpreter.exists() {
        // Made beside its place, because others may make it too.
        let making = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap()
            .keep();
        succeed(Command::new(python).args(["-m", "venv"]).arg(&making));
        succeed(
            Command::new(making.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .args([
                    "--require-hashes",
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    "--requirement",
                ])
                .arg(&requirements),
        );
        if std::fs::rename(&making, &folder).is_err() {
            std::fs::remove_dir_all(&making).unwrap();
        }
    }
    interpreter
}

/// Returns the script that asks them.
pub fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/score_oracle.py")
}

fn succeed(command: &mut Command) {
    let told = command.output().unwrap();
    assert!(
        told.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&told.stderr)
    );
}
