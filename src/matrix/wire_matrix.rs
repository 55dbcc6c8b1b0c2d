//! The `matrix:` section: four named axes, any number of settings and labels as further axes, and
//! what to leave out and to add.

use crate::yaml::{Located, OneOrMany};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Keys of an entry of `include` or `exclude` with their values.
pub type EntryWire = IndexMap<String, OneOrMany>;

/// The axes in the order of the file, and the two lists of entries.
#[derive(Debug)]
pub struct MatrixSection {
    /// Axes in their order.
    pub axes: IndexMap<String, Located<OneOrMany>>,
    /// What to leave out of the combinations.
    pub exclude: Vec<Located<EntryWire>>,
    /// What to add to them.
    pub include: Vec<Located<EntryWire>>,
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
                    exclude: Vec::new(),
                    include: Vec::new(),
                };
                while let Some(key) = access.next_key::<String>()? {
                    match key.as_str() {
                        "exclude" => section.exclude = access.next_value()?,
                        "include" => section.include = access.next_value()?,
                        _ => {
                            section.axes.insert(key, access.next_value()?);
                        }
                    }
                }
                for name in super::NAMED_AXES {
                    if !section.axes.contains_key(name) {
                        return Err(A::Error::missing_field(name));
                    }
                }
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

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<OneOrMany>();
        let scalar = serde_json::json!({ "type": ["string", "number", "boolean"] });
        schemars::json_schema!({
            "description": "Every combination of one value from each axis; the first axis is the slowest.",
            "type": "object",
            "required": super::NAMED_AXES,
            "properties": {
                "backend": { "description": "Engines, such as `whisper-cpp`; `earmark engines` lists them.", "anyOf": [values] },
                "model": { "description": "Models of the catalog or of `models:`, such as `tiny.en`.", "anyOf": [values] },
                "audio": { "description": "Clips, globs over clips, or data sets.", "anyOf": [values] },
                "verify-method": {
                    "description": "How the presence of a model is asked: `cache-check`, `checksum`, `load` (also `timeout`), `transcribe`.",
                    "anyOf": [
                        { "enum": crate::model::VerifyMethod::WORDS },
                        { "type": "array", "minItems": 1, "items": { "enum": crate::model::VerifyMethod::WORDS } },
                    ]
                },
                "exclude": {
                    "description": "Combinations to leave out: each entry removes what matches all of its keys.",
                    "type": "array",
                    "items": { "type": "object", "minProperties": 1, "additionalProperties": values },
                },
                "include": {
                    "description": "Keys to add to combinations, or combinations of their own.",
                    "type": "array",
                    "items": { "type": "object", "minProperties": 1, "additionalProperties": scalar },
                },
            },
            "additionalProperties": values,
        })
    }
}
