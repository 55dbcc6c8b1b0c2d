//! What is odd about a matrix and does not stop it.

use super::Alone;
use super::pass::{Count, Rules, Walk};
use super::pattern::Matcher;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::matrix::axes::Axis;
use crate::matrix::condition::name_of;
use crate::matrix::resolve::Matrix;
use rustc_hash::{FxHashMap, FxHashSet};

/// Tells values that stand twice in one axis. Axes that go together may well repeat a value.
pub(super) fn duplicate_values(matrix: &Matrix, axes: &[Axis], problems: &mut Diagnostics) {
    for axis in axes {
        if is_zipped(matrix, axis) {
            continue;
        }
        let mut seen: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (position, value) in axis.values.iter().enumerate() {
            let located = &value.located;
            // Equal numbers may be written in different ways.
            let key = match located.value.as_number() {
                Some(number) => number.to_string(),
                None => located.value.written.clone(),
            };
            let earlier = seen.entry(key).or_default();
            let same = |at: &usize| axis.values[*at].located.value == located.value;
            // A value that is there twice under conditions is there once where one of them holds.
            let unconditional = value.condition.is_none();
            if unconditional && earlier.iter().any(same) {
                problems.push(
                    Diagnostic::warning(
                        Some(located.span.clone()),
                        format!("`{}` stands twice in `{}`", located.value, axis.name),
                    )
                    .path(format!("matrix.{}", axis.name))
                    .hint("both are kept as combinations; equal jobs run once"),
                );
            }
            earlier.push(position);
        }
    }
}

fn is_zipped(matrix: &Matrix, axis: &Axis) -> bool {
    let mut groups = matrix.zip.iter();
    groups.any(|group| group.names.contains(&axis.name))
}

/// Tells labels of one value that nothing looks at.
pub(super) fn unused_labels(matrix: &Matrix, axes: &[Axis], problems: &mut Diagnostics) {
    let entries = || {
        matrix
            .only
            .iter()
            .chain(&matrix.exclude)
            .chain(&matrix.include)
            .chain(&matrix.exclude_after)
    };
    let named: FxHashSet<String> = entries()
        .flat_map(|entry| entry.keys.iter().map(|key| name_of(&key.name)))
        .chain(
            entries()
                .filter_map(|entry| entry.condition.as_ref())
                .chain(
                    axes.iter()
                        .flat_map(|axis| &axis.values)
                        .filter_map(|value| value.condition.as_ref()),
                )
                .flat_map(|condition| condition.names.iter().cloned()),
        )
        .collect();
    for axis in axes {
        if axis.name.starts_with("tag.")
            && axis.values.len() == 1
            && !is_zipped(matrix, axis)
            && !named.contains(&name_of(&axis.name))
        {
            problems.push(
                Diagnostic::warning(
                    Some(axis.span.clone()),
                    format!("the label `{}` has one value and is never used", axis.name),
                )
                .path(format!("matrix.{}", axis.name))
                .hint("a label tells combinations apart; say what all have in common in `description`"),
            );
        }
    }
}

const BY_TYPE: &str = "values compare by type and as they are written; GitHub turns text into numbers \
                       and ignores case";

fn coerced(matcher: &Matcher<'_>, count: Count, list: &str, problems: &mut Diagnostics) {
    if count.loosely == 0 {
        return;
    }
    let combinations = match count.loosely {
        1 => "1 combination".to_owned(),
        number => format!("{number} combinations"),
    };
    let message = if count.matched == 0 {
        format!(
            "this {list} entry matches nothing; GitHub would have matched {combinations} by coercion"
        )
    } else {
        format!("GitHub would have matched {combinations} more by coercion")
    };
    problems.push(
        Diagnostic::warning(Some(matcher.entry.span.clone()), message)
            .path(format!("matrix.{list}"))
            .hint(BY_TYPE),
    );
}

