//! What happened while a row was measured: to the run, to the benchmark, to the machine.

use super::{NoteKind, counted};
use crate::model::units::show_seconds;
use crate::model::{Outcome, RepeatDecision, RepeatLook};
use crate::record::{AttemptRecord, QuietWait};
use crate::report::rows::ResultRow;
use std::collections::{BTreeMap, BTreeSet};

/// Returns what happened to the run while the row was measured.
pub(super) fn circumstances(row: &ResultRow<'_>) -> Vec<(NoteKind, String)> {
    let mut found = Vec::new();
    let mut processes: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for sample in &row.samples {
        processes
            .entry(sample.launch)
            .or_default()
            .insert(sample.attempt);
    }
    let continued = processes.values().filter(|attempts| attempts.len() > 1);
    let continued = continued.count();
    if continued > 0 {
        let launches = counted(continued, "launch was", "launches were");
        let text = format!("{launches} finished by another process than the one that began");
        found.push((NoteKind::Continued, text));
    }
    let look = row.record.and_then(|record| record.looks.last());
    let look = look.filter(|look| look.decision.stops());
    found.extend(look.and_then(|look| how_it_stopped(row, look)));
    let planned = usize::try_from(row.spec.most_launches()).unwrap_or(usize::MAX);
    let is_left_out = row.session().is_some_and(|s| s.rounds_left_out.is_some());
    if is_left_out && look.is_none() && processes.len() < planned {
        let at_most = row.spec.adaptive.map_or("", |_| "at most ");
        let text = format!(
            "{} of {at_most}{planned} launches: the time budget left out the others",
            processes.len()
        );
        found.push((NoteKind::LeftOut, text));
    }
    found.extend(unfinished(row, planned));
    if let Some(wait) = row.attempts().find_map(|attempt| unquiet(row, attempt)) {
        let text = format!(
            "the machine did not become quiet in {}: others kept {:.1} CPUs busy, and {:.1} are allowed",
            show_seconds(wait.seconds),
            wait.busy,
            wait.allowed
        );
        found.push((NoteKind::NotQuiet, text));
    }
    let stopped: f64 = row
        .attempts()
        .map(|attempt| stopped_seconds(row, attempt))
        .sum();
    if stopped > 0.0 {
        let text = format!(
            "the runner was stopped for {} meanwhile",
            show_seconds(stopped)
        );
        found.push((NoteKind::Suspended, text));
    }
    let leaked: u32 = row
        .attempts()
        .filter_map(AttemptRecord::leaked_processes)
        .sum();
    if leaked > 0 {
        let count = usize::try_from(leaked).unwrap_or(usize::MAX);
        let text = format!(
            "{} left behind",
            counted(count, "process was", "processes were")
        );
        found.push((NoteKind::Leaked, text));
    }
    found
}

/// Returns how much of a row there is whose run ended before it did: its numbers are of a part of what
/// was to be measured.
fn unfinished(row: &ResultRow<'_>, planned: usize) -> Option<(NoteKind, String)> {
    let is_unfinished = match row.outcome() {
        None => true,
        Some(outcome) => matches!(outcome, Outcome::Cancelled { .. }),
    };
    let whole: BTreeSet<u32> = (row.attempts())
        .filter(|attempt| attempt.outcome == Some(Outcome::Completed))
        .map(|attempt| attempt.launch)
        .collect();
    let at_most = row.spec.adaptive.map_or("", |_| "at most ");
    (is_unfinished && whole.len() < planned).then(|| {
        let text = format!(
            "{} of {at_most}{}: the run ended before the others",
            whole.len(),
            counted(planned, "launch", "launches"),
        );
        (NoteKind::Unfinished, text)
    })
}

