//! What tests put in place of an installed environment.

use super::files::{digest_of, lock_of};
use super::home::write_record;
use super::installed::{FORMAT, Installed};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Makes an environment that looks whole and holds an empty file for a Python.
pub(in crate::engine) fn install_stand_in(home: &Path, environment: &str) -> PathBuf {
    let folder = home.join("engines").join(environment);
    fs::create_dir_all(folder.join("environment/bin")).unwrap();
    fs::write(folder.join("environment/bin/python"), "").unwrap();
    let installed = Installed {
        format: FORMAT,
        environment: environment.into(),
        lock_sha256: digest_of(lock_of(environment).unwrap()),
        python: "3.11.0".into(),
        bytes: 0,
        at: String::new(),
        distributions: BTreeMap::new(),
    };
    write_record(&folder, &installed).unwrap();
    folder
}
