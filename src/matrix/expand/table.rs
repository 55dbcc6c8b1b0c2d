//! The columns of the combinations while they are made: values by number, and numbers by value.

use crate::diagnostic::Span;
use crate::matrix::axes::{Axis, EntryKey, is_text};
use crate::model::{Column, Scalar, Value};
use crate::yaml::LocatedValue;
use rustc_hash::FxHashMap;

/// A column with what finds its values.
#[derive(Debug)]
pub(super) struct TableColumn {
    pub(super) name: String,
    pub(super) values: Vec<Value>,
    /// Each value as GitHub Actions would read it: there, an unquoted `3.10` is a number.
    coerced: Vec<Scalar>,
    /// The numbers of the values that GitHub's comparison would take for one.
    by_value: FxHashMap<CoercedKey, Vec<u32>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum CoercedKey {
    Number(u64),
    Text(String),
}

/// The axes, then the keys that `include` adds.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<TableColumn>,
    /// How many of them are axes.
    pub(super) axes: usize,
    by_name: FxHashMap<String, usize>,
}

impl Table {
    pub(super) fn new(axes: &[Axis]) -> Self {
        let mut table = Self {
            columns: Vec::new(),
            axes: axes.len(),
            by_name: FxHashMap::default(),
        };
        for axis in axes {
            let position = table.add_column(&axis.name);
            for value in &axis.values {
                table.columns[position].push(&value.located);
            }
        }
        table
    }

    fn add_column(&mut self, name: &str) -> usize {
        let position = self.columns.len();
        self.columns.push(TableColumn {
            name: name.to_owned(),
            values: Vec::new(),
            coerced: Vec::new(),
            by_value: FxHashMap::default(),
        });
        self.by_name.insert(name.to_owned(), position);
        position
    }

    /// Returns the column of a key.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Returns the column of an axis.
    pub(super) fn axis(&self, name: &str) -> Option<usize> {
        self.position(name).filter(|position| *position < self.axes)
    }

    /// Returns the cell of a key that `include` names, with a column and a number of its own where
    /// there is none yet.
    pub(super) fn include(&mut self, key: &EntryKey) -> Option<(usize, u32)> {
        let value = key.values.first()?;
        let position = match self.position(&key.name) {
            Some(position) => position,
            None => self.add_column(&key.name),
        };
        let column = &mut self.columns[position];
        let number = column
            .equal_to(value)
            .find(|number| column.values[*number as usize].written == value.value.written);
        Some((position, number.unwrap_or_else(|| column.push(value))))
    }

    /// Returns the columns without what found their values.
    pub(super) fn into_columns(self) -> Vec<Column> {
        self.columns
            .into_iter()
            .map(|column| Column {
                name: column.name,
                values: column.values,
            })
            .collect()
    }
}

impl TableColumn {
    fn push(&mut self, value: &LocatedValue) -> u32 {
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let coerced = coerced(&self.name, value);
        self.by_value
            .entry(coerced_key(&coerced))
            .or_default()
            .push(number);
        self.values.push(value.value.clone());
        self.coerced.push(coerced);
        number
    }

    fn candidates(&self, coerced: &Scalar) -> &[u32] {
        self.by_value
            .get(&coerced_key(coerced))
            .map_or(&[], Vec::as_slice)
    }

    /// Returns the numbers of the values that equal one by type and value.
    pub(super) fn equal_to(&self, value: &LocatedValue) -> impl Iterator<Item = u32> {
        // What is one value is one for GitHub too, but for text that is a number in one place and
        // in quotes in another: `3.1` and `"3.1"` are one label.
        let wanted = value.value.clone();
        let mut keys = vec![coerced_key(&coerced(&self.name, value))];
        if let Scalar::Text(text) = &wanted.scalar {
            for key in [coerced_key(&wanted.scalar), coerced_key(&read_plain(text))] {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        let mut found: Vec<u32> = keys
            .iter()
            .filter_map(|key| self.by_value.get(key))
            .flatten()
            .copied()
            .filter(|number| self.values[*number as usize] == wanted)
            .collect();
        found.sort_unstable();
        found.into_iter()
    }

    /// Returns the numbers of the values that GitHub's own comparison would call equal.
    pub(super) fn loosely_equal_to(&self, value: &LocatedValue) -> Vec<u32> {
        let wanted = coerced(&self.name, value);
        let mut candidates = self.candidates(&wanted).to_vec();
        // A text is compared as a number with numbers, and as a text with texts.
        if let Scalar::Text(text) = &wanted {
            candidates.extend(self.candidates(&read_plain(text)));
        } else {
            for (number, scalar) in self.coerced.iter().enumerate() {
                if matches!(scalar, Scalar::Text(_)) {
                    candidates.extend(u32::try_from(number));
                }
            }
        }
        candidates.retain(|number| loosely_equal(&wanted, &self.coerced[*number as usize]));
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// Reads a value as GitHub Actions would, which knows nothing of labels that are always text.
fn coerced(name: &str, value: &LocatedValue) -> Scalar {
    match &value.value.scalar {
        Scalar::Text(text) if is_text(name) && !is_quoted(&value.span) => read_plain(text),
        scalar => scalar.clone(),
    }
}

fn read_plain(text: &str) -> Scalar {
    let number = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    match text {
        "true" => Scalar::Boolean(true),
        "false" => Scalar::Boolean(false),
        _ if number => text
            .parse()
            .map_or_else(|_| Scalar::Text(text.to_owned()), Scalar::Number),
        _ => Scalar::Text(text.to_owned()),
    }
}

fn is_quoted(span: &Span) -> bool {
    matches!(
        span.source.text.as_bytes().get(span.range.start),
        Some(b'"' | b'\'')
    )
}

/// Returns the number that GitHub's comparison makes of a value that meets one of another type.
fn number_of(scalar: &Scalar) -> Option<f64> {
    match scalar {
        Scalar::Null => Some(0.0),
        Scalar::Boolean(boolean) => Some(f64::from(u8::from(*boolean))),
        Scalar::Text(text) if text.trim().is_empty() => Some(0.0),
        Scalar::Text(text) => text.trim().parse().ok(),
        #[expect(clippy::cast_precision_loss, reason = "GitHub compares as floats too")]
        Scalar::Integer(number) => Some(*number as f64),
        Scalar::Number(number) => Some(*number),
    }
}

fn coerced_key(scalar: &Scalar) -> CoercedKey {
    match scalar {
        Scalar::Text(text) => CoercedKey::Text(text.to_lowercase()),
        // 0 and -0 are one number.
        other => CoercedKey::Number((number_of(other).unwrap_or(0.0) + 0.0).to_bits()),
    }
}

fn loosely_equal(left: &Scalar, right: &Scalar) -> bool {
    match (left, right) {
        (Scalar::Text(left), Scalar::Text(right)) => left.to_lowercase() == right.to_lowercase(),
        _ => number_of(left).is_some_and(|left| Some(left) == number_of(right)),
    }
}
