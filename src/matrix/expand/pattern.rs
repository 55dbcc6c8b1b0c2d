//! Entries made ready: for each key, the numbers of the values that it takes.

use super::table::{Table, TableColumn};
use crate::matrix::axes::{Entry, EntryKey, NAMED_AXES};
use crate::matrix::condition::{Condition, Facts, name_of};
use crate::model::Value;
use globset::Glob;
use rustc_hash::FxHashMap;
use std::sync::Mutex;

/// Which numbers of a column are taken.
#[derive(Debug)]
enum Numbers {
    One(u32),
    Set(Vec<bool>),
}

impl Numbers {
    fn new(column: &TableColumn, found: impl Iterator<Item = u32>) -> Self {
        let found: Vec<u32> = found.collect();
        if let [one] = found.as_slice() {
            return Self::One(*one);
        }
        let mut set = vec![
            false;
            if found.is_empty() {
                0
            } else {
                column.values.len()
            }
        ];
        for number in found {
            if let Some(taken) = set.get_mut(number as usize) {
                *taken = true;
            }
        }
        Self::Set(set)
    }

    fn takes(&self, number: u32) -> bool {
        match self {
            Self::One(one) => *one == number,
            Self::Set(set) => set.get(number as usize).copied().unwrap_or(false),
        }
    }
}

/// What a key wants of its column, by Earmark's comparison and by GitHub's.
#[derive(Debug)]
struct KeyPattern {
    column: usize,
    strict: Numbers,
    /// `None` where GitHub's comparison finds nothing more.
    loose: Option<Numbers>,
}

/// An entry's keys that are matched.
#[derive(Debug)]
pub(super) struct Pattern {
    keys: Vec<KeyPattern>,
    /// Whether GitHub's comparison could find more.
    may_be_loose: bool,
}

impl Pattern {
    /// Makes a pattern of the keys that have a column. Globs are for entries that match only.
    pub(super) fn new<'k>(
        keys: impl Iterator<Item = &'k EntryKey>,
        table: &Table,
        globs: bool,
    ) -> Self {
        let keys: Vec<KeyPattern> = keys
            .filter_map(|key| {
                let position = table.position(&key.name)?;
                let column = &table.columns[position];
                let mut strict: Vec<u32> = Vec::new();
                let mut loose: Vec<u32> = Vec::new();
                for wanted in &key.values {
                    strict.extend(column.equal_to(wanted));
                    if globs && NAMED_AXES.contains(&key.name.as_str()) {
                        strict.extend(matching(column, &wanted.value.written));
                    }
                    loose.extend(column.loosely_equal_to(wanted));
                }
                let more = loose.iter().any(|number| !strict.contains(number));
                loose.extend(&strict);
                Some(KeyPattern {
                    column: position,
                    strict: Numbers::new(column, strict.into_iter()),
                    loose: more.then(|| Numbers::new(column, loose.into_iter())),
                })
            })
            .collect();
        Self {
            may_be_loose: keys.iter().any(|key| key.loose.is_some()),
            keys,
        }
    }

    pub(super) fn matches(&self, row: &[u32]) -> bool {
        self.keys
            .iter()
            .all(|key| key.strict.takes(row[key.column]))
    }

    /// Whether GitHub's comparison would match.
    pub(super) fn matches_loosely(&self, row: &[u32]) -> bool {
        self.may_be_loose
            && self.keys.iter().all(|key| {
                key.loose
                    .as_ref()
                    .unwrap_or(&key.strict)
                    .takes(row[key.column])
            })
    }
}

fn matching(column: &TableColumn, glob: &str) -> Vec<u32> {
    if !glob.contains(['*', '?', '[', '{']) {
        return Vec::new();
    }
    let Ok(glob) = Glob::new(glob) else {
        return Vec::new();
    };
    let matcher = glob.compile_matcher();
    column
        .values
        .iter()
        .zip(0u32..)
        .filter(|(value, _)| matcher.is_match(&value.written))
        .map(|(_, number)| number)
        .collect()
}

/// An entry's pattern with its condition.
#[derive(Debug)]
pub(super) struct Matcher<'a> {
    pub(super) entry: &'a Entry,
    pub(super) pattern: Pattern,
    /// The position of its condition in the list of all.
    pub(super) condition: Option<usize>,
}

/// A condition with the columns that it asks for.
#[derive(Debug)]
pub(super) struct BoundCondition<'a> {
    pub(super) condition: &'a Condition,
    columns: Vec<(String, usize)>,
    facts: Vec<(String, Value)>,
    /// Why it could not be carried out, the first time that happened.
    pub(super) failure: Mutex<Option<String>>,
}

/// Answers of conditions that were given already, by the numbers of what they ask for.
#[derive(Debug, Default)]
pub(super) struct Answers {
    known: Vec<FxHashMap<Box<[u32]>, bool>>,
    scratch: Vec<u32>,
}

impl<'a> BoundCondition<'a> {
    /// Finds what a condition asks for: facts of the machine, axes, and with `added` the keys that
    /// `include` adds. Returns the names that are neither.
    pub(super) fn new(
        condition: &'a Condition,
        table: &Table,
        facts: &Facts,
        added: bool,
    ) -> (Self, Vec<&'a str>) {
        let reach = if added {
            table.columns.len()
        } else {
            table.axes
        };
        let mut bound = Self {
            condition,
            columns: Vec::new(),
            facts: Vec::new(),
            failure: Mutex::new(None),
        };
        let mut unknown = Vec::new();
        for name in &condition.names {
            let column = table.columns[..reach]
                .iter()
                .position(|column| name_of(&column.name) == *name);
            if let Some(column) = column {
                bound.columns.push((name.clone(), column));
            } else if Facts::NAMES.contains(&name.as_str()) {
                let value = facts.get(name);
                bound.facts.extend(value.map(|value| (name.clone(), value)));
            } else {
                unknown.push(name.as_str());
            }
        }
        (bound, unknown)
    }

    /// Returns the facts of the machine that it asks for.
    pub(super) fn facts(&self) -> &[(String, Value)] {
        &self.facts
    }

    fn ask(&self, row: &[u32], table: &Table) -> bool {
        let values = self.columns.iter().filter_map(|(name, column)| {
            let value = table.columns[*column].values.get(row[*column] as usize)?;
            Some((name.as_str(), value))
        });
        let facts = self
            .facts
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        match self.condition.holds(values.chain(facts)) {
            Ok(holds) => holds,
            Err(reason) => {
                if let Ok(mut failure) = self.failure.lock() {
                    failure.get_or_insert(reason);
                }
                false
            }
        }
    }
}

impl Answers {
    /// Returns whether a condition holds for a row.
    pub(super) fn holds(
        &mut self,
        conditions: &[BoundCondition<'_>],
        position: Option<usize>,
        row: &[u32],
        table: &Table,
    ) -> bool {
        let Some(position) = position else {
            return true;
        };
        self.known.resize_with(conditions.len(), FxHashMap::default);
        let condition = &conditions[position];
        self.scratch.clear();
        self.scratch
            .extend(condition.columns.iter().map(|(_, column)| row[*column]));
        if let Some(holds) = self.known[position].get(self.scratch.as_slice()) {
            return *holds;
        }
        let holds = condition.ask(row, table);
        self.known[position].insert(self.scratch.as_slice().into(), holds);
        holds
    }
}
