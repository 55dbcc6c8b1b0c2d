//! What keeps rows from being compared like with like: settings in effect and weights that differ
//! between engines on the same model and audio.

use super::rows::ResultRow;
use std::collections::{BTreeMap, BTreeSet};

/// The settings that decide how much work decoding is, and of what precision.
const COMPARED: [&str; 7] = [
    "beam-size",
    "temperature-fallback",
    "vad",
    "timestamps",
    "batch-size",
    "compute-type",
    "threads",
];
/// What the precision of the weights is called among them.
const WEIGHTS: &str = "weights";

/// What rows are compared by: model, audio and machine.
type Key<'a> = (&'a str, &'a str, Option<&'a str>);

/// What is compared of a row: names and values, as far as they are known.
type Traits<'a> = BTreeMap<&'static str, &'a str>;

/// What differs between a row and the likest one of another engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unlike {
    /// Decoding settings: in words, what differs from whom.
    pub(super) settings: Vec<String>,
    /// Weights, the same way.
    pub(super) weights: Vec<String>,
}

/// A trait that differs between engines that are shown side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contrast {
    /// Its name.
    pub(super) name: &'static str,
    /// Its values, each with the engines that have it.
    pub(super) values: BTreeMap<String, BTreeSet<String>>,
}

/// Returns for each row what keeps it from being compared with those of other engines. A setting
/// that an engine does not tell is not held against it; where it has a row that is like this one,
/// there is nothing to tell.
pub(super) fn unlike(rows: &[ResultRow<'_>]) -> Vec<Unlike> {
    let traits: Vec<Option<Traits<'_>>> = rows.iter().map(traits_of).collect();
    // Most rows of an engine have the same traits, so what differs is kept once.
    let mut peers: BTreeMap<Key<'_>, BTreeMap<&str, BTreeSet<&Traits<'_>>>> = BTreeMap::new();
    for (row, traits) in rows.iter().zip(&traits) {
        if let Some(traits) = traits {
            let engines = peers.entry(key_of(row)).or_default();
            engines.entry(&row.spec.backend).or_default().insert(traits);
        }
    }
    let mut known: BTreeMap<(Key<'_>, &str, &Traits<'_>), Unlike> = BTreeMap::new();
    rows.iter()
        .zip(&traits)
        .map(|(row, traits)| {
            let Some(traits) = traits else {
                return Unlike::default();
            };
            let (key, backend) = (key_of(row), row.spec.backend.as_str());
            let Some(engines) = peers.get(&key) else {
                return Unlike::default();
            };
            known
                .entry((key, backend, traits))
                .or_insert_with(|| compare(backend, traits, engines))
                .clone()
        })
        .collect()
}

/// Returns the traits that tell some of these rows apart although they should not.
pub(super) fn contrasts<'a, 'b: 'a>(
    rows: impl Iterator<Item = &'a ResultRow<'b>>,
) -> Vec<Contrast> {
    let mut found: BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for row in rows {
        let is_unlike = |name: &str| {
            let begins = |text: &String| text.contains(&format!("{name} "));
            match name {
                WEIGHTS => !row.unlike.weights.is_empty(),
                _ => row.unlike.settings.iter().any(begins),
            }
        };
        for (name, value) in traits_of(row).unwrap_or_default() {
            if is_unlike(name) {
                let values = found.entry(name).or_default();
                let engines = values.entry(value.to_owned()).or_default();
                engines.insert(row.spec.backend.to_string());
            }
        }
    }
    found
        .into_iter()
        .map(|(name, values)| Contrast { name, values })
        .collect()
}

fn key_of<'a>(row: &'a ResultRow<'_>) -> Key<'a> {
    (&row.spec.model, &row.spec.audio, row.machine)
}

/// Returns what is compared of a row, if something was measured of it.
fn traits_of<'a>(row: &'a ResultRow<'_>) -> Option<Traits<'a>> {
    if row.samples.is_empty() {
        return None;
    }
    let settings = COMPARED
        .into_iter()
        .filter_map(|name| Some((name, row.setting(name)?)));
    let weights = Some(row.spec.quantization.as_str()).filter(|text| !text.is_empty());
    Some(
        settings
            .chain(weights.map(|weights| (WEIGHTS, weights)))
            .collect(),
    )
}

fn compare(
    backend: &str,
    mine: &Traits<'_>,
    engines: &BTreeMap<&str, BTreeSet<&Traits<'_>>>,
) -> Unlike {
    // What differs in the same way is told once, of all engines of which it is true.
    let mut settings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut weights: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (engine, theirs) in engines.iter().filter(|(engine, _)| **engine != backend) {
        let likest = theirs
            .iter()
            .map(|theirs| differences(mine, theirs))
            .min_by_key(Vec::len)
            .unwrap_or_default();
        let words = |is_weights: bool| -> Vec<String> {
            likest
                .iter()
                .filter(|(name, ..)| (*name == WEIGHTS) == is_weights)
                .map(|(name, here, there)| format!("{name} {here} here, {there} there"))
                .collect()
        };
        for (is_weights, told) in [(false, &mut settings), (true, &mut weights)] {
            let words = words(is_weights);
            if !words.is_empty() {
                told.entry(words.join("; ")).or_default().push(engine);
            }
        }
    }
    let sentences = |told: BTreeMap<String, Vec<&str>>| {
        told.into_iter()
            .map(|(words, engines)| format!("unlike {}: {words}", engines.join(", ")))
            .collect()
    };
    Unlike {
        settings: sentences(settings),
        weights: sentences(weights),
    }
}

/// Returns the names of which both have a value, and not the same, with both values.
fn differences<'a>(
    mine: &Traits<'a>,
    theirs: &Traits<'a>,
) -> Vec<(&'static str, &'a str, &'a str)> {
    mine.iter()
        .filter_map(|(name, here)| {
            let there = theirs.get(name)?;
            (here != there).then_some((*name, *here, *there))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(pairs: &[(&'static str, &'static str)]) -> Traits<'static> {
        pairs.iter().copied().collect()
    }

    #[test]
    fn what_differs_in_the_same_way_is_told_once() {
        let mine = traits(&[("timestamps", "true"), (WEIGHTS, "f16"), ("vad", "false")]);
        let other = traits(&[("timestamps", "false"), (WEIGHTS, "f16")]);
        let small = traits(&[
            ("timestamps", "true"),
            (WEIGHTS, "int8"),
            ("beam-size", "5"),
        ]);
        let engines = BTreeMap::from([
            ("a", BTreeSet::from([&mine])),
            ("b", BTreeSet::from([&other])),
            ("c", BTreeSet::from([&other])),
            ("d", BTreeSet::from([&small])),
        ]);
        assert_eq!(
            compare("a", &mine, &engines),
            Unlike {
                settings: vec!["unlike b, c: timestamps true here, false there".into()],
                weights: vec!["unlike d: weights f16 here, int8 there".into()],
            }
        );
    }

    #[test]
    fn an_engine_with_a_row_that_is_like_this_one_is_not_told_of() {
        let greedy = traits(&[("beam-size", "1")]);
        let wide = traits(&[("beam-size", "5")]);
        let engines = BTreeMap::from([
            ("a", BTreeSet::from([&greedy])),
            ("b", BTreeSet::from([&wide, &greedy])),
        ]);
        assert_eq!(compare("a", &greedy, &engines), Unlike::default());
        let told = compare("b", &wide, &engines);
        assert_eq!(told.settings, ["unlike a: beam-size 5 here, 1 there"]);
    }
}
