//! Combinations as a table: a column for each key, and in each cell the number of a value.
//!
//! A matrix of a few lines makes a million combinations out of a few dozen values. So a value is
//! kept once, in its column, and a combination is a row of numbers.

use super::value::Value;
use indexmap::IndexMap;
use serde::de::{SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// The number in the cell of a key that a combination does not have.
pub const ABSENT: u32 = u32::MAX;

/// A key of combinations with the values it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// An axis, or a key that `include` adds.
    pub name: String,
    /// Its values; cells hold positions in this list.
    pub values: Vec<Value>,
}

/// Any number of combinations, in their order.
#[derive(Clone, Debug, Default)]
pub struct Combinations {
    columns: Vec<Column>,
    /// Row after row, a cell for each column.
    cells: Vec<u32>,
    count: usize,
}

impl Combinations {
    /// Makes a table out of its columns and `count` rows of cells.
    ///
    /// A cell that is no position in its column counts as [`ABSENT`].
    #[must_use]
    pub fn new(columns: Vec<Column>, cells: Vec<u32>, count: usize) -> Self {
        debug_assert_eq!(cells.len(), columns.len() * count);
        Self {
            columns,
            cells,
            count,
        }
    }

    /// Returns the same combinations without some columns; `keep` has an item for each.
    #[must_use]
    pub fn keep_columns(self, keep: &[bool]) -> Self {
        let is_kept = |column: usize| keep.get(column).copied().unwrap_or(true);
        let width = self.columns.len().max(1);
        let kept = |(number, _): &(usize, _)| is_kept(number % width);
        Self {
            cells: (self.cells.iter().copied().enumerate())
                .filter(kept)
                .map(|(_, cell)| cell)
                .collect(),
            columns: (self.columns.into_iter().enumerate())
                .filter(|(number, _)| is_kept(*number))
                .map(|(_, column)| column)
                .collect(),
            count: self.count,
        }
    }

    /// Returns the columns: the axes in their order, then what `include` adds.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the number of combinations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the cells of a combination; empty if there is no such position.
    #[must_use]
    pub fn row(&self, position: usize) -> &[u32] {
        let width = self.columns.len();
        self.cells
            .get(position * width..(position + 1) * width)
            .unwrap_or(&[])
    }

    /// Returns a combination by its position.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<Combination<'_>> {
        (position < self.count).then(|| Combination {
            columns: &self.columns,
            cells: self.row(position),
        })
    }

    /// Returns the value that a combination has under a key.
    #[must_use]
    pub fn value(&self, position: usize, key: &str) -> Option<&Value> {
        self.get(position)?.get(key)
    }

    /// Returns the combinations in their order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Combination<'_>> {
        (0..self.count).map(|position| Combination {
            columns: &self.columns,
            cells: self.row(position),
        })
    }
}

/// One value for every axis, and what `include` added, in the order of the columns.
#[derive(Clone, Copy, Debug)]
pub struct Combination<'a> {
    columns: &'a [Column],
    cells: &'a [u32],
}

impl<'a> Combination<'a> {
    /// Returns the value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.iter()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// Returns the keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.columns
            .iter()
            .zip(self.cells)
            .filter_map(|(column, cell)| {
                let value = column.values.get(*cell as usize)?;
                Some((column.name.as_str(), value))
            })
    }
}

/// Tables are equal if their combinations are, however the values are numbered.
impl PartialEq for Combinations {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count
            && self
                .iter()
                .zip(other.iter())
                .all(|(left, right)| left.iter().eq(right.iter()))
    }
}

impl Serialize for Combination<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A list of objects from key to value, as it was written.
impl Serialize for Combinations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.count))?;
        for combination in self.iter() {
            list.serialize_element(&combination)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Combinations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Combinations;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of combinations")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Combinations, A::Error> {
                let mut builder = Builder::default();
                while let Some(row) = access.next_element::<IndexMap<String, Value>>()? {
                    builder.add(row);
                }
                Ok(builder.finish())
            }
        }
        deserializer.deserialize_seq(Rows)
    }
}

impl FromIterator<IndexMap<String, Value>> for Combinations {
    fn from_iter<I: IntoIterator<Item = IndexMap<String, Value>>>(rows: I) -> Self {
        let mut builder = Builder::default();
        for row in rows {
            builder.add(row);
        }
        builder.finish()
    }
}

/// The values of a column, and their numbers by how they are written.
type KnownValues = (Vec<Value>, HashMap<String, Vec<u32>>);

/// Gathers rows whose keys are not known beforehand.
#[derive(Default)]
struct Builder {
    columns: IndexMap<String, KnownValues>,
    /// Pairs of columns that stand side by side in some row: the order that all rows follow.
    neighbours: BTreeSet<(usize, usize)>,
    /// Rows by the columns as they came up, not yet in their order.
    rows: Vec<Vec<u32>>,
}

impl Builder {
    fn add(&mut self, row: IndexMap<String, Value>) {
        let mut cells = vec![ABSENT; self.columns.len()];
        let mut before = None;
        for (name, value) in row {
            let entry = self.columns.entry(name);
            let position = entry.index();
            let (values, known) = entry.or_default();
            let same = known.entry(value.written.clone()).or_default();
            let found = same
                .iter()
                .find(|number| values[**number as usize] == value)
                .copied();
            let number = found.unwrap_or_else(|| {
                let number = u32::try_from(values.len()).unwrap_or(ABSENT);
                same.push(number);
                values.push(value);
                number
            });
            cells.resize(cells.len().max(position + 1), ABSENT);
            cells[position] = number;
            if let Some(before) = before.replace(position) {
                self.neighbours.insert((before, position));
            }
        }
        self.rows.push(cells);
    }

    /// Returns the columns so that every row has them in its own order, as far as rows agree.
    fn order(&self) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.columns.len()).collect();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let is_next = |column: &usize| {
                let mut later = self.neighbours.iter();
                !later.any(|(before, after)| after == column && left.contains(before))
            };
            let next = left.iter().position(is_next).unwrap_or(0);
            order.push(left.remove(next));
        }
        order
    }

    fn finish(self) -> Combinations {
        let order = self.order();
        let count = self.rows.len();
        let mut cells = Vec::with_capacity(order.len() * count);
        for row in self.rows {
            cells.extend(
                order
                    .iter()
                    .map(|column| row.get(*column).copied().unwrap_or(ABSENT)),
            );
        }
        let mut columns: Vec<Option<Column>> = self
            .columns
            .into_iter()
            .map(|(name, (values, _))| Some(Column { name, values }))
            .collect();
        let columns = order
            .iter()
            .filter_map(|column| columns.get_mut(*column)?.take())
            .collect();
        Combinations::new(columns, cells, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_list_of_objects_and_comes_back_the_same() {
        let json = r#"[{"a":1,"b":"3.10"},{"a":2},{"a":1,"c":true},{"a":1,"c":false,"b":1}]"#;
        let table: Combinations = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&table).unwrap(), json);
        assert_eq!(table.len(), 4);
        assert_eq!(table.value(2, "c"), Some(&Value::boolean(true)));
        assert_eq!(table.value(1, "b"), None);
        assert_eq!(table.value(9, "a"), None);
        let again: Combinations = serde_json::from_str(json).unwrap();
        assert_eq!(table, again);
    }
}
