//! Under whom the tests run the shim: the rules for signals and process limits differ for root.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program under test.
const EARMARK: &str = env!("CARGO_BIN_EXE_earmark");

/// Starts what follows as the user `nobody`.
const BECOME_NOBODY: [&str; 4] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
];

/// Who runs the shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// Whoever runs the tests.
    Own,
    /// The user `nobody`; only root can become that.
    Nobody,
}

impl User {
    /// Returns the words to put before a command line.
    pub fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::Own => &[],
            Self::Nobody => &BECOME_NOBODY,
        }
    }
}

/// Returns under whom to run: the own user always, and `nobody` too if the tests run as root.
pub fn users() -> Vec<User> {
    if !rustix::process::geteuid().is_root() {
        println!("only as one user: the tests themselves run as an ordinary one");
        return vec![User::Own];
    }
    for program in [PathBuf::from(EARMARK), std::env::current_exe().unwrap()] {
        let mut command = Command::new(BECOME_NOBODY[0]);
        command
            .args(&BECOME_NOBODY[1..])
            .arg(&program)
            .arg("--list");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // 126 and 127 are `setpriv`'s own.
        let started = command
            .status()
            .is_ok_and(|status| status.code().is_some_and(|code| code < 126));
        if !started {
            println!(
                "only as root: `setpriv` cannot start {} as `nobody`",
                program.display()
            );
            return vec![User::Own];
        }
    }
    vec![User::Own, User::Nobody]
}
