//! The settings that a job's spec names, sorted, each shared by all jobs that have it.

use super::text::Text;
use super::value::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A setting with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenSetting {
    /// The setting's name.
    pub name: Text,
    /// Its value.
    pub value: Value,
}

/// Settings by name, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChosenSettings(Box<[Arc<ChosenSetting>]>);

impl ChosenSettings {
    /// Makes a list of settings, which it sorts. Of two with one name, the last stays.
    #[must_use]
    pub fn new(mut settings: Vec<Arc<ChosenSetting>>) -> Self {
        let sorted = settings
            .windows(2)
            .all(|pair| matches!(pair, [first, second] if first.name < second.name));
        if !sorted {
            let by_name: BTreeMap<Text, Arc<ChosenSetting>> = settings
                .into_iter()
                .map(|setting| (setting.name.clone(), setting))
                .collect();
            settings = by_name.into_values().collect();
        }
        Self(settings.into_boxed_slice())
    }

    /// Returns the value of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let found = self.0.iter().find(|setting| setting.name == *name)?;
        Some(&found.value)
    }

    /// Returns names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Value)> {
        self.0.iter().map(|setting| (&setting.name, &setting.value))
    }

    /// Returns the names.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().map(|setting| &setting.name)
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them as a map of their own, as messages to engines hold them.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, Value> {
        self.iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect()
    }
}

impl JsonSchema for ChosenSettings {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, Value>::json_schema(generator)
    }
}

impl Serialize for ChosenSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for ChosenSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = ChosenSettings;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping of settings")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut access: A,
            ) -> Result<ChosenSettings, A::Error> {
                let mut settings = Vec::new();
                while let Some((name, value)) = access.next_entry()? {
                    settings.push(Arc::new(ChosenSetting { name, value }));
                }
                Ok(ChosenSettings::new(settings))
            }
        }
        deserializer.deserialize_map(Map)
    }
}
