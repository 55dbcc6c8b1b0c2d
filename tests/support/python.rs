//! A Python with packages from the package index that pip is set up for, made once, in the build's
//! folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns a Python with the packages that a file of requirements, relative to the project, names. It is
/// made by whoever is first; `name` says which packages these are, and changes with their versions.
pub fn with_packages(name: &str, requirements: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = File::create(root.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let folder = root.join(name);
    let python = folder.join("bin/python");
    let ready = folder.join("ready");
    if ready.exists() {
        return python;
    }
    let succeeds = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    let made = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        && succeeds(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(super::project().join(requirements)),
        );
    assert!(
        made,
        "no Python with {name} can be made: `.ci/setup` says what is missing, and pip needs a package \
         index"
    );
    fs::write(ready, "").unwrap();
    python
}
