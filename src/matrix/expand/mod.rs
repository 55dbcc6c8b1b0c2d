//! Axes and the lists beside them become combinations, by the rules of GitHub Actions' matrix and
//! what Earmark adds to them.
//!
//! In this order: the product of the axes, those of `zip` going together; the conditions of single
//! values; `only`; `exclude`; `include`; `exclude-after`.

mod lints;
mod pass;
mod pattern;
mod table;

use super::axes::{Axis, Entry, NAMED_AXES};
use super::condition::{Condition, Facts};
use super::resolve::Matrix;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{ABSENT, Combinations, Value};
use pass::{Adder, Dimension, Rules, Walk, walk};
use pattern::{Answers, BoundCondition, Matcher, Pattern};
use std::collections::BTreeMap;
use table::Table;

/// How many combinations of the axes are gone through.
const MAXIMUM_COMBINATIONS: usize = 10_000_000;

/// A combination that an include entry makes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alone {
    /// Its position among the combinations.
    pub position: usize,
    /// The position of its entry in `include`.
    pub entry: usize,
}

/// The combinations in their order.
#[derive(Debug, Default)]
pub struct Expansion {
    /// One value for every axis and what `include` added, each.
    pub combinations: Combinations,
    /// Those that include entries make by themselves, in their order.
    pub alone: Vec<Alone>,
    /// The facts of the machine that conditions asked for.
    pub facts: BTreeMap<String, Value>,
}

/// Makes the combinations of a matrix. `axes` are its axes with globs resolved.
///
/// Lints and mistakes go into `problems`; with mistakes in it, there may be no combination.
pub fn expand(
    matrix: &Matrix,
    axes: &[Axis],
    facts: &Facts,
    problems: &mut Diagnostics,
) -> Expansion {
    lints::duplicate_values(matrix, axes, problems);
    if !problems.has_errors() {
        // With a mistake in the file, what is left of it may look unused.
        lints::unused_labels(matrix, axes, problems);
    }
    let Some((dimensions, total)) = dimensions(matrix, axes, problems) else {
        return Expansion::default();
    };
    let mut table = Table::new(axes);
    let cells: Vec<Vec<(usize, u32)>> = matrix
        .include
        .iter()
        .map(|entry| {
            entry
                .keys
                .iter()
                .filter_map(|key| table.include(key))
                .collect()
        })
        .collect();
    let table = table;
    let mut binder = Binder {
        table: &table,
        facts,
        conditions: Vec::new(),
        problems,
    };
    let values = binder.values(axes);
    let only = binder.matchers(&matrix.only, "only", false);
    let exclude = binder.matchers(&matrix.exclude, "exclude", false);
    let include = binder.adders(&matrix.include, cells);
    let exclude_after = binder.matchers(&matrix.exclude_after, "exclude-after", true);
    let conditions = binder.conditions;
    let rules = Rules {
        table: &table,
        dimensions: &dimensions,
        conditions: &conditions,
        values,
        only: &only,
        exclude: &exclude,
        include: &include,
        exclude_after: &exclude_after,
    };
    if problems.has_errors() {
        return Expansion::default();
    }
    let mut walk = walk(&rules, total);
    let alone = stand_alone(&rules, &mut walk, problems);
    for condition in &conditions {
        let failure = condition.failure.lock().map(|mut failure| failure.take());
        if let Ok(Some(reason)) = failure {
            problems.push(
                Diagnostic::error(Some(condition.condition.span.clone()), reason)
                    .path("matrix")
                    .hint("a condition compares, such as `os == 'macos'` or `threads <= cores`"),
            );
        }
    }
    lints::entries(&rules, &walk, total, problems);
    lints::duplicate_combinations(&rules, &walk, &alone, problems);
    let facts = conditions
        .iter()
        .flat_map(|condition| condition.facts().iter().cloned())
        .collect();
    let used = used_columns(&rules, &walk, &alone);
    drop(rules);
    drop((only, exclude, include, exclude_after, conditions));
    let width = table.columns.len();
    let count = walk.cells.len() / width.max(1);
    let combinations = Combinations::new(table.into_columns(), walk.cells, count);
    Expansion {
        combinations: if used.iter().all(|used| *used) {
            combinations
        } else {
            combinations.keep_columns(&used)
        },
        alone,
        facts,
    }
}

