//! Gates on what became worse: the bounds of a plan on its own run, and on the change against a
//! base.
//!
//! # What an allowed regression is judged by
//!
//! The number that was measured must not be worse than the base's by more than is allowed. That alone
//! would let a gate pass because it cannot see: on a machine whose launches differ by 40 %, a rise of
//! 10 % that was measured as none is likely. So for a time to transcribe, and the speed that follows
//! from it, the bound is the smallest change that matters, and the noise floor of the two runs must
//! not be above it. Where it is, the gate has no power to judge and is not passed, as one without
//! data is not. What is *better* for certain passes whatever the noise.
//!
//! Error rates need no such power: they are of the same recordings on both sides, and what was heard
//! there is a fact. Of times to load and of memory there are too few numbers to know their noise, so
//! they are judged by the numbers alone.

use super::Against;
use super::pairs::{COMPLETED, Pair};
use super::rules::Verdict;
use super::side::Side;
use super::speed::{FLOOR_OF_NOTHING, Speed, bound};
use super::words::coarsest;
use crate::model::{Gate, GateScope};
use crate::report::{
    GateVerdict, MachineNames, Reading, ResultRow, SummaryRow, gate_verdicts, row_metric,
    set_metric, show_gate, show_number, summary_rows,
};
use std::collections::BTreeMap;

/// Judges the gates of new's plan: its bounds on what new measured, and its allowed regressions
/// against base. A plan that allows no regression in numbers allows none at all: then a row that is
/// worse fails, and so does one that has lost its data. What there is no number for fails, because
/// a gate without data must not pass, and so does a row that only the base has, and an allowed
/// regression that the runs are too noisy to tell.
#[must_use]
pub fn judge_gates(base: &Side<'_>, new: &Side<'_>, against: &Against) -> Vec<GateVerdict> {
    let gates = &new.record.plan.gates;
    let mut lines = gate_verdicts(new.record, new.rows);
    let regressions: Vec<&Gate> = gates
        .iter()
        .filter(|gate| gate.max_regression.is_some())
        .collect();
    // Where the two have nothing in common, that is told once.
    if !against.rows.is_empty() {
        lines.extend(vanished(base, new));
    }
    if regressions.is_empty() {
        lines.extend(by_verdict(against));
        return lines;
    }
    let names = MachineNames::of(new.record);
    let before = summary_rows(base.record, base.rows);
    let after = summary_rows(new.record, new.rows);
    for gate in regressions {
        let judged = match gate.scope {
            GateScope::Row => rows(gate, base, new, against),
            GateScope::Set => sets(gate, &before, &after, (against, &names)),
        };
        if judged.is_empty() {
            lines.push(GateVerdict {
                gate: show_gate(gate),
                subject: String::new(),
                passed: false,
                message: "nothing that it could be asked of was measured".into(),
            });
        }
        lines.extend(judged);
    }
    lines
}

/// What the base measured and new has no row for: nobody can say that it did not become worse.
fn vanished(base: &Side<'_>, new: &Side<'_>) -> Vec<GateVerdict> {
    let names = MachineNames::of(base.record);
    let only_base = super::likeness::matched(base, new).only_base;
    only_base
        .into_iter()
        .filter_map(|position| base.rows.get(position))
        .filter(|row| row.status() == COMPLETED)
        .map(|row| GateVerdict {
            gate: "no row of the base is missing".into(),
            subject: super::pairs::named(row, &names),
            passed: false,
            message:
                "the base measured it, and this run has no such row; measure it again, or run \
                      the base again without it"
                    .into(),
        })
        .collect()
}

/// What a row that is worse, or has lost its data, comes to where no gate says what is allowed.
fn by_verdict(against: &Against) -> Vec<GateVerdict> {
    let line = |subject: &str, passed, message: String| GateVerdict {
        gate: "no row is worse".into(),
        subject: subject.to_owned(),
        passed,
        message,
    };
    if against.rows.is_empty() {
        let message = "no row of this run is in the base; nothing could be compared";
        return vec![line("", false, message.into())];
    }
    let of = |what: &str, pair: &Pair, verdict: Verdict, reason: &str, had_data: bool| {
        let fails = match verdict {
            Verdict::Worse => true,
            // What the base had no number for cannot have become worse.
            Verdict::NoData => had_data,
            _ => false,
        };
        let message = || format!("{what}: {}, {reason}", verdict.words());
        fails.then(|| line(&pair.name, false, message()))
    };
    let mut failed: Vec<GateVerdict> = Vec::new();
    for pair in &against.rows {
        let (speed, accuracy) = (&pair.speed, &pair.accuracy);
        let had_data = pair.base_status == COMPLETED;
        failed.extend(of("speed", pair, speed.verdict, &speed.reason, had_data));
        // Without a reference there is no accuracy to lose, and what did not run is told once.
        let had_data = !pair.unlike_scores.is_empty();
        let (verdict, reason) = (accuracy.verdict, &accuracy.reason);
        failed.extend(of("accuracy", pair, verdict, reason, had_data));
    }
    if failed.is_empty() {
        let within = coarsest(against.rows.iter().map(|pair| &pair.speed));
        let within = within.map_or_else(String::new, |within| format!(", to within {within}"));
        let unsure = against.speed.get(&Verdict::Inconclusive).copied();
        let unsure = unsure.map_or_else(String::new, |count| {
            format!("; the times of {count} do not tell")
        });
        let message = format!("none of {} is{within}{unsure}", against.rows.len());
        failed.push(line("", true, message));
    }
    failed
}

