//! A calibration for people.

use crate::compare::{Calibration, CalibrationRow, Resplit, Speed, Verdict, coarsest};
use crate::ui::{Table, printable};

/// Pairs whose reasons are shown one by one.
const FEW_PAIRS: usize = 3;

pub(super) fn text(found: &Calibration) -> String {
    let rows: Vec<String> = found.rows.iter().map(|row| one(row, found)).collect();
    let mut text = rows.join("\n");
    let pairs: usize = found.verdicts.values().sum();
    if pairs > 1 {
        let all = found.rows.iter().flat_map(|row| &row.pairs);
        text.push_str(&format!(
            "\nAll {pairs} pairs: {}.\n",
            in_words(&found.verdicts, all)
        ));
    }
    text
}

fn one(row: &CalibrationRow, found: &Calibration) -> String {
    let name = printable(&row.name);
    if let Some(problem) = &row.problem {
        return format!("{name}: {problem}; nothing to calibrate with\n");
    }
    let mut text = format!(
        "{name}: A against A, {} launches a side, in turns\n",
        found.launches
    );
    if row.pairs.len() <= FEW_PAIRS {
        for pair in &row.pairs {
            text.push_str(&format!("  {}: {}\n", pair.show_verdict(), pair.reason));
        }
    } else {
        let mut verdicts = std::collections::BTreeMap::new();
        for pair in &row.pairs {
            *verdicts.entry(pair.verdict).or_default() += 1;
        }
        text.push_str(&format!(
            "  {} pairs: {}\n",
            row.pairs.len(),
            in_words(&verdicts, &row.pairs)
        ));
    }
    text.push('\n');
    text.push_str(&table(&row.by_launches));
    text
}

fn table(lines: &[Resplit]) -> String {
    let mut table = Table::new(&[
        "launches",
        "noise floor",
        "change that is seen",
        "same",
        "better or worse",
        "inconclusive",
    ]);
    for column in 0..6 {
        table.align_right(column);
    }
    for line in lines {
        let of = |verdict: Verdict| line.verdicts.get(&verdict).copied().unwrap_or(0);
        let hundredth = |count: usize| {
            format!(
                "{} %",
                (count * 100 + line.comparisons / 2) / line.comparisons.max(1)
            )
        };
        let share = |share: Option<f64>| {
            share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
        };
        table.row([
            line.launches.to_string(),
            share(line.noise_floor),
            share(line.visible_change),
            hundredth(of(Verdict::Same)),
            hundredth(of(Verdict::Better) + of(Verdict::Worse)),
            hundredth(of(Verdict::Inconclusive)),
        ]);
    }
    table.render() + "\n"
}

/// Returns how many pairs came to each verdict; beside `same` stands the coarsest resolution of them.
fn in_words<'a>(
    verdicts: &std::collections::BTreeMap<Verdict, usize>,
    pairs: impl IntoIterator<Item = &'a Speed>,
) -> String {
    let within = coarsest(pairs).map_or_else(String::new, |within| format!(" to within {within}"));
    let parts = Verdict::ALL.into_iter().filter_map(|verdict| {
        let count = verdicts.get(&verdict)?;
        let within = if verdict == Verdict::Same {
            &within
        } else {
            ""
        };
        Some(format!("{}{within} in {count}", verdict.words()))
    });
    parts.collect::<Vec<_>>().join(", ")
}