/// Returns the dimensions and the size of their product; `None` after mistakes.
fn dimensions(
    matrix: &Matrix,
    axes: &[Axis],
    problems: &mut Diagnostics,
) -> Option<(Vec<Dimension>, usize)> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    let mut good = true;
    for (position, axis) in axes.iter().enumerate() {
        let group = matrix
            .zip
            .iter()
            .find(|group| group.names.contains(&axis.name));
        let first = group.and_then(|group| {
            let is_in = |name: &String| group.names.contains(name);
            axes[..position].iter().position(|axis| is_in(&axis.name))
        });
        let (Some(group), Some(first)) = (group, first) else {
            dimensions.push(Dimension {
                columns: vec![position],
                length: axis.values.len(),
            });
            continue;
        };
        let dimension = dimensions
            .iter_mut()
            .find(|dimension| dimension.columns.contains(&first));
        let Some(dimension) = dimension else { continue };
        dimension.columns.push(position);
        if axis.values.len() != dimension.length {
            good = false;
            problems.push(
                Diagnostic::error(
                    Some(group.span.clone()),
                    format!(
                        "`{}` has {} values and `{}` has {}",
                        axes[first].name,
                        dimension.length,
                        axis.name,
                        axis.values.len()
                    ),
                )
                .label("these axes go together")
                .path("matrix.zip")
                .hint("axes that go together have as many values, the first for the first"),
            );
        }
    }
    let total = dimensions
        .iter()
        .try_fold(1usize, |total, dimension| {
            total.checked_mul(dimension.length)
        })
        .filter(|total| *total <= MAXIMUM_COMBINATIONS);
    if total.is_none() {
        problems.push(
            Diagnostic::error(
                axes.first().map(|axis| axis.span.clone()),
                format!("the axes make more than {MAXIMUM_COMBINATIONS} combinations"),
            )
            .path("matrix")
            .hint("take values out, join axes by `zip`, or write several matrix files"),
        );
    }
    total.filter(|_| good).map(|total| (dimensions, total))
}

/// Makes entries and conditions ready.
struct Binder<'a, 'p> {
    table: &'a Table,
    facts: &'a Facts,
    conditions: Vec<BoundCondition<'a>>,
    problems: &'p mut Diagnostics,
}

