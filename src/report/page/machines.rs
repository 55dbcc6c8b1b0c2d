//! The machines of a record, how quiet they were, and the sessions on them.

use crate::model::MachineFacts;
use crate::model::units::show_seconds;
use crate::record::{RunRecord, Session};
use crate::report::machine_names::MachineNames;
use crate::report::rows::ResultRow;
use crate::score::statistics::range;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// A machine and how quiet it was while timed work ran.
#[derive(Serialize, JsonSchema)]
pub(super) struct MachineView<'a> {
    facts: &'a MachineFacts,
    /// The least and the largest load average of one minute, over all beginnings and ends.
    load_during: Option<(f64, f64)>,
    /// The frequency governors that were seen.
    governors: String,
    /// The versions of this program with their profiles.
    versions: String,
    /// The crates that did the work, with their versions; of several builds, each.
    crates: String,
    /// How often cores were slowed down for heat while it measured; `None` if that is not told.
    throttled: Option<u64>,
    /// The highest temperature that was read while it measured, in degrees Celsius.
    hottest: Option<f64>,
}

/// A stretch of a run.
#[derive(Serialize, JsonSchema)]
pub(super) struct SessionView<'a> {
    run_id: &'a str,
    host: String,
    shard: String,
    attempt: u32,
    started_at: &'a str,
    seconds: Option<f64>,
    /// The commit of the repository that the matrix lay in, and whether it was clean, in words; empty
    /// if it lay in none.
    repository: String,
    /// How it began and ended, and what happened in it, in words.
    remarks: String,
}

/// The command line of one session or of several.
#[derive(Serialize, JsonSchema)]
pub(super) struct CommandView {
    /// The host, where there are several.
    host: String,
    /// The line as one would type it.
    line: String,
    /// Whether it went on with what was there.
    resumed: bool,
}

/// Returns the command lines of the sessions, each once, in their order.
pub(super) fn commands(record: &RunRecord) -> Vec<CommandView> {
    let names = MachineNames::of(record);
    let mut commands: Vec<CommandView> = Vec::new();
    for session in &record.sessions {
        let command = CommandView {
            host: names
                .told(Some(&session.machine.id))
                .unwrap_or_default()
                .to_owned(),
            line: shell_line(&session.command_line),
            resumed: session.resumed,
        };
        let is_known =
            |known: &CommandView| known.line == command.line && known.host == command.host;
        if !commands.iter().any(is_known) {
            commands.push(command);
        }
    }
    commands
}

/// Returns a command line as one would type it.
fn shell_line(arguments: &[String]) -> String {
    let plain = |argument: &str| {
        !argument.is_empty()
            && argument
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_./=:,+@%".contains(letter))
    };
    arguments
        .iter()
        .map(|argument| {
            if plain(argument) {
                argument.clone()
            } else {
                format!("'{}'", argument.replace('\'', "'\\''"))
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns the machines in the order of the sessions.
pub(super) fn machines<'a>(record: &'a RunRecord, rows: &[ResultRow<'_>]) -> Vec<MachineView<'a>> {
    record
        .machines()
        .into_iter()
        .map(|facts| {
            let is_here = |session: &Session| session.machine.id == facts.id;
            let attempts = || {
                let all = rows.iter().flat_map(ResultRow::attempts);
                all.filter(|attempt| record.sessions.get(attempt.session).is_some_and(is_here))
            };
            let loads: Vec<f64> = attempts()
                .flat_map(|attempt| attempt.load.into_iter().chain(attempt.load_after))
                .map(|load| load.0)
                .collect();
            let governors: BTreeSet<&str> = attempts()
                .filter_map(|attempt| attempt.governor.as_deref())
                .collect();
            let sessions = record.sessions.iter().filter(|session| is_here(session));
            let versions: BTreeSet<String> = sessions
                .map(|s| format!("{}, {} profile", s.earmark_version, s.build_profile))
                .collect();
            let sessions = record.sessions.iter().filter(|session| is_here(session));
            let crates: BTreeSet<String> = sessions.map(crates).collect();
            let rises = attempts().filter_map(|attempt| {
                let (before, after) = (attempt.state.throttles?, attempt.state_after.throttles?);
                Some(after.saturating_sub(before))
            });
            let degrees =
                attempts().flat_map(|attempt| [attempt.state.celsius, attempt.state_after.celsius]);
            MachineView {
                facts,
                crates: crates.into_iter().collect::<Vec<_>>().join("; "),
                throttled: rises.reduce(u64::saturating_add),
                hottest: degrees.flatten().reduce(f64::max),
                load_during: range(&loads),
                governors: governors.into_iter().collect::<Vec<_>>().join(", "),
                versions: versions.into_iter().collect::<Vec<_>>().join("; "),
            }
        })
        .collect()
}

/// Returns the sessions, if there is anything to tell: several, or one in which something happened.
pub(super) fn sessions(record: &RunRecord) -> Vec<SessionView<'_>> {
    let names = MachineNames::of(record);
    let sessions: Vec<SessionView<'_>> = record
        .sessions
        .iter()
        .map(|one| session(one, &names))
        .collect();
    match sessions.as_slice() {
        [only] if only.remarks.is_empty() => Vec::new(),
        _ => sessions,
    }
}

fn session<'a>(session: &'a Session, names: &MachineNames) -> SessionView<'a> {
    let mut remarks = Vec::new();
    if session.resumed {
        remarks.push("resumed".to_owned());
    }
    for wait in &session.quiet_waits {
        remarks.push(if wait.quiet {
            let waited = show_seconds(wait.seconds);
            format!("waited {waited} until the machine was quiet")
        } else {
            format!(
                "waited {} in vain for a quiet machine: others kept {:.1} CPUs busy, and {:.1} are \
                 allowed",
                show_seconds(wait.seconds),
                wait.busy,
                wait.allowed
            )
        });
    }
    for stop in &session.suspensions {
        remarks.push(format!("was stopped for {}", show_seconds(stop.seconds)));
    }
    if let Some(rounds) = session.rounds_left_out {
        remarks.push(format!(
            "did {} of {} rounds in its time budget of {}",
            rounds.done,
            rounds.planned,
            show_seconds(rounds.budget_seconds)
        ));
    }
    if session.interrupted {
        remarks.push("was interrupted".to_owned());
    }
    SessionView {
        run_id: &session.run_id,
        host: names.name(Some(&session.machine.id)).to_owned(),
        shard: session
            .shard
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        attempt: session.attempt,
        started_at: &session.started_at,
        seconds: session.seconds,
        repository: repository(session),
        remarks: remarks.join("; "),
    }
}

fn crates(session: &Session) -> String {
    let each = session.crates.iter();
    let named: Vec<String> = each
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    named.join(", ")
}

fn repository(session: &Session) -> String {
    let Some(facts) = &session.repository else {
        return String::new();
    };
    let commit = facts.commit.as_deref().unwrap_or("of no commit");
    match facts.clean {
        Some(true) => format!("{commit}, clean"),
        Some(false) => format!("{commit}, with changes"),
        None => format!("{commit}, and nobody knows whether it is clean"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_again() {
        let arguments = ["earmark", "run", "my matrix.yaml", "it's", ""].map(String::from);
        assert_eq!(
            shell_line(&arguments),
            r"earmark run 'my matrix.yaml' 'it'\''s' ''"
        );
    }
}
