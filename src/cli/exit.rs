//! Exit statuses, and failures that lead to them.

use crate::diagnostic::Diagnostics;
use crate::ui::render_diagnostics;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// What the program ends with; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// All is well. Planned skips are well.
    Success,
    /// A gate failed.
    Gate,
    /// The input or the command line is wrong; nothing was started.
    Usage,
    /// A job went wrong or was skipped because of one, or a verify is not complete.
    Fault,
    /// A fault of this program or its surroundings.
    Internal,
    /// Interrupted.
    Interrupted,
}

impl ExitStatus {
    /// Returns the number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Gate => 1,
            Self::Usage => 2,
            Self::Fault => 3,
            Self::Internal => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a verb could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// Something that the user wrote is wrong.
    Input(Diagnostics),
    /// The command line asks for something that is not possible.
    Usage(String),
    /// A fault of this program or its surroundings.
    Internal(String),
    /// Somebody interrupted it before it did anything.
    Interrupted(String),
}

impl Failure {
    /// Returns a fault of the surroundings.
    pub fn internal(error: impl fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// Returns the exit status.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Input(_) | Self::Usage(_) => ExitStatus::Usage,
            Self::Internal(_) => ExitStatus::Internal,
            Self::Interrupted(_) => ExitStatus::Interrupted,
        }
    }

    /// Tells it on standard error.
    pub fn tell(&self) {
        match self {
            Self::Input(problems) => tell_diagnostics(problems),
            Self::Usage(message) => say(&format!("error: {message}")),
            Self::Internal(message) => say(&format!("fault: {message}")),
            Self::Interrupted(message) => say(message),
        }
    }
}

/// Whether standard error shows colours.
fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Tells diagnostics on standard error.
pub(super) fn tell_diagnostics(problems: &Diagnostics) {
    if !problems.0.is_empty() {
        say(&render_diagnostics(problems, colours()));
    }
}

/// Says a line on standard error. If nobody listens any more, nothing is lost.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints data on standard output.
///
/// # Errors
///
/// Fails if it cannot be written, but for a reader that has seen enough.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::internal(
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(()),
    }
}