impl<'a> Binder<'a, '_> {
    fn bind(&mut self, condition: Option<&'a Condition>, added: bool, path: &str) -> Option<usize> {
        let condition = condition?;
        let (bound, unknown) = BoundCondition::new(condition, self.table, self.facts, added);
        for name in unknown {
            let reach = if added {
                self.table.columns.len()
            } else {
                self.table.axes
            };
            let known: Vec<String> = self.table.columns[..reach]
                .iter()
                .map(|column| super::condition::name_of(&column.name))
                .collect();
            self.problems.push(
                Diagnostic::error(
                    Some(condition.span.clone()),
                    format!("`{name}` in a condition is no axis and no fact of the machine"),
                )
                .path(path)
                .suggest(
                    name,
                    Facts::NAMES
                        .into_iter()
                        .chain(known.iter().map(String::as_str)),
                ),
            );
        }
        self.conditions.push(bound);
        Some(self.conditions.len() - 1)
    }

    fn values(&mut self, axes: &'a [Axis]) -> Vec<Vec<Option<usize>>> {
        axes.iter()
            .map(|axis| {
                if axis.values.iter().all(|value| value.condition.is_none()) {
                    return Vec::new();
                }
                let path = format!("matrix.{}", axis.name);
                axis.values
                    .iter()
                    .map(|value| self.bind(value.condition.as_ref(), false, &path))
                    .collect()
            })
            .collect()
    }

    /// Makes entries ready that only match. `added` tells whether they see what `include` adds.
    fn matchers(&mut self, entries: &'a [Entry], list: &str, added: bool) -> Vec<Matcher<'a>> {
        let path = format!("matrix.{list}");
        let mut matchers = Vec::new();
        for entry in entries {
            let reach = |name: &str| {
                if added {
                    self.table.position(name)
                } else {
                    self.table.axis(name)
                }
            };
            for key in entry.keys.iter().filter(|key| reach(&key.name).is_none()) {
                let span = key.values.first().map_or(&entry.span, |value| &value.key);
                let what = if added {
                    "no axis of this matrix, and no include entry adds it"
                } else {
                    "no axis of this matrix"
                };
                let known = self.table.columns.iter().take(if added {
                    usize::MAX
                } else {
                    self.table.axes
                });
                self.problems.push(
                    Diagnostic::error(
                        Some(span.clone()),
                        format!("`{}` in an {list} entry is {what}", key.name),
                    )
                    .path(&path)
                    .suggest(&key.name, known.map(|column| column.name.as_str())),
                );
            }
            matchers.push(Matcher {
                entry,
                pattern: Pattern::new(entry.keys.iter(), self.table, true),
                condition: self.bind(entry.condition.as_ref(), added, &path),
            });
        }
        matchers
    }

    fn adders(&mut self, entries: &'a [Entry], cells: Vec<Vec<(usize, u32)>>) -> Vec<Adder<'a>> {
        entries
            .iter()
            .zip(cells)
            .map(|(entry, cells)| {
                let (filter, added) = cells
                    .into_iter()
                    .partition(|(column, _)| *column < self.table.axes);
                let keys = entry
                    .keys
                    .iter()
                    .filter(|key| self.table.axis(&key.name).is_some());
                Adder {
                    matcher: Matcher {
                        entry,
                        pattern: Pattern::new(keys, self.table, false),
                        condition: self.bind(entry.condition.as_ref(), true, "matrix.include"),
                    },
                    filter,
                    added,
                }
            })
            .collect()
    }
}

/// Adds the include entries that fit no combination, each as one of its own.
fn stand_alone(rules: &Rules<'_>, walk: &mut Walk, problems: &mut Diagnostics) -> Vec<Alone> {
    let width = rules.table.columns.len();
    let mut answers = Answers::default();
    let mut alone = Vec::new();
    for (entry, adder) in rules.include.iter().enumerate() {
        if walk.include[entry].matched > 0 {
            continue;
        }
        let mut row = vec![ABSENT; width];
        for (column, number) in adder.filter.iter().chain(&adder.added) {
            row[*column] = *number;
        }
        let condition = adder.matcher.condition;
        if !answers.holds(rules.conditions, condition, &row, rules.table) {
            continue;
        }
        let span = &adder.matcher.entry.span;
        let missing = NAMED_AXES.iter().find(|name| {
            rules
                .table
                .axis(name)
                .is_none_or(|axis| row[axis] == ABSENT)
        });
        if let Some(name) = missing {
            problems.push(
                Diagnostic::error(
                    Some(span.clone()),
                    format!("this include entry fits no combination and does not name `{name}`"),
                )
                .path("matrix.include")
                .hint("an entry that stands alone names backend, model, audio and verify-method"),
            );
            continue;
        }
        let position = walk.cells.len() / width;
        if walk.add_alone(rules, &mut answers, &row) {
            alone.push(Alone { position, entry });
        }
    }
    alone
}

/// Returns for each column whether it may have a cell in some combination.
fn used_columns(rules: &Rules<'_>, walk: &Walk, alone: &[Alone]) -> Vec<bool> {
    let mut used = vec![false; rules.table.columns.len()];
    used[..rules.table.axes].fill(true);
    for (entry, adder) in rules.include.iter().enumerate() {
        if walk.include[entry].matched > 0 || alone.iter().any(|alone| alone.entry == entry) {
            for (column, _) in &adder.added {
                used[*column] = true;
            }
        }
    }
    used
}
