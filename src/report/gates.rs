//! Gates: bounds on what was measured that decide the exit status.

use super::machine_names::MachineNames;
use super::rows::{ResultRow, result_rows};
use super::summary::{SummaryRow, summary_rows};
use crate::model::{Gate, GateScope};
use crate::record::RunRecord;
use crate::score::SetScore;
use schemars::JsonSchema;
use serde::Serialize;

/// What a gate came to for one row or set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GateVerdict {
    /// The gate, in words.
    pub gate: String,
    /// The row or set; empty for all together, or if there was none that could be asked.
    pub subject: String,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, in words.
    pub message: String,
}

impl GateVerdict {
    /// Returns it on one line, without the gate where the row or set is named.
    #[must_use]
    pub fn in_words(&self) -> String {
        let subject = if self.subject.is_empty() {
            &self.gate
        } else {
            &self.subject
        };
        format!("{subject}: {}", self.message)
    }
}

/// What a gate's metric is for one row or set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// A number.
    Measured(f64),
    /// There should be one, and there is not.
    Missing,
    /// There can be none: insertions on silence, without silence.
    NotApplicable,
}

impl Reading {
    /// Returns the number, if there is one.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Measured(number) => Some(number),
            Self::Missing | Self::NotApplicable => None,
        }
    }
}

impl From<Option<f64>> for Reading {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Self::Missing, Self::Measured)
    }
}

/// A gate that a row did not pass, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateFailure(pub String);

/// Returns what was not passed of the gates of a record's plan; see [`gate_verdicts`].
#[must_use]
pub fn gate_failures(record: &RunRecord) -> Vec<GateFailure> {
    gate_verdicts(record, &result_rows(record))
        .into_iter()
        .filter(|verdict| !verdict.passed)
        .map(|verdict| GateFailure(verdict.in_words()))
        .collect()
}

/// Returns the gates of a plan that only a comparison with a base can judge.
pub fn gates_without_base(record: &RunRecord) -> impl Iterator<Item = &Gate> {
    let gates = record.plan.gates.iter();
    gates.filter(|gate| gate.max_regression.is_some())
}

/// Holds what was to be measured against the bounds of its plan: every row, or every configuration
/// on every data set and language, the clips that the matrix names one by one being a set as well.
///
/// What lacks the number that a gate asks for fails it, because a gate without data must not pass;
/// so does a data set that was not measured whole, and so does a gate that nothing could be asked
/// of. Planned skips are not held against a gate, nor are rows without silence against one on
/// insertions in it. An allowed regression is not judged here: it takes a base.
#[must_use]
pub fn gate_verdicts(record: &RunRecord, rows: &[ResultRow<'_>]) -> Vec<GateVerdict> {
    // Without benchmarks, as in a run of verifies alone, there is nothing that a gate is about.
    if rows.is_empty() {
        return Vec::new();
    }
    let names = MachineNames::of(record);
    let bounds: Vec<&Gate> = record
        .plan
        .gates
        .iter()
        .filter(|gate| gate.max.is_some() || gate.min.is_some())
        .collect();
    let summaries = if bounds.iter().any(|gate| gate.scope == GateScope::Set) {
        summary_rows(record, rows)
    } else {
        Vec::new()
    };
    bounds
        .into_iter()
        .flat_map(|gate| {
            let mut judged: Vec<GateVerdict> = match gate.scope {
                GateScope::Row => rows
                    .iter()
                    .filter(|row| row.job.skip.is_none())
                    .filter_map(|row| {
                        let name = on_machine(row.job.spec.slug(), names.told(row.machine));
                        verdict(gate, name, row_metric(&gate.metric, row))
                    })
                    .collect(),
                GateScope::Set => summaries
                    .iter()
                    .filter_map(|set| of_set(gate, set, &names))
                    .collect(),
            };
            if judged.is_empty() {
                judged.push(GateVerdict {
                    gate: show_gate(gate),
                    subject: String::new(),
                    passed: false,
                    message: match gate.metric.as_str() {
                        "insertions_on_silence" => {
                            "no recording without speech was measured".to_owned()
                        }
                        _ => "nothing that it could be asked of was measured".to_owned(),
                    },
                });
            }
            judged
        })
        .collect()
}

/// Returns what a row or set is called, with its machine where there are several: a gate is asked of what
/// one machine measured.
fn on_machine(name: String, machine: Option<&str>) -> String {
    match machine {
        Some(machine) => format!("{name} on {machine}"),
        None => name,
    }
}

fn of_set(gate: &Gate, set: &SummaryRow<'_>, names: &MachineNames) -> Option<GateVerdict> {
    if set.rows.iter().all(|row| row.job.skip.is_some()) {
        return None;
    }
    let slug = set.rows.first()?.job.spec.slug();
    let name = match set.language {
        Some(language) => format!("{slug} ({language})"),
        None => slug,
    };
    let name = on_machine(name, names.told(set.machine));
    let mut found = verdict(gate, name, set_metric(&gate.metric, set))?;
    if names.are_several() && set.measured < set.planned {
        found.message.push_str(&format!(
            ": {} of the {} recordings were measured on this machine, and those of another one are \
             not added to them",
            set.measured, set.planned
        ));
    }
    Some(found)
}

fn verdict(gate: &Gate, subject: String, reading: Reading) -> Option<GateVerdict> {
    let (passed, message) = match reading {
        Reading::NotApplicable => return None,
        Reading::Missing => (false, format!("no {} was measured", gate.metric)),
        Reading::Measured(value) => {
            let above = gate.max.filter(|most| value > *most);
            let below = gate.min.filter(|least| value < *least);
            let failed = above
                .map(|bound| (bound, "above"))
                .or(below.map(|bound| (bound, "below")));
            let found = format!("{} is {}", gate.metric, show_number(value));
            match failed {
                Some((bound, word)) => (false, format!("{found}, {word} the gate's {bound}")),
                None => (true, found),
            }
        }
    };
    Some(GateVerdict {
        gate: show_gate(gate),
        subject,
        passed,
        message,
    })
}

/// Returns a number with four digits behind the dot, or none if it is whole.
#[must_use]
pub fn show_number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.4}")
    }
}

