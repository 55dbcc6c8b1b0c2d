//! What holds for every matrix: combinations against a plain reading of the rules, and what makes a
//! plan trustworthy.

use crate::support::plans::planned;
use earmark::model::{JobKind, Plan};
use earmark::plan::DependencyGraph;
use indexmap::IndexMap;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The keys that matrices here are made of, with the values each may have.
const KEYS: [(&str, &[&str]); 5] = [
    ("repeat", &["1", "2", "3"]),
    ("beam-size", &["1", "2", "2.0"]),
    ("tag.a", &["x", "y", "3.10"]),
    ("tag.b", &["x", "z"]),
    ("tag.c", &["u", "v"]),
];

type Row = IndexMap<String, String>;
type Entry = Vec<(&'static str, &'static str)>;

/// A matrix of the fake engine: some keys are axes, others only added.
#[derive(Clone, Debug)]
struct Written {
    axes: Vec<(&'static str, Vec<&'static str>)>,
    exclude: Vec<Entry>,
    include: Vec<Entry>,
    exclude_after: Vec<Entry>,
}

impl Written {
    fn yaml(&self) -> String {
        let mut text = String::from(
            "version: 1\nname: property\nmatrix:\n  backend: [fake]\n  model: [tiny.en]\n  audio: \
             [jfk]\n  verify-method: [cache-check]\n",
        );
        for (name, values) in &self.axes {
            text.push_str(&format!("  {name}: [{}]\n", values.join(", ")));
        }
        for (list, entries) in [
            ("exclude", &self.exclude),
            ("include", &self.include),
            ("exclude-after", &self.exclude_after),
        ] {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| {
                    let keys: Vec<String> = entry
                        .iter()
                        .map(|(key, value)| format!("{key}: {value}"))
                        .collect();
                    format!("{{{}}}", keys.join(", "))
                })
                .collect();
            text.push_str(&format!("  {list}: [{}]\n", entries.join(", ")));
        }
        text
    }

    fn is_axis(&self, key: &str) -> bool {
        self.axes.iter().any(|(name, _)| *name == key)
    }

    /// The rules, read plainly. Include entries that fit nothing name the four axes, or they would
    /// be mistakes; `None` stands for a mistake.
    fn combinations(&self) -> Option<Vec<Row>> {
        let mut rows = vec![Row::new()];
        for (name, values) in &self.axes {
            rows = rows
                .iter()
                .flat_map(|row| {
                    values.iter().map(|value| {
                        let mut row = row.clone();
                        row.insert((*name).into(), (*value).into());
                        row
                    })
                })
                .collect();
        }
        let fits = |row: &Row, entry: &Entry| {
            let has = |(key, value): &(&str, &str)| row.get(*key).is_some_and(|own| own == value);
            entry.iter().all(has)
        };
        rows.retain(|row| !self.exclude.iter().any(|entry| fits(row, entry)));
        for entry in &self.include {
            let (filter, added): (Entry, Entry) =
                entry.iter().partition(|(key, _)| self.is_axis(key));
            let mut touched = false;
            for row in rows.iter_mut().filter(|row| fits(row, &filter)) {
                touched = true;
                for (key, value) in &added {
                    row.insert((*key).into(), (*value).into());
                }
            }
            if !touched {
                return None;
            }
        }
        rows.retain(|row| !self.exclude_after.iter().any(|entry| fits(row, entry)));
        Some(rows)
    }
}

/// The combinations of a plan without the named axes, in their order.
fn rows(plan: &Plan) -> Vec<Row> {
    let named = ["backend", "model", "audio", "verify-method"];
    plan.combinations
        .iter()
        .map(|combination| {
            combination
                .iter()
                .filter(|(key, _)| !named.contains(key))
                .map(|(key, value)| (key.to_owned(), value.written.clone()))
                .collect()
        })
        .collect()
}

fn entry(keys: Vec<&'static str>, most: usize) -> impl Strategy<Value = Entry> {
    let count = keys.len();
    proptest::sample::subsequence(keys, 1..=most.min(count)).prop_flat_map(|keys| {
        let values: Vec<_> = keys
            .iter()
            .map(|key| {
                let values = KEYS.iter().find(|(name, _)| name == key).unwrap().1;
                (Just(*key), proptest::sample::select(values))
            })
            .collect();
        values.prop_shuffle()
    })
}

fn written() -> impl Strategy<Value = Written> {
    proptest::sample::subsequence(KEYS.to_vec(), 1..=4)
        .prop_shuffle()
        .prop_flat_map(|axes| {
            let axes: Vec<_> = axes
                .into_iter()
                .map(|(name, values)| {
                    let count = values.len();
                    (
                        Just(name),
                        proptest::sample::subsequence(values.to_vec(), 1..=count).prop_shuffle(),
                    )
                })
                .collect();
            axes.prop_flat_map(|axes| {
                let names: Vec<&str> = axes.iter().map(|(name, _)| *name).collect();
                let all: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
                (
                    Just(axes),
                    proptest::collection::vec(entry(names.clone(), 3), 0..4),
                    proptest::collection::vec(entry(all, 3), 0..5),
                    proptest::collection::vec(entry(names, 3), 0..2),
                )
            })
        })
        .prop_map(|(axes, exclude, include, exclude_after)| Written {
            axes,
            exclude,
            include,
            exclude_after,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn combinations_are_what_the_rules_say_and_plans_are_sound(matrix in written()) {
        let plan = planned(&matrix.yaml());
        let expected = matrix.combinations();
        prop_assert_eq!(plan.as_ref().map(rows), expected, "{}", matrix.yaml());
        let Some(plan) = plan else { return Ok(()) };

        let mut positions = BTreeMap::new();
        let mut specs = BTreeSet::new();
        let mut needs = Vec::new();
        for (position, job) in plan.jobs.iter().enumerate() {
            prop_assert!(positions.insert(job.id.clone(), position).is_none(), "{} twice", job.id);
            prop_assert!(specs.insert(serde_json::to_string(&job.spec).unwrap()), "a spec twice");
            prop_assert_eq!(&job.spec.id(), &job.id);
            needs.push(
                job.needs.iter().map(|need| positions[need]).collect::<Vec<usize>>()
            );
        }
        prop_assert!(DependencyGraph::new(&needs).is_ok());
        // Every combination asks for exactly one benchmark.
        let mut asked: Vec<usize> = plan
            .jobs
            .iter()
            .filter(|job| job.kind == JobKind::Benchmark)
            .flat_map(|job| job.combinations.iter().copied())
            .collect();
        asked.sort_unstable();
        prop_assert_eq!(asked, (0..plan.combinations.len()).collect::<Vec<_>>());
        // What is written can be read back, and is the same each time.
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(&serde_json::to_string(&planned(&matrix.yaml()).unwrap()).unwrap(), &json);
        let again: Plan = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }

    #[test]
    fn the_order_of_keys_within_an_entry_does_not_matter(matrix in written()) {
        let mut turned = matrix.clone();
        for entries in [&mut turned.exclude, &mut turned.include, &mut turned.exclude_after] {
            for entry in entries {
                entry.reverse();
            }
        }
        let maps = |matrix: &Written| {
            planned(&matrix.yaml()).map(|plan| {
                let rows: Vec<BTreeMap<String, String>> = rows(&plan)
                    .into_iter()
                    .map(|row| row.into_iter().collect())
                    .collect();
                let ids: Vec<_> = plan.jobs.iter().map(|job| job.id.clone()).collect();
                (rows, ids)
            })
        };
        prop_assert_eq!(maps(&matrix), maps(&turned));
    }
}