fn rows(gate: &Gate, base: &Side<'_>, new: &Side<'_>, against: &Against) -> Vec<GateVerdict> {
    // A job that several machines did is a row of each.
    let pairs: BTreeMap<(&str, &str), &Pair> = against
        .rows
        .iter()
        .map(|pair| ((pair.new_job_id.as_str(), pair.new_machine.as_str()), pair))
        .collect();
    let key = |row: &ResultRow<'_>| {
        (
            row.job.id.to_string(),
            row.machine.unwrap_or_default().to_owned(),
        )
    };
    let partners: BTreeMap<(String, String), &ResultRow<'_>> =
        base.rows.iter().map(|row| (key(row), row)).collect();
    let names = MachineNames::of(new.record);
    new.rows
        .iter()
        .filter_map(|row| {
            let found = (row.job.id.0.as_str(), row.machine.unwrap_or_default());
            let pair = pairs.get(&found).copied();
            let partner = pair.and_then(|pair| {
                partners.get(&(pair.base_job_id.clone(), pair.base_machine.clone()))
            });
            let before = partner.map(|partner| row_metric(&gate.metric, partner));
            // What the plan leaves out is no loss, unless the base had it.
            if row.job.skip.is_some() && before.and_then(Reading::number).is_none() {
                return None;
            }
            let name = super::pairs::named(row, &names);
            line(gate, &name, pair, (before, row_metric(&gate.metric, row)))
        })
        .collect()
}

fn sets(
    gate: &Gate,
    before: &[SummaryRow<'_>],
    after: &[SummaryRow<'_>],
    (against, names): (&Against, &MachineNames),
) -> Vec<GateVerdict> {
    let name = super::sets::name;
    after
        .iter()
        .filter(|set| set.rows.iter().any(|row| row.job.skip.is_none()))
        .filter_map(|set| {
            let called = name(set);
            let machine = |set: &SummaryRow<'_>| set.machine.unwrap_or_default().to_owned();
            let pair = (against.sets.iter())
                .find(|pair| pair.name == called && pair.new_machine == machine(set));
            let partner = before.iter().find(|one| {
                let id = one.rows.first().map(|row| row.job.id.to_string());
                pair.is_some_and(|pair| {
                    id.as_ref() == Some(&pair.base_job_id) && pair.base_machine == machine(one)
                }) && one.language == set.language
            });
            let before = partner.map(|partner| set_metric(&gate.metric, partner));
            let subject = match names.told(set.machine) {
                Some(machine) => format!("{called} on {machine}"),
                None => called,
            };
            line(
                gate,
                &subject,
                pair,
                (before, set_metric(&gate.metric, set)),
            )
        })
        .collect()
}

/// Judges one row or set by what it has and what its partner in the base has, if it has one; `None`
/// if the gate cannot be asked of it.
fn line(
    gate: &Gate,
    name: &str,
    pair: Option<&Pair>,
    (before, value): (Option<Reading>, Reading),
) -> Option<GateVerdict> {
    let metric = &gate.metric;
    let told = |passed: bool, message: String| {
        Some(GateVerdict {
            gate: show_gate(gate),
            subject: name.to_owned(),
            passed,
            message,
        })
    };
    let value = match value {
        Reading::NotApplicable => return None,
        Reading::Missing => return told(false, format!("no {metric} was measured")),
        Reading::Measured(value) => value,
    };
    let Some(pair) = pair else {
        let message = "the base has no such row; run the base again with this matrix";
        return told(false, message.into());
    };
    if let Some(reason) = super::pairs::in_words(&pair.unlike) {
        return told(false, reason);
    }
    let Some(before) = before.and_then(Reading::number) else {
        return told(false, format!("the base has no {metric} of it"));
    };
    let allowed = gate.max_regression.unwrap_or_default().of(before);
    let (worse, way) = if gate.higher_is_better() {
        (before - value, "loss")
    } else {
        (value - before, "rise")
    };
    let numbers = format!(
        "{metric} went from {} to {}, and a {way} of {} is allowed",
        show_number(before),
        show_number(value),
        show_number(allowed)
    );
    let passed = worse <= allowed;
    let visible = smallest_visible(metric, &pair.speed);
    match visible {
        // What is better for certain is no question of what could have been seen.
        Some(share) if passed && pair.speed.verdict != Verdict::Better => {
            let visible = format!("{} ({})", show_number(share * before), bound(share));
            if pair.speed.verdict == Verdict::NoData {
                let reason = &pair.speed.reason;
                told(
                    false,
                    format!("no power: {numbers}, but the times cannot be compared: {reason}"),
                )
            } else if share * before > allowed {
                told(
                    false,
                    format!(
                        "no power: {numbers}; by their noise the runs cannot tell less than \
                         {visible} from none; measure with more launches, three at least, or on a \
                         quieter machine, or allow more"
                    ),
                )
            } else {
                told(
                    true,
                    format!("{numbers}; from {visible} on, the runs can tell it"),
                )
            }
        }
        _ => told(passed, numbers),
    }
}

/// Returns the smallest regression of a metric that two runs can tell by their noise, as a share of
/// what the base has; `None` if the metric is judged by its numbers alone.
fn smallest_visible(metric: &str, speed: &Speed) -> Option<f64> {
    let floor = speed.noise_floor.unwrap_or(FLOOR_OF_NOTHING);
    match metric {
        "transcribe_seconds_median" => Some(floor),
        "rtfx" => Some(floor / (1.0 + floor)),
        _ => None,
    }
}
