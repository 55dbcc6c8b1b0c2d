//! Axes, `exclude` and `include` become combinations, by the rules of GitHub Actions' matrix.

use super::resolve::{Axis, Entry, EntryKey, NAMED_AXES};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::{Combination, Scalar, Value};
use globset::Glob;

/// The combinations in their order, and what is odd about the entries.
#[derive(Debug, Default)]
pub struct Expansion {
    /// One value for every axis and what `include` added, each.
    pub combinations: Vec<Combination>,
    /// For each combination, the place to point at: its include entry, if it is one of its own.
    pub origins: Vec<Option<Span>>,
}

/// Makes the combinations.
///
/// `exclude` goes first: an entry removes what matches all of its keys. Then each `include` entry
/// is split into keys that are axes (its filter) and others: the others are added to every
/// combination of the axes that the filter fits, over what earlier entries added; an entry whose
/// filter fits none stands alone, at the end. Lints and mistakes go into `problems`.
pub fn expand(
    axes: &[Axis],
    exclude: &[Entry],
    include: &[Entry],
    problems: &mut Diagnostics,
) -> Expansion {
    lint_duplicates(axes, problems);
    let mut combinations = product(axes);
    let total = combinations.len();
    for entry in exclude {
        remove(entry, axes, &mut combinations, problems);
    }
    if combinations.is_empty() && total > 0 {
        problems.push(
            Diagnostic::warning(
                exclude.last().map(|entry| entry.span.clone()),
                format!("all {total} combinations are excluded"),
            )
            .path("matrix.exclude"),
        );
    }
    let originals = combinations.len();
    let mut origins = vec![None; originals];
    for entry in include {
        add(
            entry,
            axes,
            originals,
            &mut combinations,
            &mut origins,
            problems,
        );
    }
    Expansion {
        combinations,
        origins,
    }
}

fn product(axes: &[Axis]) -> Vec<Combination> {
    let mut combinations = vec![Combination::new()];
    for axis in axes {
        combinations = combinations
            .iter()
            .flat_map(|partial| {
                axis.values.iter().map(move |value| {
                    let mut next = partial.clone();
                    next.insert(axis.name.clone(), value.value.clone());
                    next
                })
            })
            .collect();
    }
    combinations
}

fn lint_duplicates(axes: &[Axis], problems: &mut Diagnostics) {
    for axis in axes {
        for (position, value) in axis.values.iter().enumerate() {
            if axis.values[..position]
                .iter()
                .any(|earlier| earlier.value == value.value)
            {
                problems.push(
                    Diagnostic::warning(
                        Some(value.span.clone()),
                        format!("`{}` stands twice in `{}`", value.value, axis.name),
                    )
                    .path(format!("matrix.{}", axis.name))
                    .hint("both are kept as combinations; equal jobs run once"),
                );
            }
        }
    }
}

fn remove(
    entry: &Entry,
    axes: &[Axis],
    combinations: &mut Vec<Combination>,
    problems: &mut Diagnostics,
) {
    let mut unknown = false;
    for key in &entry.keys {
        if !axes.iter().any(|axis| axis.name == key.name) {
            unknown = true;
            problems.push(
                Diagnostic::error(
                    Some(
                        key.values
                            .first()
                            .map_or(&entry.span, |value| &value.span)
                            .clone(),
                    ),
                    format!(
                        "`{}` in an exclude entry is no axis of this matrix",
                        key.name
                    ),
                )
                .path("matrix.exclude")
                .suggest(&key.name, axes.iter().map(|axis| axis.name.as_str())),
            );
        }
    }
    if unknown || entry.keys.is_empty() {
        return;
    }
    let before = combinations.len();
    let loosely = combinations.iter().any(|combination| {
        entry.keys.iter().all(|key| {
            let value = &combination[&key.name];
            key.values
                .iter()
                .any(|wanted| loosely_equal(&wanted.value, value))
        })
    });
    combinations.retain(|combination| {
        !entry
            .keys
            .iter()
            .all(|key| matches_any(key, &combination[&key.name]))
    });
    if combinations.len() == before {
        let mut diagnostic = Diagnostic::warning(
            Some(entry.span.clone()),
            "this exclude entry removes no combination",
        )
        .path("matrix.exclude");
        if loosely {
            diagnostic = diagnostic.hint(
                "values compare by type: a text in quotes is no number; GitHub would have matched here",
            );
        }
        problems.push(diagnostic);
    }
}

