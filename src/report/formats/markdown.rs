//! A record as Markdown: the answer, the summary, what went wrong, the gates. It fits into a
//! comment on a pull request, and so into a step's summary too.

use super::markdown_text::{COMMENT_CHARACTERS, Section, code_span, escaped, joined};
use crate::model::Outcome;
use crate::model::units::{show_bytes, show_seconds};
use crate::record::RunRecord;
use crate::report::configuration::Labels;
use crate::report::gates::gate_verdicts;
use crate::report::job_columns::job_rows;
use crate::report::machine_names::MachineNames;
use crate::report::not_run::NotRun;
use crate::report::page::{answers_in_words, is_synthetic};
use crate::report::rows::result_rows;
use crate::report::summary::{SummaryRow, summary_rows};

const NOTHING: &str = "–";

pub(super) fn markdown(record: &RunRecord) -> String {
    let rows = result_rows(record);
    let summaries = summary_rows(record, &rows);
    let labels = Labels::of(&rows);
    let mut head = format!("### {}\n", code_span(&record.plan.name));
    if !record.plan.description.trim().is_empty() {
        head.push_str(&format!("\n{}\n", code_span(&record.plan.description)));
    }
    for (title, sentence, _) in answers_in_words(record, &summaries, &labels) {
        head.push('\n');
        if !title.is_empty() {
            head.push_str(&format!("{}: ", code_span(&title)));
        }
        // The sentence has labels of the matrix in it.
        head.push_str(&format!("**{}**\n", escaped(&sentence)));
    }
    if record.interrupted {
        head.push_str("\nInterrupted: what is here is what was done until then.\n");
    }
    let mut sections = vec![Section::whole(head)];
    let names = MachineNames::of(record);
    let (machine, line) = if names.are_several() {
        (" machine |", "---|")
    } else {
        ("", "")
    };
    sections.push(Section::list(
        &format!(
            "\n| configuration |{machine} recordings | WER | RTFx | interval (coverage) | load | memory |\n\
             |---|{line}---|--:|--:|--:|--:|--:|\n"
        ),
        summaries
            .iter()
            .map(|row| summary(record, row, &labels, &names))
            .collect(),
        "",
    ));
    let gates = gate_verdicts(record, &rows);
    let failed = gates.iter().filter(|gate| !gate.passed);
    sections.push(Section::list(
        "\nGates that were not passed:\n\n",
        failed
            .map(|gate| {
                format!(
                    "- {} {}: {}\n",
                    code_span(&gate.gate),
                    code_span(&gate.subject),
                    code_span(&gate.message)
                )
            })
            .collect(),
        "",
    ));
    if !gates.is_empty() && gates.iter().all(|gate| gate.passed) {
        sections.push(Section::whole("\nGates: all passed.\n"));
    }
    sections.push(Section::list("\nNot completed:\n\n", troubles(record), ""));
    sections.push(Section::whole(foot(record)));
    joined(&sections, COMMENT_CHARACTERS)
}

fn summary(
    record: &RunRecord,
    row: &SummaryRow<'_>,
    labels: &Labels,
    names: &MachineNames,
) -> String {
    let synthetic = if is_synthetic(record, &row.configuration.backend) {
        " (synthetic)"
    } else {
        ""
    };
    let machine = match names.told(row.machine) {
        Some(machine) => format!(" {} |", code_span(machine)),
        None if names.are_several() => format!(" {NOTHING} |"),
        None => String::new(),
    };
    let recordings = match row.language {
        Some(language) => format!("{} ({language})", row.data_set),
        None => row.data_set.to_owned(),
    };
    let measured = if row.is_whole() {
        String::new()
    } else {
        format!(", {} of {} measured", row.measured, row.planned)
    };
    let empty = row.score.map_or(0, |score| score.empty_references);
    let empty = if empty > 0 {
        format!(", {empty} with an empty reference")
    } else {
        String::new()
    };
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
    format!(
        "| {}{synthetic} |{machine} {}{measured}{empty} | {} | {} | {} | {} | {} |\n",
        code_span(&labels.label(&row.configuration)),
        code_span(&recordings),
        or_nothing(
            row.score
                .map(|score| format!("{:.1} %", score.rates.wer * 100.0))
        ),
        or_nothing(row.rtfx.map(|rtfx| format!("{rtfx:.2}"))),
        or_nothing(row.rtfx_interval.map(|(low, high, coverage)| format!(
            "{low:.2}–{high:.2} ({:.0} %)",
            coverage * 100.0
        ))),
        or_nothing(row.load_seconds().map(show_seconds)),
        or_nothing(row.peak_rss_bytes().map(show_bytes)),
    )
}

/// What did not complete and was not left out by the plan.
fn troubles(record: &RunRecord) -> Vec<String> {
    let names = MachineNames::of(record);
    job_rows(record)
        .into_iter()
        .filter_map(|row| {
            let (job, outcome) = (row.job, row.outcome());
            let (status, reason) = match outcome {
                None if job.skip.is_some() => return None,
                None => {
                    let reason = NotRun::of(record, job, row.found);
                    let words = reason.map(NotRun::words).unwrap_or_default();
                    ("not-run", words.to_owned())
                }
                Some(outcome) if outcome.is_fault() => (outcome.status(), outcome.reason()),
                Some(Outcome::Cancelled { reason }) => ("cancelled", reason.clone()),
                Some(_) => return None,
            };
            let reason = if reason.is_empty() {
                String::new()
            } else {
                format!(": {}", code_span(&reason))
            };
            let session = row.found.and_then(|found| record.session_of(found));
            let machine = names.told(session.map(|session| session.machine.id.as_str()));
            let machine =
                machine.map_or_else(String::new, |machine| format!(" on {}", code_span(machine)));
            Some(format!(
                "- {status} {}{machine}{reason}\n",
                code_span(&job.spec.slug())
            ))
        })
        .collect()
}

fn foot(record: &RunRecord) -> String {
    let names = MachineNames::of(record);
    let machines: Vec<String> = record
        .machines()
        .into_iter()
        .map(|facts| {
            let what = format!("{}, {} cores", facts.cpu, facts.cores);
            match names.told(Some(&facts.id)) {
                Some(name) => code_span(&format!("{name}: {what}")),
                None => code_span(&what),
            }
        })
        .collect();
    format!(
        "\nEarmark {}, {}, on {}.\n",
        code_span(&record.earmark_version),
        code_span(&record.started_at),
        machines.join(", ")
    )
}
