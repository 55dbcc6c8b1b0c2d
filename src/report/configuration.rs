//! Configurations: everything of a benchmark but its audio.

use super::rows::ResultRow;
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
            .map(|(name, value)| (name.clone(), value.written.clone()));
        let counts = [
            ("warmup", spec.warmup),
            ("repeat", spec.repeat),
            ("launches", spec.launches),
        ];
        Self {
            backend: spec.backend.clone(),
            model: spec.model.clone(),
            artifact: spec.artifact.clone().unwrap_or_default(),
            quantization: spec.quantization.clone(),
            settings: asked
                .chain(counts.map(|(name, count)| (name.to_owned(), count.to_string())))
                .collect(),
        }
    }

    /// Returns its parts with the names that they go by.
    fn parts(&self) -> impl Iterator<Item = (&str, &str)> {
        [
            ("backend", self.backend.as_str()),
            ("model", &self.model),
            ("quantization", &self.quantization),
        ]
        .into_iter()
        .chain(
            self.settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }
}

/// Names configurations by what tells them apart, so that a label holds no more than it must.
#[derive(Debug)]
pub struct Labels {
    /// The names of the parts that differ somewhere.
    differing: BTreeSet<String>,
    /// What all have in common, as name and value.
    common: Vec<(String, String)>,
}

impl Labels {
    /// Finds out what tells configurations apart.
    #[must_use]
    pub fn of<'a>(configurations: impl IntoIterator<Item = &'a Configuration>) -> Self {
        let all: Vec<&Configuration> = configurations.into_iter().collect();
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        // How many configurations of each engine have a part: a setting that an engine does not
        // know tells it from no other, but one that it was given once and once not does.
        let mut present: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut engines: BTreeMap<&str, usize> = BTreeMap::new();
        for configuration in &all {
            let backend = configuration.backend.as_str();
            *engines.entry(backend).or_default() += 1;
            for (name, value) in configuration.parts() {
                values.entry(name).or_default().insert(value);
                *present.entry((name, backend)).or_default() += 1;
            }
        }
        let differs = |name: &str| {
            values.get(name).is_some_and(|values| values.len() > 1)
                || engines.iter().any(|(backend, of_engine)| {
                    present
                        .get(&(name, backend))
                        .is_some_and(|count| count < of_engine)
                })
        };
        Self {
            differing: values
                .keys()
                .filter(|name| differs(name))
                .map(|name| (*name).to_owned())
                .collect(),
            common: all.first().map_or_else(Vec::new, |first| {
                let in_all = |name: &str| all.iter().all(|c| c.parts().any(|part| part.0 == name));
                first
                    .parts()
                    .filter(|(name, value)| !differs(name) && !value.is_empty() && in_all(name))
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect()
            }),
        }
    }

    /// Returns what tells a configuration from the others; the backend if there is only one.
    #[must_use]
    pub fn label(&self, configuration: &Configuration) -> String {
        let parts: Vec<String> = configuration
            .parts()
            .filter(|(name, value)| self.differing.contains(*name) && !value.is_empty())
            .map(|(name, value)| match name {
                "backend" | "model" | "quantization" => value.to_owned(),
                _ => format!("{name} {value}"),
            })
            .collect();
        if parts.is_empty() {
            configuration.backend.clone()
        } else {
            parts.join(" · ")
        }
    }

    /// Returns what all configurations have in common, as name and value.
    #[must_use]
    pub fn common(&self) -> &[(String, String)] {
        &self.common
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(backend: &str, threads: Option<&str>) -> Configuration {
        Configuration {
            backend: backend.into(),
            model: "tiny.en".into(),
            artifact: String::new(),
            quantization: "f16".into(),
            settings: threads
                .map(|threads| ("threads".to_owned(), threads.to_owned()))
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn a_label_holds_what_differs_and_no_more() {
        let both = [
            configuration("candle", Some("1")),
            configuration("candle", None),
        ];
        let labels = Labels::of(&both);
        assert_eq!(labels.label(&both[0]), "threads 1");
        assert_eq!(labels.label(&both[1]), "candle");
        assert_eq!(labels.common()[0], ("backend".into(), "candle".into()));
    }
}