fn matches_any(key: &EntryKey, value: &Value) -> bool {
    key.values.iter().any(|wanted| {
        wanted.value == *value
            || (NAMED_AXES.contains(&key.name.as_str())
                && Glob::new(&wanted.value.written)
                    .is_ok_and(|glob| glob.compile_matcher().is_match(&value.written)))
    })
}

/// Whether GitHub's own comparison, which turns text into numbers, would call two values equal.
fn loosely_equal(left: &Value, right: &Value) -> bool {
    let number = |value: &Value| match &value.scalar {
        Scalar::Null => Some(0.0),
        Scalar::Boolean(boolean) => Some(f64::from(u8::from(*boolean))),
        Scalar::Text(text) if text.trim().is_empty() => Some(0.0),
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Integer(_) | Scalar::Number(_) => value.as_number(),
    };
    match (&left.scalar, &right.scalar) {
        (Scalar::Text(left), Scalar::Text(right)) => left.eq_ignore_ascii_case(right),
        _ => number(left).is_some_and(|left| Some(left) == number(right)),
    }
}

fn add(
    entry: &Entry,
    axes: &[Axis],
    originals: usize,
    combinations: &mut Vec<Combination>,
    origins: &mut Vec<Option<Span>>,
    problems: &mut Diagnostics,
) {
    let (filter, added): (Vec<&EntryKey>, Vec<&EntryKey>) = entry
        .keys
        .iter()
        .partition(|key| axes.iter().any(|axis| axis.name == key.name));
    let mut touched = 0;
    let mut loosely = false;
    for combination in &mut combinations[..originals] {
        let fits = |same: fn(&Value, &Value) -> bool| {
            filter.iter().all(|key| {
                key.values
                    .first()
                    .is_some_and(|wanted| same(&wanted.value, &combination[&key.name]))
            })
        };
        loosely |= fits(loosely_equal);
        if !fits(|left, right| left == right) {
            continue;
        }
        touched += 1;
        for key in &added {
            if let Some(value) = key.values.first() {
                combination.insert(key.name.clone(), value.value.clone());
            }
        }
    }
    if touched > 0 {
        if touched == originals && filter.is_empty() && originals > 1 {
            problems.push(
                Diagnostic::warning(
                    Some(entry.span.clone()),
                    format!("this include entry adds its keys to all {originals} combinations"),
                )
                .path("matrix.include")
                .hint(
                    "name an axis value in it to choose some, or write the value under `settings:`",
                ),
            );
        }
        return;
    }
    if loosely {
        problems.push(
            Diagnostic::warning(
                Some(entry.span.clone()),
                "this include entry fits no combination and stands alone; GitHub would have matched",
            )
            .path("matrix.include")
            .hint("values compare by type: a text in quotes is no number"),
        );
    }
    let mut alone = Combination::new();
    // In the order of the axes, then what is added, as every other combination has it.
    for axis in axes {
        if let Some(value) = filter
            .iter()
            .find(|k| k.name == axis.name)
            .and_then(|k| k.values.first())
        {
            alone.insert(axis.name.clone(), value.value.clone());
        }
    }
    for key in &added {
        if let Some(value) = key.values.first() {
            alone.insert(key.name.clone(), value.value.clone());
        }
    }
    for name in NAMED_AXES {
        if !alone.contains_key(name) {
            problems.push(
                Diagnostic::error(
                    Some(entry.span.clone()),
                    format!("this include entry fits no combination and does not name `{name}`"),
                )
                .path("matrix.include")
                .hint("an entry that stands alone names backend, model, audio and verify-method"),
            );
            return;
        }
    }
    combinations.push(alone);
    origins.push(Some(entry.span.clone()));
}