/// Returns a gate in words: `wer ≤ 0.2 over a set`.
#[must_use]
pub fn show_gate(gate: &Gate) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(gate.min.map(|least| format!("≥ {least}")));
    parts.extend(gate.max.map(|most| format!("≤ {most}")));
    if let Some(allowed) = gate.max_regression {
        let absolute = allowed.absolute.map(|number| number.to_string());
        let relative = allowed
            .relative
            .map(|share| format!("{} %", round(share.0 * 100.0)));
        let both: Vec<String> = [absolute, relative].into_iter().flatten().collect();
        parts.push(format!("no worse than the base by {}", both.join(" or ")));
    }
    let over = match gate.scope {
        GateScope::Row => "",
        GateScope::Set => " over a set",
    };
    format!("{} {}{over}", gate.metric, parts.join(", "))
}

/// Takes off what a product of binary fractions has behind its last digit.
fn round(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Returns the value of a metric that gates over rows may name.
#[must_use]
pub fn row_metric(name: &str, row: &ResultRow<'_>) -> Reading {
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are below 2^53")]
    let bytes = |bytes: u64| bytes as f64;
    let number = match name {
        "rtfx" => row.rtfx,
        "transcribe_seconds_median" => row.transcribe.map(|spread| spread.median),
        "start_seconds" => row.per_launch(|attempt| attempt.start_seconds),
        "load_seconds" => row.per_launch(|attempt| attempt.load_seconds),
        "first_segment_seconds" => row.per_trial(|sample| sample.first_segment_seconds),
        "cpu_seconds" => row.per_trial(|sample| sample.cpu_seconds),
        "peak_rss_bytes" => row.peak_rss_bytes().map(bytes),
        "peak_anonymous_bytes" => row
            .attempts()
            .filter_map(|attempt| attempt.usage.as_ref()?.peak_anonymous_bytes)
            .max()
            .map(bytes),
        _ => return of_score(name, row.score),
    };
    number.into()
}

/// Returns the value of a metric that gates over sets may name; nothing is measured of a set that
/// was not measured whole.
#[must_use]
pub fn set_metric(name: &str, set: &SummaryRow<'_>) -> Reading {
    if !set.is_whole() {
        return Reading::Missing;
    }
    match name {
        "rtfx" => set.rtfx.into(),
        _ => of_score(name, set.score),
    }
}

fn of_score(name: &str, score: Option<SetScore>) -> Reading {
    let Some(score) = score else {
        return Reading::Missing;
    };
    #[expect(clippy::cast_precision_loss, reason = "words are far below 2^53")]
    let (insertions, loops) = (
        score.insertions_on_silence as f64,
        score.repeat_loops as f64,
    );
    match name {
        "wer" => Reading::Measured(score.rates.wer),
        "cer" => Reading::Measured(score.rates.cer),
        "mer" => Reading::Measured(score.rates.mer),
        "wil" => Reading::Measured(score.rates.wil),
        "sentence_error_rate" => Reading::Measured(score.sentence_error_rate),
        "insertions_on_silence" if score.empty_references == 0 => Reading::NotApplicable,
        "insertions_on_silence" => Reading::Measured(insertions),
        "repeat_loops" => Reading::Measured(loops),
        _ => Reading::Missing,
    }
}
