//! A comparison as text for a terminal.

use crate::compare::{Against, Comparison, Pair, RunFacts, Verdict};
use crate::ui::{Table, printable};

/// A terminal of fewer columns is narrow.
const NARROW: u16 = 120;

/// Returns a comparison as text. On a terminal, verdicts have a mark before them that is seen at a
/// glance.
pub(super) fn render(comparison: &Comparison, marks: bool) -> String {
    let mut text = String::new();
    text.push_str(&runs(comparison));
    if comparison.against.len() > 1 {
        text.push_str(&side_by_side(comparison));
    }
    for against in &comparison.against {
        text.push_str(&one(comparison, against, marks));
    }
    text.push_str(&format!("\n{}\n", comparison.rule_in_words()));
    text
}

fn runs(comparison: &Comparison) -> String {
    let mut table = Table::new(&["run", "started", "completed", "engines", "load"]);
    table.align_right(4);
    let others = comparison.against.iter().map(|against| &against.run);
    for (position, run) in std::iter::once(&comparison.base).chain(others).enumerate() {
        let role = if position == 0 { " (base)" } else { "" };
        table.row([
            format!("{}{role}", run.label),
            run.started_at.chars().take(19).collect(),
            format!("{} of {}{}", run.completed, run.rows, remark(run)),
            engines(run),
            run.load
                .map_or_else(String::new, |load| format!("{load:.1}")),
        ]);
    }
    table.render() + "\n"
}

fn remark(run: &RunFacts) -> &'static str {
    match (run.interrupted, run.synthetic) {
        (true, _) => ", interrupted",
        (_, true) => ", synthetic",
        _ => "",
    }
}

fn engines(run: &RunFacts) -> String {
    let each = run.engines.iter();
    let each = each.map(|(engine, versions)| format!("{engine} {}", versions.join(", ")));
    each.collect::<Vec<_>>().join("; ")
}

fn side_by_side(comparison: &Comparison) -> String {
    let labels = comparison
        .against
        .iter()
        .map(|one| printable(&one.run.label));
    let header: Vec<String> = std::iter::once("time ÷ base".to_owned())
        .chain(labels)
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&header);
    table.break_after(0, '/');
    for (name, pairs) in comparison.side_by_side() {
        let cells = pairs.into_iter().map(|pair| match pair {
            Some(pair) => match pair.speed.ratio {
                Some(ratio) => format!("{ratio:.3} {}", pair.speed.show_verdict()),
                None => pair.speed.show_verdict(),
            },
            None => "–".to_owned(),
        });
        table.row(std::iter::once(name.to_owned()).chain(cells));
    }
    format!("\nSide by side\n{}\n", table.render())
}

fn one(comparison: &Comparison, against: &Against, marks: bool) -> String {
    let label = printable(&against.run.label);
    let mut text = format!(
        "\n{label} against {}: {}\n",
        printable(&comparison.base.label),
        printable(&against.headline())
    );
    if against.differences.is_empty() {
        text.push_str("\nThe runs differ in nothing that is known: plan, engines, machine.\n");
    } else {
        let mut table = Table::new(&["what differs", "base", "new"]);
        for difference in &against.differences {
            table.row([
                difference.what.clone(),
                difference.base.clone(),
                difference.new.clone(),
            ]);
        }
        text.push_str(&format!("\n{}\n", table.render()));
    }
    if !against.rows.is_empty() {
        text.push_str(&format!("\n{}\n", pairs(&against.rows, "row", marks)));
    }
    let sets = against.sets_of_several();
    if !sets.is_empty() {
        text.push_str(&format!("\n{}\n", pairs(sets, "together", marks)));
    }
    text.push_str(&remarks(against));
    for (title, names) in [
        ("Only in base", &against.only_base),
        ("Only in new", &against.only_new),
    ] {
        for name in names {
            text.push_str(&format!("{title}: {}\n", printable(name)));
        }
    }
    text
}

fn pairs<'a>(
    pairs: impl IntoIterator<Item = &'a Pair> + Clone,
    first: &str,
    marks: bool,
) -> String {
    let names: Vec<String> = pairs
        .clone()
        .into_iter()
        .map(|pair| printable(&pair.name))
        .collect();
    let numbers = numbers(None, pairs.clone(), marks);
    if numbers.width().is_some_and(|width| width < NARROW) {
        // Names are long: on a narrow terminal each has a line of its own.
        let text = numbers.render();
        let lines: Vec<&str> = text.lines().collect();
        if let Some((header, lines)) = lines.split_first()
            && lines.len() == names.len()
        {
            let rows = names.iter().zip(lines);
            let rows = rows.map(|(name, line)| format!("{name}\n {line}"));
            return format!(" {header}\n{}", rows.collect::<Vec<_>>().join("\n"));
        }
    }
    self::numbers(Some(first), pairs, marks).render()
}

/// Returns the table of pairs, with their names under a heading if there is one.
fn numbers<'a>(
    first: Option<&str>,
    pairs: impl IntoIterator<Item = &'a Pair>,
    marks: bool,
) -> Table {
    let columns = ["time", "new ÷ base", "speed", "wer", "points", "accuracy"];
    let header: Vec<&str> = first.into_iter().chain(columns).collect();
    let mut table = Table::new(&header);
    let names = header.len() - columns.len();
    for column in [0, 1, 3, 4] {
        table.align_right(names + column);
    }
    for column in [2, 5] {
        table.keep_whole(names + column);
    }
    if first.is_some() {
        table.break_after(0, '/');
    }
    for pair in pairs {
        let name = first.map(|_| pair.name.clone());
        table.row(name.into_iter().chain([
            pair.speed.show_times(),
            pair.speed.show_ratio(),
            verdict(pair.speed.verdict, &pair.speed.show_verdict(), marks),
            pair.accuracy.show_rates(),
            pair.accuracy.show_difference(),
            verdict(pair.accuracy.verdict, pair.accuracy.verdict.words(), marks),
        ]));
    }
    table
}

fn verdict(verdict: Verdict, words: &str, marks: bool) -> String {
    let mark = match verdict {
        Verdict::Better => "+ ",
        Verdict::Worse => "! ",
        Verdict::Same => "= ",
        Verdict::Inconclusive => "? ",
        Verdict::NoData => "  ",
    };
    let mark = if marks { mark } else { "" };
    format!("{mark}{words}")
}

/// What stands behind verdicts that are not `same` or are so within much, and what has to be known of a row.
fn remarks(against: &Against) -> String {
    let mut lines: Vec<String> = against
        .remarks()
        .into_iter()
        .map(|(row, about, verdict, reason)| {
            format!("{} ({about}) {row}: {reason}", verdict.words())
        })
        .collect();
    for pair in &against.rows {
        lines.extend(
            pair.caveats
                .iter()
                .map(|caveat| format!("note {}: {caveat}", pair.name)),
        );
        if pair.accuracy.changed_texts > 0 {
            let texts = pair.accuracy.show_texts();
            lines.push(format!("note {}: {texts}", pair.name));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = lines.iter().map(|line| printable(line) + "\n").collect();
    format!("\n{}", lines.concat())
}
