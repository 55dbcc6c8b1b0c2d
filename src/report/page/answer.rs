//! The answer in a sentence: the fastest configuration that is accurate enough.

use super::groups::{GroupRow, GroupView};
use super::templates::{show_percent, show_times};
use crate::record::RunRecord;
use schemars::JsonSchema;
use serde::Serialize;

/// How much worse than the best error rate is still accurate enough, where the matrix has no gate
/// that says so: one word in a hundred.
const TOLERANCE: f64 = 0.01;

/// The answer for one group.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// The group; empty if there is only one.
    pub(super) title: String,
    /// The answer.
    pub(super) sentence: String,
    /// What it rests on and how sure it is.
    pub(super) detail: String,
}

/// Returns an answer for each group.
pub(super) fn answers(record: &RunRecord, groups: &[GroupView]) -> Vec<Answer> {
    if groups.is_empty() {
        return vec![Answer {
            title: String::new(),
            sentence: "This run measured nothing.".into(),
            detail: "Its plan holds no benchmark.".into(),
        }];
    }
    // The strictest bound, because a configuration has to pass all gates.
    let gate = record
        .plan
        .gates
        .iter()
        .filter(|gate| gate.metric == "wer")
        .filter_map(|gate| gate.max)
        .min_by(f64::total_cmp);
    groups
        .iter()
        .enumerate()
        .map(|(position, group)| {
            let (sentence, detail) = answer(&group.rows, gate);
            let (sentence, detail) = on_machine(&group.machine, position == 0, sentence, detail);
            Answer {
                title: if groups.len() > 1 {
                    group.title.clone()
                } else {
                    String::new()
                },
                sentence,
                detail,
            }
        })
        .collect()
}

/// Names the machine of an answer, where there are several. The first answer says what that means.
fn on_machine(machine: &str, is_first: bool, sentence: String, detail: String) -> (String, String) {
    if machine.is_empty() {
        return (sentence, detail);
    }
    let apart = if is_first {
        " Numbers of two machines are never compared as engines."
    } else {
        ""
    };
    (
        format!("On {machine}: {sentence}"),
        format!("{detail}{apart}").trim().to_owned(),
    )
}

fn answer(rows: &[GroupRow], gate: Option<f64>) -> (String, String) {
    let mut candidates: Vec<(&GroupRow, f64, f64)> = rows
        .iter()
        .filter_map(|row| row.comparable().map(|(speed, rate)| (row, speed, rate)))
        .collect();
    candidates.sort_by(|one, other| other.1.total_cmp(&one.1));
    let left_out = rows.iter().filter(|row| !row.synthetic).count() - candidates.len();
    let left_out = match left_out {
        0 => String::new(),
        1 => format!(
            " 1 of {} is left out: not measured on all of the recordings.",
            rows.len()
        ),
        number => format!(
            " {number} of {} are left out: not measured on all of the recordings.",
            rows.len()
        ),
    };
    let Some(best) = candidates
        .iter()
        .min_by(|one, other| one.2.total_cmp(&other.2))
    else {
        let sentence = if rows.iter().all(|row| row.synthetic) {
            "No measurement: the fake engine stood in."
        } else {
            "No configuration was measured on all of its recordings with a reference to compare with."
        };
        return (sentence.into(), left_out.trim().to_owned());
    };
    let describe = |(row, speed, rate): &(&GroupRow, f64, f64)| {
        format!(
            "{} at {} real time (WER {})",
            row.label,
            show_times(*speed),
            show_percent(*rate)
        )
    };
    if candidates.len() == 1 {
        let detail = format!("Nothing to compare it with.{left_out}");
        return (format!("Measured: {}.", describe(best)), detail);
    }
    let bound = gate.unwrap_or(best.2 + TOLERANCE);
    let why = if gate.is_some() {
        "the gate of the matrix"
    } else {
        "one point above the best"
    };
    let mut enough = candidates.iter().filter(|candidate| candidate.2 <= bound);
    let Some(fastest) = enough.next() else {
        return (
            format!(
                "None reaches WER ≤ {}; the most accurate is {}.",
                show_percent(bound),
                describe(best)
            ),
            format!("The bound is {why}.{left_out}"),
        );
    };
    let mut detail = format!("The bound is {why}.");
    if let Some(next) = enough.next() {
        detail.push_str(&format!(
            " Next: {}{}.",
            describe(next),
            sureness(fastest.0, next.0)
        ));
    }
    if !std::ptr::eq(best.0, fastest.0) {
        detail.push_str(&format!(" Most accurate: {}.", describe(best)));
    }
    (
        format!(
            "Fastest with WER ≤ {}: {}.",
            show_percent(bound),
            describe(fastest)
        ),
        detail + &left_out,
    )
}

