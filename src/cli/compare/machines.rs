//! `earmark compare --across-machines`, as text and as Markdown. What has to be known comes first.

use crate::compare::{AcrossMachines, MachinePair, OnMachine};
use crate::model::units::show_seconds;
use crate::report::markdown::{COMMENT_CHARACTERS, Section, code_span, joined};
use crate::ui::{Table, printable};

/// What stands for a number that there is not.
const NOTHING: &str = "–";

/// Returns the comparison as text.
pub(super) fn text(across: &AcrossMachines) -> String {
    let mut text = String::new();
    for machine in &across.against {
        text.push_str(&one(across, machine));
    }
    let synthetic = if across.synthetic {
        " The fake engine stood in: nothing here is a measurement."
    } else {
        ""
    };
    format!("{text}\n{}{synthetic}\n", across.apart())
}

fn one(across: &AcrossMachines, against: &OnMachine) -> String {
    let (base, here) = (
        printable(&across.base.name),
        printable(&against.machine.name),
    );
    let mut text = format!("{here} against {base}\n\n");
    if against.caveats.is_empty() {
        text.push_str("The machines differ in nothing that they tell.\n");
    } else {
        let mut table = Table::new(&["what differs", &base, &here]);
        for caveat in &against.caveats {
            table.row([
                caveat.what.clone(),
                caveat.base.clone(),
                caveat.here.clone(),
            ]);
        }
        text.push_str(&format!("{}\n", table.render()));
    }
    if !against.not_told.is_empty() {
        text.push_str(&format!(
            "Neither tells, and each may differ: {}.\n",
            against.not_told.join(", ")
        ));
    }
    text.push_str(&format!("\n{}\n", against.headline()));
    if !against.rows.is_empty() {
        let mut table = Table::new(&["row", &base, &here, "ratio", "machine", "texts"]);
        table.break_after(0, '/');
        for column in [1, 2, 3] {
            table.align_right(column);
        }
        for row in &against.rows {
            table.row(cells(row));
        }
        text.push_str(&format!("\n{}\n", table.render()));
    }
    let mut lines: Vec<String> = against
        .rows
        .iter()
        .map(|row| format!("{} {}: {}", row.verdict.words(), row.name, row.reason))
        .collect();
    lines.extend(
        against
            .only_base
            .iter()
            .map(|name| format!("Only on {base}: {name}")),
    );
    lines.extend(
        against
            .only_here
            .iter()
            .map(|name| format!("Only on {here}: {name}")),
    );
    for line in lines {
        text.push_str(&format!("{}\n", printable(&line)));
    }
    text
}

/// Returns the comparison as Markdown that fits into a comment.
pub(super) fn markdown(across: &AcrossMachines) -> String {
    let runs: Vec<String> = across.runs.iter().map(|run| code_span(run)).collect();
    let mut sections = vec![Section::whole(format!(
        "### Machines compared\n\nOf {}.{}\n",
        runs.join(", "),
        if across.synthetic {
            " Synthetic: nothing here is a measurement."
        } else {
            ""
        }
    ))];
    for against in &across.against {
        let (base, here) = (
            code_span(&across.base.name),
            code_span(&against.machine.name),
        );
        sections.push(Section::whole(format!("\n#### {here} against {base}\n")));
        sections.push(Section::list(
            &format!("\n| what differs | {base} | {here} |\n|---|---|---|\n"),
            against
                .caveats
                .iter()
                .map(|caveat| {
                    format!(
                        "| {} | {} | {} |\n",
                        code_span(&caveat.what),
                        code_span(&caveat.base),
                        code_span(&caveat.here)
                    )
                })
                .collect(),
            "",
        ));
        if !against.not_told.is_empty() {
            sections.push(Section::whole(format!(
                "\nNeither tells, and each may differ: {}.\n",
                against.not_told.join(", ")
            )));
        }
        sections.push(Section::whole(format!("\n**{}**\n", against.headline())));
        sections.push(Section::list(
            &format!(
                "\n| row | {base} | {here} | ratio | machine | texts |\n|---|--:|--:|--:|---|---|\n"
            ),
            against
                .rows
                .iter()
                .map(|row| {
                    let [name, rest @ ..] = cells(row);
                    format!("| {} | {} |\n", code_span(&name), rest.join(" | "))
                })
                .collect(),
            "",
        ));
        sections.push(Section::list(
            "\n<details><summary>Why</summary>\n\n",
            against
                .rows
                .iter()
                .map(|row| {
                    format!(
                        "- {} {}: {}\n",
                        row.verdict.words(),
                        code_span(&row.name),
                        code_span(&row.reason)
                    )
                })
                .collect(),
            "\n</details>\n",
        ));
    }
    sections.push(Section::whole(format!("\n{}\n", across.apart())));
    joined(&sections, COMMENT_CHARACTERS)
}

fn cells(row: &MachinePair) -> [String; 6] {
    let seconds = |seconds: Option<f64>| seconds.map_or_else(|| NOTHING.into(), show_seconds);
    [
        row.name.clone(),
        seconds(row.base_seconds),
        seconds(row.seconds),
        row.show_ratio(),
        row.verdict.words().to_owned(),
        row.texts.clone(),
    ]
}
