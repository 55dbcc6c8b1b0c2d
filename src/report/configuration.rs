//! Configurations: everything of a benchmark but its audio.

use super::rows::ResultRow;
use crate::model::Text;
use std::collections::{BTreeMap, BTreeSet};

/// Everything of a benchmark but its audio: what a decision is made between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Configuration {
    /// The engine.
    pub backend: String,
    /// The model.
    pub model: String,
    /// The artifact; empty if none is read.
    pub artifact: String,
    /// The quantization; empty if the engine has none.
    pub quantization: String,
    /// The settings that the job asks for, by name, and how often it is measured.
    pub settings: BTreeMap<String, String>,
}

impl Configuration {
    /// Returns the configuration of a row.
    #[must_use]
    pub fn of(row: &ResultRow<'_>) -> Self {
        let spec = row.spec;
        let asked = spec
            .settings
            .iter()
            .map(|(name, value)| (name.to_string(), value.written.clone()));
        let counts = [
            ("warmup", spec.warmup.to_string()),
            ("repeat", spec.repeat_in_words()),
            ("launches", spec.launches.to_string()),
        ];
        Self {
            backend: spec.backend.to_string(),
            model: spec.model.to_string(),
            artifact: spec.artifact.as_deref().unwrap_or_default().to_owned(),
            quantization: spec.quantization.to_string(),
            settings: asked
                .chain(counts.map(|(name, count)| (name.to_owned(), count)))
                .collect(),
        }
    }
}

/// A part of a configuration: its name and its value as shown.
type Part = (String, String);

/// Names configurations by what tells them apart, so that a label holds no more than it must.
#[derive(Debug)]
pub struct Labels {
    /// The parts of each configuration, with the defaults that an engine told.
    parts: BTreeMap<Configuration, Vec<Part>>,
    /// The names of the parts that differ somewhere.
    differing: BTreeSet<String>,
}

impl Labels {
    /// Finds out what tells the configurations of some rows apart.
    #[must_use]
    pub fn of(rows: &[ResultRow<'_>]) -> Self {
        let asked: BTreeSet<&str> = rows
            .iter()
            .flat_map(|row| row.spec.settings.keys().map(Text::as_str))
            .collect();
        let mut parts: BTreeMap<Configuration, Vec<Part>> = BTreeMap::new();
        for row in rows {
            let known = parts.entry(Configuration::of(row)).or_default();
            for part in parts_of(row, &asked) {
                if !known.iter().any(|(name, _)| *name == part.0) {
                    known.push(part);
                }
            }
        }
        Self {
            differing: differing(&parts),
            parts,
        }
    }

    /// Returns the parts of a configuration, as name and value.
    pub(super) fn parts(&self, configuration: &Configuration) -> &[(String, String)] {
        self.parts.get(configuration).map_or(&[], Vec::as_slice)
    }

    /// Returns what tells a configuration from the others; the backend if there is only one.
    #[must_use]
    pub fn label(&self, configuration: &Configuration) -> String {
        let parts = self.parts.get(configuration).map_or(&[][..], Vec::as_slice);
        let told: Vec<String> = parts
            .iter()
            .filter(|(name, value)| self.differing.contains(name) && !value.is_empty())
            .map(|(name, value)| match name.as_str() {
                "backend" | "model" | "quantization" => value.clone(),
                _ => format!("{name} {value}"),
            })
            .collect();
        if told.is_empty() {
            configuration.backend.clone()
        } else {
            told.join(" · ")
        }
    }

    /// Returns what all configurations have in common, as name and value.
    #[must_use]
    pub fn common(&self) -> Vec<(&str, &str)> {
        let in_all = |part: &Part| self.parts.values().all(|parts| parts.contains(part));
        self.parts
            .values()
            .next()
            .into_iter()
            .flatten()
            .filter(|part| !part.1.is_empty() && in_all(part))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

/// Returns the parts of a row's configuration; of its settings those that some row asks for.
fn parts_of(row: &ResultRow<'_>, asked: &BTreeSet<&str>) -> Vec<Part> {
    let spec = row.spec;
    let named = [
        ("backend", spec.backend.to_string()),
        ("model", spec.model.to_string()),
        ("quantization", spec.quantization.to_string()),
    ];
    let settings = asked
        .iter()
        .filter_map(|name| Some((*name, row.setting(name)?.to_owned())));
    let counts = [
        ("launches", spec.launches.to_string()),
        ("repeat", spec.repeat_in_words()),
        ("warmup", spec.warmup.to_string()),
    ];
    named
        .into_iter()
        .chain(settings)
        .chain(counts)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Returns the names of parts that tell configurations apart: those with several values, and those
/// that only some configurations of an engine have. A setting that an engine does not know tells
/// it from no other engine.
fn differing(parts: &BTreeMap<Configuration, Vec<Part>>) -> BTreeSet<String> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut present: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut engines: BTreeMap<&str, usize> = BTreeMap::new();
    for (configuration, parts) in parts {
        let backend = configuration.backend.as_str();
        *engines.entry(backend).or_default() += 1;
        for (name, value) in parts {
            values.entry(name).or_default().insert(value);
            *present.entry((name, backend)).or_default() += 1;
        }
    }
    let partly = |name: &str| {
        engines.iter().any(|(backend, configurations)| {
            present
                .get(&(name, *backend))
                .is_some_and(|count| count < configurations)
        })
    };
    values
        .iter()
        .filter(|(name, values)| values.len() > 1 || partly(name))
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(backend: &str, threads: Option<&str>) -> (Configuration, Vec<Part>) {
        let settings: BTreeMap<String, String> = threads
            .map(|threads| ("threads".to_owned(), threads.to_owned()))
            .into_iter()
            .collect();
        let mut parts = vec![
            ("backend".to_owned(), backend.to_owned()),
            ("model".to_owned(), "tiny.en".to_owned()),
        ];
        parts.extend(settings.clone());
        let configuration = Configuration {
            backend: backend.into(),
            model: "tiny.en".into(),
            artifact: String::new(),
            quantization: "f16".into(),
            settings,
        };
        (configuration, parts)
    }

    fn labels(configurations: &[(Configuration, Vec<Part>)]) -> Labels {
        let parts: BTreeMap<_, _> = configurations.iter().cloned().collect();
        Labels {
            differing: differing(&parts),
            parts,
        }
    }

    #[test]
    fn a_label_holds_what_differs_and_no_more() {
        let both = [
            configuration("candle", Some("1")),
            configuration("candle", None),
        ];
        let labels = labels(&both);
        assert_eq!(labels.label(&both[0].0), "threads 1");
        assert_eq!(labels.label(&both[1].0), "candle");
        assert_eq!(
            labels.common(),
            [("backend", "candle"), ("model", "tiny.en")]
        );
    }

    #[test]
    fn a_setting_that_only_one_engine_knows_tells_nothing() {
        let both = [
            configuration("candle", None),
            configuration("whisper-cpp", Some("2")),
        ];
        let labels = labels(&both);
        assert_eq!(labels.label(&both[1].0), "whisper-cpp");
        assert_eq!(labels.common(), [("model", "tiny.en")]);
    }
}
