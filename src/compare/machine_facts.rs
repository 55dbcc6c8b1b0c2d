//! What is known of the machine under a run, fact by fact, so that two runs can be held against each
//! other.

use super::side::Side;
use crate::model::units::show_bytes;
use crate::model::{FrequencyLimits, MachineFacts, MachineState};
use crate::record::AttemptRecord;
use crate::report::ResultRow;
use std::collections::{BTreeMap, BTreeSet};

/// Returns the facts of the machines of a run that may differ between runs of the same machine, each
/// by its name and as text; of several values all, and nothing where it is not told. It is the same
/// facts in the same order for every run.
pub(super) fn machine_facts(side: &Side<'_>) -> Vec<(&'static str, String)> {
    let told = |fact: fn(&MachineFacts) -> Option<String>| {
        let sessions = side.record.sessions.iter();
        joined(sessions.filter_map(|session| fact(&session.machine)))
    };
    // What may change meanwhile is asked of each attempt too.
    let seen = |fact: fn(&MachineFacts) -> Option<String>,
                while_measured: fn(&MachineState) -> Option<String>| {
        let sessions = side.record.sessions.iter();
        let states = attempts(side).flat_map(|attempt| [&attempt.state, &attempt.state_after]);
        joined(
            sessions
                .filter_map(|session| fact(&session.machine))
                .chain(states.filter_map(while_measured)),
        )
    };
    let governors = attempts(side)
        .flat_map(|attempt| [&attempt.governor, &attempt.governor_after])
        .flatten()
        .cloned();
    let sessions = side.record.sessions.iter();
    let governors = joined(
        sessions
            .filter_map(|session| session.machine.governor.clone())
            .chain(governors),
    );
    vec![
        ("system", told(|machine| Some(machine.system.clone()))),
        ("kernel", told(|machine| Some(machine.kernel.clone()))),
        ("architecture", told(|machine| machine.architecture.clone())),
        (
            "memory",
            told(|machine| Some(show_bytes(machine.memory_bytes))),
        ),
        (
            "virtualization",
            told(|machine| machine.virtualization.clone()),
        ),
        ("container", told(|machine| machine.container.clone())),
        ("governor", governors),
        (
            "turbo",
            seen(
                |machine| machine.turbo.map(on_or_off),
                |state| state.turbo.map(on_or_off),
            ),
        ),
        (
            "frequency limits",
            told(|machine| machine.frequency.and_then(frequencies)),
        ),
        (
            "on battery",
            seen(
                |machine| machine.on_battery.map(yes_or_no),
                |state| state.on_battery.map(yes_or_no),
            ),
        ),
        ("slowed down for heat while it measured", throttles(side)),
    ]
}

/// Returns the versions of the crates of a run, by crate; several where its builds differ.
pub(super) fn crates(side: &Side<'_>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in side.record.sessions.iter().flat_map(|one| &one.crates) {
        all.entry(name).or_default().insert(version);
    }
    all.into_iter()
        .map(|(name, versions)| {
            let versions: Vec<&str> = versions.into_iter().collect();
            (name.to_owned(), versions.join(", "))
        })
        .collect()
}

fn attempts<'a>(side: &'a Side<'_>) -> impl Iterator<Item = &'a AttemptRecord> {
    side.rows.iter().flat_map(ResultRow::attempts)
}

fn joined(values: impl Iterator<Item = String>) -> String {
    let all: BTreeSet<String> = values.collect();
    all.into_iter().collect::<Vec<_>>().join(", ")
}

fn on_or_off(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

fn frequencies(limits: FrequencyLimits) -> Option<String> {
    let shown = |what: &str, hertz: Option<u64>| {
        hertz.map(|hertz| format!("{what} {} MHz", hertz / 1_000_000))
    };
    let parts: Vec<String> = [
        shown("from", limits.minimum_hz),
        shown("to", limits.maximum_hz),
        shown("capable of", limits.capable_hz),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Counters run since the system was started: only that they rose while it measured says something of
/// a run.
fn throttles(side: &Side<'_>) -> String {
    let rises = attempts(side).filter_map(|attempt| {
        let (before, after) = (attempt.state.throttles?, attempt.state_after.throttles?);
        Some(after.saturating_sub(before))
    });
    match rises.reduce(u64::saturating_add) {
        None => String::new(),
        Some(0) => "never".into(),
        Some(1) => "once".into(),
        Some(times) => format!("{times} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_are_told_as_far_as_they_are_known() {
        let limits = FrequencyLimits {
            minimum_hz: Some(800_000_000),
            maximum_hz: Some(3_200_000_000),
            capable_hz: None,
        };
        assert_eq!(
            frequencies(limits).as_deref(),
            Some("from 800 MHz to 3200 MHz")
        );
        assert_eq!(frequencies(FrequencyLimits::default()), None);
    }
}