/// Tells entries that do nothing, or more than is likely to be meant.
pub(super) fn entries(rules: &Rules<'_>, walk: &Walk, total: usize, problems: &mut Diagnostics) {
    for (list, matchers, counts, verb) in [
        ("only", rules.only, &walk.only, "keeps"),
        ("exclude", rules.exclude, &walk.exclude, "removes"),
        (
            "exclude-after",
            rules.exclude_after,
            &walk.exclude_after,
            "removes",
        ),
    ] {
        for (matcher, count) in matchers.iter().zip(counts) {
            idle(matcher, *count, list, verb, total, problems);
            coerced(matcher, *count, list, problems);
        }
    }
    for (adder, count) in rules.include.iter().zip(&walk.include) {
        let span = &adder.matcher.entry.span;
        let lint = |message: String, hint: &str| {
            Diagnostic::warning(Some(span.clone()), message)
                .path("matrix.include")
                .hint(hint)
        };
        if count.matched == walk.originals
            && count.matched > 1
            && adder.matcher.condition.is_none()
            && !adder.added.is_empty()
        {
            problems.push(lint(
                format!(
                    "this include entry adds its keys to all {} combinations",
                    count.matched
                ),
                "name an axis value in it to choose some, or write the value under `settings:`",
            ));
        }
        if count.matched > 0 && adder.added.is_empty() {
            problems.push(lint(
                "this include entry adds nothing".into(),
                "its keys are axes, and there are such combinations already",
            ));
        }
        coerced(&adder.matcher, *count, "include", problems);
    }
    if walk.cells.is_empty() && total > 0 && !problems.has_errors() {
        let last = [rules.exclude_after, rules.exclude, rules.only]
            .into_iter()
            .find_map(|list| list.last());
        problems.push(
            Diagnostic::warning(
                last.map(|matcher| matcher.entry.span.clone()),
                match total {
                    1 => "the one combination is excluded".to_owned(),
                    _ => format!("all {total} combinations are excluded"),
                },
            )
            .path("matrix")
            .hint("there is nothing to do"),
        );
    }
}

fn idle(
    matcher: &Matcher<'_>,
    count: Count,
    list: &str,
    verb: &str,
    total: usize,
    problems: &mut Diagnostics,
) {
    // A condition that does not hold on this machine is what conditions are for.
    if count.first > 0 || total == 0 || matcher.condition.is_some() {
        return;
    }
    let reason = if count.matched > 0 {
        format!(
            "all that it matches is matched by earlier ones: {}",
            count.matched
        )
    } else if count.loosely > 0 {
        return;
    } else {
        "it matches none that is left when its turn comes".to_owned()
    };
    problems.push(
        Diagnostic::warning(
            Some(matcher.entry.span.clone()),
            format!("this {list} entry {verb} no combination"),
        )
        .path(format!("matrix.{list}"))
        .hint(reason),
    );
}

/// Tells combinations that are there twice. Those of the axes differ unless a value stands twice,
/// which is told where it stands.
pub(super) fn duplicate_combinations(
    rules: &Rules<'_>,
    walk: &Walk,
    alone: &[Alone],
    problems: &mut Diagnostics,
) {
    if alone.is_empty() {
        return;
    }
    let width = rules.table.columns.len();
    // Equal values of one column have different numbers where they are written twice.
    let same: Vec<Vec<u32>> = rules
        .table
        .columns
        .iter()
        .map(|column| {
            let mut first: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
            let mut numbers = Vec::with_capacity(column.values.len());
            for (value, number) in column.values.iter().zip(0u32..) {
                let known = first.entry(value.written.as_str()).or_default();
                let earlier = known
                    .iter()
                    .find(|earlier| column.values[**earlier as usize] == *value)
                    .copied();
                numbers.push(earlier.unwrap_or(number));
                if earlier.is_none() {
                    known.push(number);
                }
            }
            numbers
        })
        .collect();
    let normal = |position: usize| -> Vec<u32> {
        walk.cells[position * width..(position + 1) * width]
            .iter()
            .zip(&same)
            .map(|(cell, same)| same.get(*cell as usize).copied().unwrap_or(*cell))
            .collect()
    };
    let mut wanted: FxHashMap<Vec<u32>, Option<usize>> = alone
        .iter()
        .map(|alone| (normal(alone.position), None))
        .collect();
    for position in 0..walk.cells.len() / width {
        if let Some(first) = wanted.get_mut(&normal(position)) {
            first.get_or_insert(position);
        }
    }
    for alone in alone {
        let first = wanted.get(&normal(alone.position)).copied().flatten();
        if let Some(first) = first.filter(|first| *first < alone.position) {
            problems.push(
                Diagnostic::warning(
                    Some(rules.include[alone.entry].matcher.entry.span.clone()),
                    format!("this include entry makes combination {first} a second time"),
                )
                .path("matrix.include")
                .hint("both are kept; equal jobs run once. Combinations are counted from 0"),
            );
        }
    }
}
