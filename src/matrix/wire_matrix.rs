//! The `matrix:` section: four named axes, any number of settings and labels as further axes, and
//! what to leave out, to keep, to add and to join.

use crate::yaml::{AnyValue, Located, OneOrMany};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// One value, or several.
pub type ValuesWire = OneOrMany<AnyValue>;

/// An entry of `include`, `exclude`, `only` or `exclude-after`.
#[derive(Debug)]
pub struct EntryWire {
    /// The condition under `if`.
    pub condition: Option<Located<String>>,
    /// Keys with their values.
    pub keys: IndexMap<String, ValuesWire>,
}

impl<'de> Deserialize<'de> for EntryWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = EntryWire;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping from axes to values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<EntryWire, A::Error> {
                let mut entry = EntryWire {
                    condition: None,
                    keys: IndexMap::new(),
                };
                while let Some(key) = access.next_key::<String>()? {
                    if key == "if" {
                        entry.condition = Some(access.next_value()?);
                    } else {
                        entry.keys.insert(key, access.next_value()?);
                    }
                }
                Ok(entry)
            }
        }
        deserializer.deserialize_map(Entry)
    }
}

/// An item of `zip`: the name of an axis, or a group of such names.
#[derive(Debug)]
pub enum ZipWire {
    /// A name: the whole list is one group.
    Name(String),
    /// A group.
    Group(Vec<Located<String>>),
}

impl<'de> Deserialize<'de> for ZipWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Item;
        impl<'de> Visitor<'de> for Item {
            type Value = ZipWire;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of an axis, or a list of names")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ZipWire, E> {
                Ok(ZipWire::Name(name.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<ZipWire, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = access.next_element()? {
                    names.push(name);
                }
                Ok(ZipWire::Group(names))
            }
        }
        deserializer.deserialize_any(Item)
    }
}

/// The axes in the order of the file, and the lists beside them.
#[derive(Debug)]
pub struct MatrixSection {
    /// Axes in their order.
    pub axes: IndexMap<String, Located<ValuesWire>>,
    /// Axes that go together.
    pub zip: Vec<Located<ZipWire>>,
    /// What to keep of the combinations.
    pub only: Vec<Located<EntryWire>>,
    /// What to leave out of them.
    pub exclude: Vec<Located<EntryWire>>,
    /// What to add to them.
    pub include: Vec<Located<EntryWire>>,
    /// What to leave out after that.
    pub exclude_after: Vec<Located<EntryWire>>,
}

impl<'de> Deserialize<'de> for MatrixSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Section;
        impl<'de> Visitor<'de> for Section {
            type Value = MatrixSection;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping of axes")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut access: A,
            ) -> Result<MatrixSection, A::Error> {
                let mut section = MatrixSection {
                    axes: IndexMap::new(),
                    zip: Vec::new(),
                    only: Vec::new(),
                    exclude: Vec::new(),
                    include: Vec::new(),
                    exclude_after: Vec::new(),
                };
                while let Some(key) = access.next_key::<String>()? {
                    match key.as_str() {
                        "zip" => section.zip = access.next_value()?,
                        "only" => section.only = access.next_value()?,
                        "exclude" => section.exclude = access.next_value()?,
                        "include" => section.include = access.next_value()?,
                        "exclude-after" => section.exclude_after = access.next_value()?,
                        _ => {
                            section.axes.insert(key, access.next_value()?);
                        }
                    }
                }
                // An axis that is missing is told by `resolve`, with all the others that are.
                Ok(section)
            }
        }
        deserializer.deserialize_map(Section)
    }
}

impl JsonSchema for MatrixSection {
    fn schema_name() -> Cow<'static, str> {
        "Matrix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = serde_json::json!({ "type": ["string", "number", "boolean"] });
        let condition = serde_json::json!({
            "description": "A condition over the combination and the machine; what it does not hold for is left alone.",
            "type": ["string", "boolean"],
            "examples": ["os == 'macos'", "memory >= 16 and backend == 'candle'"],
        });
        // One value, `{value: …, if: …}`, or a list of those.
        let axis_of = |value: &serde_json::Value| {
            let conditional = serde_json::json!({
                "type": "object",
                "required": ["value"],
                "properties": { "value": value, "if": condition },
                "additionalProperties": false,
            });
            let one = serde_json::json!({ "anyOf": [value, conditional] });
            serde_json::json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
        };
        let values = axis_of(&scalar);
        let methods = axis_of(&serde_json::json!({ "enum": crate::model::VerifyMethod::WORDS }));
        let labels = axis_of(&serde_json::json!({
            "type": ["string", "number", "boolean", "object"],
        }));
        let entries = |description: &str, lists: bool| {
            let mut forms = vec![scalar.clone(), serde_json::json!({ "type": "object" })];
            if lists {
                forms.push(serde_json::json!({ "type": "array", "minItems": 1, "items": scalar }));
            }
            serde_json::json!({
                "description": description,
                "type": "array",
                "items": {
                    "type": "object",
                    "minProperties": 1,
                    "properties": { "if": condition },
                    "additionalProperties": { "anyOf": forms },
                },
            })
        };
        let described = |description: &str, values: &serde_json::Value| serde_json::json!({ "description": description, "allOf": [values] });
        schemars::json_schema!({
            "description": "Every combination of one value from each axis; the first axis is the slowest.",
            "type": "object",
            "properties": {
                "backend": described("Engines, such as `whisper-cpp`; `earmark engines` lists them.", &values),
                "model": described("Models of the catalog or of `models:`, such as `tiny.en`.", &values),
                "audio": described("Clips, globs over clips, or data sets.", &values),
                "verify-method": described(
                    "How the presence of a model is asked: `cache-check`, `checksum`, `load` (also `timeout`), `transcribe`.",
                    &methods,
                ),
                "zip": {
                    "description": "Axes that go together, the first value with the first: a list of names, or a list of such lists.",
                    "anyOf": [
                        { "type": "array", "items": { "type": "string" }, "minItems": 2 },
                        { "type": "array", "items": { "type": "array", "items": { "type": "string" }, "minItems": 2 } },
                    ],
                    "examples": [["model", "quantization"]],
                },
                "only": entries("Combinations to keep: those that match all keys of some entry.", true),
                "exclude": entries("Combinations to leave out: each entry removes what matches all of its keys.", true),
                "include": entries("Keys to add to combinations, or combinations of their own.", false),
                "exclude-after": entries("Combinations to leave out once `include` has added its keys.", true),
            },
            "patternProperties": { "^tag\\.": labels },
            "additionalProperties": values,
        })
    }
}
