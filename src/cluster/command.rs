//! Commands of a scheduler, each under a deadline: a controller that is down makes them wait for minutes.

use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Why a command of a scheduler gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CommandFailure {
    /// There is no such program.
    #[error(
        "there is no `{0}` on PATH; run this where the scheduler's commands are, such as a login node"
    )]
    NotThere(String),
    /// It could not be started, or its output could not be read.
    #[error("`{0}` cannot be run: {1}")]
    Broken(String, io::Error),
    /// It did not end in time.
    #[error("`{program}` gave no answer within {seconds} s")]
    Silent {
        /// The program.
        program: String,
        /// Its limit.
        seconds: u64,
    },
    /// It ended with another status than 0.
    #[error("`{program}` failed ({status}): {told}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// What it said, in one line.
        told: String,
    },
}

/// Runs a command to its end and returns its standard output.
///
/// # Errors
///
/// Fails if it cannot be run, does not end within `limit` (it is killed then), or ends with another
/// status than 0.
pub fn run_command(
    program: &str,
    arguments: &[String],
    limit: Duration,
) -> Result<String, CommandFailure> {
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => CommandFailure::NotThere(program.to_owned()),
        _ => CommandFailure::Broken(program.to_owned(), error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(broken)?;
    let output = runtime.block_on(async {
        let child = Command::new(program)
            .args(arguments)
            // A text of another language could not be read.
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C is for us: we tell the scheduler what to do.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        match tokio::time::timeout(limit, child.wait_with_output()).await {
            Ok(output) => output.map(Some),
            Err(_) => Ok(None),
        }
    });
    let Some(output) = output.map_err(broken)? else {
        return Err(CommandFailure::Silent {
            program: program.to_owned(),
            seconds: limit.as_secs(),
        });
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let told = text(&output.stderr) + &text(&output.stdout);
    let told: Vec<&str> = told
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Err(CommandFailure::Failed {
        program: program.to_owned(),
        status: output.status.to_string(),
        told: told.join(" · "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<String, CommandFailure> {
        run_command("sh", &["-c".into(), script.into()], limit)
    }

    #[test]
    fn a_command_answers_fails_or_is_cut_off() {
        let long = Duration::from_mins(1);
        assert_eq!(shell("echo 1; echo 2 >&2", long).unwrap(), "1\n");
        let failed = shell("echo bad >&2; echo worse >&2; exit 3", long).unwrap_err();
        assert!(failed.to_string().contains("bad · worse"), "{failed}");
        let silent = shell("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(silent, CommandFailure::Silent { .. }), "{silent}");
        let missing = run_command("no-such-program-of-a-scheduler", &[], long).unwrap_err();
        assert!(missing.to_string().contains("login node"), "{missing}");
    }
}
