//! A comparison as Markdown, for a comment on a pull request or a step's summary. What people wrote
//! stands in code spans, where it calls nobody and marks nothing up.

use crate::compare::{Against, Comparison, Pair, Verdict};
use crate::report::markdown::{COMMENT_CHARACTERS, Section, code_span, joined};

/// Returns a comparison as Markdown that fits into a comment.
pub(super) fn render(comparison: &Comparison) -> String {
    let mut sections = vec![Section::whole(format!(
        "### {} compared\n\n{}",
        code_span(&comparison.base.name),
        runs(comparison)
    ))];
    for against in &comparison.against {
        sections.extend(one(comparison, against));
    }
    sections.push(Section::whole(format!(
        "\n{}\n",
        comparison.rule_in_words()
    )));
    joined(&sections, COMMENT_CHARACTERS)
}

fn runs(comparison: &Comparison) -> String {
    let mut text = String::from("| run | started | completed | load |\n|---|---|--:|--:|\n");
    let others = comparison.against.iter().map(|against| &against.run);
    for (position, run) in std::iter::once(&comparison.base).chain(others).enumerate() {
        text.push_str(&format!(
            "| {}{}{} | {} | {} of {} | {} |\n",
            code_span(&run.label),
            if position == 0 { " (base)" } else { "" },
            if run.synthetic { ", synthetic" } else { "" },
            code_span(&run.started_at),
            run.completed,
            run.rows,
            run.load
                .map_or_else(String::new, |load| format!("{load:.1}")),
        ));
    }
    text
}

fn one(comparison: &Comparison, against: &Against) -> Vec<Section> {
    let mut head = format!(
        "\n#### {} against {}\n\n**{}**\n",
        code_span(&against.run.label),
        code_span(&comparison.base.label),
        against.headline()
    );
    if let Some(gates) = &against.gates {
        let failed: Vec<_> = gates.iter().filter(|gate| !gate.passed).collect();
        head.push_str(&if failed.is_empty() {
            "\nGates: all passed.\n".to_owned()
        } else {
            format!("\nGates: {} of {} not passed.\n", failed.len(), gates.len())
        });
    }
    let mut sections = vec![Section::whole(head)];
    let gates = against.gates.iter().flatten().filter(|gate| !gate.passed);
    sections.push(Section::list(
        "",
        gates
            .map(|gate| {
                let subject = match gate.subject.as_str() {
                    "" => String::new(),
                    subject => format!(", {}", code_span(subject)),
                };
                format!(
                    "- {}{subject}: {}\n",
                    code_span(&gate.gate),
                    code_span(&gate.message)
                )
            })
            .collect(),
        "",
    ));
    let differences = against.differences.iter().map(|difference| {
        format!(
            "| {} | {} | {} |\n",
            code_span(&difference.what),
            code_span(&difference.base),
            code_span(&difference.new)
        )
    });
    sections.push(Section::list(
        "\n| what differs | base | new |\n|---|---|---|\n",
        differences.collect(),
        "",
    ));
    // What changed first: a table that is cut must not lose it.
    let mut rows: Vec<&Pair> = against.sets_of_several();
    rows.extend(&against.rows);
    rows.sort_by_key(|pair| importance(pair));
    sections.push(Section::list(
        "\n| row | time | new ÷ base | speed | WER | points | accuracy |\n\
         |---|--:|--:|---|--:|--:|---|\n",
        rows.into_iter().map(row).collect(),
        "",
    ));
    let remarks = against.remarks().into_iter();
    sections.push(Section::list(
        "\n<details><summary>Why</summary>\n\n",
        remarks
            .map(|(row, about, verdict, reason)| {
                format!(
                    "- {} ({about}) {}: {}\n",
                    verdict.words(),
                    code_span(row),
                    code_span(reason)
                )
            })
            .collect(),
        "\n</details>\n",
    ));
    for (title, names) in [
        ("Only in the base", &against.only_base),
        ("Only in the new run", &against.only_new),
    ] {
        sections.push(Section::list(
            &format!("\n<details><summary>{title}: {}</summary>\n\n", names.len()),
            names
                .iter()
                .map(|name| format!("- {}\n", code_span(name)))
                .collect(),
            "\n</details>\n",
        ));
    }
    sections
}

fn row(pair: &Pair) -> String {
    let texts = match pair.accuracy.changed_texts {
        0 => String::new(),
        _ => format!(", {}", pair.accuracy.show_texts()),
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {}{texts} |\n",
        code_span(&pair.name),
        pair.speed.show_times(),
        pair.speed.show_ratio(),
        word(pair.speed.verdict, &pair.speed.show_verdict()),
        pair.accuracy.show_rates(),
        pair.accuracy.show_difference(),
        word(pair.accuracy.verdict, pair.accuracy.verdict.words()),
    )
}

fn word(verdict: Verdict, words: &str) -> String {
    match verdict {
        Verdict::Better | Verdict::Worse => format!("**{words}**"),
        _ => words.to_owned(),
    }
}

fn importance(pair: &Pair) -> usize {
    let place = |verdict| Verdict::ALL.iter().position(|known| *known == verdict);
    let both = [pair.speed.verdict, pair.accuracy.verdict];
    both.into_iter().filter_map(place).min().unwrap_or(0)
}