/// Returns how far the intervals of two speeds keep them apart.
fn sureness(faster: &GroupRow, slower: &GroupRow) -> &'static str {
    match (faster.interval, slower.interval) {
        (Some(faster), Some(slower)) if faster.low > slower.high => "; their intervals lie apart",
        (Some(_), Some(_)) => "; their intervals overlap, so the order of the two is not sure",
        _ => "; too few trials to say how sure that is",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, speed: f64, rate: f64) -> GroupRow {
        GroupRow {
            label: label.into(),
            measured: 2,
            planned: 2,
            wer: Some(rate),
            rtfx: Some(speed),
            interval: Some((speed * 0.9, speed * 1.1, 0.97).into()),
            ..GroupRow::default()
        }
    }

    #[test]
    fn the_fastest_that_is_accurate_enough_is_named() {
        let rows = [
            row("slow", 5.0, 0.050),
            row("fast", 20.0, 0.058),
            row("wild", 40.0, 0.300),
        ];
        let (sentence, detail) = answer(&rows, None);
        assert_eq!(
            sentence,
            "Fastest with WER ≤ 6.0 %: fast at 20.0 × real time (WER 5.8 %)."
        );
        assert!(detail.contains("Next: slow"), "{detail}");
        assert!(detail.contains("lie apart"), "{detail}");
        assert!(detail.contains("Most accurate: slow"), "{detail}");
    }

    #[test]
    fn a_gate_is_the_bound_and_may_not_be_reached() {
        let rows = [row("a", 5.0, 0.05), row("b", 20.0, 0.06)];
        let (sentence, detail) = answer(&rows, Some(0.01));
        assert!(
            sentence.starts_with("None reaches WER ≤ 1.0 %"),
            "{sentence}"
        );
        assert!(detail.contains("gate"), "{detail}");
    }

    #[test]
    fn what_was_not_measured_whole_does_not_win() {
        let mut partial = row("partial", 90.0, 0.0);
        partial.measured = 1;
        let (sentence, detail) = answer(&[partial, row("a", 5.0, 0.1), row("b", 6.0, 0.1)], None);
        assert!(sentence.contains(": b at 6.00 ×"), "{sentence}");
        assert!(detail.contains("1 of 3 is left out"), "{detail}");
        assert!(detail.contains("overlap"), "{detail}");
    }

    #[test]
    fn an_answer_is_of_one_machine_and_says_of_which() {
        let told = on_machine("rack", true, "Measured: a.".into(), String::new());
        assert_eq!(told.0, "On rack: Measured: a.");
        assert_eq!(
            told.1,
            "Numbers of two machines are never compared as engines."
        );
        let next = on_machine("mini", false, "Measured: a.".into(), "Why.".into());
        assert_eq!(next, ("On mini: Measured: a.".into(), "Why.".into()));
        let alone = on_machine("", true, "Measured: a.".into(), "Why.".into());
        assert_eq!(alone, ("Measured: a.".into(), "Why.".into()));
    }

    #[test]
    fn a_stand_in_is_no_answer() {
        let mut fake = row("fake", 90.0, 0.0);
        fake.synthetic = true;
        assert_eq!(
            answer(&[fake], None).0,
            "No measurement: the fake engine stood in."
        );
    }

    /// Where real engines were asked and failed, that is the news, and not that a stand-in ran.
    #[test]
    fn a_stand_in_hides_no_failure() {
        let mut fake = row("fake", 90.0, 0.0);
        fake.synthetic = true;
        let mut failed = row("real", 0.0, 0.0);
        (failed.measured, failed.wer, failed.rtfx) = (0, None, None);
        let (sentence, detail) = answer(&[fake, failed], None);
        assert!(
            sentence.starts_with("No configuration was measured on all"),
            "{sentence}"
        );
        assert!(detail.contains("1 of 2 is left out"), "{detail}");
    }
}