/// Returns why a benchmark that is measured until its median is known was measured no further.
fn how_it_stopped(row: &ResultRow<'_>, look: &RepeatLook) -> Option<(NoteKind, String)> {
    let rule = row.spec.adaptive?;
    // Rounded up, so that what is said to be within a bound is.
    let within = look
        .half_width_percent
        .map(|percent| format!("{:.1} %", (percent * 10.0).ceil() / 10.0));
    let trials = look.trials;
    if look.decision == RepeatDecision::NarrowEnough {
        let most = rule.most_sets(row.spec.launches);
        let which = look.launches / row.spec.launches.max(1);
        let text = format!(
            "stopped at n = {trials}: interval within {} (look {which} of at most {most})",
            within?
        );
        return Some((NoteKind::Stopped, text));
    }
    let most = rule.max;
    let whole = if trials == most {
        String::new()
    } else {
        format!(" (n = {trials} in whole rounds)")
    };
    let at = within.map_or_else(
        || "without an interval".to_owned(),
        |width| format!("at {width}"),
    );
    Some((
        NoteKind::ReachedMost,
        format!("reached max {most}{whole} {at}"),
    ))
}

/// Returns what changed of the machine's speed, heat and power while the row was measured.
pub(super) fn power_and_heat(row: &ResultRow<'_>) -> Vec<(NoteKind, String)> {
    let mut found = Vec::new();
    let states = || {
        row.attempts()
            .flat_map(|attempt| [attempt.state, attempt.state_after])
    };
    let before = row.session().map(|session| &session.machine);
    let governors = (before
        .and_then(|machine| machine.governor.as_deref())
        .into_iter())
    .chain(
        row.attempts()
            .flat_map(|attempt| [&attempt.governor, &attempt.governor_after])
            .filter_map(Option::as_deref),
    );
    let turbo = (before.and_then(|machine| machine.turbo).into_iter())
        .chain(states().filter_map(|state| state.turbo))
        .map(|is_on| if is_on { "on" } else { "off" });
    let limit = before.and_then(|machine| machine.frequency?.maximum_hz);
    let limits: Vec<String> = (limit.into_iter())
        .chain(states().filter_map(|state| state.maximum_hz))
        .map(|hertz| format!("{} MHz", hertz / 1_000_000))
        .collect();
    let changes = [
        ("governor", in_order(governors)),
        ("turbo", in_order(turbo)),
        (
            "frequency limit",
            in_order(limits.iter().map(String::as_str)),
        ),
    ];
    for (name, values) in changes {
        if values.len() > 1 {
            let text = format!("the {name} changed meanwhile: {}", values.join(", then "));
            found.push((NoteKind::Speed, text));
        }
    }
    let rises = row.attempts().filter_map(|attempt| {
        let (before, after) = (attempt.state.throttles?, attempt.state_after.throttles?);
        after.checked_sub(before).filter(|rise| *rise > 0)
    });
    let throttled = rises.count();
    if throttled > 0 {
        let launches = counted(throttled, "process", "processes");
        let text = format!("cores were slowed down for heat during {launches}");
        found.push((NoteKind::Throttled, text));
    }
    if states().any(|state| state.on_battery == Some(true)) {
        found.push((NoteKind::Battery, NoteKind::Battery.words().to_owned()));
    }
    found
}

/// Returns values without those that only repeat the one before.
fn in_order<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut values: Vec<&str> = values.collect();
    values.dedup();
    values
}

/// Returns the wait before an attempt, if the machine did not become quiet in it.
fn unquiet<'a>(row: &ResultRow<'a>, attempt: &AttemptRecord) -> Option<&'a QuietWait> {
    let waits = &row.sessions.get(attempt.session)?.quiet_waits;
    let last = waits.iter().rfind(|wait| wait.at <= attempt.started_at)?;
    (!last.quiet).then_some(last)
}

/// Returns for how many seconds the runner was stopped during an attempt.
fn stopped_seconds(row: &ResultRow<'_>, attempt: &AttemptRecord) -> f64 {
    let ended = attempt.ended_at.unwrap_or(f64::INFINITY);
    let session = row.sessions.get(attempt.session);
    session
        .map_or(&[][..], |session| &session.suspensions)
        .iter()
        .filter(|stop| (attempt.started_at..=ended).contains(&stop.at))
        .map(|stop| stop.seconds)
        .sum()
}
